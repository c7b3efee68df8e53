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
    and is passed over, until more than half of the entries are such ones.
    """

    __slots__ = ("_heap", "_places")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._places: dict[T, tuple[float, int, T]] = {}

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

    def first(self) -> T | None:
        """Who is first."""
        heap, places = self._heap, self._places
        while heap:
            place = heap[0]
            if places.get(place[2]) is place:
                return place[2]
            heapq.heappop(heap)
        return None

    def first_rank(self) -> float:
        """The rank of who is first; infinite if there is nobody."""
        return math.inf if self.first() is None else self._heap[0][0]

    def pop(self) -> T | None:
        """Take out who is first."""
        heap, places = self._heap, self._places
        while heap:
            place = heapq.heappop(heap)
            item = place[2]
            if places.get(item) is place:
                del places[item]
                return item
        return None

    def pop_first(self, first: T) -> None:
        """Take out who is first, as :meth:`first` has just told."""
        heapq.heappop(self._heap)
        del self._places[first]

    def discard(self, item: T) -> None:
        """Take somebody out of the middle."""
        del self._places[item]
        if len(self._heap) > 2 * len(self._places) + SLACK:
            self._heap = list(self._places.values())
            heapq.heapify(self._heap)
