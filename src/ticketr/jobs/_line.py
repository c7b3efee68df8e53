"""A line of waiting things in the order of their ranks. Pure."""

from __future__ import annotations

import math
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Generic, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

T = TypeVar("T", bound="Hashable")

SLACK = 32
"""How many dead entries are no reason yet to build the heap anew."""


@final
class Line(Generic[T]):
    """The lowest rank is first; of equal ranks, the lowest number.

    Anybody can leave from the middle. The heap is not searched for them: their entry stays
    until it comes to the top, or until more than half of the entries are such ones.

    Attributes:
        heap: Ranks, numbers and who has them. The first of it is never a dead entry.
    """

    __slots__ = ("_dead", "_places", "heap")

    def __init__(self) -> None:
        self.heap: list[tuple[float, int, T]] = []
        self._places: dict[T, tuple[float, int, T]] = {}
        self._dead: int = 0  # how many entries of the heap are of nobody any more

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, item: T) -> bool:
        return item in self._places

    def __iter__(self) -> Iterator[T]:
        return iter(self._places)

    def push(self, item: T, rank: float, number: int) -> None:
        """Let somebody line up; no two have the same number."""
        place = self._places[item] = (rank, number, item)
        heappush(self.heap, place)

    def first_rank(self) -> float:
        """The rank of who is first; infinite if there is nobody."""
        return self.heap[0][0] if self.heap else math.inf

    def pop(self) -> T:
        """Take out who is first; there must be somebody."""
        item = heappop(self.heap)[2]
        del self._places[item]
        if self._dead:
            self._bury()
        return item

    def discard(self, item: T) -> None:
        """Take somebody out, from the middle or from the top."""
        del self._places[item]
        self._dead += 1
        self._bury()

    def _bury(self) -> None:
        """Drop the dead entries at the top, or all if they are too many."""
        heap, places = self.heap, self._places
        while heap and places.get(heap[0][2]) is not heap[0]:
            heappop(heap)
        self._dead = len(heap) - len(places)
        if self._dead > len(places) + SLACK:
            heap[:] = places.values()
            heapify(heap)
            self._dead = 0
