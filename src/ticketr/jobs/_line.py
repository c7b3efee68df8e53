"""A line of waiting things in the order of their ranks. Pure."""

from __future__ import annotations

import heapq
import math
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
        first: Who is first; None if there is nobody.
    """

    __slots__ = ("_heap", "_places", "first")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []  # whose top is never a dead entry
        self._places: dict[T, tuple[float, int, T]] = {}
        self.first: T | None = None

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, item: T) -> bool:
        return item in self._places

    def __iter__(self) -> Iterator[T]:
        return iter(self._places)

    def push(self, item: T, rank: float, number: int) -> None:
        """Let somebody line up; no two have the same number."""
        place = self._places[item] = (rank, number, item)
        heapq.heappush(self._heap, place)
        self.first = self._heap[0][2]

    def first_rank(self) -> float:
        """The rank of who is first; infinite if there is nobody."""
        return self._heap[0][0] if self._heap else math.inf

    def pop(self) -> T | None:
        """Take out who is first."""
        heap, places = self._heap, self._places
        if not heap:
            return None
        item = heapq.heappop(heap)[2]
        del places[item]
        if len(heap) > len(places):
            self._bury()
        self.first = heap[0][2] if heap else None
        return item

    def discard(self, item: T) -> None:
        """Take somebody out, from the middle or from the top."""
        heap, places = self._heap, self._places
        del places[item]
        if len(heap) > len(places):
            self._bury()
        self.first = heap[0][2] if heap else None

    def _bury(self) -> None:
        """Drop the dead entries at the top, or all if they are too many."""
        heap, places = self._heap, self._places
        while heap and places.get(heap[0][2]) is not heap[0]:
            heapq.heappop(heap)
        if len(heap) > 2 * len(places) + SLACK:
            heap[:] = places.values()
            heapq.heapify(heap)
