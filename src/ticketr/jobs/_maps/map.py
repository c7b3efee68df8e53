"""``queue.map``: a job for each of many items, and their results as an async iterator.

A task of the map's own nursery, the feeder, draws the items and submits their jobs. A job that ends
calls ``job_ended``, which wakes the task that reads the results.

A failure, an error of the items and the end of the block all stop the map at once: the feeder is
cancelled, and each job that has not ended. The error is kept for the reader, which raises it as it
is: the nursery would put it into a group.
"""

from __future__ import annotations

import itertools
import logging
import math
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Collection,
    Generator,
)
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, NoReturn, Self, final

import trio
from trio.lowlevel import checkpoint, disable_ki_protection, enable_ki_protection

from ticketr._errors import QueueClosed
from ticketr.jobs._arguments import (
    JobOptions,
    checked_options,
    make_record,
    refuse_options,
)
from ticketr.jobs._core import QueueCore
from ticketr.jobs._deadlock import wait_for_jobs
from ticketr.jobs._groups import has_only_exceptions
from ticketr.jobs._handle import result_of
from ticketr.jobs._job import COMPLETED, FAILED, CancelCause, JobErrorInfo
from ticketr.jobs._record import JobRecord, snapshot_of
from ticketr.jobs._shutdown import what_leaves
from ticketr.jobs._trio import split_cancelled

logger = logging.getLogger("ticketr.jobs")

END: Final = object()
"""What is drawn when there are no more items."""
BATCH: Final = 16
"""How many items are drawn without a checkpoint."""
CLOSE_SECONDS: Final = 5.0
"""How long an async generator may take to close."""
NO_OPTIONS: Final[JobOptions] = {}


