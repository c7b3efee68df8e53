"""Test writing JSON in steps: the same result, and checkpoints."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio
from fakes.checkpoints import count_steps
from hypothesis import given, strategies as st

from ticketr.app.jira.json_text import STEP, _pieces, write_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_the_same_is_written_as_at_once(value: Any) -> None:
    assert "".join(_pieces(value)) == json.dumps(value)


@pytest.mark.parametrize(
    "value",
    [
        [{"text": "a"}] * 30_000,
        {"fields": {"description": {"content": [{"text": "a" * 100}] * 10_000}}},
        ["a" * 100_000] * 10,
    ],
    ids=["list", "document", "texts"],
)
async def test_a_large_value_checkpoints_after_each_step(value: Any) -> None:
    async with count_steps() as steps:
        written = await write_json(value)
    assert written == json.dumps(value).encode()
    assert steps.count >= min(len(written) // 32 // STEP // 2, 9)


async def test_a_value_of_any_depth_can_be_weighed_and_written() -> None:
    deep: Any = ["a"] * 30_000
    for _ in range(50_000):
        deep = [deep]
    written = await write_json(deep)
    assert written.startswith(b"[" * 50_000 + b'["a", "a"')
    await trio.lowlevel.checkpoint()
