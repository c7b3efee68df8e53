"""A priority queue with removal from the middle. Pure."""

from __future__ import annotations

import math
from collections import deque
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

T = TypeVar("T", bound="Hashable")
Entry: TypeAlias = tuple[float, int, T]
"""A rank, a number, and the item that has them."""

MAX_STALE = 32
"""How many stale entries may exceed the valid ones before all are dropped."""


@final
class PriorityQueue(Generic[T]):
    """Items ordered by rank, the lowest first, then by number.

    Most items arrive in order and are appended to a deque. An item that belongs before the last one
    goes to a heap. A removed item's entry is not searched for: it is stale, and stays until it comes
    to the front, or until more than half of all entries are stale.
    """

    __slots__ = ("_entries", "_heap", "_queue", "_stale")

    def __init__(self) -> None:
        self._entries: dict[T, Entry[T]] = {}
        self._queue: deque[Entry[T]] = deque()
        self._heap: list[Entry[T]] = []
        self._stale: int = 0  # how many entries no longer belong to an item

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, item: object) -> bool:
        return item in self._entries

    def __iter__(self) -> Iterator[T]:
        return iter(self._entries)

    def entry(self, item: T) -> Entry[T]:
        """Return the entry of an item that is in the queue."""
        return self._entries[item]

    def push(self, item: T, rank: float, number: int) -> None:
        """Add an item.

        Its number must be unique.
        """
        entry = self._entries[item] = (rank, number, item)
        queue = self._queue
        if not queue or queue[-1] < entry:
            queue.append(entry)
        else:
            heappush(self._heap, entry)

    def first(self) -> Entry[T] | None:
        """Return the entry of the first item; None if there is none."""
        while self._stale and self._drop_stale():
            pass
        queue, heap = self._queue, self._heap
        if heap and (not queue or heap[0] < queue[0]):
            return heap[0]
        return queue[0] if queue else None

    def first_rank(self) -> float:
        """Return the rank of the first item; infinity if there is none."""
        first = self.first()
        return math.inf if first is None else first[0]

    def pop(self) -> T | None:
        """Remove and return the first item; None if there is none (see ``_drop_stale``)."""
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
        """Remove an item, from the middle or from the front."""
        del self._entries[item]
        self._stale += 1
        if self._stale > len(self._entries) + MAX_STALE:
            self._drop_stale()

    def _drop_stale(self) -> bool:
        """Drop stale entries at the front, or all if there are too many; return if there were any.

        An entry may hold the last reference to an item, whose finalizer may use this queue. So the
        entries are freed when this returns, and the front may be stale again after that.
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
