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
from contextvars import Context
from threading import get_ident
from typing import TYPE_CHECKING, Final, TypeVar, final

import trio
from trio.lowlevel import enable_ki_protection

from ticketr._errors import DuplicateJob, QueueClosed
from ticketr.jobs._goals import AnyJobOf, ChangeIn, EveryJobOf
from ticketr.jobs._job import (
    CANCELLED,
    NO_CONTEXT,
    NO_REPORT,
    PENDING,
    RUNNING,
    CancelCause,
    CancelOutcome,
    JobRecord,
    JobStatus,
    OnConflict,
    gone,
)
from ticketr.jobs._keys import Keys
from ticketr.jobs._past import Past
from ticketr.jobs._rivals import rivals_of
from ticketr.jobs._schedule import Schedule
from ticketr.jobs._updates import Hub
from ticketr.jobs._waits import waits_of_run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence, Sized

    from ticketr.jobs._goals import Books
    from ticketr.jobs._job import JobID, JobSnapshot
    from ticketr.jobs._numbers import Keep
    from ticketr.jobs._recorder import Recorder
    from ticketr.jobs._schedule import Submission
    from ticketr.jobs._waits import Waits


T = TypeVar("T")

ENTERS: Final = frozenset({OnConflict.WAIT, OnConflict.SUPERSEDE})
"""What a job may do about its rivals and still enter."""
PATIENCE: Final = 5.0
"""Seconds after which to tell of the jobs that did not stop when they were cut off."""


