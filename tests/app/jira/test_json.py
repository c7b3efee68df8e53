"""JSON in steps: the same result, limits, and checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import trio
from fakes.checkpoints import count_steps
from hypothesis import given, strategies as st
from rows import for_each

from ticketr.app.jira import json_text
from ticketr.app.jira.json_text import (
    AT_ONCE,
    MOST_VALUES,
    TooManyValues,
    read_json,
)

FINITE = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def nested(levels: int) -> Any:
    value: Any = ["inmost"]
    for level in range(levels):
        value = [value] if level % 2 else {"in": value, "beside": level}
    return value


@pytest.fixture(params=[1, 3, 200])
def small_steps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "AT_ONCE", 1)
    monkeypatch.setattr(json_text, "_LEVELS", request.param)


@for_each("padding", [0, AT_ONCE])
@for_each("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1.5E+400"])
async def test_a_number_that_is_not_finite_is_null(number: str, padding: int) -> None:
    text = f'{" " * padding}{{"a": {number}, "b": [{number}, 1e3]}}'

    assert await read_json(text.encode()) == {"a": None, "b": [None, 1000.0]}


@pytest.mark.usefixtures("small_steps")
class TestInSteps:
    """Texts read in steps, with a step so small that every text takes several."""

    @pytest.mark.parametrize("indent", [None, 2])
    @pytest.mark.parametrize("ascii_only", [True, False])
    async def test_the_same_is_read_as_at_once(self, indent: int, ascii_only: bool) -> None:
        value = {"a": [1, -2.5e3, 'ü\n"', True, None, [], {}, [[]]], "": {"b": {"c": [{}, 1]}}}
        text = json.dumps([value, value], indent=indent, ensure_ascii=ascii_only)
        assert await read_json(text.encode()) == [value, value]

    @pytest.mark.parametrize("levels", [3, 8, 9, 10, 30, 300])
    async def test_any_depth_is_read(self, levels: int) -> None:
        assert await read_json(json.dumps(nested(levels)).encode()) == nested(levels)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
    async def test_every_encoding_of_json_is_read(self, encoding: str) -> None:
        assert await read_json('{"ü": [1, "é"]}'.encode(encoding)) == {"ü": [1, "é"]}

    @pytest.mark.parametrize(
        "text",
        [
            *["", "[", "[1", "[1,", "[1,]", "[1 2]", "[1]x", "[1}", "]", "[nul]", '["a', '["\n"]'],
            *["{", '{"a"', '{"a":', '{"a" 1}', '{"a":1,}', "{1:2}", "{a:2}", '{"a":1]', "\x00"],
        ],
    )
    async def test_the_same_is_refused_as_at_once_and_at_the_same_character(
        self, text: str
    ) -> None:
        with pytest.raises(json.JSONDecodeError) as expected:
            json.loads(text)
        with pytest.raises(json.JSONDecodeError) as caught:
            await read_json(f"{text}  ".encode())
        assert abs(caught.value.pos - expected.value.pos) <= 3

    async def test_half_characters_are_replaced_at_every_level(self) -> None:
        text = rb'{"\ud800": ["\udc00", "\ud83d\ude00"], "a": [[[[[[[[[["\ud800"]]]]]]]]]]}'
        found = await read_json(text)
        assert json.loads(json.dumps(found).replace("\\ufffd" * 3, "?")) == {
            "?": ["?", "\N{GRINNING FACE}"],
            "a": [[[[[[[[[["?"]]]]]]]]]],
        }


@given(VALUES)
def test_every_written_value_is_read(value: Any) -> None:
    async def both() -> None:
        assert await json_text._Walk(json.dumps(value), None).document() == value

    trio.run(both)


async def test_a_text_with_more_values_than_memory_has_room_for_is_refused_unread() -> None:
    with pytest.raises(TooManyValues):
        await read_json(b"[" + b"[]," * (MOST_VALUES // 2 + 1) + b"[]]")


@pytest.mark.parametrize(
    "make",
    [
        lambda number: {"issues": [{"id": str(each)} for each in range(number)]},
        lambda number: {"a": {"b": [{"t": [{"text": "x" * 50}]}] * number}},
    ],
    ids=["issues", "paragraphs"],
)
async def test_a_long_text_checkpoints_after_each_step(make: Callable[[int], Any]) -> None:
    text = json.dumps(make(30_000)).encode()
    async with count_steps() as steps:
        await read_json(text)
    assert steps.count >= len(text) // (2 * AT_ONCE)
