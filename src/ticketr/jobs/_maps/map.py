"""``queue.map``: a job for each of many items, and their results as an async iterator.

The feeder, a task of the map's own nursery, draws the items and submits their jobs. The reader is
the task that iterates over the results. ``map_jobs`` has the jobs between them.

The end. A failure, an error of the items and the end of the block all stop the map, at once: the
feeder is cancelled, and each job that has not ended. The error itself is kept for the reader, which
raises it as it is.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, NoReturn, final

import trio
from trio.lowlevel import (
    cancel_shielded_checkpoint,
    checkpoint,
    checkpoint_if_cancelled,
    enable_ki_protection,
)

from ticketr.jobs._deadlock import wait_for_jobs, waiting_job
from ticketr.jobs._groups import has_only_exceptions
from ticketr.jobs._job import JobErrorInfo
from ticketr.jobs._maps.map_feeder import Feeder
from ticketr.jobs._maps.map_jobs import CANCELLED_OUTSIDE, MapJobs
from ticketr.jobs._record import snapshot_of
from ticketr.jobs._shutdown import what_leaves

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ticketr.jobs._core import QueueCore
    from ticketr.jobs._maps.map_jobs import JobTemplate

logger = logging.getLogger("ticketr.jobs")

BLOCK_LEFT: Final = "the block of the map has been left"
NOT_ENTERED: Final = (
    "this map has not been entered: write 'async with queue.map(...) as results' around the loop"
)


@final
class JobMap:
    """The block of one ``queue.map``, and the async iterator over its results.

    Only a queue makes one.
    """

    __slots__ = (
        "_core",
        "_feeder",
        "_has_left",
        "_is_reading",
        "_is_told",
        "_jobs",
        "_nursery",
        "_outcomes",
    )

    def __init__(
        self,
        core: QueueCore,
        template: JobTemplate,
        items: object,
        *,
        ordered: bool,
        outcomes: bool,
    ) -> None:
        self._core = core
        self._outcomes = outcomes
        self._jobs = MapJobs(core, template, ordered=ordered, outcomes=outcomes)
        self._feeder = Feeder(self._jobs, items)
        self._nursery: Any = None
        self._is_reading = False
        self._has_left = False  # the block
        self._is_told = False  # why the map was stopped

    # The block

    @enable_ki_protection
    async def __aenter__(self) -> Self:
        if self._nursery is not None:
            raise RuntimeError("the block of a map is entered once: call queue.map() again")
        self._core.subscriptions.owner_thread.check()
        self._nursery = trio.open_nursery(strict_exception_groups=True)
        nursery = await self._nursery.__aenter__()
        nursery.start_soon(self._feeder.run)
        return self

    @enable_ki_protection
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self._has_left = True
        self._jobs.stop(BLOCK_LEFT)
        spill: BaseException | None = None
        try:
            await self._nursery.__aexit__(None, None, None)  # noqa: ASYNC102 - it waits for the feeder
        except BaseExceptionGroup as group:
            spill = group
        with trio.CancelScope(shield=True):  # noqa: ASYNC912 - as `run` waits for its job
            await self._jobs.wait_ended()  # noqa: ASYNC102 - shielded
            if self._core.store is not None:
                await self._core.store.wait_all_written()  # noqa: ASYNC102 - shielded
        items_error = self._jobs.forget()
        leaving = _what_leaves_map(error, items_error, spill)
        try:
            if leaving is not None and leaving is not error:
                raise leaving
            return leaving is None  # noqa: ASYNC910 - leaving the nursery is a checkpoint
        finally:
            del error, items_error, spill, leaving  # their tracebacks hold this frame

    # Reading

    def __aiter__(self) -> Self:
        return self

    @enable_ki_protection
    async def __anext__(self) -> object:
        if self._is_reading:
            raise trio.BusyResourceError("another task reads the results of this map")
        self._is_reading = True
        jobs = self._jobs
        results = jobs.results
        try:
            if (
                (results and results[0] not in jobs.live)  # nearly always; a call takes longer
                or jobs.is_readable()
                or self._nursery is None
            ):
                await checkpoint_if_cancelled()
            else:
                self._core.subscriptions.owner_thread.check()
                jobs.is_read_in_job = waiting_job(self._core) is not None
                while not jobs.is_readable():
                    await wait_for_jobs(self._core, jobs.awaited, jobs.reader.wait)
            if self._core.store is not None and (ended := jobs.next_ended()) is not None:
                await self._core.store.wait_end_written(ended)
            if jobs.is_stopped or not jobs.unread:
                # The scope around the map may be cancelled, and this task with it.
                await checkpoint()
                if self._nursery is None:
                    raise RuntimeError(NOT_ENTERED)
                self._raise_end()
            record = results.popleft()
            jobs.unread -= 1  # so it is less than the window
            if jobs.failures:
                jobs.note_seen(record)
            if jobs.unread <= jobs.few and jobs.feeder.task is not None and jobs.may_resume():
                await self._feed()
            else:
                await cancel_shielded_checkpoint()
        finally:
            self._is_reading = False
        return snapshot_of(record) if self._outcomes else record.result

    def _raise_end(self) -> NoReturn:
        """Raise what has stopped the map; the second time, the end of the results."""
        if self._has_left:
            raise trio.ClosedResourceError(f"{BLOCK_LEFT}: read inside it")
        if self._is_told or not self._jobs.is_stopped:
            raise StopAsyncIteration
        self._is_told = True
        self._jobs.raise_error()
        raise trio.ClosedResourceError(CANCELLED_OUTSIDE)

    async def _feed(self) -> None:
        """Submit the next items, and pass a checkpoint, as a submit does (see ``_dispatch``)."""
        dispatcher = self._core.dispatcher
        dispatcher.submit_returns()
        try:
            self._feeder.submit_in_reader()
            await cancel_shielded_checkpoint()
        finally:
            dispatcher.submit_returned()


def _what_leaves_map(
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