@final
class JobMap:
    """The block of one ``queue.map``, and the async iterator over its results.

    Only a queue makes one.
    """

    reads_outcomes: Final = True

    def __init__(
        self,
        core: QueueCore,
        function: Callable[..., Awaitable[object]],
        items: Any,
        options: JobOptions,
        *,
        ordered: bool,
        outcomes: bool,
    ) -> None:
        make_record(core, function, (None,), NO_OPTIONS)  # refuses a wrong function
        self._core = core
        self._function = function
        reason = "each job has an ID of its own, and waits for its key"
        refuse_options("map()", options, ("id", "on_conflict"), reason)
        self._options = checked_options(options)
        self._ordered = ordered
        self._outcomes = outcomes
        self._items = items
        self._is_async = isinstance(items, AsyncIterable)
        self._iterator: Any = aiter(items) if self._is_async else iter(items)
        limit = core.schedule.max_pending
        ahead = core.workers if limit == math.inf else limit
        self._bound = core.workers + ahead
        # To wake the feeder takes as long as to run a small job, so it feeds several at a time.
        self._low = self._bound - max(ahead // 3, 1)
        self._unread = 0  # how many jobs were submitted and not read
        self._live: dict[JobRecord, None] = {}  # the submitted ones that have not ended
        self._results = deque[JobRecord]()  # all that are unread, or those of them that have ended
        self._item_of: dict[JobRecord, object] = {}  # if the results are outcomes
        self._nursery: Any = None
        self._feeding = trio.CancelScope()
        self._was_read = trio.Event()  # for the feeder
        self._has_changed = trio.Event()  # for the reader
        self._failed: JobRecord | None = None  # the job whose failure the reader is to raise
        self._items_error: BaseException | None = None  # the same for what the items have raised
        self._refusal: QueueClosed | None = None  # the same, after the last result
        self._closed = ""  # why nothing can be read any more
        self._is_fed = False
        self._is_stopped = False
        self._is_reading = False
        self._is_iterated = False

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
        leaving, spill = error, None
        try:
            if error is None and not self._is_iterated:
                leaving = await self._run_all()  # noqa: ASYNC102 - as the end of the body
            self._closed = "the block of the map has been left: read inside it"
            self._stop(self._closed)
            try:
                await self._nursery.__aexit__(None, None, None)  # noqa: ASYNC102 - it waits for the feeder
            except BaseExceptionGroup as group:
                spill = group
            with trio.CancelScope(shield=True):  # noqa: ASYNC912 - as `run` waits for its job
                await self._wait_ended()  # noqa: ASYNC102 - shielded
            leaving = self._what_leaves(leaving, spill)
            if leaving is not None and leaving is not error:
                raise leaving
            return leaving is None  # noqa: ASYNC910 - leaving the nursery is a checkpoint
        finally:
            del error, spill, leaving  # their tracebacks hold this frame

    async def _run_all(self) -> BaseException | None:
        """Run all items, and return what a reader of their results would get raised."""
        try:
            while True:
                self._core.reporter.report_if_unseen(await self._next())
        except StopAsyncIteration:
            return None  # noqa: ASYNC910 - each result has a checkpoint
        except BaseException as error:  # noqa: ASYNC103, BLE001 - it leaves the block
            return error  # noqa: ASYNC104, ASYNC910 - the same

    async def _wait_ended(self) -> None:  # noqa: ASYNC910 - the caller has passed a checkpoint
        """Wait until all jobs have ended, and report the failures that were not read."""
        core = self._core
        while self._live:
            ended = next(iter(self._live)).wait_ended
            await wait_for_jobs(core, self._live.keys, ended, is_refusable=False)
        if core.store is not None:
            await core.store.wait_all_written()
        for record in self._results:
            core.reporter.report_if_unseen(record)
        self._results.clear()

    def _what_leaves(
        self, body: BaseException | None, spill: BaseException | None
    ) -> BaseException | None:
        """Return what to raise at the end of the block.

        Args:
            body: What the body raised. An error of the items beside it is logged.
            spill: What came out of the nursery: a Cancelled of an outer scope, or an interrupt.
        """
        error, self._items_error = self._items_error, None
        if body is None and spill is None:
            return error
        if body is not None and error is not None and has_only_exceptions(error):
            text = JobErrorInfo.of(error).traceback
            logger.error("The items of a map raised, and another error left its block:\n%s", text)
            error = None
        return what_leaves(body, [] if error is None else [error], spill)

    # Feeding

    @enable_ki_protection
    async def _feed(self) -> None:  # noqa: ASYNC910 - it has a checkpoint before the first item
        """Submit the jobs of all items.

        Cancellation:
            Ends it. If it comes from outside, it is raised.
        """
        try:
            with self._feeding:
                await self._submit_all()
        except BaseException as error:  # noqa: ASYNC103, BLE001 - the reader raises it, but a Cancelled
            cancelled, rest = split_cancelled(error)
            if trio.current_effective_deadline() != -math.inf:  # no scope outside is cancelled
                cancelled, rest = None, error
            if rest is not None:
                self._items_failed(rest)
            if cancelled is not None:
                raise cancelled from None  # noqa: ASYNC104 - the reader raises the others
        finally:
            if not self._is_fed and not self._is_stopped:
                self._closed = "the scope around the map was cancelled"
                self._stop(self._closed)

    @disable_ki_protection  # in the iterable's own code
    async def _submit_all(self) -> None:
        # The inner scope shields the end of a generator. It is entered before those that the
        # generator may hold open.
        with trio.CancelScope() as closing:
            try:
                for number in itertools.count():
                    if self._unread >= self._bound:
                        self._was_read = trio.Event()
                        await self._was_read.wait()
                    elif number % BATCH == 0:
                        await checkpoint()
                    draw = self._iterator
                    item = await anext(draw, END) if self._is_async else next(draw, END)
                    if item is END or self._is_stopped:  # perhaps by the iterable's own code
                        break
                    try:
                        if (record := self._submit(item)) is not None:
                            await self._core.wait_for_room(record)
                            self._job_entered(record)
                    except QueueClosed as refusal:  # what has entered may still end
                        self._refusal = refusal
                        break
            finally:
                closing.shield, closing.deadline = True, trio.current_time() + CLOSE_SECONDS
                await _close(self._items)  # noqa: ASYNC102 - a bounded shield
        self._is_fed = True
        self._has_changed.set()

    @enable_ki_protection
    def _submit(self, item: object) -> JobRecord | None:
        """Submit the job of an item; return it if there is no room."""
        core = self._core
        record = make_record(core, self._function, (item,), NO_OPTIONS)
        if self._options:
            record.set_options(self._options)
        if core.store is not None:
            core.store.pack(record, self._function, (item,), is_awaited=False)
        record.collect_by(self)
        if self._outcomes:
            self._item_of[record] = item
        if core.enter(record) is None:
            return record
        self._job_entered(record)
        if not core.dispatcher.wakeup_pending:
            core.dispatcher.wake()
        return None

    @enable_ki_protection
    def _job_entered(self, record: JobRecord) -> None:
        """Keep a job that has entered the queue; by now it may have ended, and the map stopped."""
        self._unread += 1
        if self._ordered:
            self._results.append(record)
        if record.collector is not None:  # it has not ended
            self._live[record] = None
        if self._is_stopped:
            self._core.cancel(record, CancelCause.SCOPE, "the map was stopped")
        self._has_changed.set()  # a reader in a job looks whether it may wait for this one, too

    def _items_failed(self, error: BaseException) -> None:
        """Stop the map because its items raised; the reader gets that error."""
        self._items_error = error
        if isinstance(error, StopAsyncIteration) or split_cancelled(error)[1] is None:
            # The one would end the results in silence, the other has no scope to catch it.
            self._items_error = RuntimeError(
                f"the items of a map raised {type(error).__name__}: a generator that is not async"
                " must not hold a cancel scope open across a yield"
            )
            self._items_error.__cause__ = error
        self._stop("the items of the map have failed")

    # The end

    def _stop(self, reason: str) -> None:
        """Take no more items, and cancel the jobs that have not ended."""
        if not self._is_stopped:
            self._is_stopped = True
            self._feeding.cancel(reason)
            for record in [*self._live]:
                self._core.cancel(record, CancelCause.SCOPE, reason)
        self._has_changed.set()

    def job_ended(self, record: JobRecord) -> None:
        """Keep an ended job for the reader; stop the map if it was to give a value."""
        self._live.pop(record, None)
        results = self._results
        if not self._ordered:
            results.append(record)
        if record.status is not COMPLETED and not self._outcomes and not self._is_stopped:
            self._failed = record
            self._stop("another job of the map has failed")
        if results and results[0] is record:
            self._has_changed.set()

    # Reading

    def __aiter__(self) -> Self:
        return self

    @enable_ki_protection
    async def __anext__(self) -> object:
        if self._is_reading:
            raise trio.BusyResourceError("another task reads the results of this map")
        if self._nursery is None:
            raise RuntimeError(
                "this map has not been entered: write 'async with queue.map(...) as results'"
                " around the loop"
            )
        self._is_reading = self._is_iterated = True
        try:
            record = await self._next()
        finally:
            self._is_reading = False
        if record.status is FAILED:
            record.mark_outcome_seen()
        if self._outcomes:
            return replace(snapshot_of(record), item=self._item_of.pop(record))
        return record.result

    async def _next(self) -> JobRecord:
        """Wait for the next result, and return its job."""
        core, results = self._core, self._results
        if self._is_readable():
            await checkpoint()
        else:
            while not self._is_readable():
                self._has_changed = trio.Event()
                await wait_for_jobs(core, self._awaited, self._has_changed.wait)
        if core.store is not None and (ended := self._failed or next(iter(results), None)):
            await core.store.wait_end_written(ended)
        if self._is_stopped or not self._unread:
            await checkpoint()  # the scope around the map may be cancelled, and this task with it
            self._raise_end()
        self._unread -= 1
        if self._unread <= self._low:
            self._was_read.set()
        return results.popleft()  # noqa: ASYNC910 - it has passed a checkpoint

    def _raise_end(self) -> NoReturn:
        """Raise what has stopped the map; the second time, the end of the results."""
        if self._closed:
            raise trio.ClosedResourceError(self._closed)
        failed, self._failed = self._failed, None
        if failed is not None:
            failed.mark_outcome_seen()
            result_of(failed)
        error, self._items_error, self._refusal = self._items_error or self._refusal, None, None
        try:
            raise StopAsyncIteration if error is None else error
        finally:
            del error  # its traceback holds this frame

    def _is_readable(self) -> bool:
        """Return whether there is a result to read, an error to raise, or the end."""
        results = self._results
        if results and results[0] not in self._live:
            return True
        return self._is_stopped or (self._is_fed and not self._unread)

    def _awaited(self) -> Collection[JobRecord]:
        """Return the jobs that the reader waits for, which are all; none once it can read."""
        return () if self._is_readable() else self._live.keys()


@disable_ki_protection
async def _close(items: object) -> None:  # noqa: ASYNC910 - the feeder has passed a checkpoint
    """Close the items if they are a generator; anything else may be used again.

    A nursery that an async generator holds open puts the ``GeneratorExit``, by which it is closed,
    into a group. That is not an error.
    """
    if isinstance(items, Generator):
        items.close()
    elif isinstance(items, AsyncGenerator):
        try:
            await items.aclose()
        except BaseExceptionGroup as group:
            _, errors = group.split(GeneratorExit)
            if errors is not None:
                raise errors from None