@final
class Ledger:
    """The state of one queue."""

    __slots__ = (
        "_ids",
        "_numbers",
        "_quiet",
        "_thread",
        "alarm",
        "any_job",
        "arriving",
        "awaited_wakeups",
        "bounded",
        "closed",
        "cut_off_at",
        "deadline",
        "ending",
        "every_job",
        "fatal",
        "hub",
        "idle",
        "is_suspect",
        "keys",
        "leaving",
        "look_again_at",
        "now",
        "opener",
        "past",
        "patience",
        "recorder",
        "records",
        "refusing",
        "report_at",
        "running",
        "schedule",
        "scope",
        "totals",
        "waiters",
        "waiting",
        "waits",
        "wakeups",
        "waking",
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
        self.hub: Hub[JobRecord] = Hub[JobRecord](self._wait_for_change)
        self._thread: Final = get_ident()  # of the run that this belongs to
        self.recorder: Recorder | None = None  # of the history, if there is one

        self.records: dict[JobID, JobRecord] = {}
        self.running: dict[trio.lowlevel.Task, JobRecord] = {}  # by their workers
        self.keys: Keys[JobRecord] = Keys()  # of the live jobs
        self.past: Past = Past(self.records, keep, on_job_error, self.interrupt)
        self.totals: dict[JobStatus, int] = dict.fromkeys(JobStatus, 0)
        self.waits: Waits = waits_of_run()
        self.waiters: Sized = self.waits.waiters  # empty if no job of any queue waits
        self.any_job: AnyJobOf = AnyJobOf(self)
        self.every_job: EveryJobOf = EveryJobOf(self)
        self.waiting: int = 0  # how many running jobs wait for any queue
        self.is_suspect: bool = False  # some of them may wait for ever
        self.look_again_at: float = math.inf
        self.deadline: float = trio.current_effective_deadline()  # of what is around the queue
        # The job that has opened this queue, and that job's queue.
        self.opener: tuple[JobRecord, Books] | None = next(
            iter(self.waits.jobs_around().items()), None
        )
        self._ids = itertools.count(1)
        self._numbers = itertools.count()

        self.wakeups: trio.MemorySendChannel[None]
        self.awaited_wakeups: trio.MemoryReceiveChannel[None]
        self.wakeups, self.awaited_wakeups = trio.open_memory_channel[None](workers)
        # Who has no job, in the order of the channel; one that lingers is first.
        self.idle: deque[trio.lowlevel.Task] = deque()
        self.arriving: int = 0  # submits that are about to return, and will see to waking
        self.waking: bool = False  # the first of them is on its way

        self.refusing: bool = False  # no new jobs
        self.closed: bool = False  # nor will any job change
        self.ending: CancelCause | None = None  # why jobs are being cut off
        self.fatal: list[BaseException] = []  # what was raised that must leave the queue
        self.scope: trio.CancelScope = trio.CancelScope()  # around its tasks
        self.leaving: bool = False  # pauses are lifted
        self.bounded: bool = False  # nothing is waited for that is not due
        self.cut_off_at: float = math.inf
        self.patience: float = PATIENCE  # then the jobs that did not stop are told of
        self.report_at: float = math.inf  # which is when
        # Its deadline is when to look at the clock next.
        self.alarm: trio.CancelScope = trio.CancelScope()
        self._quiet: trio.Event | None = None

    # Entering

    def enter(self, record: JobRecord, *, above: bool = False) -> JobRecord | None:
        """Take a new job, and give it back, or the job that it was joined to; None: no room.

        This may wake nobody: that is up to who enters it, now or by saying that it has
        :meth:`arrived`.

        Args:
            record: The job's.
            above: Whether to take it though there is no room.
        """
        if self.refusing:
            raise QueueClosed
        if get_ident() != self._thread:  # there is no other run in it as long as this is open
            self.hub.home.check()
        lane = None if record.key is None else self.keys.find(record.key)  # which may raise
        victims: Sequence[JobRecord] = ()
        now = self.now()
        if record.on_conflict or record.id:
            rivals = rivals_of(record, self.records, lane)
            if rivals and record.on_conflict not in ENTERS:
                return self._give_way(record, rivals)
            is_late = record.start_by is not None and record.start_by <= now
            if record.on_conflict is OnConflict.SUPERSEDE and not is_late:
                victims = rivals
            record.after = rivals[0] if rivals and record.id else None
        schedule = self.schedule
        if schedule.pending >= schedule.max_pending and not (
            above
            # It takes the place of a pending one; otherwise it needs room like any other.
            or (victims and any(victim.status is PENDING for victim in victims))
        ):
            return None
        if record.key is not None:
            record.lane = lane or self.keys.add(record.key)  # this may raise too
            record.lane.jobs[record] = None
        record.number = next(self._numbers)
        if not record.id:
            record.id = f"job-{next(self._ids)}"
            while record.id in self.records:  # somebody chose that one
                record.id = f"job-{next(self._ids)}"
        record.submitted_at = now
        record.due_at = now + record.due_at if record.due_at else now
        schedule.add(record, now)
        if schedule.minds_time or self.hub.is_watched:
            self._announce(record)
        # In the place of one that has ended, or of one that it waits for.
        self.records[record.id] = record
        for victim in victims:
            self.cancel(victim, CancelCause.SUPERSEDED, "another job took its place")
        if self.idle and (record.context if self.waking else not self.running):
            self.wake()
        return record

    def _give_way(self, record: JobRecord, rivals: list[JobRecord]) -> JobRecord:
        running = (rival for rival in rivals if rival.status is RUNNING)
        first = next(running, rivals[0])
        if record.on_conflict is OnConflict.JOIN:
            return first
        raise DuplicateJob(first.id, None if record.id else record.key)

    def _announce(self, record: JobRecord) -> None:
        """A job has become pending: who keeps the time and who watches may want to know."""
        if self.schedule.minds_time:
            self.mind_time()
        self.hub.changed(record)

    def mind_time(self) -> None:
        """Look at the clock when the schedule next needs it."""
        self.alarm.deadline = min(self.alarm.deadline, self.schedule.next_time())

    def admit(self, above: Submission | None = None) -> None:
        """Let in who waits outside, as far as there is room; this one though there is none."""
        if above is not None:
            self.schedule.leave(above)
        submission = above or self.schedule.let_in()
        while submission is not None:
            try:
                entered = self.enter(submission.record, above=submission is above)
                assert entered is not None  # there was room
                submission.record = entered
            except Exception as refusal:  # noqa: BLE001 - a key's own code may raise anything
                submission.refusal = refusal
            finally:
                self.answer(submission)
            submission = self.schedule.let_in()

    def answer(self, submission: Submission) -> None:
        """Let a submitter go on that waited for room: it is about to have arrived."""
        self.arriving += 1
        submission.is_answered = True
        trio.lowlevel.reschedule(submission.task)

    def arrived(self) -> None:
        """A submitter goes on: if no worker has taken its job by now, one is to be woken."""
        self.arriving -= 1
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
        if not self.waking:
            self.waking = True
            self.wakeups.send_nowait(None)

    # Running and ending

    @enable_ki_protection
    def take(self, worker: trio.lowlevel.Task) -> JobRecord | None:
        """Give the next job to a worker, if there is one: it is running from here on."""
        record = self.schedule.take()
        if record is None:
            return None
        record.started_at = self.now()
        record.report = NO_REPORT
        record.attempt += 1
        record.worker = worker
        if record.context:
            record.spare_context = record.context.copy()
        record.scope = trio.CancelScope()  # which takes half as long again with an argument
        if record.timeout != math.inf:
            record.scope.relative_deadline = record.timeout
        record.status = RUNNING
        record.revision += 1
        self.running[worker] = record
        if self.hub.is_watched:
            self.hub.changed(record)
        if self.schedule.outside:
            self.admit()
        if self.idle and self.schedule.pending > self.arriving:
            self.wake()
        return record

    def put_back(self, record: JobRecord, delay: float) -> None:
        """A running job is to be tried again after so many seconds; there is always room."""
        del self.running[record.worker]
        del record.worker, record.scope
        if record.lane is not None:
            self.schedule.release(record)
        record.status = PENDING
        record.revision += 1
        record.context, record.spare_context = record.spare_context or Context(), None
        now = self.now()
        record.due_at = now + delay
        self.schedule.add(record, now)
        self._announce(record)
        if self.bounded and record.due_at > now:
            self.cancel(record, CancelCause.SHUTDOWN)
        self.wake()
        if self.waiters and self.waiting >= len(self.running):
            self.waits.reconsider()

    @enable_ki_protection
    def finish(self, record: JobRecord, status: JobStatus, result: object = None) -> None:
        """Write down how a job ended; of one that failed, the error is in its record."""
        was_running = record.status is RUNNING
        if was_running:
            del self.running[record.worker]
            del record.worker, record.scope
            if record.lane is not None:
                self.schedule.release(record)
        else:
            self.schedule.discard(record)
        now = self.now()
        record.result = result
        record.finished_at = now
        record.status = status
        record.revision += 1
        # To be thrown away when all is done, since that may run code of the user's.
        contexts = record.context, record.spare_context
        belongings = record.function, record.args, record.retry, contexts
        record.function, record.args, record.context = gone, (), NO_CONTEXT
        record.spare_context = record.retry = record.why_pending = None
        if self.schedule.blocked:
            self.schedule.ended(record)
        if record.after is not None:
            self._give_back_id(record)
        if record.lane is not None:
            self._forget_key(record)
        self.totals[status] += 1
        past = self.past
        past.jobs.append(record)
        if self.hub.is_watched:
            self.hub.ended(record)
        if self.recorder is not None:
            try:
                self.recorder.put(record.snapshot())
            except BaseException as error:  # noqa: ASYNC103, BLE001 - its summary calls sys.exit()
                self.interrupt(error)
        if record.ended is not None:
            # A parked waiter is sure to get the outcome, though it has not run yet.
            record.claimed |= record.ended.statistics().tasks_waiting > 0
            record.ended.set()
            record.ended = None
        if not was_running:
            self.admit()
            self.wake()
        del belongings, contexts
        if self.waiters and self.waiting >= len(self.running):
            self.waits.ended(record, self)
        if self._quiet is not None and self.is_idle:
            self.settle()
        if len(past.jobs) > past.limit or now > past.stale_at:
            past.forget(now)

    def _give_back_id(self, record: JobRecord) -> None:
        """An ID belongs to whom the ended job waited for, if that one still lives."""
        predecessor = self.schedule.predecessor(record)
        if predecessor is not None and self.records.get(record.id) is record:
            self.records[record.id] = predecessor

    def _forget_key(self, record: JobRecord) -> None:
        lane = record.lane
        assert lane is not None  # it has a key
        del lane.jobs[record]
        if not lane.jobs and not self.schedule.is_paused_key(lane):
            self.keys.forget(lane)

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
        if record.status is PENDING:
            self.finish(record, CANCELLED)
            return CancelOutcome.CANCELLED
        record.revision += 1
        self.hub.changed(record)
        record.scope.cancel(reason)
        return CancelOutcome.REQUESTED

    def drop(self, record: JobRecord, cause: CancelCause) -> None:
        """End a pending job that nobody cancels, if it has not ended by now.

        With the end of another one ``on_job_error`` may have been called, and done anything.
        """
        if record.status is PENDING:
            record.cancel_cause = cause
            self.finish(record, CANCELLED)

    def tell(self, records: Iterable[JobRecord]) -> None:
        """These wait for something else from now on."""
        for record in records:
            record.revision += 1
            self.hub.changed(record)
        self.wake()
        self.waits.reconsider()

    @enable_ki_protection
    def suspect(self) -> None:
        """Have it looked soon whether jobs wait for ever."""
        self.is_suspect = True
        self.alarm.deadline = -math.inf

    def queues(self) -> Iterable[Books]:
        """Return the books of all open queues of the run."""
        return set(self.waits.helpers.values())

    def look_at(self, time: float) -> None:
        """Have it looked at this time, too."""
        self.look_again_at = min(self.look_again_at, time)
        self.alarm.deadline = min(self.alarm.deadline, time)

    @property
    def evicted(self) -> int:
        """How many ended jobs are no longer remembered."""
        return sum(self.totals.values()) - self.past.remembered

    # The end of the queue

    def interrupt(self, error: BaseException) -> None:
        """An interrupt or exit ends the queue, and leaves it by its block.

        It does not go by the nursery, which would ask it for its ``repr`` and take it apart.
        """
        self.fatal.append(error)
        if self.ending is None:
            self.ending = CancelCause.SHUTDOWN
        self.scope.cancel("a job or a callback raised what ends the program")

    @property
    def is_idle(self) -> bool:
        """Whether no job is pending or running."""
        return not self.running and not self.schedule.pending

    def quiet(self) -> trio.Event:
        """Set when no job is pending or running; another may have come by the time one looks."""
        if self._quiet is None:
            self._quiet = trio.Event()
        return self._quiet

    def _wait_for_change(
        self,
        record: JobRecord | None,
        has_come: Callable[[], bool],
        park: Callable[[], Awaitable[T]],
    ) -> Awaitable[T]:
        return self.waits.wait(ChangeIn(self, record, has_come), park)

    def settle(self) -> None:
        """Tell who waits for it that no job is pending or running; close a queue that ends."""
        if self._quiet is not None:
            self._quiet.set()
            self._quiet = None
        if self.refusing:
            self.close()

    def close(self) -> None:
        """No job will change any more: let the readers go."""
        self.closed = True
        self.hub.close()
