"""``queue.map``: a job for each of many items, and their results as an async iterator.

A task of the map's own nursery, the feeder, draws the items and submits their jobs. A job that ends
calls ``job_ended``, which wakes the task that reads the results.

A failure, an error of the items and the end of the block all stop the map at once: the feeder is
cancelled, and each job that has not ended. The error is kept for the reader, which raises it as it
is: the nursery would put it into a group. For the same reason the feeder is shielded from the scopes
around the block: these cancel the body, which leaves the block.
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
from typing import Any, Final, NoReturn, Self, final

import trio
from trio.lowlevel import checkpoint, disable_ki_protection, enable_ki_protection

from ticketr._errors import QueueClosed
from ticketr.jobs._arguments import JobOptions, checked_option_fields, make_record
from ticketr.jobs._core import QueueCore
from ticketr.jobs._deadlock import copy_context_unless_blank, wait_for_jobs
from ticketr.jobs._groups import has_only_exceptions
from ticketr.jobs._handle import result_of
from ticketr.jobs._job import COMPLETED, FAILED, CancelCause, JobErrorInfo
from ticketr.jobs._record import JobRecord, snapshot_of
from ticketr.jobs._trio import split_cancelled, wait_despite_interrupts

logger = logging.getLogger("ticketr.jobs")

NO_MORE: Final = object()
"""What is drawn when there are no more items."""
ITEMS_PER_CHECKPOINT: Final = 16
"""How many items are drawn without a checkpoint."""
CLOSE_ITEMS_SECONDS: Final = 5.0
"""How long an async generator may take to close."""
NO_OPTIONS: Final[JobOptions] = {}


@final
class JobMap:
    """The block of one ``queue.map``, and the async iterator over its results.

    Only a queue makes one.
    """

    shows_failures_to_reader: Final = True

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
        template = make_record(core, function, (None,), NO_OPTIONS)
        self._core = core
        self._function = function
        self._call = template.call[0]
        self._common = template.name, core.timeout, core.retry
        self._options = checked_option_fields(options)
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
        self._unread: dict[JobRecord, object] = {}  # the items of the jobs that were not read
        self._results = deque[JobRecord]()  # all that are unread, or those of them that have ended
        self._nursery: Any = None
        self._feeding = trio.CancelScope(shield=True)
        self._fed = trio.Event()  # set when the feeder has ended
        self._was_read = trio.Event()  # for the feeder
        self._has_changed = trio.Event()  # for the readers
        # A reader waits for what its items wait for, too, if they are a map on the same queue.
        self._before = items if isinstance(items, JobMap) and items._core is core else None
        self._behind: JobMap | None = None
        if self._before is not None:
            self._before._behind = self
        self._failed: JobRecord | None = None  # the job whose failure the reader is to raise
        self._items_error: BaseException | None = None  # the same for what the items have raised
        self._end: Exception | type[Exception] = StopAsyncIteration  # raised behind the last result
        self._is_stopped = False
        self._is_iterated = False

    # The block

    @enable_ki_protection
    async def __aenter__(self) -> Self:
        if self._nursery is not None:
            raise RuntimeError("the block of a map is entered once: call queue.map() again")
        self._core.subscriptions.owner_run.check()
        self._nursery = trio.open_nursery(strict_exception_groups=True)
        (await self._nursery.__aenter__()).start_soon(self._feed)
        return self

    @enable_ki_protection
    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        leaving, items_error = error, None
        try:
            try:
                while error is None and not self._is_iterated:  # run all items
                    record, _ = await self._next_job_and_item()  # noqa: ASYNC102 - as the end of the body
                    self._core.reporter.report_if_unseen_failure(record)
            except StopAsyncIteration:
                pass
            except BaseException as failure:  # noqa: ASYNC103, BLE001 - it leaves the block
                leaving = failure
            reason = "the block of the map has been left: read inside it"
            self._end = trio.ClosedResourceError(reason)
            self._stop(reason)
            try:
                await wait_despite_interrupts(self._wait_ended_and_report_unread)  # noqa: ASYNC102 - shielded
            except KeyboardInterrupt as interrupt:
                leaving = interrupt
            await self._nursery.__aexit__(None, None, None)  # noqa: ASYNC102 - its task has ended
            items_error, self._items_error = self._items_error, None
            if leaving is not None and items_error is not None and has_only_exceptions(items_error):
                text = JobErrorInfo.of(items_error).traceback
                logger.error("The items of a map raised, and another error left it:\n%s", text)
            else:
                leaving = items_error or leaving
            if leaving is not None and leaving is not error:
                raise leaving
        finally:
            del error, leaving, items_error  # their tracebacks hold this frame

    async def _wait_ended_and_report_unread(self) -> None:  # noqa: ASYNC910 - the caller has passed a checkpoint
        """Wait until all jobs have ended, and report the failures that were not read."""
        core, unread = self._core, self._unread
        await self._fed.wait()
        for record in unread:
            await wait_for_jobs(core, record.live_self, record.wait_ended, is_refusable=False)
        if core.store is not None:
            await core.store.wait_all_written()
        for record in unread:
            core.reporter.report_if_unseen_failure(record)
        unread.clear()
        self._results.clear()

    # Feeding

    @enable_ki_protection
    async def _feed(self) -> None:  # noqa: ASYNC910 - it has a checkpoint before the first item
        """Submit the jobs of all items; what the items raise is kept for the reader."""
        with self._feeding:
            try:
                await self._submit_all_and_close_items()
            except BaseException as error:  # noqa: ASYNC103 - the reader raises it
                rest = split_cancelled(error)[1] if self._feeding.cancel_called else error
                if rest is None:
                    raise
                if split_cancelled(rest)[1] is None:  # no scope would catch it
                    rest = RuntimeError(
                        f"the items of a map raised {type(error).__name__}: a generator that is not"
                        " async must not hold a cancel scope open across a yield"
                    )
                    rest.__cause__ = error
                self._items_error = rest
                self._stop("the items of the map have failed")
            finally:
                self._fed.set()
                self._notify_readers()

    @disable_ki_protection  # in the iterable's own code
    async def _submit_all_and_close_items(self) -> None:
        # The inner scope shields the end of a generator. It is entered before those that the
        # generator may hold open.
        with trio.CancelScope() as closing:
            try:
                for number in itertools.count():
                    if len(self._unread) >= self._bound:
                        self._was_read = trio.Event()
                        await self._was_read.wait()
                    elif number % ITEMS_PER_CHECKPOINT == 0:
                        await checkpoint()
                    draw = self._iterator
                    item = await anext(draw, NO_MORE) if self._is_async else next(draw, NO_MORE)
                    if item is NO_MORE or self._is_stopped:  # perhaps by the iterable's own code
                        break
                    if not await self._submit_unless_queue_closed(item):
                        break
            finally:
                closing.shield, closing.deadline = True, trio.current_time() + CLOSE_ITEMS_SECONDS
                await _close_if_generator(self._items)  # noqa: ASYNC102 - a bounded shield

    @enable_ki_protection
    async def _submit_unless_queue_closed(self, item: object) -> bool:  # noqa: ASYNC910 - the caller has checkpoints
        """Submit the job of an item; return False if the queue takes no more."""
        core = self._core
        record = JobRecord((self._call, (item,), copy_context_unless_blank(), None), *self._common)
        if self._options:
            record.set_options(self._options)
        if core.store is not None:
            core.store.pack_into_record(record, self._function, (item,), waits_for_write=False)
        record.collect_by(self)
        try:
            if core.try_enter_or_join(record) is None:
                await core.wait_for_room(record)
        except QueueClosed as refusal:  # what has entered may still end
            self._end = refusal
            return False  # noqa: ASYNC910 - the same
        self._unread[record] = item
        if self._ordered or record.collector is None:  # it may have ended by now
            self._results.append(record)
        if self._is_stopped:  # meanwhile
            core.cancel(record, CancelCause.SCOPE, "the map was stopped")
        if not core.waker.wakeup_pending:
            core.waker.wake_one()
        self._notify_readers()  # one in a job looks whether it may wait for this one
        return True  # noqa: ASYNC910 - the same

    # The end

    def _stop(self, reason: str) -> None:
        """Take no more items, and cancel the jobs that have not ended."""
        if not self._is_stopped:
            self._is_stopped = True
            self._feeding.cancel(reason)
            for record in [*self._unread]:
                self._core.cancel(record, CancelCause.SCOPE, reason)
        self._notify_readers()

    def job_ended(self, record: JobRecord) -> None:
        """Keep an ended job for the reader; stop the map if it was to give a value."""
        if not self._ordered and record in self._unread:
            self._results.append(record)
        if record.status is not COMPLETED and not self._outcomes and not self._is_stopped:
            self._failed = record
            self._stop("another job of the map has failed")
        if self._results and self._results[0] is record:
            self._notify_readers()

    # Reading

    def __aiter__(self) -> Self:
        return self

    @enable_ki_protection
    async def __anext__(self) -> object:
        if self._nursery is None:
            raise RuntimeError(
                "this map has not been entered: write 'async with queue.map(...) as results'"
                " around the loop"
            )
        self._is_iterated = True
        record, item = await self._next_job_and_item()
        if record.status is FAILED:
            record.mark_outcome_seen()
        return replace(snapshot_of(record), item=item) if self._outcomes else record.result

    async def _next_job_and_item(self) -> tuple[JobRecord, object]:
        """Wait for the next result, and return its job and item."""
        core, results = self._core, self._results
        if self._would_read_at_once():
            await checkpoint()
        while not self._would_read_at_once():
            if self._has_changed.is_set():
                self._has_changed = trio.Event()
            await wait_for_jobs(core, self._awaited, self._has_changed.wait)
        if self._is_stopped or not self._unread:
            await checkpoint()  # the scope around the map may be cancelled, and this task with it
            await self._raise_failure_or_end()
        record = results.popleft()
        if core.store is not None:
            try:
                await core.store.wait_end_written(record)
            except BaseException:
                results.appendleft(record)
                raise
        item = self._unread.pop(record)
        if len(self._unread) <= self._low:
            self._was_read.set()
        return record, item  # noqa: ASYNC910 - it has passed a checkpoint

    async def _raise_failure_or_end(self) -> NoReturn:
        """Raise what has stopped the map; the second time, the end of the results."""
        if self._failed is not None and self._core.store is not None:
            await self._core.store.wait_end_written(self._failed)
        failed, error, self._failed, self._items_error = self._failed, self._items_error, None, None
        if failed is not None:
            failed.mark_outcome_seen()
            result_of(failed)
        try:
            raise self._end if error is None else error
        finally:
            del error  # its traceback holds this frame

    def _notify_readers(self) -> None:
        """Wake the readers of this map, and of one that has it as its items."""
        self._has_changed.set()
        if self._behind is not None:
            self._behind._notify_readers()

    def _would_read_at_once(self) -> bool:
        """Return whether there is a result to read, an error to raise, or the end."""
        results = self._results
        if results and results[0].collector is None:  # it has ended
            return True
        return self._is_stopped or (self._fed.is_set() and not self._unread)

    def _awaited(self) -> Collection[JobRecord]:
        """Return the jobs that the reader waits for, which are all; none once it can read."""
        if self._would_read_at_once():
            return ()
        return self._unread.keys() or (() if self._before is None else self._before._awaited())


@disable_ki_protection
async def _close_if_generator(items: object) -> None:  # noqa: ASYNC910 - the feeder has passed a checkpoint
    """Close the items if they are a generator; anything else may be used again.

    A nursery that an async generator holds open puts the ``GeneratorExit``, by which it is closed,
    into a group. That is not an error.
    """
    if isinstance(items, Generator):
        items.close()
    elif isinstance(items, AsyncGenerator):
        try:
            await items.aclose()
        except* GeneratorExit:
            pass
