"""The error that is one of Trio's too; the others need no Trio and are in ``ticketr._errors``."""

from __future__ import annotations

import trio

from ticketr._errors import TicketrError


class QueueFull(TicketrError, trio.WouldBlock):
    """Raised by ``submit_nowait`` when ``max_pending`` jobs wait for a worker.

    It is a ``trio.WouldBlock`` as well, as the ``*_nowait`` methods of Trio raise.

    Attributes:
        max_pending: The most jobs that may wait for a worker.
    """

    def __init__(self, max_pending: float) -> None:
        super().__init__(max_pending)
        self.max_pending = max_pending

    def __str__(self) -> str:
        return f"{self.max_pending} jobs wait for a worker already: await submit() to wait for room"
