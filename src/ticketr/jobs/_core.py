"""The books of the queue: every job's record and every change of one.

All that decides anything is here, and all of it is synchronous: between two
checkpoints of anybody the books are consistent, so there are no locks. Whoever calls
from outside is protected from KeyboardInterrupt, so that Ctrl+C cannot land between
two lines of the same entry.

Waking workers. Trio runs the tasks that became ready in the same instant in random
order. If every submit woke a worker of its own, the third job could be taken before the
first. So only one wake-up is under way at any time; the worker it wakes takes the
best job there is by then, and wakes the next worker before it starts on it. A worker
that has finished a job looks for another by itself, but leaves the last one to the
worker that is being woken.

Arriving. To wake a worker takes longer than to run a small job. So as long as any job
runs, no worker is woken for one whose submit is about to return: when it does, one step
later, it looks whether the job still waits, and only then wakes one. A worker that
has nothing to do lingers for such a submit (see ``_worker``): it counts as the one that
is being woken, with no message in the channel.

A wake-up also changes the worker's context (see ``_worker``) to that of the best job
so far, which a job without context variables can do without. Another job may be the best
by the time the worker runs: that is why the wake-up carries no job, and the worker looks
again.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from threading import get_ident
from typing import TYPE_CHECKING, Final, TypeVar, final

import trio
from trio.lowlevel import enable_ki_protection

from ticketr._errors import DuplicateJob, QueueClosed
from ticketr.jobs._conflicts import id_or_key_conflicts
from ticketr.jobs._job import (
    CANCELLED,
    PENDING,
    RUNNING,
    CancelCause,
    CancelOutcome,
    JobStatus,
    OnConflict,
)
from ticketr.jobs._key_table import KeyTable
from ticketr.jobs._record import JobRecord
from ticketr.jobs._retention import FinishedJobs
from ticketr.jobs._schedule import Schedule
from ticketr.jobs._updates import Subscriptions
from ticketr.jobs._wait_graph import wait_graph_of_run
from ticketr.jobs._wait_targets import AllRunningJobs, AnyRunningJob, NextChange

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence, Sized

    from ticketr.jobs._job import JobID, JobSnapshot
    from ticketr.jobs._recorder import Recorder
    from ticketr.jobs._retention import Keep
    from ticketr.jobs._schedule import Submission
    from ticketr.jobs._wait_graph import WaitGraph
    from ticketr.jobs._wait_targets import QueueState


T = TypeVar("T")

ENTERS: Final = frozenset({OnConflict.WAIT, OnConflict.SUPERSEDE})
"""What a job may do about its rivals and still enter."""
FIRST_STUCK_WARNING: Final = 5.0
"""Seconds after which to tell of the jobs that did not stop when they were cut off."""


@final
class QueueCore:
    """The state of one queue."""

    __slots__ = (
        "_idle_event",
        "_ids",
        "_numbers",
        "_thread",
        "all_running_jobs",
        "any_running_job",
        "cancels_delayed_jobs",
        "closed",
        "cut_off_at",
        "cut_off_cause",
        "deadline",
        "deadlock_check_at",
        "deadlock_check_due",
        "draining",
        "fatal",
        "finished_jobs",
        "idle",
        "key_table",
        "now",
        "opened_by",
        "recorder",
        "records",
        "refusing",
        "returning_submits",
        "running",
        "schedule",
        "scope",
        "stuck_warning_at",
        "stuck_warning_interval",
        "subscriptions",
        "timer_scope",
        "totals",
        "wait_graph",
        "waiting_count",
        "waiting_jobs",
        "wakeup_pending",
        "wakeup_receiver",
        "wakeup_sender",
        "workers",
    )

    def __init__(
        self,
        *,
        workers: int,
        max_pending: float,
        keep: Keep,
        on_job_error: Callable[[JobSnapshot], object],
    ) -> None:
        self.workers: int = workers
        self.now: Callable[[], float] = trio.lowlevel.current_clock().current_time
        self.schedule: Schedule = Schedule(max_pending)
        self.subscriptions: Subscriptions[JobRecord] = Subscriptions[JobRecord](
            self._wait_for_change
        )
        self._thread: Final = get_ident()  # of the run that this belongs to
        self.recorder: Recorder | None = None  # of the history, if there is one

        self.records: dict[JobID, JobRecord] = {}
        self.running: dict[trio.lowlevel.Task, JobRecord] = {}  # by their workers
        self.key_table: KeyTable[JobRecord] = KeyTable()  # of the live jobs
        self.finished_jobs: FinishedJobs = FinishedJobs(
            self.records, keep, on_job_error, self.interrupt
        )
        self.totals: dict[JobStatus, int] = dict.fromkeys(JobStatus, 0)
        self.wait_graph: WaitGraph = wait_graph_of_run()
        self.waiting_jobs: Sized = self.wait_graph.waiting_jobs  # those of all queues
        self.any_running_job: AnyRunningJob = AnyRunningJob(self)
        self.all_running_jobs: AllRunningJobs = AllRunningJobs(self)
        self.waiting_count: int = 0  # how many running jobs wait for any queue
        self.deadlock_check_due: bool = False  # some of them may wait for ever
        self.deadlock_check_at: float = math.inf
        self.deadline: float = trio.current_effective_deadline()  # of what is around the queue
        # The job that has opened this queue, and that job's queue.
        self.opened_by: tuple[JobRecord, QueueState] | None = next(
            iter(self.wait_graph.jobs_around().items()), None
        )
        self._ids = itertools.count(1)
        self._numbers = itertools.count()

        self.wakeup_sender: trio.MemorySendChannel[None]
        self.wakeup_receiver: trio.MemoryReceiveChannel[None]
        self.wakeup_sender, self.wakeup_receiver = trio.open_memory_channel[None](workers)
        # Who has no job, in the order of the channel; one that lingers is first.
        self.idle: deque[trio.lowlevel.Task] = deque()
        self.returning_submits: int = 0  # submits that are about to return, and will see to waking
        self.wakeup_pending: bool = False  # the first of them is on its way

        self.refusing: bool = False  # no new jobs
        self.closed: bool = False  # nor will any job change
        self.cut_off_cause: CancelCause | None = None  # why jobs are being cut off
        self.fatal: list[BaseException] = []  # what was raised that must leave the queue
        self.scope: trio.CancelScope = trio.CancelScope()  # around its tasks
        self.draining: bool = False  # pauses are lifted
        self.cancels_delayed_jobs: bool = False  # nothing is waited for that is not due
        self.cut_off_at: float = math.inf
        self.stuck_warning_interval: float = FIRST_STUCK_WARNING
        self.stuck_warning_at: float = math.inf  # when to warn of jobs that did not stop
        # Its deadline is when to look at the clock next.
        self.timer_scope: trio.CancelScope = trio.CancelScope()
        self._idle_event: trio.Event | None = None

    # Entering

    def enter(self, record: JobRecord, *, above: bool = False) -> JobRecord | None:
        """Take a new job, and give it back, or the job that it was joined to; None: no room.

        This may wake nobody: that is up to who enters it, now or by saying that it has
        :meth:`submit_returned`.

        Args:
            record: The job's.
            above: Whether to take it though there is no room.
        """
        if self.refusing:
            raise QueueClosed
        if get_ident() != self._thread:  # there is no other run in it as long as this is open
            self.subscriptions.owner_thread.check()
        # The key's own code runs here, and may raise.
        key_slot = None if record.key is None else self.key_table.find(record.key)
        superseded: Sequence[JobRecord] = ()
        id_holder: JobRecord | None = None
        now = self.now()
        if record.on_conflict or record.id:
            conflicts = id_or_key_conflicts(record, self.records, key_slot)
            if conflicts and record.on_conflict not in ENTERS:
                return self._resolve_conflict(record, conflicts)
            is_late = record.start_by is not None and record.start_by <= now
            if record.on_conflict is OnConflict.SUPERSEDE and not is_late:
                superseded = conflicts
            id_holder = conflicts[0] if conflicts and record.id else None
        schedule = self.schedule
        if schedule.pending >= schedule.max_pending and not (
            above
            # It takes the place of a pending one; otherwise it needs room like any other.
            or (superseded and any(conflict.status is PENDING for conflict in superseded))
        ):
            return None
        if record.key is not None:
            key_slot = key_slot or self.key_table.add(record.key)  # this may raise too
            key_slot.jobs[record] = None
        if not record.id:
            record.assign_id(self._new_id())
        record.accept(next(self._numbers), now, key_slot, id_holder)
        schedule.add(record, now)
        if schedule.is_time_dependent or self.subscriptions.is_watched:
            self._notify_pending(record)
        # In the place of one that has ended, or of one that it waits for.
        self.records[record.id] = record
        for conflict in superseded:
            self.cancel(conflict, CancelCause.SUPERSEDED, "another job took its place")
        if self.idle and (record.context if self.wakeup_pending else not self.running):
            self.wake()
        return record

    def _new_id(self) -> JobID:
        job_id = f"job-{next(self._ids)}"
        while job_id in self.records:  # somebody chose that one
            job_id = f"job-{next(self._ids)}"
        return job_id

    def _resolve_conflict(self, record: JobRecord, conflicts: list[JobRecord]) -> JobRecord:
        running = (conflict for conflict in conflicts if conflict.status is RUNNING)
        first = next(running, conflicts[0])
        if record.on_conflict is OnConflict.JOIN:
            return first
        raise DuplicateJob(first.id, None if record.id else record.key)

    def _notify_pending(self, record: JobRecord) -> None:
        """A job has become pending: who keeps the time and who watches may want to know."""
        if self.schedule.is_time_dependent:
            self.rearm_timer()
        self.subscriptions.notify_changed(record)

    def rearm_timer(self) -> None:
        """Look at the clock when the schedule next needs it."""
        self.timer_scope.deadline = min(self.timer_scope.deadline, self.schedule.next_time())

    def admit(self, above: Submission | None = None) -> None:
        """Let in who waits outside, as far as there is room; this one though there is none."""
        if above is not None:
            self.schedule.withdraw(above)
        submission = above or self.schedule.next_admitted()
        while submission is not None:
            try:
                entered = self.enter(submission.record, above=submission is above)
                assert entered is not None  # there was room
                submission.record = entered
            except Exception as refusal:  # noqa: BLE001 - a key's own code may raise anything
                submission.refusal = refusal
            finally:
                self.resume_submitter(submission)
            submission = self.schedule.next_admitted()

    def resume_submitter(self, submission: Submission) -> None:
        """Let a submitter go on that waited for room: it is about to have arrived."""
        self.returning_submits += 1
        submission.is_resumed = True
        trio.lowlevel.reschedule(submission.task)

    def submit_returned(self) -> None:
        """A submitter goes on: if no worker has taken its job by now, one is to be woken."""
        self.returning_submits -= 1
        if self.idle and self.schedule.pending:
            self.wake()

    def wake(self) -> None:
        """See to it that a job which could run is taken by a worker which is idle.

        If one is being woken, the first of those that are idle, it only changes its context.
        """
        if not self.idle:
            return
        record = self.schedule.peek()
        if record is None:
            return
        self.idle[0].context = record.context
        if not self.wakeup_pending:
            self.wakeup_pending = True
            self.wakeup_sender.send_nowait(None)

    # Running and ending

    @enable_ki_protection
    def take(self, worker: trio.lowlevel.Task) -> JobRecord | None:
        """Give the next job to a worker, if there is one: it is running from here on."""
        record = self.schedule.take()
        if record is None:
            return None
        record.start(worker, self.now())
        self.running[worker] = record
        if self.subscriptions.is_watched:
            self.subscriptions.notify_changed(record)
        if self.schedule.submitters_waiting:
            self.admit()
        if self.idle and self.schedule.pending > self.returning_submits:
            self.wake()
        return record

    def put_back(self, record: JobRecord, delay: float, *, is_counted: bool) -> None:
        """A running job is to be tried again after so many seconds; there is always room."""
        del self.running[record.worker]
        if record.key_slot is not None:
            self.schedule.release_key(record)
        now = self.now()
        record.back_off(now + delay, is_counted=is_counted)
        self.schedule.add(record, now)
        self._notify_pending(record)
        if self.cancels_delayed_jobs and record.due_at > now:
            self.cancel(record, CancelCause.SHUTDOWN)
        self.wake()
        if self.waiting_jobs and self.waiting_count >= len(self.running):
            self.wait_graph.request_check()

    @enable_ki_protection
    def finish(self, record: JobRecord, status: JobStatus, result: object = None) -> None:
        """Write down how a job ended; of one that failed, the error is in its record."""
        was_running = record.status is RUNNING
        if was_running:
            del self.running[record.worker]
            if record.key_slot is not None:
                self.schedule.release_key(record)
        else:
            self.schedule.discard(record)
        now = self.now()
        held = record.end(status, now, result)
        if self.schedule.blocked:
            self.schedule.unblock_successors(record)
        if record.id_holder is not None:
            self._give_back_id(record)
        if record.key_slot is not None:
            self._forget_key(record)
        self.totals[status] += 1
        finished_jobs = self.finished_jobs
        finished_jobs.jobs.append(record)
        if self.subscriptions.is_watched:
            self.subscriptions.notify_ended(record)
        if self.recorder is not None:
            try:
                self.recorder.put(record.snapshot())
            except BaseException as error:  # noqa: ASYNC103, BLE001 - its summary calls sys.exit()
                self.interrupt(error)
        if record.ended is not None:
            record.wake_waiters()
        if not was_running:
            self.admit()
            self.wake()
        del held
        if self.waiting_jobs and self.waiting_count >= len(self.running):
            self.wait_graph.job_ended(record, self)
        if self._idle_event is not None and self.is_idle:
            self.notify_idle()
        if len(finished_jobs.jobs) > finished_jobs.evict_above or now > finished_jobs.evict_after:
            finished_jobs.evict(now)

    def _give_back_id(self, record: JobRecord) -> None:
        """An ID belongs to whom the ended job waited for, if that one still lives."""
        predecessor = self.schedule.predecessor(record)
        if predecessor is not None and self.records.get(record.id) is record:
            self.records[record.id] = predecessor

    def _forget_key(self, record: JobRecord) -> None:
        key_slot = record.key_slot
        assert key_slot is not None  # it has a key
        del key_slot.jobs[record]
        if not key_slot.jobs and not self.schedule.is_paused_key(key_slot):
            self.key_table.remove(key_slot)

    def cancel(
        self, record: JobRecord | None, cause: CancelCause, reason: str | None = None
    ) -> CancelOutcome:
        """Stop a job, wherever it is."""
        self.subscriptions.owner_thread.check()
        if record is None:
            return CancelOutcome.UNKNOWN
        if record.status.is_terminal:
            return CancelOutcome.ALREADY_FINISHED
        if record.cancel_requested:
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
        """End a pending job that nobody cancels, if it has not ended by now.

        With the end of another one ``on_job_error`` may have been called, and done anything.
        """
        if record.status is PENDING:
            record.note_cause(cause)
            self.finish(record, CANCELLED)

    def mark_changed(self, records: Iterable[JobRecord]) -> None:
        """These wait for something else from now on."""
        for record in records:
            record.mark_changed()
            self.subscriptions.notify_changed(record)
        self.wake()
        self.wait_graph.request_check()

    @enable_ki_protection
    def request_deadlock_check(self) -> None:
        """Have it looked soon whether jobs wait for ever."""
        self.deadlock_check_due = True
        self.timer_scope.deadline = -math.inf

    def queues(self) -> Iterable[QueueState]:
        """Return the books of all open queues of the run."""
        return set(self.wait_graph.queue_tasks.values())

    def request_deadlock_check_at(self, time: float) -> None:
        """Have it looked at this time, too."""
        self.deadlock_check_at = min(self.deadlock_check_at, time)
        self.timer_scope.deadline = min(self.timer_scope.deadline, time)

    @property
    def evicted(self) -> int:
        """How many ended jobs are no longer remembered."""
        return sum(self.totals.values()) - self.finished_jobs.kept

    # The end of the queue

    def interrupt(self, error: BaseException) -> None:
        """An interrupt or exit ends the queue, and leaves it by its block.

        It does not go by the nursery, which would ask it for its ``repr`` and take it apart.
        """
        self.fatal.append(error)
        if self.cut_off_cause is None:
            self.cut_off_cause = CancelCause.SHUTDOWN
        self.scope.cancel("a job or a callback raised what ends the program")

    @property
    def is_idle(self) -> bool:
        """Whether no job is pending or running."""
        return not self.running and not self.schedule.pending

    def idle_event(self) -> trio.Event:
        """Set when no job is pending or running; another may have come by the time one looks."""
        if self._idle_event is None:
            self._idle_event = trio.Event()
        return self._idle_event

    def _wait_for_change(
        self,
        record: JobRecord | None,
        is_ready: Callable[[], bool],
        park: Callable[[], Awaitable[T]],
    ) -> Awaitable[T]:
        return self.wait_graph.wait(NextChange(self, record, is_ready), park)

    def notify_idle(self) -> None:
        """Tell who waits for it that no job is pending or running; close a queue that ends."""
        if self._idle_event is not None:
            self._idle_event.set()
            self._idle_event = None
        if self.refusing:
            self.close()

    def close(self) -> None:
        """No job will change any more: let the readers go."""
        self.closed = True
        self.subscriptions.close()
