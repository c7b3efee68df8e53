"""The jobs of one map, from the drawing of an item until its result is read.

A job that ends calls ``job_ended``, which is synchronous: it needs neither a task nor an event for
each job, only the two tasks of the map to wake, the feeder and the reader.

How far the feeder runs ahead. To wake a task takes about as long as to run a small job. So when the
queue is full with jobs of this map alone, the feeder pauses until half of its pending jobs have
started, and then submits as many. It does not pause so if a worker could be idle meanwhile: not
while its pending jobs may be unable to start, and not if the queue is full with the jobs of others.
Then it waits for room as any submit does. For the same reason it waits, when the window is full,
until a part of it has been read. A short window has no such part: each read lets a job in.
"""

from __future__ import annotations

import math
from collections import deque
from contextvars import copy_context
from typing import TYPE_CHECKING, Final, NamedTuple, final

import trio
from trio.lowlevel import (
    Abort,
    current_task,
    enable_ki_protection,
    reschedule,
    wait_task_rescheduled,
)

from ticketr.jobs._arguments.function import resolve_function
from ticketr.jobs._arguments.options import checked_options
from ticketr.jobs._deadlock import wait_for_jobs, without_marks
from ticketr.jobs._exceptions import split_cancelled
from ticketr.jobs._handle import result_of
from ticketr.jobs._job import COMPLETED, FAILED, CancelCause, OnConflict
from ticketr.jobs._maps.items import END
from ticketr.jobs._record import JobRecord

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ticketr.jobs._arguments.options import JobOptions
    from ticketr.jobs._arguments.retry import Retry
    from ticketr.jobs._core import QueueCore


PART: Final = 8
"""What a window is divided by for the part that is read before more is fed, ``BATCH`` at most."""
BATCH: Final = 16
"""The most items that are drawn from an iterable that is not async without a checkpoint."""
CANCELLED_OUTSIDE: Final = "the scope around the map was cancelled"
OWN_CANCELLED: Final = (
    "the items of a map raised a trio.Cancelled that is not of a scope around the map: a generator"
    " that is not async must not hold a cancel scope open across a yield"
)
START_IN_TURN: Final = frozenset({"name", "priority", "tags", "timeout", "retry"})
"""The options with which a pending job can start as soon as a worker is free."""


class JobTemplate(NamedTuple):
    """What the records of a map's jobs are made with.

    Attributes:
        function: Called with the context and an item.
        name: The name of each job.
        timeout: The time limit of each attempt.
        retry: When to retry a job.
        options: The other options, by the names of a record's fields.
        starts_in_turn: Whether a pending job can start as soon as a worker is free.
        given: The function as the user has given it.
    """

    function: Callable[..., Awaitable[object]]
    name: str
    timeout: float
    retry: Retry | None
    options: Mapping[str, object]
    starts_in_turn: bool
    given: Callable[..., Awaitable[object]]


def template_of(
    function: Callable[..., Awaitable[object]],
    timeout: float,
    retry: Retry | None,
    options: JobOptions,
) -> JobTemplate:
    """Check the function and the options of a map, and return what makes its jobs.

    Args:
        function: Called with the context and an item.
        timeout: The queue's time limit, which an option may replace.
        retry: The queue's retry rule, which an option may replace.
        options: The options of each job.

    Raises:
        TypeError, ValueError: The function or an option is invalid.
    """
    target, name = resolve_function(function, (None,))
    if options.get("id") is not None:
        raise TypeError("a map has no option 'id': each of its jobs has one of its own")
    fields = checked_options(options)
    if fields.pop("on_conflict", OnConflict.WAIT) is not OnConflict.WAIT:
        raise ValueError("the jobs of a map have the same key, so each waits: use OnConflict.WAIT")
    starts_in_turn = options.keys() <= START_IN_TURN
    return JobTemplate(target, name, timeout, retry, fields, starts_in_turn, function)


@final
class Parking:
    """A place where one task waits until it is woken.

    Attributes:
        task: The task that waits.
    """

    __slots__ = ("task",)

    def __init__(self) -> None:
        self.task: trio.lowlevel.Task | None = None

    async def wait(self) -> None:
        """Wait for :meth:`wake`."""
        self.task = current_task()
        await wait_task_rescheduled(self._leave)

    def wake(self) -> None:
        """Resume the task, if there is one."""
        if self.task is not None:
            task, self.task = self.task, None
            reschedule(task)

    def _leave(self, _: object) -> Abort:
        self.task = None
        return Abort.SUCCEEDED


