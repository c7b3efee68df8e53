"""``queue.map``: a job for each of many items, and their results as an async iterator.

The feeder, a task of the map's own nursery, draws the items and submits their jobs. The reader is
the task that iterates over the results. A job that ends calls ``job_ended``, which is synchronous:
it needs neither a task nor an event for each job, only the two to wake.

Feeding in batches. To wake a task takes about as long as to run a small job. So when the queue is
full with jobs of this map alone, the feeder sleeps until half of its pending jobs have started, and
then submits as many. It never sleeps so if a worker could be idle meanwhile: not while its pending
jobs may be unable to start (``sleeps_while_full``), and not if the queue is full with the jobs of
others. Then it waits for room as any submit does.

The end. A failure, an error of the items and the end of the block all ``_stop`` the map, at once:
the feeder is cancelled, and each job that has not ended. The error itself is kept for the reader,
which raises it as it is. It does not go by the nursery, which would put it into a group.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final, NoReturn, final

import trio
from trio.lowlevel import checkpoint, disable_ki_protection, enable_ki_protection

from ticketr.jobs._admission import wait_for_room
from ticketr.jobs._cancelled import split_cancelled
from ticketr.jobs._ending import what_leaves
from ticketr.jobs._groups import has_only_exceptions
from ticketr.jobs._handle import result_of
from ticketr.jobs._items import CLOSE_SECONDS, END, close, draw_async, iterator_of
from ticketr.jobs._job import COMPLETED, FAILED, CancelCause, JobErrorInfo
from ticketr.jobs._map_waits import NextResult, Parking, Window
from ticketr.jobs._record import NO_CONTEXT, JobRecord
from ticketr.jobs._snapshot import snapshot_of
from ticketr.jobs._wait_targets import JobEnd

if TYPE_CHECKING:
    from contextvars import Context
    from types import TracebackType
    from typing import Self

    from ticketr.jobs._core import QueueCore
    from ticketr.jobs._template import JobTemplate

BATCH: Final = 16
"""The most items that are drawn from an iterable that is not async without a checkpoint."""

NOT_ENTERED: Final = (
    "this map has not been entered: write 'async with queue.map(...) as results' around the loop"
)

logger = logging.getLogger("ticketr.jobs")


@final
class JobMap:
    """The block of one ``queue.map``, and the async iterator over its results.

    Only a queue makes one.
    """

    __slots__ = (
        "_context",
        "_core",
        "_ended",
        "_error",
        "_failed",
        "_failures",
        "_feeder",
        "_has_left",
        "_is_fed",
        "_is_over",
        "_is_reading",
        "_is_stopped",
        "_items",
        "_iterator",
        "_live",
        "_low",
        "_nursery",
        "_ordered",
        "_outcomes",
        "_outside",
        "_reader",
        "_results",
        "_scope",
        "_template",
        "_unread",
        "_window",
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
        self._template = template
        self._items = items
        self._ordered = ordered
        self._outcomes = outcomes
        limit = core.schedule.max_pending
        ahead = core.workers if limit == math.inf else limit
        # How many jobs there may be that were submitted and not read.
        self._window: float = core.workers + ahead
        # With how many of them live the feeder is woken to submit more.
        self._low: float = core.workers + ahead // 2 if template.starts_in_turn else math.inf
        self._unread = 0
        self._live: dict[JobRecord, None] = {}
        # In the order in which to read them: all that are unread, or those that have ended.
        self._results: deque[JobRecord] = deque()
        # The failures that are unread, with the handles, which keep them from being reported.
        self._failures: dict[JobRecord, object] = {}
        self._outside: JobRecord | None = None  # waits for room; also in the two above
        self._iterator: Any = None  # if the items are not async
        self._context: Context = NO_CONTEXT  # that of the feeder
        self._nursery: Any = None
        self._scope = trio.CancelScope()
        self._feeder, self._reader, self._ended = Parking(), Parking(), Parking()
        self._is_fed = False  # there are no more items
        self._is_reading = False
        self._is_stopped = False
        self._is_over = False  # the reader was told of the end
        self._has_left = False  # the block has been left
        self._failed: JobRecord | None = None  # the reader is to raise this failure
        self._error: BaseException | None = None  # or this error of the items

    # The block

    @enable_ki_protection
    async def __aenter__(self) -> Self:
        if self._nursery is not None:
            raise RuntimeError("the block of a map is entered once: call queue.map() again")
        self._core.subscriptions.owner_thread.check()
        self._nursery = trio.open_nursery(strict_exception_groups=True)
        nursery = await self._nursery.__aenter__()
        nursery.start_soon(self._feed)
        return self

    @enable_ki_protection
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self._has_left = True
        self._stop("the block of the map has been left")
        spill: BaseException | None = None
        try:
            await self._nursery.__aexit__(None, None, None)  # noqa: ASYNC102 - it waits for the feeder
        except BaseExceptionGroup as group:
            spill = group
        with trio.CancelScope(shield=True):  # noqa: ASYNC912 - as `run` waits for its job
            await self._wait_ended()  # noqa: ASYNC102 - shielded
        self._results.clear()
        self._failures.clear()  # they are reported now
        items_error, self._error = self._error, None
        if error is not None and items_error is not None and has_only_exceptions(items_error):
            text = JobErrorInfo.of(items_error).traceback
            logger.error("The items of a map raised, and another error left its block:\n%s", text)
            items_error = None
        if error is None and spill is None:
            leaving = items_error
        else:
            leaving = what_leaves(error, [] if items_error is None else [items_error], spill)
        try:
            if leaving is not None and leaving is not error:
                raise leaving
            return leaving is None  # noqa: ASYNC910 - leaving the nursery is a checkpoint
        finally:
            del error, items_error, spill, leaving  # their tracebacks hold this frame

    async def _wait_ended(self) -> None:  # noqa: ASYNC910 - the caller has passed a checkpoint
        while self._live:
            target = JobEnd(self._core, next(iter(self._live)), is_refusable=False)
            await self._core.wait_graph.wait(target, self._ended.wait)

    def _stop(self, reason: str) -> None:
        """Take no more items, and cancel the jobs that have not ended."""
        if not self._is_stopped:
            self._is_stopped = True
            self._scope.cancel(reason)
            for record in [*self._live]:
                if record is not self._outside:
                    self._core.cancel(record, CancelCause.SCOPE, reason)
        self._reader.wake()

    # Feeding

    @enable_ki_protection
    async def _feed(self) -> None:  # noqa: ASYNC910 - items of any number have a checkpoint before them
        """Draw the items and submit their jobs. An error of the items is kept for the reader."""
        try:
            # The inner scope shields the end of a generator. It is entered before those that the
            # generator may hold open.
            with self._scope, trio.CancelScope() as closing:
                try:
                    await self._submit_all()
                finally:
                    closing.shield, closing.deadline = True, trio.current_time() + CLOSE_SECONDS
                    await close(self._items)  # noqa: ASYNC102 - a bounded shield
        except BaseException as error:  # noqa: ASYNC103, BLE001 - the reader raises it, but a Cancelled
            is_cancelled_outside = trio.current_effective_deadline() == -math.inf
            cancelled, rest = split_cancelled(error)
            if cancelled is None or not is_cancelled_outside:
                self._fail(error)  # if it is a Cancelled, the items have saved it: no scope has it
                return  # noqa: ASYNC104, ASYNC910 - the reader raises it
            if rest is not None:
                self._fail(rest)
            raise cancelled from None  # noqa: ASYNC104 - the same
        finally:
            if self._outside is not None:  # the reader has left it to this task
                self._take_back(self._outside)
                self._outside = None
            if not self._is_fed:
                self._stop("the scope around the map was cancelled")

    def _fail(self, error: BaseException) -> None:
        """End the map with an error of the items."""
        if issubclass(type(error), StopAsyncIteration):  # it would end the results silently
            error = RuntimeError("the items of a map raised StopAsyncIteration")
        if self._error is None:
            self._error = error
        self._stop("the items of the map have failed")

    async def _submit_all(self) -> None:  # noqa: ASYNC910 - each turn has a checkpoint
        iterator, is_async = iterator_of(self._items)
        if is_async:
            while not self._is_fed:
                await self._wait_to_feed()
                record = self._submit(await draw_async(iterator))
                if record is not None:
                    await self._submit_when_room(record)
        else:
            self._iterator, self._context = iterator, trio.lowlevel.current_task().context
            while not self._is_fed:
                await self._wait_to_feed()
                record = self._outside
                if record is None:
                    record = self._submit_some()
                elif self._core.enter(record):  # there is room since the reader has left it here
                    self._core.dispatcher.wake()
                    self._outside = record = None
                if record is not None:
                    await self._submit_when_room(record)
        if self._is_readable():
            self._reader.wake()

    def _has_to_wait(self) -> bool:
        """Return whether no further job may be fed now."""
        if self._unread >= self._window or self._is_stopped:
            return True
        schedule = self._core.schedule
        return len(self._live) > self._low and schedule.pending >= schedule.max_pending

    def _may_go_on(self) -> bool:
        return self._unread < self._window and len(self._live) <= self._low

    async def _wait_to_feed(self) -> None:
        if self._is_stopped or not self._has_to_wait():
            await checkpoint()
            return
        target = Window(self._is_wanted)
        await self._core.wait_graph.wait(target, self._park_feeder)

    async def _park_feeder(self) -> None:  # noqa: ASYNC910 - called only if it has to wait
        while not self._is_wanted():
            await self._feeder.wait()

    def _is_wanted(self) -> bool:
        """Return whether the feeder has something to do."""
        return self._may_go_on() or self._is_fed or self._outside is not None

    @disable_ki_protection  # in the iterable's own code
    def _submit_some(self) -> JobRecord | None:
        """Submit a batch; return a job that has to wait for room. The items are not async."""
        for _ in range(BATCH):
            record = self._submit(next(self._iterator, END))
            if record is not None:
                return record
            if self._is_fed or self._has_to_wait():
                break
        return None

    def _submit_in_reader(self) -> None:
        """Do what the feeder would do in its next step, which saves that step."""
        if self._iterator is not None:
            try:
                self._outside = self._context.run(self._submit_some)
            except BaseException as error:  # noqa: ASYNC103, BLE001 - the next call of the reader raises it
                self._fail(error)
                return  # noqa: ASYNC104 - the reader raises it
        if self._is_wanted():
            self._feeder.wake()

    @enable_ki_protection
    def _submit(self, item: object) -> JobRecord | None:
        """Submit the job of an item; return it if it has to wait for room."""
        if item is END:
            self._is_fed = True
        if self._is_fed or self._is_stopped:  # the iterable's own code may have stopped it
            return None
        function, name, timeout, retry, options, _ = self._template
        record = JobRecord(function, (item,), copy_context(), name, timeout, retry, self)
        if options:
            record.set_options(options)
        self._unread += 1
        self._live[record] = None
        if self._ordered:
            self._results.append(record)
        core = self._core
        try:
            if core.enter(record) is None:
                return record
        except BaseException:
            self._take_back(record)
            raise
        if core.dispatcher.idle:
            core.dispatcher.wake()
        return None

    async def _submit_when_room(self, record: JobRecord) -> None:
        self._outside = record
        await wait_for_room(self._core, record)
        self._outside = None
        if self._is_stopped:  # while it was being let in
            self._core.cancel(record, CancelCause.SCOPE, "the map has ended")

    def _take_back(self, record: JobRecord) -> None:
        """Forget the newest job, which was not submitted after all."""
        self._unread -= 1
        del self._live[record]
        if self._ordered:
            self._results.pop()

    # What the jobs call

    def job_ended(self, record: JobRecord) -> None:
        """Keep an ended job for the reader; end the map if it has failed."""
        del self._live[record]
        if not self._ordered:
            self._results.append(record)
        if record.status is FAILED:
            self._failures[record] = self._core.handle_of(record)
        if record.status is not COMPLETED and not self._outcomes and not self._is_stopped:
            self._failed = record
            self._stop("another job of the map has failed")
        if self._reader.task is not None and self._is_readable():
            self._reader.wake()
        if self._feeder.task is not None and self._may_go_on():
            self._feeder.wake()
        if self._ended.task is not None:
            self._ended.wake()

    def job_put_back(self) -> None:
        """Note that a job may be pending without being able to start."""
        self._low = math.inf
        if self._may_go_on():
            self._feeder.wake()

    # Reading

    def __aiter__(self) -> Self:
        return self

    @enable_ki_protection
    async def __anext__(self) -> object:
        if self._is_reading:
            raise trio.BusyResourceError("another task reads the results of this map")
        self._is_reading = True
        try:
            if self._is_readable():
                # To read a result makes room for a job (see `_dispatch`).
                dispatcher = self._core.dispatcher
                dispatcher.submit_returns()
                try:
                    await checkpoint()
                finally:
                    dispatcher.submit_returned()
            else:
                self._core.subscriptions.owner_thread.check()
                target = NextResult(self._core, self._entered, self._is_readable)
                await self._core.wait_graph.wait(target, self._park_reader)
        finally:
            self._is_reading = False
        if self._is_stopped or not self._unread:
            if self._failed is None and self._error is None:
                await checkpoint()  # if the scope around the map is cancelled, so may this task be
            self._raise_end()
        record = self._results.popleft()
        self._unread -= 1
        if self._failures:
            self._note_seen(record)
        if self._feeder.task is not None and self._may_go_on():
            self._submit_in_reader()
        return snapshot_of(record) if self._outcomes else record.result

    async def _park_reader(self) -> None:  # noqa: ASYNC910 - called only if it has to wait
        while not self._is_readable():
            await self._reader.wait()

    def _is_readable(self) -> bool:
        """Return whether there is a result to read, an error to raise, or the end."""
        results = self._results
        if results and results[0] not in self._live:
            return True
        return self._is_stopped or (self._is_fed and not self._unread) or self._nursery is None

    def _entered(self) -> list[JobRecord]:
        """Return the jobs that were submitted and have not ended."""
        return [record for record in self._live if record is not self._outside]

    def _note_seen(self, record: JobRecord) -> None:
        """Note that the reader is given the outcome, so that a failure is not reported."""
        record.mark_outcome_seen()
        self._failures.pop(record, None)

    def _raise_end(self) -> NoReturn:
        """Raise what has stopped the map; the second time, the end of the results."""
        if self._nursery is None:
            raise RuntimeError(NOT_ENTERED)
        if self._has_left:
            raise trio.ClosedResourceError("the block of this map has been left: read inside it")
        if self._is_over or not self._is_stopped:
            raise StopAsyncIteration
        self._is_over = True
        error, self._error = self._error, None
        record, self._failed = self._failed, None
        try:
            if record is not None:
                self._error = error  # the items failed after that, as they were closed
                self._note_seen(record)
                result_of(record)
            if error is not None:
                raise error
        finally:
            del error  # its traceback holds this frame
        raise trio.ClosedResourceError("the scope around this map was cancelled")
