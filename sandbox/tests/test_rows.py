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


@pytest.mark.parametrize("outcome", [pytest.fail.Exception, pytest.skip.Exception])
def test_no_row_ends_the_table(outcome: type[BaseException]) -> None:
    """`pytest.raises` fails by `pytest.fail`; a skip would hide the failures of the other rows."""

    @for_each("number", [1, 2, 3])
    def check(number: int) -> None:
        if number == 2:
            raise outcome("as told")
        raise ValueError(number)

    with pytest.RaisesGroup(ValueError, outcome, ValueError, match="3 rows fail") as caught:
        check()

    notes = [error.__notes__ for error in caught.value.exceptions]
    assert notes == [[f"with {{'number': {number}}}"] for number in (1, 2, 3)]


async def test_a_failure_in_a_nursery_is_reported_with_its_row_and_a_cancel_ends_the_test() -> None:
    @for_each("number", [1, 2])
    async def check(number: int) -> None:
        async with trio.open_nursery():
            pytest.fail("as told")

    @for_each("number", [1, 2])
    async def wait(number: int) -> None:
        await trio.sleep_forever()

    with pytest.RaisesGroup(pytest.fail.Exception, pytest.fail.Exception, match="2 rows fail"):
        await check()
    with trio.move_on_after(0) as scope:
        await wait()
    assert scope.cancelled_caught


def test_a_table_without_rows_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="no rows for left"):
        for_each("left", [])
