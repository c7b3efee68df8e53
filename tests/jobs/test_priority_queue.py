from __future__ import annotations

import random

import pytest

from ticketr.jobs._scheduling.schedule import MAX_STALE, PriorityQueue


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
