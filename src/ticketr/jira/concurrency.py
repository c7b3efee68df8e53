"""Who goes when not all can go together."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

GROW_AFTER = 20
"""How many good answers let one more request go together with the others."""


class AdaptiveLimit:
    """Lets so many in together: half as many after a refusal, slowly more while all goes well.

    Args:
        most: How many at best.

    Attributes:
        limit: How many may be in together now.
        cuts: How often it was halved.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.limit = most
        self.cuts = 0
        self._good = 0
        self._inside = 0
        self._returning = trio.lowlevel.ParkingLot()
        self._coming = trio.lowlevel.ParkingLot()

    @property
    def is_crowded(self) -> bool:
        """Whether more are in than may be, since it was halved."""
        return self._inside > self.limit

    async def enter(self, *, again: bool = False) -> None:
        """Wait for a place.

        Args:
            again: Whether the place was given up for the sake of others: then it is had before
                anybody who is new.

        Cancellation:
            A wait that is cancelled has no place.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._inside < self.limit:  # then nobody waits
            self._inside += 1
            await trio.lowlevel.cancel_shielded_checkpoint()
        else:
            await (self._returning if again else self._coming).park()  # woken, it is counted

    def leave(self) -> None:
        """Return a place back."""
        self._inside -= 1
        self._wake()

    def refused(self, cuts: int) -> None:
        """Halve it.

        Args:
            cuts: How often it had been halved when the request was sent: those that were sent
                together and are refused together tell one thing, not several.
        """
        self._good = 0
        if cuts == self.cuts:
            self.limit = max(1, self.limit // 2)
            self.cuts += 1

    def went_well(self) -> None:
        """Count a good answer."""
        self._good += 1
        if self._good >= GROW_AFTER:
            self._good = 0
            self.limit = min(self._most, self.limit + 1)
            self._wake()

    def _wake(self) -> None:
        while self._inside < self.limit and (lot := self._returning or self._coming):
            self._inside += 1
            lot.unpark()


class PerIssueLock:
    """Lets those that change the same issue do so one after the other."""

    def __init__(self) -> None:
        self._locks: dict[str, trio.Lock] = {}

    @asynccontextmanager
    async def hold(self, issue: str | None) -> AsyncGenerator[None]:
        """Wait for the others, and keep those that come later waiting; None waits for nobody."""
        if issue is None:
            yield
            return
        lock = self._locks.setdefault(issue, trio.Lock())
        try:
            async with lock:
                yield
        finally:
            # A lock that is waited for is handed on, so that it is never free in between. Somebody
            # whose waiting was cancelled may come here when there is another lock already.
            if not lock.locked() and self._locks.get(issue) is lock:
                del self._locks[issue]
