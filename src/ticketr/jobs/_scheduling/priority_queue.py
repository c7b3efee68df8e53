"""A priority queue with removal from the middle. Pure."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Hashable, Iterator
from heapq import heappop, heappush
from typing import Generic, TypeAlias, TypeVar, final

T = TypeVar("T", bound="Hashable")
Entry: TypeAlias = tuple[float, float, int, T]
"""A rank, a time, a number, and the item that has them."""

MAX_STALE = 32
"""How many stale entries may exceed the valid ones before all are dropped."""


@final
class PriorityQueue(Generic[T]):
    """Items ordered by rank, the lowest first, then by time, then by number.

    Most items arrive in order and are appended to a deque, which is quicker than a heap. An item
    that belongs before the last one goes to a heap. A removed item's entry is not searched for: it
    is stale, and stays until it is first, or until more than half of all entries are stale.

    Attributes:
        entries: The items, each with its entry.
    """

    __slots__ = ("_heap", "_queue", "entries")

    def __init__(self) -> None:
        self.entries: dict[T, Entry[T]] = {}
        self._queue: deque[Entry[T]] = deque()
        self._heap: list[Entry[T]] = []

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, item: object) -> bool:
        return item in self.entries

    def __iter__(self) -> Iterator[T]:
        return iter(self.entries)

    def push(self, item: T, rank: float, number: int, time: float = 0.0) -> None:
        """Add an item.

        Its number must be unique.
        """
        entry = self.entries[item] = (rank, time, number, item)
        queue = self._queue
        if not queue or queue[-1] < entry:
            queue.append(entry)
        else:
            heappush(self._heap, entry)

    def first(self) -> Entry[T] | None:
        """Return the entry of the first item; None if there is none."""
        queue, heap, entries = self._queue, self._heap, self.entries
        while queue and entries.get(queue[0][3]) is not queue[0]:
            queue.popleft()
        while heap and entries.get(heap[0][3]) is not heap[0]:
            heappop(heap)
        if heap and (not queue or heap[0] < queue[0]):
            return heap[0]
        return queue[0] if queue else None

    def first_rank(self) -> float:
        """Return the rank of the first item; infinity if there is none."""
        first = self.first()
        return math.inf if first is None else first[0]

    def pop(self) -> T | None:
        """Remove and return the first item; None if there is none."""
        entry = self.first()
        if entry is None:
            return None
        if self._queue and self._queue[0] is entry:
            self._queue.popleft()
        else:
            heappop(self._heap)
        item = entry[3]
        del self.entries[item]
        return item

    def pop_until(self, rank: float) -> Iterator[T]:
        """Remove and return the items up to this rank, one by one."""
        while (first := self.first()) is not None and first[0] <= rank:
            self.pop()
            yield first[3]

    def discard(self, item: T) -> None:
        """Remove an item, from the middle or from the front."""
        entry, queue = self.entries.pop(item), self._queue
        if queue and queue[0] is entry:
            queue.popleft()
        elif queue and queue[-1] is entry:
            queue.pop()
        elif len(self._queue) + len(self._heap) > 2 * len(self.entries) + MAX_STALE:
            self._queue = deque(sorted(self.entries.values()))
            self._heap = []
