"""JSON of any length: the same result, limits, and a long text in a thread."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import trio
from hypothesis import given, strategies as st

from ticketr.app.jira.json_text import (
    MAX_BYTES_WITHOUT_CHECKPOINT,
    MAX_BYTES_WITHOUT_THREAD,
    MAX_VALUES,
    TooManyValues,
    read_json,
)


@pytest.mark.parametrize("padding", [0, MAX_BYTES_WITHOUT_CHECKPOINT, MAX_BYTES_WITHOUT_THREAD])
class TestAnyLength:
    """Short texts, long ones, and very long ones, which a thread reads."""

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1.5E+400"])
    async def test_a_number_that_is_not_finite_is_null(self, number: str, padding: int) -> None:
        text = f'{" " * padding}{{"a": {number}, "b": [{number}, 1e3]}}'
        assert await read_json(text.encode()) == {"a": None, "b": [None, 1000.0]}

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
    async def test_every_encoding_of_json_is_read(self, encoding: str, padding: int) -> None:
        text = f'{{"ü": [1, -2.5e3, true, null, [], {{}}, "é\\""]}}{" " * padding}'
        expected: Any = {"ü": [1, -2500.0, True, None, [], {}, 'é"']}
        assert await read_json(text.encode(encoding)) == expected

    @pytest.mark.parametrize("text", ["", "[1,]", "[1]x", '["a', '{"a" 1}', "\x00"])
    async def test_what_is_no_json_is_refused(self, text: str, padding: int) -> None:
        with pytest.raises((json.JSONDecodeError, UnicodeDecodeError)):
            await read_json(f"{text}{' ' * padding}".encode())

    async def test_half_characters_are_replaced_at_every_level(self, padding: int) -> None:
        text = rb'{"\ud800": ["\udc00", "\ud83d\ude00"], "a": [[[["\ud800"]]]]}' + b" " * padding
        found = await read_json(text)
        assert json.loads(json.dumps(found).replace("\\ufffd" * 3, "?")) == {
            "?": ["?", "\N{GRINNING FACE}"],
            "a": [[[["?"]]]],
        }


async def test_a_text_with_more_values_than_memory_has_room_for_is_refused_unread() -> None:
    with pytest.raises(TooManyValues):
        await read_json(b"[" + b"[]," * (MAX_VALUES // 2 + 1) + b"[]]")


async def test_a_very_long_text_is_left_to_a_thread_and_a_long_one_is_not() -> None:
    threads: list[bool] = []

    async def in_thread(function: Callable[..., Any], *args: Any, **options: bool) -> Any:
        threads.append(options["abandon_on_cancel"])
        return await trio.to_thread.run_sync(function, *args)

    for length in (MAX_BYTES_WITHOUT_THREAD - 2, MAX_BYTES_WITHOUT_THREAD - 1):
        assert await read_json(json.dumps("x" * length).encode(), in_thread) == "x" * length
    assert threads == [True]


async def test_a_cancel_stops_the_reading_of_a_long_text_and_not_of_a_short_one() -> None:
    short, long = json.dumps("x"), json.dumps("x" * MAX_BYTES_WITHOUT_CHECKPOINT)
    with trio.CancelScope() as scope:
        scope.cancel()
        assert await read_json(short.encode()) == "x"
        await read_json(long.encode())
    assert scope.cancelled_caught


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
        lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    ).map(json.dumps)
)
async def test_what_is_read_is_what_python_reads(text: str) -> None:
    expected = json.loads(text, parse_constant=lambda _: None)
    assert repr(await read_json(text.encode())) == repr(expected)
