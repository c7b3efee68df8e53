"""The record of a job. Nothing else changes what is in one.

A change of the status is a transition. ``TRANSITIONS`` is the table of those that there are, each
with the fields that it writes, and each is one method here: ``start``, ``back_off`` and ``end``. A
record is made for a submit that is not yet accepted: ``accept`` makes it a job of the queue.
"""

from __future__ import annotations

import math
from contextvars import Context
from typing import TYPE_CHECKING, Final, Protocol, final

import trio

from ticketr.jobs._job import (
    CANCELLED,
    COMPLETED,
    FAILED,
    PENDING,
    RUNNING,
    JobErrorInfo,
    JobSnapshot,
)
from ticketr.jobs._progress import JobProgress, advance
from ticketr.jobs._values import safe_str

if TYPE_CHECKING:
    import weakref
    from collections.abc import Awaitable, Callable, Hashable, Mapping

    from ticketr.jobs._job import CancelCause, JobID, JobStatus, OnConflict
    from ticketr.jobs._key_table import KeySlot
    from ticketr.jobs._links import After, JobLinks
    from ticketr.jobs._priority_queue import PriorityQueue
    from ticketr.jobs._retry import Retry
    from ticketr.jobs._wall_clock import WallClock

NO_CONTEXT: Final = Context()
NO_TAGS: Final = frozenset[str]()
NO_REPORT: Final = (0, 0, "", 0)

_STARTED: Final = (
    *("status", "revision", "started_at", "attempt", "report"),
    *("worker", "scope", "retry_context", "timeout", "total_ends_at"),
)
_BACKED_OFF: Final = (
    *("status", "revision", "due_at", "uncounted_retries"),
    *("worker", "scope", "context", "retry_context"),
)
_ENDED: Final = (
    *("status", "revision", "finished_at", "result", "error", "exception"),
    *("worker", "scope", "function", "args", "context", "retry_context", "retry"),
    "waiting_reason",
)
TRANSITIONS: Final[Mapping[JobStatus, Mapping[JobStatus, tuple[str, ...]]]] = {
    PENDING: {RUNNING: _STARTED, CANCELLED: _ENDED},
    RUNNING: {PENDING: _BACKED_OFF, COMPLETED: _ENDED, FAILED: _ENDED, CANCELLED: _ENDED},
    COMPLETED: {},
    FAILED: {},
    CANCELLED: {},
}
"""The statuses that may follow each status, with the fields that the transition may write.

To look it up at each transition would cost every job time. So each method asserts the status that
it starts from, and ``test_record`` compares all methods with the table.
"""


async def ended_job_function(context: object) -> None:
    """Stand for the function of a job that has ended."""


class JobCollector(Protocol):
    """What collects the jobs of a map as they end."""

    def job_ended(self, record: JobRecord) -> None:
        """Take a job that has ended."""

    def job_put_back(self) -> None:
        """Note that a job waits for another attempt."""


