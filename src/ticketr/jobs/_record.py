"""The record of a job. Only this module changes one.

A change of the status is a transition. The table ``TRANSITIONS`` lists all of them. The methods
``start_attempt``, ``back_off`` and ``mark_ended`` make them. A record is made for a submit that is
not yet accepted: ``accept`` makes it a job of the queue.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from contextvars import Context
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, final

import trio

from ticketr.jobs._job import (
    CANCELLED,
    COMPLETED,
    FAILED,
    PENDING,
    RUNNING,
    CancelCause,
    JobErrorInfo,
    JobID,
    JobSnapshot,
    JobStatus,
    OnConflict,
)
from ticketr.jobs._progress import JobProgress, advance_ignoring_invalid
from ticketr.jobs._retry import Retry
from ticketr.jobs._scheduling.schedule import KeySlot, PriorityQueue
from ticketr.jobs._values import safe_str

if TYPE_CHECKING:
    from ticketr.jobs._core import QueueCore
    from ticketr.jobs._sqlite.rows import NotedRow, PackedCall

NO_TAGS: Final[frozenset[str]] = frozenset()
AnyEndWillDo: TypeAlias = bool


@final
@dataclass(eq=False, slots=True)
class JobExtras:
    """What most jobs do not have.

    Also written in ``_scheduling.dependencies``: ``predecessors``.

    A job without any of it shares ``NO_EXTRAS``, which saves each job the time to fill and to check
    these fields.

    Attributes:
        given_id: The ID that the submit gave; empty if it gave none.
        priority: The priority.
        key: The key, None for none.
        key_slot: What stands for its key, once the queue has accepted it.
        tags: The tags.
        on_conflict: What to do about a live job with the same ID or key.
        once: Whether to join a job with the same ID that has completed.
        after: The IDs and handles of the jobs that the submit asked to start it after, until the queue
            has accepted it.
        after_any_end: Whether it starts however these end.
        predecessors: The jobs whose end it waits for, and whether any end of each will do.
        dependents: The jobs that wait for its end.
        delay: The seconds from the submit until it is due.
        restored_due_at: When it is due, if it comes from a store; None otherwise.
        start_by: The time by which it must have started; None for no such time.
        uncounted_retries: How many attempts do not count against its ``Retry``.
        cancel_requested: Whether a cancel was requested.
        cancel_cause: Why it stops; None if it does not.
        outcome_seen: Whether a caller was given its outcome. It is only noted of jobs
            that fail.
        scheduled_at: The due time of a run of a repeat; None for any other job.
        get_awaited_jobs: Returns what the job's own task waits for without a limit; None if it does
            not wait so.
        stored: What a store is to keep of its submit; once the queue has accepted it, its row.
    """

    given_id: JobID = ""
    priority: int = 0
    key: Hashable = None
    key_slot: KeySlot | None = None
    tags: frozenset[str] = NO_TAGS
    on_conflict: OnConflict | None = None
    once: bool = False
    after: Collection[object] = ()
    after_any_end: bool = False
    predecessors: dict[JobRecord, AnyEndWillDo] = field(default_factory=dict)
    dependents: dict[JobRecord, None] = field(default_factory=dict)
    delay: float = 0.0
    restored_due_at: float | None = None
    start_by: float | None = None
    uncounted_retries: int = 0
    cancel_requested: bool = False
    cancel_cause: CancelCause | None = None
    outcome_seen: bool = False
    scheduled_at: datetime | None = None
    get_awaited_jobs: GetAwaitedJobs | None = None
    stored: PackedCall | NotedRow | None = None


NO_EXTRAS: Final = JobExtras()
"""The extras of a job that has none; never written."""
ENDED_JOB_CONTEXT: Final = Context()
NO_REPORT: Final = (0, 0, "", 0)
"""The report of a job that has reported nothing."""

TRANSITIONS: Final[Mapping[JobStatus, Collection[JobStatus]]] = {
    PENDING: (RUNNING, CANCELLED),
    RUNNING: (PENDING, COMPLETED, FAILED, CANCELLED),
    COMPLETED: (),
    FAILED: (),
    CANCELLED: (),
}
"""The statuses that may follow each status.

