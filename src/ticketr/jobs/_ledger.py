"""The books of the queue: every job's record and every change of one.

All that decides anything is here, and all of it is synchronous: between two
checkpoints of anybody the books are consistent, so there are no locks. Whoever calls
from outside is protected from KeyboardInterrupt, so that Ctrl+C cannot land between
two lines of the same entry.

Waking workers. Trio runs the tasks that became ready in the same instant in random
order. If every submit woke a worker of its own, the third job could start before the
first. So only one wake-up is under way at any time; the worker it wakes takes the
best job there is by then, and wakes the next worker before it starts on it. A worker
that has finished a job looks for another by itself, but leaves the last one to the
worker that is being woken.

A wake-up also changes the worker's context (see ``_worker``) to that of the best job
so far. Another job may be the best by the time the worker runs: that is why the
wake-up carries no job, and the worker looks again.
"""

from __future__ import annotations

import itertools
import logging
import math
from collections import deque
from typing import TYPE_CHECKING, final

import trio

from ticketr._errors import DuplicateJob, QueueClosed, QueueFull
from ticketr.jobs._job import (
    CancelCause,
    CancelOutcome,
    JobErrorInfo,
    JobRecord,
    JobStatus,
    OnConflict,
)
from ticketr.jobs._numbers import QueueStatistics
from ticketr.jobs._schedule import Schedule
from ticketr.jobs._updates import Hub
from ticketr.jobs._waits import Waits

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from ticketr.jobs._job import JobID, JobSnapshot
    from ticketr.jobs._numbers import Keep
    from ticketr.jobs._recorder import Recorder


logger = logging.getLogger("ticketr.jobs")


