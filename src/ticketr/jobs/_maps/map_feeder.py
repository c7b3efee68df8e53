"""The feeder of a map: it draws the items and submits their jobs.

It is a task of the map's own nursery. While it pauses, the reader does its next step in its place,
which saves that step.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, final

import trio
from trio.lowlevel import checkpoint, disable_ki_protection, enable_ki_protection

from ticketr.jobs._admission import wait_for_room
from ticketr.jobs._exceptions import split_cancelled
from ticketr.jobs._maps.items import CLOSE_SECONDS, END, close, draw_async, iterator_of
from ticketr.jobs._maps.map_jobs import BATCH, CANCELLED_OUTSIDE
from ticketr.jobs._record import NO_CONTEXT

if TYPE_CHECKING:
    from contextvars import Context

    from ticketr.jobs._maps.map_jobs import MapJobs


@final
class Feeder:
    """Feeds a map with the jobs of its items."""

    __slots__ = ("_context", "_items", "_iterator", "_jobs")

    def __init__(self, jobs: MapJobs, items: object) -> None:
        self._jobs = jobs
        self._items = items
        self._iterator: Any = None  # if the items are not async
        self._context: Context = NO_CONTEXT  # of the task

    async def run(self) -> None:  # noqa: ASYNC910 - items of any number have a checkpoint before them
        """Draw the items and submit their jobs, and close the items."""
        jobs = self._jobs
        try:
            await self._feed()
        finally:
            jobs.take_back_outside()  # the reader may have left one to this task
            if not jobs.is_fed:
                jobs.stop(CANCELLED_OUTSIDE)

    @enable_ki_protection
    async def _feed(self) -> None:  # noqa: ASYNC910 - items of any number have a checkpoint before them
        """Draw the items and submit their jobs, then close the items.

        An error of the items is kept for the reader, which raises it as it is. It does not go by
        the nursery, which would put it into a group.

        Cancellation:
            Ends it. If it comes from outside, it is raised.
        """
        jobs = self._jobs
        try:
            # The inner scope shields the end of a generator. It is entered before those that the
            # generator may hold open.
            with jobs.scope, trio.CancelScope() as closing:
                try:
                    await self._submit_all()
                finally:
                    closing.shield, closing.deadline = True, trio.current_time() + CLOSE_SECONDS
                    await close(self._items)  # noqa: ASYNC102 - a bounded shield
        except BaseException as error:  # noqa: ASYNC103, BLE001 - the reader raises it, but a Cancelled
            is_cancelled_outside = trio.current_effective_deadline() == -math.inf
            cancelled, rest = split_cancelled(error)
            if cancelled is None or not is_cancelled_outside:
                jobs.fail(error)
                return  # noqa: ASYNC104, ASYNC910 - the reader raises it
            if rest is not None:
                jobs.fail(rest)
            raise cancelled from None  # noqa: ASYNC104 - the same

    async def _submit_all(self) -> None:  # noqa: ASYNC910 - each turn has a checkpoint
        """Draw the items and submit their jobs until there are no more."""
        jobs = self._jobs
        iterator, is_async = iterator_of(self._items)
        if not is_async:
            self._iterator, self._context = iterator, trio.lowlevel.current_task().context
        while not jobs.is_fed:
            await self._wait_to_submit()
            if is_async:
                jobs.submit(await draw_async(iterator))
            elif jobs.outside is None:
                self._submit_some()
            elif jobs.core.enter(jobs.outside):  # there is room since the reader has left it here
                jobs.core.dispatcher.wake()
                jobs.outside_entered()
            if jobs.outside is not None:
                await wait_for_room(jobs.core, jobs.outside)
                jobs.outside_entered()
        if jobs.is_readable():
            jobs.reader.wake()

    async def _wait_to_submit(self) -> None:
        if self._jobs.is_stopped or not self._jobs.must_pause() or self._is_wanted():
            await checkpoint()
            return
        while True:
            await self._jobs.feeder.wait()
            if self._is_wanted():
                return

    def _is_wanted(self) -> bool:
        """Return whether the task has something to do."""
        jobs = self._jobs
        return jobs.may_resume() or jobs.is_fed or jobs.outside is not None

    def _submit_some(self) -> None:
        """Submit a batch.

        The items are not async.
        """
        for _ in range(BATCH):
            self._submit_next()
            if self._jobs.must_pause():
                break

    @disable_ki_protection  # in the iterable's own code
    def _submit_next(self) -> None:
        self._jobs.submit(next(self._iterator, END))

    def submit_in_reader(self) -> None:
        """Submit the next items, as the task would do.

        It pauses, and may resume.
        """
        jobs = self._jobs
        if self._iterator is not None:
            try:
                self._context.run(self._submit_some)
            except BaseException as error:  # noqa: ASYNC103, BLE001 - the next call of the reader raises it
                jobs.fail(error)
                return  # noqa: ASYNC104 - the reader raises it
        if jobs.may_resume():
            jobs.feeder.wake()