To look it up at each transition would cost every job time. So each method asserts the status that
it starts from, and ``test_record`` compares all methods with the table.
"""


async def ended_job_function(context: object) -> None:
    """Stand for the function of a job that has ended."""


CallAndContexts: TypeAlias = (
    "tuple[Callable[..., Awaitable[object]], tuple[object, ...], Context, Context | None]"
)
"""A function, the arguments behind its context, the context variables to call it in, and these as
they were before an attempt, for the next one; None if there were none."""
ENDED_CALL: Final[CallAndContexts] = (ended_job_function, (), ENDED_JOB_CONTEXT, None)


GetAwaitedJobs: TypeAlias = "Callable[[], Collection[JobRecord]]"
"""Returns the jobs that a wait waits for; none once it is over."""


class JobCollector(Protocol):
    """A map, or the repeats, which are told when their jobs end.

    Attributes:
        shows_failures_to_reader: Whether a reader is to be given the outcomes, failures included.
    """

    @property
    def shows_failures_to_reader(self) -> bool: ...
    def job_ended(self, record: JobRecord) -> None:
        """Take a job that has ended."""


@final
@dataclass(eq=False, repr=False, slots=True)
class JobRecord:
    """What the queue keeps about one job.

    Also written in ``_scheduling.schedule``: ``pending_queue``, and ``due_at`` of a job that is made due.

    Some fields are filled only by ``accept`` or by a transition, which saves each job a store.
    ``attempt`` and ``status``, which tell readers that fields are filled, are written after these.
    Times are on Trio's clock.

    Attributes:
        call: What is called at each attempt. A failed job keeps it, without its context variables,
            as long as the queue keeps the record; any other drops it at the end.
        extras: What most jobs do not have, such as a key.
        number: Its place in the order of submission.
        queue: The queue that has accepted it.
        pending_queue: The queue of the schedule that it waits in, or has waited in last.
        report: Current, total, message, and the revision of the report, 0 for none.
        attempt_timeout: The limit for each attempt.
        total_ends_at: When the limit for all attempts passes; filled by the first if there is one.
        attempt_scope: The cancel scope of the attempt.
        ended_event: Set when it ends; made by the first that waits for it.
        collector: What is told when the job ends; None once it was told.
    """

    call: CallAndContexts
    name: str
    attempt_timeout: float
    retry: Retry | None
    extras: JobExtras = field(init=False, default=NO_EXTRAS)
    status: JobStatus = field(init=False, default=PENDING)
    revision: int = field(init=False, default=1)
    attempt: int = field(init=False, default=0)
    collector: JobCollector | None = field(init=False, default=None)
    ended_event: trio.Event | None = field(init=False, default=None)
    id: JobID = field(init=False)
    number: int = field(init=False)
    submitted_at: float = field(init=False)
    due_at: float = field(init=False)
    queue: QueueCore = field(init=False)
    pending_queue: PriorityQueue[JobRecord] = field(init=False)
    attempt_started_at: float = field(init=False)
    report: tuple[float, float, str, int] = field(init=False)
    total_ends_at: float = field(init=False)
    attempt_scope: trio.CancelScope = field(init=False)
    finished_at: float = field(init=False)
    result: object = field(init=False)
    error: JobErrorInfo | None = field(init=False)
    exception: BaseException | None = field(init=False)

    # Submission

    def own_extras(self) -> JobExtras:
        """Return extras that no other job shares."""
        if self.extras is NO_EXTRAS:
            self.extras = JobExtras()
        return self.extras

    def set_options(self, options: Mapping[str, object]) -> None:
        """Write options that were checked, by the names of the fields."""
        for name, value in options.items():
            if name in ("name", "attempt_timeout", "retry"):
                setattr(self, name, value)
            else:
                setattr(self.own_extras(), name, value)

    def set_key_slot(self, key_slot: KeySlot) -> None:
        """Write the slot of its key."""
        self.own_extras().key_slot = key_slot

    def accept(self, job_id: JobID, number: int, now: float, queue: QueueCore) -> None:
        """Make it a job of the queue."""
        self.id = job_id
        self.number = number
        self.submitted_at = self.due_at = now
        self.queue = queue

    def set_due_at(self, now: float) -> None:
        """Write when a job that has been accepted is due."""
        due_at = self.extras.restored_due_at
        self.due_at = now + self.extras.delay if due_at is None else due_at

    def set_unlinked_predecessors(self, predecessors: dict[JobRecord, AnyEndWillDo]) -> None:
        """Write the jobs whose end it waits for, as in its extras."""
        extras = self.own_extras()
        extras.predecessors, extras.after = predecessors, ()

    def add_dependent(self, dependent: JobRecord) -> None:
        """Note that a job waits for the end of this one."""
        self.own_extras().dependents[dependent] = None

    def unlink_all_and_return_dependents(self) -> Collection[JobRecord]:
        """Drop all links, and return the jobs that have waited for its end."""
        extras = self.extras
        dependents = extras.dependents
        for predecessor in extras.predecessors:
            predecessor.extras.dependents.pop(self, None)
        extras.predecessors, extras.dependents = {}, {}
        return dependents

    def copy(self, job_id: JobID, context: Context, scheduled_at: datetime | None) -> JobRecord:
        """Return a record of the same function and options, for a run of a repeat or a retry."""
        call = (self.call[0], self.call[1], context, None)
        record = JobRecord(call, self.name, self.attempt_timeout, self.retry)
        own, new = self.extras, record.own_extras()
        new.given_id, new.key, new.tags, new.priority = job_id, own.key, own.tags, own.priority
        new.stored, new.scheduled_at = own.stored, scheduled_at
        return record

    def restore_attempts(
        self, attempt: int, started_at: float | None, total_ends_at: float | None
    ) -> None:
        """Write what a store has kept of a job's earlier attempts, before the job enters."""
        self.attempt = attempt
        if started_at is not None:
            self.attempt_started_at, self.report = started_at, NO_REPORT
        if total_ends_at is not None:
            self.total_ends_at = total_ends_at

    def restore_submitted_at(self, submitted_at: float) -> None:
        """Write when a job from a store was submitted."""
        self.submitted_at = submitted_at

    def restore_end(self, status: JobStatus, finished_at: float, result: object) -> None:
        """Write how a job from a store has ended, after its failure."""
        self.finished_at, self.result = finished_at, result
        self.call, self.retry = ENDED_CALL, None
        self.status = status

    # Transitions

    def start_attempt(self, scope: trio.CancelScope, now: float) -> None:
        """Begin an attempt in a scope that has been entered."""
        assert self.status is PENDING
        self.attempt_started_at = now
        self.report = NO_REPORT
        self.attempt += 1
        self.attempt_scope = scope
        if self.call[2]:
            self.call = (*self.call[:3], self.call[2].copy())
        if self.retry is not None and self.retry.total is not None:
            self._set_deadline_within_total(self.retry.total, now)
        elif self.attempt_timeout != inf:
            self._set_deadline_or_cancel_now(now + self.attempt_timeout, now)
        self.status = RUNNING
        self.revision += 1

    def _set_deadline_within_total(self, total: float, now: float) -> None:
        """Set the deadline of an attempt that a limit for all attempts may cut off."""
        if not hasattr(self, "total_ends_at"):  # a retried job has had attempts before
            self.total_ends_at = now + total
        self._set_deadline_or_cancel_now(min(now + self.attempt_timeout, self.total_ends_at), now)

    def _set_deadline_or_cancel_now(self, deadline: float, now: float) -> None:
        """Cut an attempt off at a time; if that has come, before its first step."""
        self.attempt_scope.deadline = deadline
        if deadline <= now:  # which Trio notices at its next look at the clock
            self.attempt_scope.cancel("the time limit of the job had passed when it started")

    def has_used_up_total(self, time: float) -> bool:
        """Tell whether the ``total`` of the job's ``Retry`` allows no attempt from this time on."""
        has_total = self.retry is not None and self.retry.total is not None
        return has_total and time >= self.total_ends_at

    @property
    def last_attempt_limit_seconds(self) -> float:
        """The limit of the last attempt: that for each one, or that for all if it was closer."""
        total = None if self.retry is None else self.retry.total
        is_closer = self.has_used_up_total(self.attempt_started_at + self.attempt_timeout)
        return total if total is not None and is_closer else self.attempt_timeout

    def back_off(self, due_at: float, *, counts_attempt: bool) -> None:
        """End an attempt that another one is to follow.

        Args:
            due_at: When the next attempt may start.
            counts_attempt: Whether this one counts against the job's ``Retry``.
        """
        assert self.status is RUNNING
        del self.attempt_scope
        function, args, _, retry_context = self.call
        self.call = (function, args, retry_context or Context(), None)
        if not counts_attempt:
            self.own_extras().uncounted_retries += 1
        self.due_at = due_at
        self.status = PENDING
        self.revision += 1

    def mark_ended(self, status: JobStatus, now: float, result: object) -> None:
        """End the job."""
        if self.status is RUNNING:
            del self.attempt_scope
        else:
            assert (self.status, status) == (PENDING, CANCELLED)
        self.result = result
        self.finished_at = now
        self.status = status
        self.revision += 1
        if status is FAILED:
            self.call = (*self.call[:2], ENDED_JOB_CONTEXT, None)
        else:
            self.call = ENDED_CALL
            self.retry = None

    def drop_kept_call(self) -> None:
        """Drop what a failed job has kept for a retry, since the queue drops its record."""
        self.call = ENDED_CALL

    def set_failure(self, exception: BaseException | None, error: JobErrorInfo | None) -> None:
        """Write the error with which the job fails, before its end.

        Args:
            exception: What its function raised; None if its time limit passed.
            error: The same as text; None if the job does not fail.
        """
        self.exception, self.error = exception, error

    # Changes that leave the status as it is

    def increment_revision(self) -> None:
        """Count a change, for readers to tell two snapshots apart."""
        self.revision += 1

    def set_cancel_requested(self, cause: CancelCause) -> None:
        """Write that a cancel was requested, and why; it also ends a wait of the job's own task."""
        extras = self.own_extras()
        extras.get_awaited_jobs, extras.cancel_requested, extras.cancel_cause = None, True, cause

    def note_cause(self, cause: CancelCause | None) -> None:
        """Note why the job stops, unless a cause is noted already."""
        if cause is not None and self.extras.cancel_cause is None:
            self.own_extras().cancel_cause = cause

    def add_report(self, current: object, total: object, message: object) -> None:
        """Fold a report of the job into its progress; never raises."""
        old_current, old_total, words, _ = self.report
        if not (
            type(current) is type(total) is int and old_current <= current <= total == old_total
        ):
            current, total = advance_ignoring_invalid(old_current, old_total, current, total)
        if message is not None:
            words = message if type(message) is str else safe_str(message)
        self.revision = revision = self.revision + 1
        self.report = (current, total, words, revision)

    # Waiting for other jobs

    def note_wait(self, awaited: GetAwaitedJobs | None) -> None:
        """Note what the job's own task waits for without a limit; None once it goes on."""
        self.own_extras().get_awaited_jobs = awaited

    def jobs_its_task_awaits(self) -> Collection[JobRecord]:
        """Return the jobs that the job's own task waits for without a limit."""
        awaits = self.extras.get_awaited_jobs
        return () if awaits is None else awaits()

    # Waiting for the end

    def live_self(self) -> Collection[JobRecord]:
        """Return the job itself, and nothing once it has ended."""
        return () if self.status.is_terminal else (self,)

    async def wait_ended(self) -> None:
        """Wait until the job has ended; no checkpoint if it has."""
        if self.status.is_terminal:
            return  # noqa: ASYNC910 - the caller has passed a checkpoint
        if self.ended_event is None:
            self.ended_event = trio.Event()
        await self.ended_event.wait()

    def wake_waiters(self) -> None:
        """Resume the tasks that wait for the end."""
        if self.ended_event is not None:
            self.ended_event.set()
            self.ended_event = None

    @property
    def is_awaited(self) -> bool:
        """Whether a map or a task waits for the end."""
        if self.collector is not None and self.collector.shows_failures_to_reader:
            return True
        return self.ended_event is not None and self.ended_event.statistics().tasks_waiting > 0

    def collect_by(self, collector: JobCollector) -> None:
        """Tell this when the job ends."""
        self.collector = collector

    def notify_collector(self) -> None:
        """Tell the job's collector of the end."""
        if self.collector is not None:
            collector, self.collector = self.collector, None
            collector.job_ended(self)

    def mark_outcome_seen(self, *, is_seen: bool = True) -> None:
        """Note that a caller was given the outcome; a failure is not reported."""
        self.own_extras().outcome_seen = is_seen

    # Reading

    @property
    def context(self) -> Context:
        """The context variables that it is called in."""
        return self.call[2]

    @property
    def counted_attempts(self) -> int:
        """How many attempts count against the job's ``Retry``."""
        return self.attempt - self.extras.uncounted_retries


