"""The core of a queue: its parts, and the steps of a job through them.

A job enters, a worker takes it, it is put back for another attempt or it ends. Each step is
synchronous and leaves all parts consistent, so there are no locks. What users call is protected
from KeyboardInterrupt, so that Ctrl+C cannot come in the middle of a step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from threading import get_ident
from typing import TYPE_CHECKING, Final, TypeVar, final

import trio
from trio.lowlevel import enable_ki_protection

from ticketr._errors import DuplicateJob, QueueClosed, UnknownJob
from ticketr.jobs._arguments import Around
from ticketr.jobs._deadlock import (
    QueueMarks,
    is_inside,
    make_marks,
)
from ticketr.jobs._dispatch import Dispatcher
from ticketr.jobs._handle import JobHandle
from ticketr.jobs._job import (
    CANCELLED,
    COMPLETED,
    FAILED,
    PENDING,
    RUNNING,
    CancelCause,
    CancelOutcome,
    JobSnapshot,
    JobStatus,
    OnConflict,
)
from ticketr.jobs._maps.repeat import Repeats
from ticketr.jobs._record import NO_EXTRAS, JobRecord
from ticketr.jobs._registry import Keep, Registry
from ticketr.jobs._reporting import INFO, FailureReporter, LifecycleLog, is_enabled_for
from ticketr.jobs._scheduling.dependencies import Dependencies, is_doomed
from ticketr.jobs._scheduling.schedule import Rate, Schedule
from ticketr.jobs._shutdown import Phase
from ticketr.jobs._timer import Timer, WallClock, is_virtual
from ticketr.jobs._updates import Subscriptions
from ticketr.jobs._values import safe_repr

if TYPE_CHECKING:
    from ticketr.jobs._sqlite.history import Recorder
    from ticketr.jobs._sqlite.writer import StoreWriter

T = TypeVar("T")

CANCELLED_AT_ONCE: Final = 100
"""The most pending jobs that the end of a queue cancels without a checkpoint: about 1 ms."""


@final
class QueueCore:
    """The parts of one queue, and the steps of its jobs.

    Attributes:
        workers: The number of workers.
        around: Gives the context manager around each attempt.
        now: Tells the time on Trio's clock.
        registry: The jobs by ID and key, and those that have ended.
        dispatcher: The idle workers.
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
        failures: Reports failures that nobody waits for.
        subscriptions: The readers of updates.
        recorder: Writes the history, if there is one.
        store: Keeps the jobs on disk, if there is a store.
        to_cancel: The pending jobs that are to be cancelled, a few at each step of the timer task.
        fatal: The error that has to leave by the queue's block.
        idle_event: Set when no job is pending or running; made by the first task that waits for it.
    """

    __slots__ = (
        "_is_logging",
        "_lifecycle",
        "_scope",
        "_thread",
        "around",
        "dependencies",
        "dispatcher",
        "failures",
        "fatal",
        "idle_event",
        "marks",
        "now",
        "phase",
        "recorder",
        "registry",
        "repeats",
        "run_seconds",
        "running",
        "schedule",
        "store",
        "subscriptions",
        "timer",
        "to_cancel",
        "wait_seconds",
        "wall_clock",
        "workers",
    )

    def __init__(
        self,
        *,
        workers: int,
        max_pending: float,
        key_concurrency: float,
        keep: Keep,
        rate: Rate | None,
        on_job_error: Callable[[JobSnapshot], object] | None,
        around: Around | None,
        cancel_on_error: bool,
    ) -> None:
        self.running: dict[trio.lowlevel.Task, JobRecord] = {}
        self.schedule: Schedule = Schedule(max_pending, self.running, workers, key_concurrency)
        self.phase: Phase = Phase()
        self.timer: Timer = Timer()
        self.failures: FailureReporter = FailureReporter(
            on_job_error, self.interrupt, self.timer.wake, cancels_queue=cancel_on_error
        )
        self.subscriptions: Subscriptions = Subscriptions(self)
        self.recorder: Recorder | None = None
        self.store: StoreWriter | None = None
        self.to_cancel: Final[deque[JobRecord]] = deque()
        self.fatal: list[BaseException] = []
        self.idle_event: trio.Event | None = None
        self._scope: trio.CancelScope = trio.CancelScope()
        self.workers: int = workers
        self.around: Final = around
        self.now: Callable[[], float] = trio.lowlevel.current_clock().current_time
        self.wall_clock: WallClock = WallClock(
            self.now, is_fixed=is_virtual(trio.lowlevel.current_clock())
        )
        if rate is not None:
            self.schedule.set_rate(None, rate, self.now())
        self.registry: Registry = Registry(self.schedule, self.running, keep)
        self.dependencies: Dependencies = Dependencies(self)
        self.dispatcher: Dispatcher = Dispatcher(self.schedule, self.running, workers)
        self.marks: QueueMarks = make_marks()
        self.repeats: Repeats = Repeats(self)
        self._thread: Final = get_ident()
        self.wait_seconds: float = 0.0
        self.run_seconds: float = 0.0
        self._lifecycle: LifecycleLog = LifecycleLog(self.interrupt)
        self._is_logging: bool = is_enabled_for(INFO)

    # Entering

    def enter(self, record: JobRecord, *, above: bool = False) -> JobRecord | None:
        """Take a new job.

        This must not wake a worker: the submit does so, now or when it has returned (see
        ``_dispatch``).

        Args:
            record: The job's record.
            above: Whether to take it although the queue is full, as inside a job of the queue.

        Returns:
            The record of the job, or of the job that it was joined to; None if there is no room.
        """
        if self.phase.refusing:
            raise QueueClosed
        if get_ident() != self._thread:  # no other run is in this thread while the queue is open
            self.subscriptions.owner_thread.check()
        registry, schedule, extras = self.registry, self.schedule, record.extras
        now = self.now()
        superseded: Sequence[JobRecord] = ()
        if extras is NO_EXTRAS:  # as nearly always
            is_full = len(schedule.ready.entries) >= schedule.max_pending
            if is_full and not (above or is_inside(self.marks)):
                return None
        else:
            if extras.once:
                registry.evict(now)
            if extras.after:
                jobs, any_end = map(self._find_predecessor, extras.after), extras.after_any_end
                record.set_predecessors(dict.fromkeys(jobs, any_end))
            if self.store is not None and extras.id in self.store.unloaded:
                raise DuplicateJob(extras.id, None)
            joined, superseded = registry.conflicts_of(record)
            if joined is not None:
                return joined
            self._link_to_superseded(record, superseded)
            if not (above or self._has_room_for(record, superseded) or is_inside(self.marks)):
                return None
            if extras.key is not None:
                slot = registry.slot_of(extras.key)
                slot.add(record)
                record.set_key_slot(slot)
        number = registry.submitted = registry.submitted + 1
        job_id = extras.id
        if not job_id:
            job_id = f"job-{next(registry.ids)}"
            if job_id in registry.by_id:  # a submit has given its job this ID
                job_id = registry.next_free_id()
        record.accept(job_id, number, now, self)
        if extras is NO_EXTRAS:
            schedule.add_plain(record, now)
        else:
            record.delay_start()
            self.dependencies.connect(record)
            schedule.add(record, now)
        registry.by_id[job_id] = record
        if schedule.is_time_dependent or self.subscriptions.is_watched:
            self.notify_pending(record)
        if superseded:
            if self.store is None:
                self.supersede(superseded)
            else:  # which calls it when the new job is in the file
                self.store.supersede(record, superseded)
        if extras is not NO_EXTRAS and is_doomed(record):
            self.cancel_pending(record, CancelCause.DEPENDENCY)
        if self._is_logging:
            self._lifecycle.submitted(record)
        return record

    def _find_predecessor(self, job: object) -> JobRecord:
        """Return the record of a job that another one is to start after, by its ID or handle."""
        record = self.find(job)
        if record is not None:
            return record
        if type(job) is JobHandle:
            raise ValueError(f"after takes jobs of the same queue, not {safe_repr(job)}")
        raise unknown(job)

    def _link_to_superseded(self, record: JobRecord, superseded: Sequence[JobRecord]) -> None:
        """Let a new job with an ID start when those that it supersedes have ended.

        The pending ones among these end at once, with a store when the new job is in its file.
        """
        if not (superseded and record.extras.id):
            return
        waited = [*superseded] if self.store is not None else []
        if (running := self.registry.running_job(record.extras.id)) is not None:
            waited.append(running)
        if waited:
            record.set_predecessors(dict.fromkeys(waited, True) | record.extras.predecessors)

    def _has_room_for(self, record: JobRecord, superseded: Sequence[JobRecord]) -> bool:
        """Tell whether a new job finds room, takes that of another one, or needs none."""
        schedule = self.schedule
        return (
            schedule.has_room
            or any(job in schedule.ready for job in superseded)
            or schedule.is_held(record, self.registry.keys.get(record.extras.key))
        )

    def let_in(self, record: JobRecord) -> None:
        """Take a job that nobody waits to submit, also if the queue is full.

        Raises:
            QueueClosed, DuplicateJob: It is not taken.
        """
        self.enter(record, above=True)
        self.dispatcher.wake()

    def admit(self) -> None:
        """Take the jobs of waiting submits while there is room."""
        while (submission := self.schedule.next_admitted()) is not None:
            try:
                outcome: JobRecord | Exception | None = self.enter(submission.record)
            except Exception as refusal:  # noqa: BLE001 - it is the submit that raises it
                outcome = refusal
            assert outcome is not None  # there was room
            self.dispatcher.job_submitted(submission.record)
            submission.resume(outcome)

    # Running and ending

    @enable_ki_protection
    def take(self, worker: trio.lowlevel.Task, scope: trio.CancelScope) -> JobRecord | None:
        """Start the next job on a worker, in this scope; return None if no job can start."""
        schedule = self.schedule
        if (record := schedule.take()) is None:
            return None
        now = self.now()
        record.start(worker, scope, now)
        self.running[worker] = record
        self.wait_seconds += now - record.due_at
        if self.subscriptions.is_watched:
            self.subscriptions.notify_changed(record)
        if schedule.has_rates:
            schedule.take_starts(record, now)
            self.timer.wake_at(schedule.next_time())
        if schedule.submissions.entries:
            self.admit()
        dispatcher = self.dispatcher
        if schedule.pending and dispatcher.idle:
            dispatcher.job_taken()
        is_logging = self._is_logging = is_enabled_for(INFO)
        if is_logging:
            self._lifecycle.started(record)
        return record

    def put_back(self, record: JobRecord, delay: float, *, is_counted: bool) -> None:
        """Make a running job pending again, for an attempt after so many seconds.

        There is always room for it.
        """
        del self.running[record.worker]
        if record.extras.key_slot is not None:
            self.schedule.release_key(record)
        now = self.now()
        self.run_seconds += now - record.started_at
        record.back_off(now + delay, is_counted=is_counted)
        self.schedule.add(record, now)
        self.notify_pending(record)
        if self.phase.cancels_delayed_jobs and record.due_at > now:
            self.cancel(record, CancelCause.SHUTDOWN)
        self.dispatcher.wake()
        if self._is_logging:
            self._lifecycle.put_back(record, now)

    @enable_ki_protection
    def finish(self, record: JobRecord, status: JobStatus, result: object = None) -> None:
        """End a job.

        The error of one that failed is in its record already.
        """
        schedule = self.schedule
        now = self.now()
        was_running = record.status is RUNNING
        has_extras = record.extras is not NO_EXTRAS
        if was_running:
            del self.running[record.worker]
            self.run_seconds += now - record.started_at
            if has_extras and record.extras.key_slot is not None:
                schedule.release_key(record)
        else:
            schedule.discard(record)
        held = record.end(status, now, result)
        if has_extras:
            self.registry.free(record)
        if status is not COMPLETED:
            self.registry.unsuccessful[status] += 1
            if status is FAILED:
                self.failures.job_failed(record)
        registry = self.registry
        registry.ended.append(record)
        if self.subscriptions.is_watched:
            self.subscriptions.notify_ended(record)
        if self.recorder is not None:
            self.recorder.put(record)
        if record.ended is not None:
            record.wake_waiters()
        if record.collector is not None:
            record.tell_collector()
        if has_extras:
            self.dependencies.job_ended(record)
        if not was_running:
            self.admit()
            self.dispatcher.wake()
        del held
        if self.idle_event is not None and self.is_idle:
            self.notify_idle()
        if self._is_logging:
            self._lifecycle.ended(record, was_running=was_running)
        if len(registry.ended) > registry.evict_above or now > registry.evict_after:
            registry.evict(now)

    def cancel(
        self, record: JobRecord | None, cause: CancelCause, reason: str | None = None
    ) -> CancelOutcome:
        """Stop a job, wherever it is."""
        self.subscriptions.owner_thread.check()
        if record is None:
            return CancelOutcome.UNKNOWN
        if record.status.is_terminal:
            return CancelOutcome.ALREADY_FINISHED
        if record.extras.cancel_requested:
            return CancelOutcome.ALREADY_REQUESTED
        record.request_cancel(cause)
        if record.status is PENDING:
            self.finish(record, CANCELLED)
            return CancelOutcome.CANCELLED
        record.mark_changed()
        self.subscriptions.notify_changed(record)
        record.scope.cancel(reason)
        return CancelOutcome.REQUESTED

    def supersede(self, records: Iterable[JobRecord]) -> None:
        """Cancel these jobs, since another has taken their place."""
        for record in records:
            self.cancel(record, CancelCause.SUPERSEDED, "another job took its place")

    def cancel_pending(self, record: JobRecord, cause: CancelCause) -> None:
        """End a pending job without a request to cancel it, unless it has ended by now."""
        if record.status is PENDING:
            record.note_cause(cause)
            self.finish(record, CANCELLED)

    def cancel_in_batches(self, records: Iterable[JobRecord]) -> None:
        """Cancel the first of these pending jobs now; the timer task cancels the others.

        All of them at once would hold up Trio's thread.
        """
        self.to_cancel.extend(records)
        self.cancel_next()

    def cancel_next(self) -> bool:
        """Cancel a batch of the pending jobs that are to end; return whether there are more."""
        to_cancel, cause = self.to_cancel, self.phase.cut_off_cause
        for _ in range(min(len(to_cancel), CANCELLED_AT_ONCE)):
            record = to_cancel.popleft()
            if cause is not None:
                self.cancel_pending(record, cause)
            elif record.status is PENDING:
                self.cancel_at_shutdown(record)
        if to_cancel:
            self.timer.wake()
        return bool(to_cancel)

    def cancel_at_shutdown(self, record: JobRecord) -> None:
        """Cancel a job, since the queue is shutting down."""
        self.cancel(record, CancelCause.SHUTDOWN, "the queue is shutting down")

    def mark_changed(self, records: Iterable[JobRecord]) -> None:
        """Note that these jobs wait for something else from now on."""
        for record in records:
            record.mark_changed()
            self.subscriptions.notify_changed(record)
        self.dispatcher.wake()

    def find(self, job: object) -> JobRecord | None:
        """Return the record of a job by its ID or handle; None if the queue does not know it."""
        self.refresh()
        if type(job) is JobHandle:
            return job.record_in(self)
        return self.registry.by_id.get(job) if isinstance(job, str) else None

    def refresh(self) -> None:
        """Evict records that have become too old; a closed queue stays as it is."""
        self.subscriptions.owner_thread.check()
        if not self.phase.closed:
            self.registry.evict(self.now())

    def waiting_for(self, record: JobRecord) -> str:
        """Return what keeps a pending job from running."""
        return self.schedule.waiting_for(record)

    # The parts, and the end of the queue

    def attach(self, scope: trio.CancelScope, recorder: Recorder | None) -> None:
        """Take over the cancel scope around the queue's tasks, and the history's recorder."""
        self._scope = scope
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

    def notify_idle(self) -> None:
        """Wake the tasks that wait for the queue to be idle; close a queue that refuses jobs."""
        if self.idle_event is not None:
            self.idle_event.set()
            self.idle_event = None
            self.subscriptions.notify_idle()
        if self.phase.refusing and not self.phase.closed:
            self.registry.evict(self.now())
            self.phase.close()
            self.subscriptions.close()

    def interrupt(self, error: BaseException) -> None:
        """End the queue, and have this error leave by its block.

        It does not go through the nursery, which calls the error's ``repr`` and splits groups.
        """
        self.fatal.append(error)
        self.phase.note_cause(CancelCause.SHUTDOWN)
        self.cancel_tasks("a job or a callback raised what ends the program")

    def cancel_by_failure(self, error: BaseException) -> None:
        """End the queue because a job failed, and have its error leave by the block in a group."""
        self.failures.cancel_queue(error)
        self.phase.note_cause(CancelCause.SHUTDOWN)
        self.cancel_tasks("a job failed, and the queue was opened with on_error='cancel'")

    def cancel_tasks(self, reason: str) -> None:
        """Cancel the tasks of the queue, and with them the jobs that they run."""
        self._scope.cancel(reason)

    # What the steps of a job have in common

    def notify_pending(self, record: JobRecord) -> None:
        """Notify the timer and the readers that a job has become pending."""
        if self.schedule.is_time_dependent:
            self.timer.wake_at(self.schedule.next_time())
        self.subscriptions.notify_changed(record)


def unknown(job: object) -> UnknownJob:
    """Return the error for a job that is not found, by its ID or handle."""
    job_id = job.id if type(job) is JobHandle else job
    return UnknownJob(job_id if isinstance(job_id, str) else safe_repr(job_id))


@final
@dataclass(eq=False, slots=True)
class Submission:
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


async def enter_queue(core: QueueCore, record: JobRecord) -> JobRecord:
    """Submit a job, and return its record, or that of the one it joined.

    With a store it is on disk then.

    Cancellation:
        Until the job has entered the queue, nothing is submitted. Then it has no effect.

    Raises:
        StoreFailed: It could not be written, and is not submitted.
    """
    await trio.lowlevel.checkpoint_if_cancelled()
    entered = core.enter(record) or await wait_for_room(core, record)
    core.dispatcher.wake()
    if core.store is not None:
        await core.store.wait_written(entered)
    return entered  # noqa: ASYNC910 - without a store the caller has a checkpoint


async def record_to_retry(core: QueueCore, failed: JobRecord) -> JobRecord:
    """Return a new record of the call of a failed job.

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
            f"job {failed.id!r} is {failed.status}: only a failed job is retried, so submit it again"
        )
    extras = failed.extras
    if core.store is not None:
        record = await core.store.load_failed(failed)
    else:
        record = failed.copy(failed.id, copy_context(), extras.scheduled_at)
    record.set_options(
        {
            "id": failed.id,
            "priority": extras.priority,
            "scheduled_at": extras.scheduled_at,
            "uncounted_retries": failed.attempt,
            "on_conflict": OnConflict.REJECT,
            "once": True,
        }
    )
    record.restore(failed.attempt, failed.started_at if failed.attempt else None, None)
    return record  # noqa: ASYNC910 - the caller has a checkpoint


async def wait_for_room(core: QueueCore, record: JobRecord) -> JobRecord:
    """Wait, as a submitter, until there is room for a job and it has entered.

    Cancellation:
        The job has not entered.

    Returns:
        The record of the job, or of the job that it was joined to.
    """
    schedule = core.schedule
    submission = Submission(record, trio.lowlevel.current_task())

    def give_up(_: object) -> trio.lowlevel.Abort:
        # Too late if the job is being let in, and cancels what its submitter is part of.
        has_left = schedule.withdraw(submission)
        return trio.lowlevel.Abort.SUCCEEDED if has_left else trio.lowlevel.Abort.FAILED

    schedule.add_submission(submission)
    try:
        await trio.lowlevel.wait_task_rescheduled(give_up)
    finally:
        if submission.outcome is not None:
            core.dispatcher.submit_returned()
    outcome = submission.outcome
    assert outcome is not None  # it was resumed
    if isinstance(outcome, Exception):
        await trio.lowlevel.checkpoint_if_cancelled()  # what ends the queue may end this task, too
        raise outcome
    return outcome
