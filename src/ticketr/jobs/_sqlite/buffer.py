"""The task that writes a buffer behind a queue, so that no step of the queue waits for a file."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import final

import trio

from ticketr.jobs._values import safe_repr, safe_str

logger = logging.getLogger("ticketr.jobs")


@final
class WriteBehind:
    """Calls a function that writes what has gathered, soon after something has.

    Args:
        write: Writes all of it. If that fails, it puts back what is to be written again, and raises.
        gather_seconds: How long more may gather, unless :meth:`hurry` is called.
        pauses: The first and the longest pause in seconds after a write that failed.
        complaint: What the log says of such a write, before the reason.

    Attributes:
        has_stopped: Whether the task writes nothing more.
    """

    def __init__(
        self,
        write: Callable[[], Awaitable[None]],
        *,
        gather_seconds: float,
        pauses: tuple[float, float],
        complaint: str,
    ) -> None:
        self._write = write
        self._gather_seconds = gather_seconds
        self._pauses = pauses
        self._complaint = complaint
        self._filled = trio.Event()
        self._hurry = trio.Event()
        self._has_warned = False
        self.has_stopped = False

    def fill(self) -> None:
        """Note that there is something to write."""
        self._filled.set()

    def hurry(self) -> None:
        """Write it without waiting for more."""
        self._hurry.set()

    def stop(self) -> None:
        """Begin no other write in the task."""
        self.has_stopped = True
        self.fill()
        self.hurry()

    async def run(self) -> None:  # noqa: ASYNC910 - each turn has a checkpoint
        """Write what gathers, until cancelled or stopped."""
        first, longest = self._pauses
        pause = 0.0
        while True:
            await self._filled.wait()
            with trio.move_on_after(pause or self._gather_seconds):
                await self._hurry.wait()
            if self.has_stopped:
                return
            # A worker may start a new job in the next step: its start is written with the job.
            await trio.lowlevel.checkpoint()
            is_written = await self.write_now()
            pause = 0.0 if is_written else min(max(pause * 2, first), longest)

    async def write_now(self) -> bool:
        """Write what has gathered; return whether that succeeded."""
        self._filled, self._hurry = trio.Event(), trio.Event()
        try:
            await self._write()
        except Exception as error:  # noqa: BLE001 - what calls the file is user code
            self.warn(safe_str(error) or safe_repr(error))
            await trio.lowlevel.cancel_shielded_checkpoint()
            return False
        self._has_warned = False
        return True

    def warn(self, reason: str) -> None:
        """Log, once until a write succeeds, that the file is behind the queue."""
        if not self._has_warned:
            self._has_warned = True
            logger.error("%s: %s", self._complaint, reason)