def progress_of(record: JobRecord) -> JobProgress:
    """Return what a job reported last."""
    # A new attempt drops the reports of the one before. Until it reports, the revision of the
    # record stands for that of a report, so a late reader sees that the old ones are out of date.
    current, total, message, revision = record.report
    return JobProgress(record.id, current, total, message, revision or record.revision)


def snapshot_of(record: JobRecord) -> JobSnapshot:
    """Return a job as it is now."""
    status, extras = record.status, record.extras
    has_report = record.attempt and record.report is not NO_REPORT
    return JobSnapshot(
        id=record.id,
        name=record.name,
        status=status,
        revision=record.revision,
        key=extras.key,
        tags=extras.tags,
        priority=extras.priority,
        attempt=record.attempt,
        progress=progress_of(record) if has_report else None,
        waiting_for=record.queue.schedule.waiting_for(record) if status is PENDING else None,
        cancel_requested=extras.cancel_requested,
        cancel_cause=extras.cancel_cause,
        submitted_at=record.submitted_at,
        due_at=record.due_at,
        started_at=record.attempt_started_at if record.attempt else None,
        finished_at=record.finished_at if status.is_terminal else None,
        error=record.error if status is FAILED else None,
        result=record.result if status.is_terminal else None,
        wall_offset=record.queue.wall_clock.offset(),
    )
