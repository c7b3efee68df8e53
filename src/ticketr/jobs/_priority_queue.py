"""A line of waiting things in the order of their ranks. Pure."""

from __future__ import annotations

import math
from collections import deque
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

T = TypeVar("T", bound="Hashable")
Entry: TypeAlias = tuple[float, int, T]
"""A rank, a number and who has them."""

MAX_STALE = 32
"""How many dead entries are no reason yet to drop them all."""


@final
class PriorityQueue(Generic[T]):
    """The lowest rank is first; of equal ranks, the lowest number.

    Nearly all come in this order, so they stand in a queue; only who has to go before the
    last of it is put in a heap. Anybody can leave from the middle, and is not searched for:
    their entry stays until it comes to the front, or until more than half are such ones.
    """

    __slots__ = ("_entries", "_heap", "_queue", "_stale")

    def __init__(self) -> None:
        self._entries: dict[T, Entry[T]] = {}
        self._queue: deque[Entry[T]] = deque()
        self._heap: list[Entry[T]] = []
        self._stale: int = 0  # how many entries are of nobody any more

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, item: T) -> bool:
        return item in self._entries

    def __iter__(self) -> Iterator[T]:
        return iter(self._entries)

    def entry(self, item: T) -> Entry[T]:
        """Return the entry of an item that is in the line."""
        return self._entries[item]

    def push(self, item: T, rank: float, number: int) -> None:
        """Let somebody line up; no two have the same number."""
        entry = self._entries[item] = (rank, number, item)
        queue = self._queue
        if not queue or queue[-1] < entry:
            queue.append(entry)
        else:
            heappush(self._heap, entry)

    def first(self) -> Entry[T] | None:
        """The entry of who is first; None if there is nobody."""
        while self._stale and self._drop_stale():
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
        """Take out who is first; None if there is nobody (any more, see :meth:`_drop_stale`)."""
        while self._stale and self._drop_stale():
            pass
        queue, heap = self._queue, self._heap
        if heap and (not queue or heap[0] < queue[0]):
            item = heappop(heap)[2]
        elif queue:
            item = queue.popleft()[2]
        else:
            return None
        del self._entries[item]
        return item

    def discard(self, item: T) -> None:
        """Take somebody out, from the middle or from the front."""
        del self._entries[item]
        self._stale += 1
        if self._stale > len(self._entries) + MAX_STALE:
            self._drop_stale()

    def _drop_stale(self) -> bool:
        """Drop the dead entries at the front, or all if they are too many; tell if there were any.

        The last to know of somebody may be such an entry, and code that runs as it goes may come
        back here. So they go when this returns, and after that the front may be dead again.
        """
        queue, heap, entries = self._queue, self._heap, self._entries
        dropped: list[Entry[T]] = []
        while queue and entries.get(queue[0][2]) is not queue[0]:
            dropped.append(queue.popleft())
        while heap and entries.get(heap[0][2]) is not heap[0]:
            dropped.append(heappop(heap))
        self._stale = len(queue) + len(heap) - len(entries)
        if self._stale > len(entries) + MAX_STALE:
            self._queue = deque(entry for entry in queue if entries.get(entry[2]) is entry)
            self._heap = [entry for entry in heap if entries.get(entry[2]) is entry]
            heapify(self._heap)
            self._stale = 0
        return bool(dropped)
