from __future__ import annotations

import math
import random

import pytest

from ticketr.jobs._scheduling.priority_queue import MAX_STALE, PriorityQueue


def line_of(items: str) -> PriorityQueue[str]:
    """A queue of equal ranks, in order of arrival."""
    line = PriorityQueue[str]()
    for number, item in enumerate(items):
        line.push(item, 0.0, number)
    return line


def drained(line: PriorityQueue[str]) -> list[str | None]:
    return [line.pop() for _ in range(len(line))]


def test_the_lowest_rank_is_first_then_the_lowest_time_then_the_lowest_number() -> None:
    line = PriorityQueue[str]()
    items = [("d", 1.0, 5.0), ("e", 1.0, 5.0), ("b", 0.0, 2.0), ("c", 1.0, 4.0), ("a", 0.0, 1.0)]
    for number, (item, rank, time) in enumerate(items):
        line.push(item, rank, number, time)

    assert (len(line), line.first(), line.first_rank()) == (5, (0.0, 1.0, 4, "a"), 0.0)
    assert drained(line) == ["a", "b", "c", "d", "e"]
    assert (len(line), line.first(), line.first_rank()) == (0, None, math.inf)


def test_an_item_removed_from_the_middle_is_skipped_and_may_be_added_again() -> None:
    line = line_of("abc")

    line.discard("b")
    line.discard("a")
    assert line.first() == (0.0, 0.0, 2, "c")
    line.push("b", 1.0, 1)

    assert list(line) == ["c", "b"]
    assert drained(line) == ["c", "b"]


def test_a_removed_item_never_becomes_first() -> None:
    line = line_of("abcd")

    line.discard("b")
    line.discard("c")

    assert [line.pop(), line.pop()] == ["a", "d"]


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_stale_entries_do_not_accumulate(direction: float) -> None:
    """Neither from the deque nor from the heap."""
    line = PriorityQueue[int]()
    line.push(-1, 0.0, -1)
    line.push(-2, -1e9, -2)
    for number in range(1, 10_000):
        line.push(number, direction * number, number)
        line.discard(number)

    assert len(line._queue) + len(line._heap) <= 4 + MAX_STALE
    assert [line.pop(), line.pop()] == [-2, -1]


def test_any_mixture_comes_out_sorted() -> None:
    source = random.Random(1)
    line = PriorityQueue[int]()
    ranks = {number: float(source.randrange(50)) for number in range(1000)}
    for number, rank in ranks.items():
        line.push(number, rank, number)
    gone = source.sample(sorted(ranks), 700)
    for number in gone:
        line.discard(number)

    left = [line.pop() for _ in range(len(line))]

    assert left == sorted(set(ranks) - set(gone), key=lambda number: (ranks[number], number))
