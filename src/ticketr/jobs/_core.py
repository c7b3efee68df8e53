"""The core of a queue: its parts, and the steps of a job through them.

A job enters, a worker takes it, it is put back for another attempt or it ends. Each step is
synchronous and leaves all parts consistent, so there are no locks. What users call is protected
from KeyboardInterrupt, so that Ctrl+C cannot come in the middle of a step.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from threading import get_ident
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar, final

import trio
from trio.lowlevel import checkpoint_if_cancelled, enable_ki_protection

from ticketr._errors import DuplicateJob, QueueClosed, UnknownJob
from ticketr.jobs._deadlock import ENCLOSING_QUEUES, QueueMarksInnerFirst, is_inside
from ticketr.jobs._dispatch import WorkerWaker
from ticketr.jobs._handle import JobHandle, MakeAttemptManager
from ticketr.jobs._job import (
    CANCELLED,
    COMPLETED,
    FAILED,
    PENDING,
    CancelCause,
    CancelOutcome,
    JobSnapshot,
    JobStatus,
    OnConflict,
)
from ticketr.jobs._maps.repeat import Repeats
from ticketr.jobs._record import NO_EXTRAS, JobRecord
from ticketr.jobs._registry import JobRegistry, Keep
from ticketr.jobs._reporting import INFO, FailureAndStepReporter, is_enabled_for, log_failure
from ticketr.jobs._retry import Retry
from ticketr.jobs._scheduling.dependencies import Dependencies, is_doomed
from ticketr.jobs._scheduling.schedule import KeySlot, Rate, Schedule
from ticketr.jobs._shutdown import ShutdownState
from ticketr.jobs._timer import Timer, WallClockOffset
from ticketr.jobs._updates import Subscriptions
from ticketr.jobs._values import safe_repr

if TYPE_CHECKING:
    from ticketr.jobs._sqlite.history import JobHistory, Recorder
    from ticketr.jobs._sqlite.store import SqliteStore
    from ticketr.jobs._sqlite.writer import StoreWriter

T = TypeVar("T")
JobAction: TypeAlias = Callable[[JobRecord], object]

MAX_JOBS_PER_CHUNK: Final = 100
"""The most pending jobs that are changed or cancelled without a checkpoint: about 1 ms."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOptions:
    """The arguments of ``open_job_queue``, checked."""

    workers: int
    max_pending: float
    keep: Keep
    retry: Retry | None
    timeout: float
    rate: Rate | None
    key_concurrency: float
    history: JobHistory | None
    store: SqliteStore | None
    on_job_error: Callable[[JobSnapshot], object] | None
    cancels_on_failed_job: bool
    around: MakeAttemptManager | None


@final
@dataclass(eq=False, slots=True)
class WaitingSubmit:
    """A job whose submitter waits for room.

    Attributes:
        record: The job.
        task: The task that waits.
        outcome: The record of the job that has entered or was joined, or why none has; None while
            the task waits.
    """

    record: JobRecord
    task: trio.lowlevel.Task
    outcome: JobRecord | Exception | None = None

    def resume(self, outcome: JobRecord | Exception) -> None:
        """Let the submitter run on, with this outcome."""
        self.outcome = outcome
        trio.lowlevel.reschedule(self.task)