@final
class JobRecord:
    """All that the queue knows of one job.

    Also written in ``_schedule``: where the job waits, and the time of which it stops waiting.

    Some slots are filled only by a transition, which saves each job a store. The fields that tell
    readers that they are filled, ``attempt`` and ``status``, are written after them.

    Attributes:
        id: Empty until the queue makes one up, unless the submit gave one.
        number: Its place in the order of submission.
        key_slot: What stands for its key, once the queue has accepted it.
        pending_queue: The queue of the schedule that it waits in.
        waiting_reason: Tells why it waits; None once it has ended.
        id_holder: The live job whose ID it has, and whose end it waits for.
        after: Until it is accepted: the jobs that it starts after.
        links: The jobs that it starts after, and those that start after it; None for none.
        wall_clock: The queue's.
        due_at: Until it is accepted: its delay.
        report: Current, total, message, and the revision of the report, 0 for none.
        uncounted_retries: How many attempts do not count against its ``Retry``.
        timeout: The limit for each attempt, or that for all of them once it is the closer one.
        total_ends_at: When the limit for all attempts passes; filled by the first if there is one.
        retry_context: The context as it was before the attempt, for the next one.
        worker: The worker that runs it.
        scope: The cancel scope of the attempt.
        handle: Refers to its handle, if there ever was one.
        ended: Set when it ends; made by the first that waits for it.
        outcome_seen: Whether somebody was given the outcome.
        collector: The map that is told of the end, until then.
    """

    number: int
    submitted_at: float
    wall_clock: WallClock
    pending_queue: PriorityQueue[JobRecord] | None
    waiting_reason: Callable[[JobRecord], str | None] | None
    started_at: float
    report: tuple[float, float, str, int]
    total_ends_at: float
    scope: trio.CancelScope
    worker: trio.lowlevel.Task
    finished_at: float
    result: object
    error: JobErrorInfo | None
    exception: BaseException | None

    __slots__ = (
        "after",
        "args",
        "attempt",
        "cancel_cause",
        "cancel_requested",
        "collector",
        "context",
        "due_at",
        "ended",
        "error",
        "exception",
        "finished_at",
        "function",
        "handle",
        "id",
        "id_holder",
        "key",
        "key_slot",
        "links",
        "name",
        "number",
        "on_conflict",
        "outcome_seen",
        "pending_queue",
        "priority",
        "report",
        "result",
        "retry",
        "retry_context",
        "revision",
        "scope",
        "start_by",
        "started_at",
        "status",
        "submitted_at",
        "tags",
        "timeout",
        "total_ends_at",
        "uncounted_retries",
        "waiting_reason",
        "wall_clock",
        "worker",
    )

    def __init__(
        self,
        function: Callable[..., Awaitable[object]],
        args: tuple[object, ...],
        context: Context,
        name: str,
        timeout: float,
        retry: Retry | None,
        collector: JobCollector | None = None,
    ) -> None:
        self.id: JobID = ""
        self.name: str = name
        self.priority: int = 0
        self.key: Hashable = None
        self.key_slot: KeySlot[JobRecord] | None = None
        self.tags: frozenset[str] = NO_TAGS
        self.status: JobStatus = PENDING
        self.revision: int = 1
        self.attempt: int = 0
        self.uncounted_retries: int = 0
        self.cancel_requested: bool = False
        self.cancel_cause: CancelCause | None = None
        self.due_at: float = 0.0
        self.outcome_seen: bool = False
        self.handle: weakref.ref[object] | None = None
        # What a job drops when it ends.
        self.function: Callable[..., Awaitable[object]] = function
        self.args: tuple[object, ...] = args
        self.context: Context = context
        self.retry_context: Context | None = None
        self.timeout: float = timeout
        self.retry: Retry | None = retry
        self.start_by: float | None = None
        self.on_conflict: OnConflict | None = None
        self.id_holder: JobRecord | None = None
        self.after: After | None = None
        self.links: JobLinks[JobRecord] | None = None
        self.collector: JobCollector | None = collector
        self.ended: trio.Event | None = None

    # Submission

    def set_options(self, options: Mapping[str, object]) -> None:
        """Write options that were checked, by the names of the fields."""
        for field, value in options.items():
            setattr(self, field, value)

    def set_key_slot(self, key_slot: KeySlot[JobRecord]) -> None:
        """Write the slot of its key."""
        self.key_slot = key_slot

    def set_id_holder(self, id_holder: JobRecord) -> None:
        """Let it wait for the end of the live job that has its ID."""
        self.id_holder = id_holder

    def accept(self, job_id: JobID, number: int, now: float, wall_clock: WallClock) -> None:
        """Make it a job of the queue."""
        self.id = job_id
        self.number = number
        self.submitted_at = now
        self.due_at = now + self.due_at if self.due_at else now
        self.wall_clock = wall_clock

    def set_links(self, links: JobLinks[JobRecord] | None) -> None:
        """Write which jobs it waits for, and which wait for it."""
        self.links, self.after = links, None

    def copy(self, job_id: JobID) -> JobRecord:
        """Return a record of the same function and options for another submit, with this ID."""
        record = JobRecord(
            self.function, self.args, self.context.copy(), self.name, self.timeout, self.retry
        )
        record.id, record.key, record.tags, record.priority = (
            job_id,
            self.key,
            self.tags,
            self.priority,
        )
        return record

    # Transitions

    def start(self, worker: trio.lowlevel.Task, now: float) -> None:
        """Begin an attempt."""
        assert self.status is PENDING
        self.started_at = now
        self.report = NO_REPORT
        self.attempt += 1
        self.worker = worker
        if self.context:
            self.retry_context = self.context.copy()
        self.scope = trio.CancelScope()  # which takes half as long again with an argument
        if self.retry is not None and self.retry.total is not None:
            self._start_within_total(self.retry.total, now)
        elif self.timeout != math.inf:
            self.scope.relative_deadline = self.timeout
        self.status = RUNNING
        self.revision += 1

    def _start_within_total(self, total: float, now: float) -> None:
        """Set the deadline of an attempt that a limit for all attempts may cut off."""
        if self.attempt == 1:
            self.total_ends_at = now + total
        if self.total_ends_at <= now + self.timeout:
            self.timeout = total  # it limits all later attempts too, and JobTimedOut names it
        self.scope.deadline = min(now + self.timeout, self.total_ends_at)

    def has_used_total(self, time: float) -> bool:
        """Tell whether the ``total`` of the job's ``Retry`` allows no attempt from this time on."""
        has_total = self.retry is not None and self.retry.total is not None
        return has_total and time >= self.total_ends_at

    def back_off(self, due_at: float, *, is_counted: bool) -> None:
        """End an attempt that another one is to follow.

        Args:
            due_at: When the next attempt may start.
            is_counted: Whether this one counts against the job's ``Retry``.
        """
        assert self.status is RUNNING
        del self.worker, self.scope
        self.context, self.retry_context = self.retry_context or Context(), None
        self.uncounted_retries += not is_counted
        self.due_at = due_at
        self.status = PENDING
        self.revision += 1

    def end(self, status: JobStatus, now: float, result: object) -> object:
        """End the job.

        Returns:
            What it held of the user's. To drop that may run the user's own code, so it is to be
            dropped when all that belongs to the end is done.
        """
        if self.status is RUNNING:
            del self.worker, self.scope
        else:
            assert (self.status, status) == (PENDING, CANCELLED)
        self.result = result
        self.finished_at = now
        self.status = status
        self.revision += 1
        held = self.function, self.args, self.retry, self.context, self.retry_context
        self.function, self.args, self.context = ended_job_function, (), NO_CONTEXT
        self.retry_context = self.retry = self.waiting_reason = None
        return held

    def set_failure(self, exception: BaseException | None, error: JobErrorInfo | None) -> None:
        """Write what the job fails with, before its end.

        Args:
            exception: What its function raised; None if its time limit passed.
            error: The same as text; None if the job does not fail.
        """
        self.exception, self.error = exception, error

    # Changes that leave the status as it is

    def mark_changed(self) -> None:
        """Count a change, for readers to tell two snapshots apart."""
        self.revision += 1

    def request_cancel(self, cause: CancelCause) -> None:
        """Note that somebody has asked the job to stop."""
        self.cancel_requested = True
        self.cancel_cause = cause

    def note_cause(self, cause: CancelCause | None) -> None:
        """Note why the job stops, unless a cause is noted already."""
        if self.cancel_cause is None:
            self.cancel_cause = cause

    def set_priority(self, priority: int) -> None:
        """Give the job another priority."""
        self.priority = priority

    def add_report(self, current: object, total: object, message: object) -> None:
        """Fold a report of the job into its progress; never raises."""
        old_current, old_total, words, _ = self.report
        new_current, new_total = advance(old_current, old_total, current, total)
        if message is not None and (text := safe_str(message)) is not None:
            words = text
        self.revision += 1
        self.report = (new_current, new_total, words, self.revision)

    # Waiting for the end

    async def wait_ended(self) -> None:
        """Wait until the job has ended; no checkpoint if it has."""
        if self.status.is_terminal:
            return  # noqa: ASYNC910 - the caller has passed a checkpoint
        if self.ended is None:
            self.ended = trio.Event()
        await self.ended.wait()

    def wake_waiters(self) -> None:
        """Resume the tasks that wait for the end."""
        if self.ended is not None:
            self.ended.set()
            self.ended = None

    def set_handle(self, handle: weakref.ref[object]) -> None:
        """Remember the handle, without keeping it alive."""
        self.handle = handle

    def tell_collector(self) -> None:
        """Tell the map that the job belongs to."""
        if self.collector is not None:
            collector, self.collector = self.collector, None
            collector.job_ended(self)

    def mark_outcome_seen(self) -> None:
        """Note that somebody was given the outcome, so that a failure is not silent."""
        self.outcome_seen = True

    # Reading

    @property
    def counted_attempts(self) -> int:
        """How many attempts count against the job's ``Retry``."""
        return self.attempt - self.uncounted_retries

    def last_report(self) -> JobProgress:
        """Return what the job reported last."""
        # If that was in an attempt before, a reader who is late learns that it counts no more.
        current, total, message, revision = self.report
        return JobProgress(self.id, current, total, message, revision or self.revision)

    def observe(self) -> JobSnapshot:
        """Return the job as it is now, for a program that follows it to its end."""
        if self.status.is_terminal:
            self.outcome_seen = True
        return self.snapshot()

    def snapshot(self) -> JobSnapshot:
        """Return the job as it is now."""
        has_ended = self.status.is_terminal
        return JobSnapshot(
            id=self.id,
            name=self.name,
            status=self.status,
            revision=self.revision,
            key=self.key,
            tags=self.tags,
            priority=self.priority,
            attempt=self.attempt,
            progress=self.last_report() if self.attempt and self.report is not NO_REPORT else None,
            waiting_for=self.waiting_reason(self) if self.waiting_reason is not None else None,
            cancel_requested=self.cancel_requested,
            cancel_cause=self.cancel_cause,
            submitted_at=self.submitted_at,
            due_at=self.due_at,
            started_at=self.started_at if self.attempt else None,
            finished_at=self.finished_at if has_ended else None,
            error=self.error if self.status is FAILED else None,
            result=self.result if has_ended else None,
            wall_offset=self.wall_clock.offset(),
        )
