"""Exceptions and Trio: the error that is one of Trio's too, and ``Cancelled`` inside of errors."""

from __future__ import annotations

import trio

from ticketr._errors import TicketrError
from ticketr.jobs._groups import is_group, is_small, leaves, traceback_of


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


def make_splittable(error: BaseException) -> BaseException:
    """Return the error, or a flat group of the same errors if Trio could fail to split it."""
    if not is_group(error) or (is_small(error) and _can_be_split(error)):
        return error
    message: str = BaseExceptionGroup.message.__get__(error)
    return BaseExceptionGroup(message, leaves(error)).with_traceback(traceback_of(error))


def _can_be_split(group: BaseExceptionGroup[BaseException]) -> bool:
    """Return whether ``split``, which a subclass may override, keeps all errors."""
    try:
        parts = group.split(trio.Cancelled)
        found = {id(leaf) for part in parts for leaf in leaves(part)}
    except Exception:  # noqa: BLE001 - it would have been raised inside Trio
        return False
    return found == {id(leaf) for leaf in leaves(group)}


def split_cancelled(error: BaseException) -> tuple[BaseException | None, BaseException | None]:
    """Split an error into its ``trio.Cancelled`` and the rest."""
    found = [type(leaf) is trio.Cancelled for leaf in leaves(error)]
    if not any(found):
        return None, error
    if all(found):
        return error, None
    group = make_splittable(error)
    assert is_group(group)  # it has leaves of both kinds
    return group.split(trio.Cancelled)
