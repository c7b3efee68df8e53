"""Test that no row that fails is passed over."""

from __future__ import annotations

import pytest
import trio
from rows import for_each

ROWS = [(1, 1), (1, 2), (2, 3)]
NOTES = [["with {'left': 1, 'right': 2}"], ["with {'left': 2, 'right': 3}"]]


def test_every_row_that_fails_is_reported_with_its_values() -> None:
    @for_each("left, right", ROWS)
    def check(left: int, right: int) -> None:
        assert left == right

    with pytest.RaisesGroup(AssertionError, AssertionError, match="2 rows fail") as caught:
        check()

    assert [error.__notes__ for error in caught.value.exceptions] == NOTES


async def test_every_row_of_an_async_test_is_reported_too() -> None:
    @for_each(("left", "right"), ROWS)
    async def check(left: int, right: int) -> None:
        await trio.lowlevel.checkpoint()
        assert left == right

    with pytest.RaisesGroup(AssertionError, AssertionError, match="2 rows fail") as caught:
        await check()

    assert [error.__notes__ for error in caught.value.exceptions] == NOTES


def test_a_table_without_rows_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="no rows for left"):
        for_each("left", [])
