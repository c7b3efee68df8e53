"""What a task of a job can wait for, and which jobs would have to go on for it to come about.

These are the edges of the wait-for graph (see ``_deadlock``): a goal names the nodes of which
one has to go on. A goal that has come about, or that comes about without any waiting job, by
a worker that is free, by the clock or by a task outside all jobs, needs none: ``UNBLOCKED``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, final

from ticketr.jobs._job import PENDING, JobRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from trio.lowlevel import Task

    from ticketr.jobs._schedule import Schedule, Submission


class QueueState(Protocol):
    """What is asked of a queue's ledger, which has more, and what is told to it.

    Attributes:
        waiting_count: How many running jobs wait.
        opened_by: The job that has opened the queue, if one has, and that job's queue.
        deadline: When a scope around the queue ends it.
    """

    waiting_count: int

    @property
    def workers(self) -> int: ...
    @property
    def running(self) -> Mapping[Task, JobRecord]: ...
    @property
    def schedule(self) -> Schedule: ...
    @property
    def any_running_job(self) -> AnyRunningJob: ...
    @property
    def all_running_jobs(self) -> AllRunningJobs: ...
    @property
    def opened_by(self) -> tuple[JobRecord, QueueState] | None: ...
    @property
    def is_idle(self) -> bool: ...
    @property
    def draining(self) -> bool: ...
    @property
    def refusing(self) -> bool: ...
    @property
    def cut_off_at(self) -> float: ...
    @property
    def deadline(self) -> float: ...

    def queues(self) -> Iterable[QueueState]:
        """Return the books of all open queues."""

    def admit(self, above: Submission) -> None:
        """Let a submission in though there is no room."""

    def request_deadlock_check(self) -> None:
        """Have it looked soon whether jobs wait for ever."""

    def request_deadlock_check_at(self, time: float) -> None:
        """Have it looked at this time, too."""


@final
@dataclass(eq=False, slots=True)
class AnyRunningJob:
    """A node: some running job of a queue goes on, and may end. A queue has one."""

    ledger: QueueState


@final
@dataclass(eq=False, slots=True)
class AllRunningJobs:
    """A node: every running job of a queue goes on. A queue has one."""

    ledger: QueueState


Node: TypeAlias = "JobRecord | AnyRunningJob | AllRunningJobs"
"""Something that may go on; a record stands for a running job."""
Blockers: TypeAlias = "Sequence[Node] | None"
"""The nodes of which one has to go on, or ``UNBLOCKED``."""
UNBLOCKED: Final = None


class WaitTarget(Protocol):
    """What is waited for.

    Attributes:
        is_refusable: Whether the wait may end with ``WouldDeadlock``.
    """

    @property
    def is_refusable(self) -> bool: ...

    def blockers(self) -> Blockers:
        """Return what has to go on for it to come about."""

    def describe(self, waiter: JobRecord) -> str:
        """Name it, for the error message of a job that would wait for ever."""


@final
@dataclass(frozen=True, slots=True)
class JobEnd:
    """The end of a job."""

    ledger: QueueState
    record: JobRecord
    is_refusable: bool = True

    def blockers(self) -> Blockers:
        schedule, record = self.ledger.schedule, self.record
        is_paused = False
        while record.status is PENDING:
            if schedule.expires(record):
                return UNBLOCKED
            is_paused = is_paused or schedule.is_paused_for(record)
            blocker = schedule.blocking_job(record)
            if blocker is None:
                if len(self.ledger.running) == self.ledger.workers:
                    return (self.ledger.any_running_job,)
                return blockers_of_outside_tasks(self.ledger) if is_paused else UNBLOCKED
            record = blocker
        return (record,)

    def describe(self, waiter: JobRecord) -> str:
        target = self.record
        if target is waiter:
            return "itself"
        if target.status is not PENDING:
            return f"job {target.id!r}, which waits for this one"
        blocker = self.ledger.schedule.blocking_job(target)
        if blocker is None and self.ledger.running.get(waiter.worker) is waiter:
            return f"job {target.id!r}, which needs the worker that this job holds"
        if blocker is None:
            return f"job {target.id!r}, which needs a worker, and these are held by jobs that wait"
        if blocker is waiter and target.key_slot is not None and target.key_slot is waiter.key_slot:
            return f"job {target.id!r}, which needs the key that this job holds"
        return f"job {target.id!r}, which waits for the end of job {blocker.id!r}"


@final
@dataclass(frozen=True, slots=True)
class QueueRoom:
    """Room in a queue for one more pending job. If it cannot come, the job enters all the same."""

    ledger: QueueState
    submission: Submission
    is_refusable: bool = False

    def blockers(self) -> Blockers:
        ledger = self.ledger
        if not ledger.schedule.is_waiting_for_room(self.submission) or ledger.schedule.may_expire:
            return UNBLOCKED
        held: Blockers = ()
        if len(ledger.running) < ledger.workers:
            if can_start_job(ledger):
                return UNBLOCKED
            if ledger.schedule.has_pauses:
                held = blockers_of_outside_tasks(ledger)
        return UNBLOCKED if held is None else (ledger.any_running_job, *held)

    def describe(self, waiter: JobRecord) -> str:
        return "room in the queue"


@final
@dataclass(frozen=True, slots=True)
class NextChange:
    """Something to read of a queue's jobs, or of one, which counts as its end."""

    ledger: QueueState
    record: JobRecord | None
    is_ready: Callable[[], bool]
    is_refusable: bool = True

    def blockers(self) -> Blockers:
        ledger = self.ledger
        if self.is_ready():
            return UNBLOCKED
        if self.record is not None:
            is_timed = ledger.schedule.waits_for_time(
                self.record
            )  # which is told of when it is due
            return UNBLOCKED if is_timed else JobEnd(ledger, self.record).blockers()
        if ledger.schedule.may_expire or ledger.schedule.has_delayed:
            return UNBLOCKED
        others = blockers_of_outside_tasks(ledger)
        # As long as the queue takes jobs, those of others may submit some.
        queues = [ledger] if ledger.refusing else list(ledger.queues())
        if others is UNBLOCKED or any(map(can_start_job, queues)):
            return UNBLOCKED
        return [*(queue.any_running_job for queue in queues), *others]

    def describe(self, waiter: JobRecord) -> str:
        if self.record is not None:
            return JobEnd(self.ledger, self.record).describe(waiter)
        return "a change of jobs that wait themselves"


@final
@dataclass(frozen=True, slots=True)
class QueueIdle:
    """No job of a queue is pending or running."""

    ledger: QueueState
    is_refusable: bool = True

    def blockers(self) -> Blockers:
        return UNBLOCKED if self.ledger.is_idle else (self.ledger.all_running_jobs,)

    def describe(self, waiter: JobRecord) -> str:
        return "the end of all jobs of a queue, of which one waits for this one"


def can_start_job(ledger: QueueState) -> bool:
    """Tell whether a pending job can start without any other going on first."""
    has_worker = len(ledger.running) < ledger.workers
    return has_worker and (ledger.schedule.has_delayed or ledger.schedule.peek() is not None)


def blockers_of_outside_tasks(ledger: QueueState) -> Blockers:
    """Return what has to go on for a task outside the jobs to act on a queue.

    Until its block is being left there may be such tasks. If the block is in a job of another
    queue, they are those of that job, or those outside of that queue's jobs.
    """
    blockers: list[Node] = []
    while not ledger.draining:
        if ledger.opened_by is None:
            return UNBLOCKED
        record, ledger = ledger.opened_by
        blockers.append(record)
    return blockers
