"""What the maps of all kinds of queue have in common: how items are drawn, and what stops that.

An error of the items is kept for the reader, which raises it as it is. It does not go by the
nursery, which would put it into a group.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Final, NoReturn, Protocol, final

import trio
from trio.lowlevel import enable_ki_protection

from ticketr.jobs._cancelled import split_cancelled
from ticketr.jobs._ending import what_leaves
from ticketr.jobs._groups import has_only_exceptions
from ticketr.jobs._items import CLOSE_SECONDS, close
from ticketr.jobs._job import JobErrorInfo

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

logger = logging.getLogger("ticketr.jobs")

BLOCK_LEFT: Final = "the block of the map has been left"
CANCELLED_OUTSIDE: Final = "the scope around the map was cancelled"
OWN_CANCELLED: Final = (
    "the items of a map raised a trio.Cancelled that is not of a scope around the map: a generator"
    " that is not async must not hold a cancel scope open across a yield"
)


class FedJobs(Protocol):
    """The part of a map's jobs that its feeder uses."""

    @property
    def scope(self) -> trio.CancelScope:
        """The scope to cancel to end the feeder."""

    def fail(self, error: BaseException) -> None:
        """Stop the map because its items raised; the reader gets that error."""


@enable_ki_protection
async def feed(jobs: FedJobs, items: object, submit_all: Callable[[], Awaitable[None]]) -> None:  # noqa: ASYNC910 - items of any number have a checkpoint before them
    """Draw the items and submit their jobs, then close the items.

    Cancellation:
        Ends it. If it comes from outside, it is raised.

    Args:
        jobs: The jobs of the map.
        items: The items, which are closed if they are a generator.
        submit_all: Draws the items and submits their jobs.
    """
    try:
        # The inner scope shields the end of a generator. It is entered before those that the
        # generator may hold open.
        with jobs.scope, trio.CancelScope() as closing:
            try:
                await submit_all()
            finally:
                closing.shield, closing.deadline = True, trio.current_time() + CLOSE_SECONDS
                await close(items)  # noqa: ASYNC102 - a bounded shield
    except BaseException as error:  # noqa: ASYNC103, BLE001 - the reader raises it, but a Cancelled
        is_cancelled_outside = trio.current_effective_deadline() == -math.inf
        cancelled, rest = split_cancelled(error)
        if cancelled is None or not is_cancelled_outside:
            jobs.fail(error)
            return  # noqa: ASYNC104, ASYNC910 - the reader raises it
        if rest is not None:
            jobs.fail(rest)
        raise cancelled from None  # noqa: ASYNC104 - the same


def error_for_reader(error: BaseException) -> BaseException:
    """Return what the reader raises for an error of the items: it, or one that stands for it."""
    if issubclass(type(error), StopAsyncIteration):  # it would end the results silently
        return RuntimeError("the items of a map raised StopAsyncIteration")
    if split_cancelled(error)[1] is None:  # no scope around the reader would catch it
        own = RuntimeError(OWN_CANCELLED)
        own.__cause__ = error
        return own
    return error


class StoppedJobs(Protocol):
    """The part of a map's jobs that the end of their results needs."""

    @property
    def is_stopped(self) -> bool:
        """Whether the map takes no more items and cancels its jobs."""

    def raise_error(self) -> None:
        """Raise what has stopped the map, if it was a failure or an error of the items."""


@final
class ResultsEnd:
    """What the reader of a map is told once there are no more results."""

    __slots__ = ("_has_left", "_is_told")

    def __init__(self) -> None:
        self._has_left = False  # the block
        self._is_told = False  # why the map was stopped

    def note_left(self) -> None:
        """Note that the block of the map has been left."""
        self._has_left = True

    def tell(self, jobs: StoppedJobs) -> NoReturn:
        """Raise what has stopped the map; the second time, the end of the results."""
        if self._has_left:
            raise trio.ClosedResourceError(f"{BLOCK_LEFT}: read inside it")
        if self._is_told or not jobs.is_stopped:
            raise StopAsyncIteration
        self._is_told = True
        jobs.raise_error()
        raise trio.ClosedResourceError(CANCELLED_OUTSIDE)


def leaving_map(
    body: BaseException | None, items_error: BaseException | None, spill: BaseException | None
) -> BaseException | None:
    """Return what to raise at the end of a map's block.

    Args:
        body: What the body raised.
        items_error: What the items raised, if no reader was given it. It is logged if the body
            raised something else.
        spill: What came out of the nursery: a Cancelled of an outer scope, or an interrupt.
    """
    if body is not None and items_error is not None and has_only_exceptions(items_error):
        text = JobErrorInfo.of(items_error).traceback
        logger.error("The items of a map raised, and another error left its block:\n%s", text)
        items_error = None
    if body is None and spill is None:
        return items_error
    return what_leaves(body, [] if items_error is None else [items_error], spill)
