"""How many requests run at the same time, and which must run one at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

#: How many successes raise the limit by one.
GROW_AFTER = 20


class AdaptiveLimit:
    """A concurrency limit that a refusal halves and successes raise, one by one.

    Attributes:
        limit: How many holders it allows now.
        cuts: How often it was halved.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.limit = most
        self.cuts = 0
        self._successes = 0
        self._holders = 0
        self._first_served = trio.lowlevel.ParkingLot()
        self._waiting = trio.lowlevel.ParkingLot()

    @property
    def is_over_limit(self) -> bool:
        """Whether it has more holders than it allows, since it was halved."""
        return self._holders > self.limit

    async def acquire(self, *, again: bool = False) -> None:
        """Wait until the limit has room, and take it.

        Args:
            again: Whether this task has released its room in favour of others before; it is served
                before every task that comes for the first time.

        Cancellation:
            A cancelled wait takes no room.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._holders < self.limit:  # then no task waits
            self._holders += 1
            await trio.lowlevel.cancel_shielded_checkpoint()
        else:
            await (self._first_served if again else self._waiting).park()  # _wake counts it

    def release(self) -> None:
        """Give the room back."""
        self._holders -= 1
        self._wake()

    def count_refusal(self, cuts: int) -> None:
        """Halve the limit.

        Args:
            cuts: The number of cuts when the request was sent. Requests that were sent together
                and are refused together halve the limit once.
        """
        self._successes = 0
        if cuts == self.cuts:
            self.limit = max(1, self.limit // 2)
            self.cuts += 1

    def count_success(self) -> None:
        """Count a success, and raise the limit after `GROW_AFTER` of them."""
        self._successes += 1
        if self._successes >= GROW_AFTER:
            self._successes = 0
            self.limit = min(self._most, self.limit + 1)
            self._wake()

    def _wake(self) -> None:
        """Give the free slots to the tasks that wait for one."""
        while self._holders < self.limit and (lot := self._first_served or self._waiting):
            self._holders += 1
            lot.unpark()


class PerIssueLock:
    """A lock for each issue, so that changes of one issue run one at a time."""

    def __init__(self) -> None:
        self._locks: dict[str, trio.Lock] = {}

    @asynccontextmanager
    async def hold(self, issue: str | None) -> AsyncGenerator[None]:
        """Hold the lock of an issue for the block; None needs no lock."""
        if issue is None:
            yield
            return
        lock = self._locks.setdefault(issue, trio.Lock())
        try:
            async with lock:
                yield
        finally:
            # A lock that tasks wait for passes from one to the next and is never free in between.
            # A task whose wait was cancelled may come here when the issue has a newer lock.
            if not lock.locked() and self._locks.get(issue) is lock:
                del self._locks[issue]