@final
class MapJobs:
    """The jobs of a map.

    Also written in ``_maps.map``: that a result has been read, and in a job.

    Attributes:
        core: The queue that they run on.
        live: Those that have not ended, the one outside included.
        results: In the order in which to read them: all that are unread, or those that have ended.
        failures: The jobs that have failed, and whose result was not read.
        unread: How many jobs there are whose result was not read.
        window: The most jobs whose result was not read.
        few: The most unread results with which the feeder resumes after a pause.
        low: The most live jobs with which it resumes.
        outside: The job that has not entered the queue, as there is no room.
        scope: Around the feeder.
        feeder: Where the feeder waits.
        reader: Where the task waits that reads the results.
        error: What the items have raised, which the reader is to raise.
        failed: The job whose failure the reader is to raise.
        is_fed: Whether there are no more items.
        is_read_in_job: Whether a job of the queue waits for a result.
        is_stopped: Whether the map takes no more items and has cancelled its jobs.
    """

    __slots__ = (
        "_call",
        "_ended",
        "_function",
        "_options",
        "_ordered",
        "_outcomes",
        "core",
        "error",
        "failed",
        "failures",
        "feeder",
        "few",
        "is_fed",
        "is_read_in_job",
        "is_stopped",
        "live",
        "low",
        "outside",
        "reader",
        "results",
        "scope",
        "unread",
        "window",
    )

    def __init__(
        self, core: QueueCore, template: JobTemplate, *, ordered: bool, outcomes: bool
    ) -> None:
        self.core: Final = core
        self._call: Final = template[:4]
        self._function: Final = template.given
        self._options: Final = template.options
        self._ordered: Final = ordered
        self._outcomes: Final = outcomes
        limit = core.schedule.max_pending
        ahead = core.workers if limit == math.inf else limit
        self.window: float = core.workers + ahead
        self.low: float = core.workers + ahead // 2 if template.starts_in_turn else math.inf
        self.few: float = self.window - max(min(self.window // PART, BATCH), 1)
        self.unread: int = 0
        self.live: dict[JobRecord, None] = {}
        self.results: deque[JobRecord] = deque()
        self.failures: dict[JobRecord, None] = {}
        self.outside: JobRecord | None = None
        self.scope: Final = trio.CancelScope()
        self.feeder: Final = Parking()
        self.reader: Final = Parking()
        self._ended: Final = Parking()  # the end of the block waits here
        self.error: BaseException | None = None
        self.failed: JobRecord | None = None
        self.is_fed: bool = False
        self.is_read_in_job: bool = False
        self.is_stopped: bool = False

    # What the feeder calls

    def must_pause(self) -> bool:
        """Return whether no other item may be taken now."""
        if self.unread >= self.window or self.is_stopped or self.is_fed or self.outside is not None:
            return True
        return len(self.live) > self.low and not self.core.schedule.has_room

    def may_resume(self) -> bool:
        """Return whether the feeder may take items again after a pause."""
        return self.unread <= self.few and len(self.live) <= self.low

    @enable_ki_protection
    def submit(self, item: object) -> None:
        """Submit the job of an item.

        If there is no room, it is left ``outside``, to the feeder.
        """
        if item is END or self.is_stopped:  # the iterable's own code may have stopped it
            self.is_fed = self.is_fed or item is END
            return
        function, name, timeout, retry = self._call
        context = copy_context()
        if len(context) == 1:
            context = without_marks(context)
        record = JobRecord(function, (item,), context, name, timeout, retry, self)
        if self._options:
            record.set_options(self._options)
        store = self.core.store
        if store is not None:
            store.pack(record, self._function, (item,), is_awaited=False)
        self.outside = record
        self.unread += 1
        self.live[record] = None
        if self._ordered:
            self.results.append(record)
        core = self.core
        try:
            if core.enter(record) is None:
                self.feeder.wake()
                return
        except BaseException:
            self.take_back_outside()
            raise
        self.outside = None
        if self.is_read_in_job:
            self.reader.wake()  # it looks whether it may wait for this job, too
        core.dispatcher.job_fed(record)

    def outside_entered(self) -> None:
        """Note that the job that had no room has entered."""
        self.outside = None

    def take_back_outside(self) -> None:
        """Forget the job that has not entered.

        It is the newest.
        """
        if self.outside is not None:
            del self.live[self.outside]
            self.outside = None
            self.unread -= 1
            if self._ordered:
                self.results.pop()

    # The end

    def stop(self, reason: str) -> None:
        """Take no more items, and cancel the jobs that have not ended.

        It is called again, for a job that was just entering when the map was stopped: as the
        feeder ends, and as the block is left.
        """
        self.is_stopped = True
        self.scope.cancel(reason)
        for record in self.entered():
            self.core.cancel(record, CancelCause.SCOPE, reason)
        self.reader.wake()

    def fail(self, error: BaseException) -> None:
        """Stop the map because its items raised; the reader gets that error."""
        if self.error is None:
            self.error = _error_for_reader(error)
        self.stop("the items of the map have failed")

    async def wait_ended(self) -> None:  # noqa: ASYNC910 - the caller has passed a checkpoint
        """Wait until all jobs have ended."""
        while self.live:
            await wait_for_jobs(self.core, self.entered, self._ended.wait, is_refusable=False)

    def forget(self) -> BaseException | None:
        """Forget what is unread, report failures of it, and return the error of the items."""
        self.results.clear()
        failures, self.failures = self.failures, {}
        for record in failures:
            self.core.failures.report_if_unseen(record)
        error, self.error = self.error, None
        return error

    # What the jobs call

    def job_ended(self, record: JobRecord) -> None:
        """Keep an ended job for the reader; stop the map if it has failed."""
        del self.live[record]
        if not self._ordered:
            self.results.append(record)
        if record.status is not COMPLETED:
            self._note_no_value(record)
        if self.is_stopped:
            self._ended.wake()
            return
        if self.reader.task is not None and self.is_readable():
            self.reader.wake()
        if self.unread <= self.few and self.feeder.task is not None and self.may_resume():
            self.feeder.wake()

    def _note_no_value(self, record: JobRecord) -> None:
        """Keep a failure for the reader; stop the map if it gives values and no outcomes."""
        if record.status is FAILED:
            self.failures[record] = None
        if not self._outcomes and not self.is_stopped:
            self.failed = record
            self.stop("another job of the map has failed")

    def job_put_back(self) -> None:
        """Note that a job may be pending without being able to start."""
        self.low = math.inf
        if self.may_resume():
            self.feeder.wake()

    # What the reader calls

    def is_readable(self) -> bool:
        """Return whether there is a result to read, an error to raise, or the end."""
        results = self.results
        if results and results[0] not in self.live:
            return True
        return self.is_stopped or (self.is_fed and not self.unread)

    def awaited(self) -> list[JobRecord]:
        """Return the jobs that the reader waits for, which are all; none once it can read."""
        return [] if self.is_readable() else self.entered()

    def next_ended(self) -> JobRecord | None:
        """Return the ended job that the reader is given next, or whose failure it gets."""
        if self.failed is not None or not self.results:
            return self.failed
        return None if self.results[0] in self.live else self.results[0]

    def entered(self) -> list[JobRecord]:
        """Return the jobs that were submitted and have not ended."""
        return [record for record in self.live if record is not self.outside]

    def note_seen(self, record: JobRecord) -> None:
        """Note that the reader is given the outcome, so that a failure is not reported."""
        record.mark_outcome_seen()
        self.failures.pop(record, None)

    def raise_error(self) -> None:
        """Raise the failure or the error that has stopped the map, if there is one."""
        error, self.error = self.error, None
        record, self.failed = self.failed, None
        try:
            if record is not None:
                self.error = error  # the items failed after that, as they were closed
                self.note_seen(record)
                result_of(record)
            if error is not None:
                raise error
        finally:
            del error  # its traceback holds this frame


def _error_for_reader(error: BaseException) -> BaseException:
    """Return what the reader raises for an error of the items: it, or one that stands for it."""
    if issubclass(type(error), StopAsyncIteration):  # it would end the results silently
        return RuntimeError("the items of a map raised StopAsyncIteration")
    if split_cancelled(error)[1] is None:  # no scope around the reader would catch it
        own = RuntimeError(OWN_CANCELLED)
        own.__cause__ = error
        return own
    return error
