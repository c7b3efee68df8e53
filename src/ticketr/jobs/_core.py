"""The core of a queue: its parts, and the steps of a job through them.

A job enters, a worker takes it, it is put back for another attempt or it ends. Each step is
synchronous and leaves all parts consistent, so there are no locks. What users call is protected
from KeyboardInterrupt, so that Ctrl+C cannot come in the middle of a step.
"""

from __future__ import annotations

import weakref
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final, TypeVar, final

import trio
from trio.lowlevel import enable_ki_protection

from ticketr._errors import QueueClosed
from ticketr.jobs._conflicts import claim, find_conflicts
from ticketr.jobs._dependencies import Dependencies, is_doomed
from ticketr.jobs._dispatch import Dispatcher
from ticketr.jobs._extras import NO_EXTRAS
from ticketr.jobs._failures import FailureReporter
from ticketr.jobs._job import (
    CANCELLED,
    PENDING,
    RUNNING,
    CancelCause,
    CancelOutcome,
)
from ticketr.jobs._lifecycle import INFO, LifecycleLog, is_enabled_for
from ticketr.jobs._phase import Phase
from ticketr.jobs._registry import Registry
from ticketr.jobs._repeat import Repeats
from ticketr.jobs._schedule import Schedule
from ticketr.jobs._statistics import Totals
from ticketr.jobs._timer import Timer
from ticketr.jobs._updates import Subscriptions
from ticketr.jobs._wait_graph import wait_graph_of_run
from ticketr.jobs._wait_targets import NextChange, QueueWaits
from ticketr.jobs._wall_clock import WallClock, is_virtual

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sized

    from ticketr.jobs._around import Around
    from ticketr.jobs._conflicts import Conflicts
    from ticketr.jobs._job import JobSnapshot, JobStatus
    from ticketr.jobs._rates import Rate
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._recorder import Recorder
    from ticketr.jobs._retention import FinishedJobs, Keep
    from ticketr.jobs._submission import Submission
    from ticketr.jobs._wait_graph import WaitGraph
    from ticketr.jobs._wait_targets import QueueState

T = TypeVar("T")


