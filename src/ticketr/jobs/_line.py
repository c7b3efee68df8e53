"""A line of waiting things in the order of their ranks. Pure."""

from __future__ import annotations

import math
from collections import deque
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

T = TypeVar("T", bound="Hashable")
Place: TypeAlias = tuple[float, int, T]
"""A rank, a number and who has them."""

SLACK = 32
"""How many dead entries are no reason yet to drop them all."""


@final
class Line(Generic[T]):
    """The lowest rank is first; of equal ranks, the lowest number.

    Nearly all come in this order, so they stand in a queue; only who has to go before the
    last of it is put in a heap. Anybody can leave from the middle, and is not searched for:
    their entry stays until it comes to the front, or until more than half are such ones.
    """

    __slots__ = ("_dead", "_heap", "_places", "_queue")

    def __init__(self) -> None:
        self._places: dict[T, Place[T]] = {}
        self._queue: deque[Place[T]] = deque()
        self._heap: list[Place[T]] = []
        self._dead: int = 0  # how many entries are of nobody any more

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, item: T) -> bool:
        return item in self._places

    def __iter__(self) -> Iterator[T]:
        return iter(self._places)

    def place(self, item: T) -> Place[T]:
        """Return the entry of an item that is in the line."""
        return self._places[item]

    def push(self, item: T, rank: float, number: int) -> None:
        """Let somebody line up; no two have the same number."""
        place = self._places[item] = (rank, number, item)
        queue = self._queue
        if not queue or queue[-1] < place:
            queue.append(place)
        else:
            heappush(self._heap, place)

    def first(self) -> Place[T] | None:
        """The entry of who is first; None if there is nobody."""
        while self._dead and self._bury():
            pass
        queue, heap = self._queue, self._heap
        if heap and (not queue or heap[0] < queue[0]):
            return heap[0]
        return queue[0] if queue else None

    def first_rank(self) -> float:
        """The rank of who is first; infinite if there is nobody."""
        first = self.first()
        return math.inf if first is None else first[0]

    def pop(self) -> T | None:
        """Take out who is first; None if there is nobody (any more, see :meth:`_bury`)."""
        while self._dead and self._bury():
            pass
        queue, heap = self._queue, self._heap
        if heap and (not queue or heap[0] < queue[0]):
            item = heappop(heap)[2]
        elif queue:
            item = queue.popleft()[2]
        else:
            return None
        del self._places[item]
        return item

    def discard(self, item: T) -> None:
        """Take somebody out, from the middle or from the front."""
        del self._places[item]
        self._dead += 1
        if self._dead > len(self._places) + SLACK:
            self._bury()

    def _bury(self) -> bool:
        """Drop the dead entries at the front, or all if they are too many; tell if there were any.

        The last to know of somebody may be such an entry, and code that runs as it goes may come
        back here. So they go when this returns, and after that the front may be dead again.
        """
        queue, heap, places = self._queue, self._heap, self._places
        gone: list[Place[T]] = []
        while queue and places.get(queue[0][2]) is not queue[0]:
            gone.append(queue.popleft())
        while heap and places.get(heap[0][2]) is not heap[0]:
            gone.append(heappop(heap))
        self._dead = len(queue) + len(heap) - len(places)
        if self._dead > len(places) + SLACK:
            self._queue = deque(place for place in queue if places.get(place[2]) is place)
            self._heap = [place for place in heap if places.get(place[2]) is place]
            heapify(self._heap)
            self._dead = 0
        return bool(gone)
