"""Exceptions and Trio: the error that is one of Trio's too, and ``Cancelled`` inside of errors."""

from __future__ import annotations

import trio

from ticketr._errors import TicketrError
from ticketr.jobs._groups import leaves


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


def split_cancelled(error: BaseException) -> tuple[BaseException | None, BaseException | None]:
    """Split an error into its ``trio.Cancelled`` and the rest."""
    is_cancelled = [isinstance(leaf, trio.Cancelled) for leaf in leaves(error)]
    if not any(is_cancelled):
        return None, error
    if all(is_cancelled) or not isinstance(error, BaseExceptionGroup):
        return error, None
    return error.split(trio.Cancelled)