@final
class Ledger:
    """The state of one queue."""

    def __init__(
        self,
        *,
        workers: int,
        max_pending: float,
        keep: Keep,
        on_job_error: Callable[[JobSnapshot], object],
    ) -> None:
        self.workers = workers
        self.keep = keep
        self.on_job_error = on_job_error
        self.schedule: Schedule = Schedule(max_pending)
        self.hub: Hub[JobRecord] = Hub[JobRecord]()
        self.recorder: Recorder | None = None  # of the history, if there is one

        self.records: dict[JobID, JobRecord] = {}
        self.running: dict[JobRecord, None] = {}
        self.of_key: dict[Hashable, dict[JobRecord, None]] = {}  # the live jobs
        self.ended: deque[tuple[float, JobRecord]] = deque()  # when, and who
        self.totals: dict[JobStatus, int] = dict.fromkeys(JobStatus, 0)
        self.evicted: int = 0
        self.waits: Waits = Waits(self.running, workers, self.schedule.waits_for_end_of)
        self._ids = itertools.count(1)

        self.wakeups: trio.MemorySendChannel[None]
        self.awaited_wakeups: trio.MemoryReceiveChannel[None]
        self.wakeups, self.awaited_wakeups = trio.open_memory_channel[None](workers)
        self.idle: deque[trio.lowlevel.Task] = deque()
        self.waking: bool = False

        self.refusing: bool = False  # no new jobs
        self.closed: bool = False  # nor will any job change
        self.ending: CancelCause | None = None  # why jobs are being cut off
        self.fatal: list[BaseException] = []  # what jobs raised that must leave the queue
        self.leaving: bool = False  # pauses are lifted
        self.bounded: bool = False  # nothing is waited for that is not due
        self.cut_off_at: float = math.inf
        # Its deadline is when to look at the clock next.
        self.alarm: trio.CancelScope = trio.CancelScope()
        self._quiet: trio.Event | None = None

    # Entering

    def enter(self, record: JobRecord) -> JobRecord:
        """Take a new job; what is returned is the job it was joined to, or else itself."""
        self.hub.home.check()
        if self.refusing:
            raise QueueClosed
        if (record.id or record.on_conflict) and (rivals := self._rivals(record)):
            return self._compete(record, rivals)
        schedule = self.schedule
        if schedule.pending >= schedule.max_pending:
            raise QueueFull(schedule.max_pending)
        self._add(record)
        return record

    def _rivals(self, record: JobRecord) -> list[JobRecord]:
        """The live jobs that the new one is in conflict with."""
        if record.id:
            namesake = self.records.get(record.id)
            return [] if namesake is None or namesake.status.is_terminal else [namesake]
        if record.key is None or record.on_conflict is OnConflict.WAIT:
            return []
        return list(self.of_key.get(record.key, ()))

    def _compete(self, record: JobRecord, rivals: list[JobRecord]) -> JobRecord:
        way = record.on_conflict or OnConflict.REJECT
        first = next((rival for rival in rivals if rival in self.running), rivals[0])
        if way is OnConflict.JOIN:
            return first
        if way is OnConflict.REJECT:
            raise DuplicateJob(first.id, None if record.id else record.key)
        victims = rivals if way is OnConflict.SUPERSEDE else []
        # The new job takes the place of a pending one; otherwise it needs room like any other.
        inherits = any(victim.status is JobStatus.PENDING for victim in victims)
        if not (inherits or self.schedule.has_room):
            raise QueueFull(self.schedule.max_pending)
        record.after = rivals[0] if record.id else None
        self._add(record)
        for victim in victims:
            self.cancel(victim, CancelCause.SUPERSEDED, "another job took its place")
        self.wake()
        return record

    def _add(self, record: JobRecord) -> None:
        if record.id:
            # A namesake makes way, and the order of the records stays that of arrival.
            self.records.pop(record.id, None)
        while not record.id:
            number = f"job-{next(self._ids)}"
            record.id = number if number not in self.records else ""
        self.records[record.id] = record
        if record.key is not None:
            self.of_key.setdefault(record.key, {})[record] = None
        now = record.submitted_at = trio.current_time()
        record.due_at += now
        record.revision = 1
        self._line_up(record, now)
        self.hub.changed(record)
        self.wake()

    def _line_up(self, record: JobRecord, now: float) -> None:
        self.schedule.add(record, now)
        if self.schedule.minds_time:
            self.alarm.deadline = min(self.alarm.deadline, self.schedule.next_time())

    def admit(self) -> None:
        """Let in who waits outside, as far as there is room."""
        while (submission := self.schedule.admit()) is not None:
            try:
                submission.record = self.enter(submission.record)
            except DuplicateJob as refusal:
                submission.refusal = refusal
            trio.lowlevel.reschedule(submission.task)

    def wake(self) -> None:
        """See to it that a job which could run is taken by a worker which is idle."""
        if not self.idle:
            return
        record = self.schedule.peek()
        if record is None:
            return
        self.idle[0].context = record.context
        if not self.waking:
            self.waking = True
            self.wakeups.send_nowait(None)

    @property
    def has_work(self) -> bool:
        """Whether there is a job for one more worker than the one being woken."""
        return self.schedule.pending > self.waking and self.schedule.peek() is not None

    # Running and ending

    def take(self, worker: trio.lowlevel.Task) -> JobRecord | None:
        """Give the next job to a worker: it is running from here on."""
        if self.schedule.minds_time:
            self.look_at_clock()
        record = self.schedule.take()
        if record is None:
            return None
        record.move(JobStatus.RUNNING)
        record.attempt += 1
        record.started_at = trio.current_time()
        record.worker = worker
        record.spare_context = record.context.copy()
        if record.attempt > 1:
            record.current = record.total = record.progress_revision = 0
            record.message = ""
        record.scope = trio.CancelScope(relative_deadline=record.timeout)
        self.running[record] = None
        self.hub.changed(record)
        if self.schedule.outside:
            self.admit()
        self.wake()
        return record

    def put_back(self, record: JobRecord, delay: float) -> None:
        """A running job is to be tried again after so many seconds; there is always room."""
        del self.running[record]
        if record.key is not None:
            self.schedule.release(record)
        record.move(JobStatus.PENDING)
        assert record.spare_context is not None
        record.context, record.spare_context = record.spare_context, None
        record.scope = record.worker = None
        now = trio.current_time()
        record.due_at = now + delay
        self._line_up(record, now)
        self.hub.changed(record)
        if self.bounded and record.due_at > now:
            self.cancel(record, CancelCause.SHUTDOWN)
        self.wake()

    def finish(
        self,
        record: JobRecord,
        status: JobStatus,
        *,
        result: object = None,
        exception: BaseException | None = None,
        error: JobErrorInfo | None = None,
    ) -> None:
        """Write down how a job ended."""
        was_running = record.status is JobStatus.RUNNING
        if was_running:
            del self.running[record]
            if record.key is not None:
                self.schedule.release(record)
        else:
            self.schedule.discard(record)
        record.move(status)
        record.finished_at = trio.current_time()
        record.result, record.exception, record.error = result, exception, error
        record.release()
        self.schedule.ended(record)
        if record.key is not None:
            self._forget_key(record)
        self.totals[status] += 1
        self.ended.append((record.finished_at, record))
        self.hub.ended(record)
        if self.recorder is not None:
            self.recorder.put(record.snapshot())
        if record.ended is not None:
            # A parked waiter is sure to get the outcome, though it has not run yet.
            record.claimed |= record.ended.statistics().tasks_waiting > 0
            record.ended.set()
            record.ended = None
        if not was_running:
            self.admit()
            self.wake()
        if self.is_idle:
            self._settle()
        self.evict(record.finished_at)

    def _forget_key(self, record: JobRecord) -> None:
        live = self.of_key[record.key]
        del live[record]
        if not live:
            del self.of_key[record.key]

    def cancel(
        self, record: JobRecord | None, cause: CancelCause, reason: str | None = None
    ) -> CancelOutcome:
        """Stop a job, wherever it is."""
        self.hub.home.check()
        if record is None:
            return CancelOutcome.UNKNOWN
        if record.status.is_terminal:
            return CancelOutcome.ALREADY_FINISHED
        if record.cancel_requested:
            return CancelOutcome.ALREADY_REQUESTED
        record.cancel_requested = True
        record.cancel_cause = cause
        if record.scope is None:
            self.finish(record, JobStatus.CANCELLED)
            return CancelOutcome.CANCELLED
        record.revision += 1
        self.hub.changed(record)
        record.scope.cancel(reason)
        return CancelOutcome.REQUESTED

    # Time and pauses

    def set_alarm(self) -> trio.CancelScope:
        """A scope that ends when it is time to look at the clock."""
        when = min(self.cut_off_at, self.schedule.next_time())
        self.alarm = trio.CancelScope(deadline=when)
        return self.alarm

    def look_at_clock(self) -> None:
        """Do what it is time for."""
        now = trio.current_time()
        if now >= self.cut_off_at:
            self.cut_off_at = math.inf
            self.cut_off()
        for record in self.schedule.expired(now):
            record.cancel_cause = CancelCause.EXPIRED
            self.finish(record, JobStatus.CANCELLED)
        self._tell(self.schedule.due(now))

    def run_now(self, record: JobRecord) -> bool:
        """End a job's wait for a time; False if there is none."""
        self.hub.home.check()
        if not self.schedule.hurry(record, trio.current_time()):
            return False
        self._tell([record])
        return True

    def pause(self, key: Hashable) -> None:
        """Start no more jobs, or none with this key."""
        self.hub.home.check()
        if not self.leaving:
            self.schedule.pause(key)
            self._tell(self._pending(key))

    def resume(self, key: Hashable) -> None:
        """Undo a pause."""
        self.hub.home.check()
        self.schedule.resume(key)
        self._tell(self._pending(key))

    def leave(self) -> None:
        """The end of the queue has begun: no pause may hold it up."""
        self.leaving = True
        self.schedule.lift_pauses()
        self.wake()

    def _pending(self, key: Hashable) -> list[JobRecord]:
        jobs = self.schedule.jobs() if key is None else self.of_key.get(key, ())
        return [record for record in jobs if record.status is JobStatus.PENDING]

    def _tell(self, records: list[JobRecord]) -> None:
        """These wait for something else from now on."""
        for record in records:
            record.revision += 1
            self.hub.changed(record)
        if records:
            self.wake()

    def set_priority(self, record: JobRecord, priority: int) -> bool:
        """Give a live job another priority; False if it has ended."""
        self.hub.home.check()
        if record.status.is_terminal:
            return False
        record.priority = priority
        if record.status is JobStatus.PENDING:
            self.schedule.rank_anew(record)
            self.wake()
        record.revision += 1
        self.hub.changed(record)
        return True

    def evict(self, now: float) -> None:
        """Drop the records that are too many or too old."""
        ended, keep = self.ended, self.keep
        while ended and (len(ended) > keep.jobs or now - ended[0][0] > keep.age):
            _, record = ended.popleft()
            if self.records.get(record.id) is record:
                del self.records[record.id]
            self.evicted += 1
            self._account_for(record)

    def find(self, job_id: JobID) -> JobRecord | None:
        """The job with this ID, unless it never was or is forgotten."""
        self.refresh()
        return self.records.get(job_id)

    def known(self, key: Hashable, tag: str | None) -> list[JobRecord]:
        """The jobs that are known, with this key and tag if they are not None."""
        self.refresh()
        hidden = [job for job in self.running if self.records.get(job.id) is not job]
        return [
            job
            for job in (*hidden, *self.records.values())
            if (key is None or job.key == key) and (tag is None or tag in job.tags)
        ]

    def refresh(self) -> None:
        """Forget what is too old by now; a closed queue stays as it was."""
        if not self.closed:
            self.hub.home.check()
            self.evict(trio.current_time())

    def _account_for(self, record: JobRecord) -> None:
        """A failure is never silent: tell of one that nobody asked about."""
        if record.status is not JobStatus.FAILED or record.claimed:
            return
        record.claimed = True
        try:
            self.on_job_error(record.snapshot())
        except Exception:
            logger.exception("on_job_error raised about job %r", record.id)

    # The end of the queue

    @property
    def is_idle(self) -> bool:
        """Whether no job is pending or running."""
        return not self.running and not self.schedule.pending

    def quiet(self) -> trio.Event:
        """Set when no job is pending or running; another may have come by the time one looks."""
        if self._quiet is None:
            self._quiet = trio.Event()
        return self._quiet

    def _settle(self) -> None:
        if self._quiet is not None:
            self._quiet.set()
            self._quiet = None
        if self.refusing:
            self.close()

    def refuse(self) -> None:
        """Take no more jobs; close as soon as there are none."""
        self.refusing = True
        self.leave()
        for submission in self.schedule.send_away():
            submission.refusal = QueueClosed()
            trio.lowlevel.reschedule(submission.task)
        if self.is_idle:
            self._settle()

    def close(self) -> None:
        """No job will change any more: let the readers go."""
        self.closed = True
        self.hub.close()

    def shorten_grace(self, seconds: float) -> None:
        """Cut the jobs off after so many seconds, if not before; wait for no time."""
        self.bounded = True
        for record in self.schedule.timed():
            self.cancel(record, CancelCause.SHUTDOWN, "the queue is shutting down")
        if seconds <= 0:
            self.cut_off()
        else:
            self.cut_off_at = min(self.cut_off_at, trio.current_time() + seconds)
            self.alarm.deadline = min(self.alarm.deadline, self.cut_off_at)

    def cut_off(self) -> None:
        """The time is over: cancel every job."""
        for record in [*self.schedule.jobs(), *self.running]:
            self.cancel(record, CancelCause.SHUTDOWN, "the queue is shutting down")

    def abandon(self, cause: CancelCause) -> None:
        """The workers are being cancelled: cancel what is pending and take nothing more.

        The running jobs hear of it from the scope that is around the workers.
        """
        if self.ending is None:
            self.ending = cause
        self.refuse()
        for record in self.schedule.jobs():
            record.cancel_cause = self.ending
            self.finish(record, JobStatus.CANCELLED)

    def end(self) -> None:
        """The block has been left."""
        for _, record in list(self.ended):
            self._account_for(record)

    def statistics(self) -> QueueStatistics:
        """The state in numbers."""
        return QueueStatistics(
            workers=self.workers,
            pending=self.schedule.pending,
            running=len(self.running),
            completed=self.totals[JobStatus.COMPLETED],
            failed=self.totals[JobStatus.FAILED],
            cancelled=self.totals[JobStatus.CANCELLED],
            evicted=self.evicted,
            submitters_waiting=self.schedule.outside,
            unrecorded=self.recorder.lost if self.recorder is not None else 0,
        )