@final
class QueueCore:
    """The parts of one queue.

    Attributes:
        workers: The number of workers.
        around: Gives the context manager around each attempt.
        now: Tells the time on Trio's clock.
        running: The running jobs, by worker.
        schedule: The pending jobs, and what runs next.
        registry: The jobs by ID and key, and those that have ended.
        finished: Those that have ended and are kept.
        dispatcher: The idle workers.
        dependencies: The jobs that start after others.
        subscriptions: The readers of updates.
        phase: How far the queue is on the way to its end.
        timer: When the timer task has something to do.
        totals: Sums over all attempts.
        failures: Reports failures that nobody has seen.
        wait_graph: The waits of all queues of the Trio run.
        waiting_jobs: The jobs that wait, of all queues.
        waits: The queue as a part of that graph.
        repeats: The repeats, and when their runs are due.
        wall_clock: Tells wall-clock times.
        recorder: Writes the history, if there is one.
        fatal: What was raised that has to leave by the queue's block.
        idle_event: Set when no job is pending or running; made by the first that waits for it.
    """

    __slots__ = (
        "_find_predecessor",
        "_is_logging",
        "_lifecycle",
        "_make_handle",
        "_scope",
        "_thread",
        "around",
        "dependencies",
        "dispatcher",
        "failures",
        "fatal",
        "finished",
        "idle_event",
        "now",
        "phase",
        "recorder",
        "registry",
        "repeats",
        "running",
        "schedule",
        "subscriptions",
        "timer",
        "totals",
        "wait_graph",
        "waiting_jobs",
        "waits",
        "wall_clock",
        "workers",
    )

    def __init__(
        self,
        *,
        workers: int,
        max_pending: float,
        keep: Keep,
        rate: Rate | None,
        on_job_error: Callable[[JobSnapshot], object] | None,
        around: Around | None,
        cancel_on_error: bool,
        make_handle: Callable[[JobRecord, QueueCore], Any],
        find_predecessor: Callable[[QueueCore, object], JobRecord],
    ) -> None:
        self.workers: int = workers
        self.around: Final = around
        self.now: Callable[[], float] = trio.lowlevel.current_clock().current_time
        self.running: dict[trio.lowlevel.Task, JobRecord] = {}
        self.wall_clock: WallClock = WallClock(
            self.now, is_fixed=is_virtual(trio.lowlevel.current_clock())
        )
        self.schedule: Schedule = Schedule(max_pending)
        if rate is not None:
            self.schedule.set_rate(None, rate, self.now())
        self.timer: Timer = Timer()
        self.failures: FailureReporter = FailureReporter(
            on_job_error, self.interrupt, self.timer.wake, cancels_queue=cancel_on_error
        )
        self.registry: Registry = Registry(self.schedule, self.running, keep)
        self.finished: FinishedJobs = self.registry.finished
        self.dependencies: Dependencies = Dependencies(self)
        self.dispatcher: Dispatcher = Dispatcher(self.schedule, self.running, workers)
        self.subscriptions: Subscriptions[JobRecord] = Subscriptions(self._wait_for_change)
        self.phase: Phase = Phase()
        self.wait_graph: WaitGraph = wait_graph_of_run()
        self.waiting_jobs: Sized = self.wait_graph.waiting_jobs
        self.waits: QueueWaits = QueueWaits(self, self.wait_graph.jobs_around())
        self.repeats: Repeats = Repeats(
            self, self.subscriptions.owner_thread, self.wait_graph.request_check
        )
        self.recorder: Recorder | None = None
        self.fatal: list[BaseException] = []
        self.idle_event: trio.Event | None = None
        self._make_handle = make_handle
        self._find_predecessor = find_predecessor
        self._scope: trio.CancelScope = trio.CancelScope()
        self._thread: Final = get_ident()
        self.totals: Totals = Totals()
        self._lifecycle: LifecycleLog = LifecycleLog(self.interrupt)
        self._is_logging: bool = is_enabled_for(INFO)

    def attach(self, scope: trio.CancelScope, recorder: Recorder | None) -> None:
        """Take over the cancel scope around the queue's tasks, and the history's recorder."""
        self._scope = scope
        self.recorder = recorder

    # Entering

    def enter(self, record: JobRecord, *, above: bool = False) -> Any:
        """Take a new job.

        This may wake no worker: the submit does, now or when it has returned (see ``_dispatch``).

        Args:
            record: The job's record.
            above: Whether to take it although the queue is full.

        Returns:
            The handle of the job, or of that which it was joined to; None if there is no room.
        """
        if self.phase.refusing:
            raise QueueClosed
        if get_ident() != self._thread:  # no other run is in this thread while the queue is open
            self.subscriptions.owner_thread.check()
        registry, schedule = self.registry, self.schedule
        now = self.now()
        conflicts: Conflicts | None = None
        if record.extras is NO_EXTRAS:  # as nearly always
            if schedule.pending >= schedule.max_pending and not above:
                return None
            job_id = f"job-{next(registry.ids)}"
            if job_id in registry.by_id:  # a submit has chosen that one
                job_id = registry.next_free_id()
        else:
            if record.extras.after is not None:
                self.dependencies.resolve(record, partial(self._find_predecessor, self))
            conflicts = find_conflicts(record, registry, now)
            if conflicts.joined is not None:
                return self.handle_of(conflicts.joined)
            if schedule.pending >= schedule.max_pending and not (above or conflicts.makes_room):
                return None
            job_id = claim(record, registry, conflicts)
        handle = self._make_handle(record, self)
        record.accept(job_id, next(registry.numbers), now, self, handle)
        if conflicts is not None:
            record.delay_start()
            self.dependencies.connect(record)
        schedule.add(record, now)
        if schedule.is_time_dependent or self.subscriptions.is_watched:
            self._notify_pending(record)
        registry.by_id[job_id] = record
        if conflicts is not None:
            for conflict in conflicts.superseded:
                self.cancel(conflict, CancelCause.SUPERSEDED, "another job took its place")
            if is_doomed(record):
                self.cancel_pending(record, CancelCause.DEPENDENCY)
        if self._is_logging:
            self._lifecycle.submitted(record)
        return handle

    def let_in(self, record: JobRecord) -> None:
        """Take a job that nobody waits to submit, also if the queue is full.

        Raises:
            QueueClosed, DuplicateJob: It is not taken; a key's own code may raise anything else.
        """
        self.enter(record, above=True)
        self.dispatcher.wake()

    def _notify_pending(self, record: JobRecord) -> None:
        if self.schedule.is_time_dependent:
            self.timer.wake_at(self.schedule.next_time())
        self.subscriptions.notify_changed(record)

    def admit(self, above: Submission | None = None) -> None:
        """Take the jobs of waiting submits while there is room; this one although there is none."""
        if above is not None:
            self.schedule.submissions.withdraw(above)
        submission = above or self.schedule.next_admitted()
        while submission is not None:
            try:
                handle = self.enter(submission.record, above=submission is above)
                assert handle is not None  # there was room
                submission.accept(handle)
            except Exception as refusal:  # noqa: BLE001 - a key's own code may raise anything
                submission.refuse(refusal)
            except BaseException:  # it ends the queue
                submission.accept(self._cancel_outside(submission.record))
                raise
            finally:
                self.dispatcher.job_submitted(submission.record)
                submission.resume()
            submission = self.schedule.next_admitted()

    def _cancel_outside(self, record: JobRecord) -> Any:
        """End a job that has not entered, and return its handle."""
        handle = self._make_handle(record, self)
        registry, now = self.registry, self.now()
        record.accept(registry.next_free_id(), next(registry.numbers), now, self, handle)
        record.note_cause(CancelCause.SHUTDOWN)
        record.end(CANCELLED, now, None)
        return handle

    # Running and ending

    @enable_ki_protection
    def take(self, worker: trio.lowlevel.Task) -> JobRecord | None:
        """Start the next job on a worker; None if there is none."""
        schedule = self.schedule
        record = schedule.take()
        if record is None:
            if self.phase.cancels_delayed_jobs:
                self.cancel_delayed()  # a job that has ended may have let another wait for a rate
            return None
        now = self.now()
        record.start(worker, now)
        if schedule.rates is not None:
            schedule.take_starts(record, now)
            self.timer.wake_at(schedule.next_time())
        self.running[worker] = record
        self.totals.wait_seconds += now - record.due_at
        if self.subscriptions.is_watched:
            self.subscriptions.notify_changed(record)
        if schedule.submissions.count:
            self.admit()
        dispatcher = self.dispatcher
        if schedule.pending and dispatcher.idle:
            dispatcher.job_taken()
        self._is_logging = is_enabled_for(INFO)
        if self._is_logging:
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
        self.totals.run_seconds += now - record.started_at
        self.totals.put_back += 1
        record.back_off(now + delay, is_counted=is_counted)
        self.schedule.add(record, now)
        self._notify_pending(record)
        if record.collector is not None:
            record.collector.job_put_back()
        if self.phase.cancels_delayed_jobs and record.due_at > now:
            self.cancel(record, CancelCause.SHUTDOWN)
        self.dispatcher.wake()
        if self.waiting_jobs and self.waits.is_stuck(len(self.running)):
            self.wait_graph.request_check()
        if self._is_logging:
            self._lifecycle.put_back(record, now)

    @enable_ki_protection
    def finish(self, record: JobRecord, status: JobStatus, result: object = None) -> None:
        """End a job. The error of one that failed is in its record already."""
        schedule = self.schedule
        now = self.now()
        was_running = record.status is RUNNING
        has_extras = record.extras is not NO_EXTRAS
        if was_running:
            del self.running[record.worker]
            self.totals.run_seconds += now - record.started_at
            if has_extras and record.extras.key_slot is not None:
                schedule.release_key(record)
        else:
            schedule.discard(record)
            self.totals.ended_pending += 1
        held = record.end(status, now, result)
        if schedule.blocked:
            schedule.unblock_successors(record)
        if has_extras:
            self.registry.free(record)
        self.registry.totals[status] += 1
        finished = self.finished
        finished.jobs.append(record)
        if self.subscriptions.is_watched:
            self.subscriptions.notify_ended(record, record.handle)
        if self.recorder is not None:
            self._write_history(record, self.recorder)
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
        if self.waiting_jobs and self.waits.is_stuck(len(self.running)):
            self.wait_graph.job_ended(record, self)
        if self.idle_event is not None and self.is_idle:
            self.notify_idle()
        if self._is_logging:
            self._lifecycle.ended(record, was_running=was_running)
        if len(finished.jobs) > finished.evict_above or now > finished.evict_after:
            finished.evict(now)
        if record.handle is not None:
            reference = weakref.ref(record.handle)
            record.drop_handle()  # so that it is gone if no other holds it
            self.failures.job_failed(record, reference)
        if has_extras and record in self.repeats.runs:
            self.repeats.run_ended(record)

    def _write_history(self, record: JobRecord, recorder: Recorder) -> None:
        try:
            recorder.put(record)
        except BaseException as error:  # noqa: ASYNC103, BLE001 - its summary calls sys.exit()
            self.interrupt(error)

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

    def cancel_pending(self, record: JobRecord, cause: CancelCause) -> None:
        """End a pending job without a request to cancel it, unless it has ended by now.

        At the end of another job ``on_job_error`` may have been called, and done anything.
        """
        if record.status is PENDING:
            record.note_cause(cause)
            self.finish(record, CANCELLED)

    def cancel_delayed(self) -> None:
        """Cancel the jobs that wait for a time or for a rate."""
        for record in self.schedule.delayed(self.now()):
            self.cancel(record, CancelCause.SHUTDOWN, "the queue is shutting down")

    def mark_changed(self, records: Iterable[JobRecord]) -> None:
        """Note that these jobs wait for something else from now on."""
        for record in records:
            record.mark_changed()
            self.subscriptions.notify_changed(record)
        self.dispatcher.wake()
        self.wait_graph.request_check()

    def handle_of(self, record: JobRecord) -> Any:
        """Return the handle of a job.

        There is at most one of a job that is live or whose failure is not yet reported. Whatever
        can still ask for the outcome of a job holds its handle (see ``_failures``).
        """
        handle = record.handle or self.failures.handle_of(record)
        return self._make_handle(record, self) if handle is None else handle

    def waiting_for(self, record: JobRecord) -> str:
        """Return what keeps a pending job from running."""
        return self.schedule.waiting_for(record)

    # The whole queue

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
        if self.phase.refusing:
            self.phase.close()
            self.subscriptions.close()

    def interrupt(self, error: BaseException) -> None:
        """End the queue, and have this error leave by its block.

        It does not go by the nursery, which would ask it for its ``repr`` and take it apart.
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

    def queues(self) -> Iterable[QueueState]:
        """Return all open queues of the Trio run."""
        return set(self.wait_graph.queue_tasks.values())

    def _wait_for_change(
        self,
        record: JobRecord | None,
        is_ready: Callable[[], bool],
        park: Callable[[], Awaitable[T]],
    ) -> Awaitable[T]:
        return self.wait_graph.wait(NextChange(self, record, is_ready), park)