@final
class QueueCore:
    """The parts of one queue, and the steps of its jobs.

    Also written in ``_open``: ``fatal``.

    Attributes:
        workers: The number of workers.
        retry: When to try a job again that has no rule of its own.
        timeout: The limit for each attempt of a job that has no limit of its own.
        around: Gives the context manager around each attempt.
        now: Tells the time on Trio's clock.
        registry: The jobs by ID and key, and those that have ended.
        waker: Wakes idle workers when a job can start.
        dependencies: The jobs that start after others.
        wait_seconds: How long jobs that were due waited for their attempts, all together.
        run_seconds: How long the attempts took that have ended, all together.
        marks: What marks the context of its jobs.
        repeats: The repeats, and when their runs are due.
        wall_clock: Tells wall-clock times.
        running: The running jobs, by worker.
        schedule: The pending jobs, and what runs next.
        phase: How far the queue is on the way to its end.
        timer: When the timer task has something to do.
        reporter: Reports failures that nobody waits for, and logs the steps of jobs.
        subscriptions: The readers of updates.
        recorder: Writes the history, if there is one.
        store: Keeps the jobs on disk, if there is a store.
        bulk_actions: What is to be done to pending jobs, to a few at each step of the timer task.
        fatal: The errors that have to leave by the queue's block.
        cancels_on_failed_job: Whether the next job that fails cancels the others.
        failed_job_error: The error of the job whose failure has cancelled the others.
        idle_event: Set when no job is pending or running; made by the first task that waits for it.
        scope: The cancel scope around the tasks of the queue, and with them the jobs that they run.
    """

    def __init__(self, options: QueueOptions) -> None:
        clock = trio.lowlevel.current_clock()
        self.workers: int = options.workers
        self.retry: Retry | None = options.retry
        self.timeout: float = options.timeout
        self.around: MakeAttemptManager | None = options.around
        self.now: Callable[[], float] = clock.current_time
        self.running: dict[trio.lowlevel.Task, JobRecord] = {}
        self.schedule: Schedule = Schedule(
            options.max_pending, self.running, options.workers, options.key_concurrency
        )
        if options.rate is not None:
            self.schedule.set_rate(self.schedule.queue_slot, options.rate, self.now())
        self.phase: ShutdownState = ShutdownState()
        self.timer: Timer = Timer()
        self.reporter: FailureAndStepReporter = FailureAndStepReporter(
            self, log_failure if options.on_job_error is None else options.on_job_error
        )
        self.subscriptions: Subscriptions = Subscriptions(self)
        self.recorder: Recorder | None = None
        self.store: StoreWriter | None = None
        self.bulk_actions: deque[tuple[JobAction, list[JobRecord]]] = deque()
        self.fatal: list[BaseException] = []
        self.cancels_on_failed_job: bool = options.cancels_on_failed_job
        self.failed_job_error: BaseException | None = None
        self.idle_event: trio.Event | None = None
        self.scope: trio.CancelScope = trio.CancelScope()
        self.wall_clock: WallClockOffset = WallClockOffset(clock)
        self.registry: JobRegistry = JobRegistry(self.schedule, self.running, options.keep)
        self.dependencies: Dependencies = Dependencies(self)
        self.waker: WorkerWaker = WorkerWaker(self.schedule, self.running, options.workers)
        self.marks: QueueMarksInnerFirst = (object(), *ENCLOSING_QUEUES.get())
        self.repeats: Repeats = Repeats(self)
        self.wait_seconds: float = 0.0
        self.run_seconds: float = 0.0
        self._thread: int = get_ident()
        self._is_logging: bool = is_enabled_for(INFO)

    # Entering

    async def submit(self, record: JobRecord) -> JobRecord:
        """Submit a job, and return its record, or that of the one it joined.

        With a store it is on disk then.

        Cancellation:
            Until the job has entered the queue, nothing is submitted. Then it has no effect.

        Raises:
            StoreFailed: It could not be written, and is not submitted.
        """
        await checkpoint_if_cancelled()
        entered = self.try_enter_or_join(record) or await self.wait_for_room(record)
        self.waker.wake_one()
        if self.store is not None:
            await self.store.wait_submit_written(entered)
        return entered  # noqa: ASYNC910 - without a store the caller has a checkpoint

    async def wait_for_room(self, record: JobRecord) -> JobRecord:
        """Wait, as a submitter, until there is room for a job and it has entered.

        Cancellation:
            The job has not entered.

        Returns:
            The record of the job, or of the job that it was joined to.
        """
        schedule = self.schedule
        submission = WaitingSubmit(record, trio.lowlevel.current_task())

        def give_up(_: object) -> trio.lowlevel.Abort:
            # Too late if the job is being let in, and cancels what its submitter is part of.
            has_left = schedule.submissions.discard(submission)
            return trio.lowlevel.Abort.SUCCEEDED if has_left else trio.lowlevel.Abort.FAILED

        schedule.add_submission(submission)
        try:
            await trio.lowlevel.wait_task_rescheduled(give_up)
        finally:
            if submission.outcome is not None:
                self.waker.wake_after_submit()
        outcome = submission.outcome
        assert outcome is not None  # it was resumed
        if isinstance(outcome, Exception):
            await checkpoint_if_cancelled()  # what ends the queue may end this task, too
            raise outcome
        return outcome

    async def copy_failed_to_resubmit(self, failed: JobRecord) -> JobRecord:
        """Return a new record of the call of a failed job, to submit for a retry by the user.

        A retry that waits for room does not run a job again that has completed meanwhile.

        Raises:
            DuplicateJob: The job has not ended.
            ValueError: It has not failed.
            QueueClosed, NotSendable, StoreFailed, UnknownJob: The store does not give its call.
        """
        if not failed.status.is_terminal:
            raise DuplicateJob(failed.id, None)
        if failed.status is not FAILED:
            raise ValueError(
                f"job {failed.id!r} is {failed.status}: only a failed job is retried, so submit it"
                " again"
            )
        extras = failed.extras
        if self.store is not None:
            record = await self.store.load_for_retry(failed)
        else:
            record = failed.copy(failed.id, copy_context(), extras.scheduled_at)
        record.set_options(
            {
                "given_id": failed.id,
                "priority": extras.priority,
                "scheduled_at": extras.scheduled_at,
                "uncounted_retries": failed.attempt,
                "on_conflict": OnConflict.REJECT,
                "once": True,
            }
        )
        started_at = failed.attempt_started_at if failed.attempt else None
        record.restore_attempts(failed.attempt, started_at, None)
        return record  # noqa: ASYNC910 - the caller has a checkpoint

    def try_enter_or_join(self, record: JobRecord, *, is_forced: bool = False) -> JobRecord | None:
        """Take a new job.

        This must not wake a worker: the submit does so, now or when it has returned (see
        ``_dispatch``).

        Args:
            record: The job's record.
            is_forced: Whether to take it although the queue is full, as inside a job of the queue.

        Returns:
            The record of the job, or of the job that it was joined to; None if there is no room.
        """
        if self.phase.is_refusing:
            raise QueueClosed
        if get_ident() != self._thread:  # no other run is in this thread while the queue is open
            self.subscriptions.owner_run.check()
        registry, schedule, extras = self.registry, self.schedule, record.extras
        now = self.now()
        superseded: Sequence[JobRecord] = ()
        if extras is NO_EXTRAS:  # as nearly always
            may_be_full = schedule.pending >= schedule.max_pending
            if may_be_full and not (schedule.has_ready_room or is_forced or is_inside(self.marks)):
                return None
        else:
            if extras.once:
                registry.evict(now)
            if extras.after:
                jobs, any_end = map(self._find_predecessor, extras.after), extras.after_any_end
                record.set_unlinked_predecessors(dict.fromkeys(jobs, any_end))
            if self.store is not None and extras.given_id in self.store.unloaded:
                raise DuplicateJob(extras.given_id, None)
            joined, superseded = registry.job_to_join_and_superseded(record)
            if joined is not None:
                return joined
            self._start_after_superseded(record, superseded)
            if not (is_forced or self._has_room_for(record, superseded) or is_inside(self.marks)):
                return None
            if extras.key is not None:
                slot = registry.slot_of_key_or_queue(extras.key)
                slot.add_live_job(record)
                record.set_key_slot(slot)
        number = registry.submitted = registry.submitted + 1
        job_id = extras.given_id
        if not job_id:
            while (job_id := f"job-{next(registry.ids)}") in registry.by_id:
                pass  # a submit has given its job this ID
        record.accept(job_id, number, now, self)
        if extras is NO_EXTRAS:
            schedule.add_without_extras(record, now)
        else:
            record.set_due_at(now)
            self.dependencies.link_predecessors(record)
            schedule.add(record, now)
        registry.by_id[job_id] = record
        if schedule.is_time_dependent or self.subscriptions.was_watched:
            self.notify_became_pending(record)
        if extras is not NO_EXTRAS:
            if superseded and self.store is not None:
                self.store.supersede_once_written(record, superseded)
            else:
                self.supersede(superseded)
            if is_doomed(record):
                self.cancel_pending(record, CancelCause.DEPENDENCY)
        if self._is_logging:
            self.reporter.log_submitted(record)
        return record

    def _find_predecessor(self, job: object) -> JobRecord:
        """Return the record of a job that another one is to start after, by its ID or handle."""
        if type(job) is JobHandle and job.record_if_of_queue(self) is None:
            raise ValueError(f"after takes jobs of the same queue, not {safe_repr(job)}")
        return self.find_or_raise(job)

    def _start_after_superseded(self, record: JobRecord, superseded: Sequence[JobRecord]) -> None:
        """Let a new job with an ID start when those that it supersedes have ended.

        The pending ones among these end at once, with a store when the new job is in its file.
        """
        if not (superseded and record.extras.given_id):
            return
        jobs = [*superseded] if self.store is not None else []
        if (running := self.registry.running_job(record.extras.given_id)) is not None:
            jobs.append(running)
        record.set_unlinked_predecessors(dict.fromkeys(jobs, True) | record.extras.predecessors)

    def _has_room_for(self, record: JobRecord, superseded: Sequence[JobRecord]) -> bool:
        """Tell whether a new job finds room, takes that of another one, or needs none."""
        schedule = self.schedule
        return (
            schedule.has_ready_room
            or any(job in schedule.ready for job in superseded)
            or schedule.would_not_be_ready(record, self.registry.keys.get(record.extras.key))
        )

    def admit_submissions(self) -> None:
        """Take the jobs of waiting submits while there is room."""
        while (submission := self.schedule.take_submission_if_room()) is not None:
            try:
                outcome: JobRecord | Exception | None = self.try_enter_or_join(submission.record)
            except Exception as refusal:  # noqa: BLE001 - it is the submit that raises it
                outcome = refusal
            assert outcome is not None  # there was room
            self.waker.note_submit_returning(submission.record)
            submission.resume(outcome)

    # Running and ending

    @enable_ki_protection
    def start_next(self, worker: trio.lowlevel.Task, scope: trio.CancelScope) -> JobRecord | None:
        """Start the next job on a worker, in this scope; return None if no job can start."""
        schedule = self.schedule
        if (record := schedule.take()) is None:
            return None
        now = self.now()
        record.start_attempt(scope, now)
        self.running[worker] = record
        self.wait_seconds += now - record.due_at
        if self.subscriptions.was_watched:
            self.subscriptions.notify_changed(record)
        if schedule.has_had_rates:
            schedule.consume_rates(record, now)
            self.timer.wake_at(schedule.next_wake_time())
        if schedule.submissions:
            self.admit_submissions()
        if schedule.pending and self.waker.idle:
            self.waker.wake_one_unless_submits_do()
        self._is_logging = is_enabled_for(INFO)
        if self._is_logging:
            self.reporter.log_started(record)
        return record

    def put_back(
        self, record: JobRecord, worker: trio.lowlevel.Task, delay: float, *, counts_attempt: bool
    ) -> None:
        """Make a running job pending again, for an attempt after so many seconds.

        There is always room for it.
        """
        del self.running[worker]
        if record.extras.key_slot is not None:
            self.schedule.release_key(record)
        now = self.now()
        self.run_seconds += now - record.attempt_started_at
        record.back_off(now + delay, counts_attempt=counts_attempt)
        self.schedule.add(record, now)
        self.notify_became_pending(record)
        if self.phase.cancels_delayed_jobs and record.due_at > now:
            self.cancel(record, CancelCause.SHUTDOWN)
        self.waker.wake_one()
        if self._is_logging:
            self.reporter.log_retry(record, now)

    @enable_ki_protection
    def finish(
        self,
        record: JobRecord,
        worker: trio.lowlevel.Task | None,
        status: JobStatus,
        result: object = None,
    ) -> None:
        """End a job.

        The error of one that failed is in its record already.

        Args:
            record: The job's record.
            worker: The worker that runs it; None for a pending job.
            status: How it ends.
            result: What its function has returned.
        """
        now = self.now()
        has_extras = record.extras is not NO_EXTRAS
        if worker is None:
            self.schedule.discard(record)
        else:
            del self.running[worker]
            self.run_seconds += now - record.attempt_started_at
            if has_extras and record.extras.key_slot is not None:
                self.schedule.release_key(record)
        call, retry = record.call, record.retry  # to free them may run the user's own code
        record.mark_ended(status, now, result)
        if has_extras:
            self.registry.free_id_and_key(record)
        if status is not COMPLETED:
            self.registry.unsuccessful[status] += 1
            if status is FAILED:
                self.reporter.report_later_unless_awaited(record)
        registry = self.registry
        registry.ended.append(record)
        if self.subscriptions.was_watched:
            self.subscriptions.notify_ended(record)
        if self.recorder is not None:
            self.recorder.put(record)
        if record.ended_event is not None:
            record.wake_waiters()
        if record.collector is not None:
            record.notify_collector()
        if has_extras:
            self.dependencies.release_or_cancel_dependents(record)
        if worker is None:
            self.admit_submissions()
            self.waker.wake_one()
        del call, retry
        if self.idle_event is not None and self.is_idle:
            self.notify_idle_and_end_if_refusing()
        if self._is_logging:
            self.reporter.log_ended(record, was_running=worker is not None)
        if len(registry.ended) > registry.evict_above or now > registry.evict_after:
            registry.evict(now)

    def cancel(
        self, record: JobRecord | None, cause: CancelCause, reason: str | None = None
    ) -> CancelOutcome:
        """Stop a job, wherever it is."""
        self.subscriptions.owner_run.check()
        if record is None:
            return CancelOutcome.UNKNOWN
        if record.status.is_terminal:
            return CancelOutcome.ALREADY_FINISHED
        if record.extras.cancel_requested:
            return CancelOutcome.ALREADY_REQUESTED
        record.set_cancel_requested(cause)
        if record.status is PENDING:
            self.finish(record, None, CANCELLED)
            return CancelOutcome.CANCELLED
        self.increment_revision_and_notify(record)
        record.attempt_scope.cancel(reason)
        return CancelOutcome.REQUESTED

    def supersede(self, records: Iterable[JobRecord]) -> None:
        """Cancel these jobs, since another has taken their place."""
        for record in records:
            self.cancel(record, CancelCause.SUPERSEDED, "another job took its place")

    def cancel_pending(self, record: JobRecord, cause: CancelCause) -> None:
        """End a pending job without a request to cancel it, unless it has ended by now."""
        if record.status is PENDING:
            record.note_cause(cause)
            self.finish(record, None, CANCELLED)

    def cancel_for_shutdown(self, record: JobRecord) -> None:
        """Cancel a job, since the queue is shutting down or its workers are being cancelled."""
        if record.status is PENDING and self.phase.cut_off_cause is not None:
            self.cancel_pending(record, self.phase.cut_off_cause)
        else:
            self.cancel(record, CancelCause.SHUTDOWN, "the queue is shutting down")

    def start_bulk_action(self, action: JobAction, records: list[JobRecord]) -> None:
        """Do something to the first of these pending jobs now; the timer task does it to the others.

        All of them at once would hold up Trio's thread. The list is used up.
        """
        records.reverse()  # to copy it would take milliseconds
        self.bulk_actions.append((action, records))
        self.do_next_bulk_chunk()

    def drop_bulk_actions(self) -> None:
        """Do no more of what is to be done to pending jobs, since all of them are to be cancelled."""
        self.bulk_actions.clear()

    def do_next_bulk_chunk(self) -> None:
        """Do the next part of the first bulk action; the timer task goes on if there is more."""
        action, records = self.bulk_actions[0]
        chunk = records[-MAX_JOBS_PER_CHUNK:]
        del records[-MAX_JOBS_PER_CHUNK:]  # so that records are not freed all at once at the end
        if not records:
            self.bulk_actions.popleft()
        for record in reversed(chunk):
            if record.status is PENDING:
                action(record)
        if self.bulk_actions:
            self.timer.wake_at(-math.inf)

    def change_pause_or_limit(
        self, key: Hashable, change: Callable[[KeySlot], None], *, marks_changed: bool = False
    ) -> None:
        """Change a pause or a limit of a key, or that of the queue.

        Args:
            key: The key; None for the queue.
            change: Makes the change, given the slot of the key.
            marks_changed: Whether readers are notified of the pending jobs that it concerns.
        """
        slot = self.registry.slot_of_key_or_queue(key)
        change(slot)
        self.registry.remove_unused(slot)
        self.timer.wake_at(self.schedule.next_wake_time())
        self.admit_submissions()
        if marks_changed:
            is_all = slot is self.schedule.queue_slot
            jobs = self.schedule.pending_dependents_first() if is_all else [*slot.live_jobs]
            self.start_bulk_action(self.increment_revision_and_notify, jobs)
        self.waker.wake_one()

    def notify_changed_and_wake_worker(self, records: Iterable[JobRecord]) -> None:
        """Note that these jobs wait for something else from now on."""
        for record in records:
            self.increment_revision_and_notify(record)
        self.waker.wake_one()

    def increment_revision_and_notify(self, record: JobRecord) -> None:
        """Note a change of a job that leaves its status as it is."""
        record.increment_revision()
        self.subscriptions.notify_changed(record)

    def find(self, job: object) -> JobRecord | None:
        """Return the record of a job by its ID or handle; None if the queue does not know it."""
        self.evict_records_unless_closed()
        if type(job) is JobHandle:
            return job.record_if_of_queue(self)
        return self.registry.by_id.get(job) if isinstance(job, str) else None

    def find_or_raise(self, job: object) -> JobRecord:
        """Return the record of a job by its ID or handle.

        Raises:
            UnknownJob: The queue does not know it.
        """
        record = self.find(job)
        if record is None:
            job_id = job.id if type(job) is JobHandle else job
            raise UnknownJob(job_id if isinstance(job_id, str) else safe_repr(job_id))
        return record

    def evict_records_unless_closed(self) -> None:
        """Evict surplus records and those that have become too old; a closed queue stays as it is."""
        self.subscriptions.owner_run.check()
        if not self.phase.is_queue_over:
            self.registry.evict(self.now())

    # The parts, and the end of the queue

    def attach(self, scope: trio.CancelScope, recorder: Recorder | None) -> None:
        """Take over the cancel scope around the queue's tasks, and the history's recorder."""
        self.scope = scope
        self.recorder = recorder

    def attach_store(self, store: StoreWriter) -> None:
        """Keep all jobs in a store from now on."""
        self.store = store
        self.subscriptions.observe(store.job_changed)

    @property
    def is_idle(self) -> bool:
        """Whether no job is pending or running."""
        return not self.running and not self.schedule.pending

    def expect_idle(self) -> trio.Event:
        """Return an event that is set when the queue is idle; it may be busy again by then."""
        if self.idle_event is None:
            self.idle_event = trio.Event()
        return self.idle_event

    def notify_idle_and_end_if_refusing(self) -> None:
        """Wake the tasks that wait for the queue to be idle; if it refuses jobs, it is over."""
        if self.idle_event is not None:
            self.idle_event.set()
            self.idle_event = None
            if self.subscriptions.was_watched:
                self.subscriptions.notify_idle()
        if self.phase.is_refusing and not self.phase.is_queue_over:
            self.registry.evict(self.now())
            self.phase.is_queue_over = True
            self.subscriptions.close()

    def interrupt(self, error: BaseException) -> None:
        """End the queue, and have this error leave by its block.

        It does not go through the nursery, which calls the error's ``repr`` and splits groups.
        """
        self.fatal.append(error)
        self._stop("a job or a callback raised what ends the program")

    def end_for_failed_job(self, error: BaseException) -> None:
        """End the queue because a job failed, and have its error leave by the block in a group."""
        self.cancels_on_failed_job = False
        self.failed_job_error = error
        self._stop("a job failed, and the queue was opened with on_error='cancel'")

    def _stop(self, reason: str) -> None:
        self.phase.note_cut_off_cause(CancelCause.SHUTDOWN)
        self.scope.cancel(reason)

    # What the steps of a job have in common

    def notify_became_pending(self, record: JobRecord) -> None:
        """Notify the timer and the readers that a job has become pending."""
        if self.schedule.is_time_dependent:
            self.timer.wake_at(self.schedule.next_wake_time())
        self.subscriptions.notify_changed(record)
