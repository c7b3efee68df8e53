"""What a task of a job can wait for, and the jobs that block it.

These are the edges of the wait-for graph (see ``_deadlock``). A wait target returns its blockers:
one of these nodes has to proceed. It returns ``UNBLOCKED`` if it has been reached, or can be
reached without a waiting job: by a free worker, by the clock, or by a task outside all jobs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, final

import trio

from ticketr.jobs._job import PENDING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from trio.lowlevel import Task

    from ticketr.jobs._phase import Phase
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._repeat import Repeats
    from ticketr.jobs._schedule import Schedule
    from ticketr.jobs._submission import Submission
    from ticketr.jobs._timer import Timer


class QueueState(Protocol):
    """The part of a queue that deadlock detection uses."""

    @property
    def workers(self) -> int: ...
    @property
    def running(self) -> Mapping[Task, JobRecord]: ...
    @property
    def schedule(self) -> Schedule: ...
    @property
    def phase(self) -> Phase: ...
    @property
    def timer(self) -> Timer: ...
    @property
    def waits(self) -> QueueWaits: ...
    @property
    def repeats(self) -> Repeats: ...
    @property
    def is_idle(self) -> bool: ...
    @property
    def tasks_are_ending(self) -> bool: ...

    def queues(self) -> Iterable[QueueState]:
        """Return all open queues of the Trio run."""

    def admit(self, above: Submission) -> None:
        """Admit a submission although the queue is full."""


@final
@dataclass(eq=False, slots=True)
class AnyRunningJob:
    """The node of a queue that proceeds if any of its running jobs does."""

    queue: QueueState


@final
@dataclass(eq=False, slots=True)
class AllRunningJobs:
    """The node of a queue that proceeds if all of its running jobs do."""

    queue: QueueState


@final
class QueueWaits:
    """A queue as a part of the wait graph.

    Also written in ``_wait_graph``: the count.

    Attributes:
        waiting_count: The number of the queue's running jobs that wait.
        opened_by: The job that has opened the queue, and that job's queue; None if no job has.
        deadline: The effective deadline around the queue.
        any_running_job: The node of any one of its running jobs.
        all_running_jobs: The node of all its running jobs.
    """

    __slots__ = ("all_running_jobs", "any_running_job", "deadline", "opened_by", "waiting_count")

    def __init__(self, queue: QueueState, around: Mapping[JobRecord, QueueState]) -> None:
        self.waiting_count: int = 0
        self.opened_by: tuple[JobRecord, QueueState] | None = next(iter(around.items()), None)
        self.deadline: float = trio.current_effective_deadline()
        self.any_running_job: AnyRunningJob = AnyRunningJob(queue)
        self.all_running_jobs: AllRunningJobs = AllRunningJobs(queue)

    def is_stuck(self, running: int) -> bool:
        """Return whether all of so many running jobs wait."""
        return self.waiting_count >= running

    def read_deadline(self) -> None:
        """Read the effective deadline again, in a task of the queue."""
        self.deadline = trio.current_effective_deadline()


@final
@dataclass(frozen=True, slots=True)
class Predecessors:
    """The node of a pending job that starts after others.

    It proceeds if one of them does, since that one may fail. If the job starts however they end, it
    proceeds if all do.
    """

    queue: QueueState
    record: JobRecord

    @property
    def needs_all(self) -> bool:
        """Whether all of the jobs have to proceed."""
        links = self.record.extras.links
        return links is not None and links.any_end

    def ends(self) -> list[JobEnd]:
        """Return the ends that the job waits for."""
        links = self.record.extras.links
        return [] if links is None else [JobEnd(self.queue, job) for job in links.predecessors]


Node: TypeAlias = "JobRecord | AnyRunningJob | AllRunningJobs | Predecessors | JobEnd"
"""A node of the wait-for graph; a record stands for a running job."""
Blockers: TypeAlias = "Sequence[Node] | None"
"""Nodes, one of which has to proceed; or ``UNBLOCKED``."""
UNBLOCKED: Final = None


class WaitTarget(Protocol):
    """What a task waits for.

    Attributes:
        is_refusable: Whether the wait may end with ``WouldDeadlock``.
    """

    @property
    def is_refusable(self) -> bool: ...

    def blockers(self) -> Blockers:
        """Return nodes, one of which has to proceed before the wait can end."""

    def describe(self, waiter: JobRecord) -> str:
        """Describe the target, for the ``WouldDeadlock`` of a job."""


@final
@dataclass(frozen=True, slots=True)
class JobEnd:
    """The end of a job."""

    queue: QueueState
    record: JobRecord
    is_refusable: bool = True

    def blockers(self) -> Blockers:
        schedule, record = self.queue.schedule, self.record
        is_paused = False
        while record.status is PENDING:
            if schedule.expires(record):
                return UNBLOCKED
            if schedule.waits_after(record):
                return (Predecessors(self.queue, record),)
            is_paused = is_paused or schedule.is_paused_for(record)
            blocker = schedule.blocking_job(record)
            if blocker is None:
                if len(self.queue.running) == self.queue.workers:
                    return (self.queue.waits.any_running_job,)
                return blockers_of_outside_tasks(self.queue) if is_paused else UNBLOCKED
            record = blocker
        return (record,)

    def describe(self, waiter: JobRecord) -> str:
        target = self.record
        if target is waiter:
            return "itself"
        if target.status is not PENDING:
            return f"job {target.id!r}, which waits for this one"
        if self.queue.schedule.waits_after(target):
            return f"job {target.id!r}, which starts after one that waits for this job"
        blocker = self.queue.schedule.blocking_job(target)
        if blocker is None and self.queue.running.get(waiter.worker) is waiter:
            return f"job {target.id!r}, which needs the worker that this job holds"
        if blocker is None:
            return f"job {target.id!r}, which needs a worker, and these are held by jobs that wait"
        key_slot = target.extras.key_slot
        if blocker is waiter and key_slot is not None and key_slot is waiter.extras.key_slot:
            return f"job {target.id!r}, which needs the key that this job holds"
        return f"job {target.id!r}, which waits for the end of job {blocker.id!r}"


@final
@dataclass(frozen=True, slots=True)
class QueueRoom:
    """Room in a queue for a submission.

    In a deadlock the job is admitted, not refused.

    The time by which the job must start does not count: to let it pass would lose the job.
    """

    queue: QueueState
    submission: Submission
    is_refusable: bool = False

    def blockers(self) -> Blockers:
        queue = self.queue
        if self.submission not in queue.schedule.submissions or queue.schedule.may_expire:
            return UNBLOCKED
        held: Blockers = ()
        if len(queue.running) < queue.workers:
            if can_start_job(queue):
                return UNBLOCKED
            if queue.schedule.has_pauses:
                held = blockers_of_outside_tasks(queue)
        return UNBLOCKED if held is None else (queue.waits.any_running_job, *held)

    def describe(self, waiter: JobRecord) -> str:
        return "room in the queue"


@final
@dataclass(frozen=True, slots=True)
class NextChange:
    """The next update of one job, which counts as its end, or of any job of a queue."""

    queue: QueueState
    record: JobRecord | None
    is_ready: Callable[[], bool]
    is_refusable: bool = True

    def blockers(self) -> Blockers:
        queue = self.queue
        if self.is_ready():
            return UNBLOCKED
        if self.record is not None:
            # A delayed job has an update when it becomes due.
            is_timed = queue.schedule.waits_for_time(self.record)
            return UNBLOCKED if is_timed else JobEnd(queue, self.record).blockers()
        if queue.schedule.may_expire or queue.schedule.has_delayed:
            return UNBLOCKED
        others = blockers_of_outside_tasks(queue)
        # While the queue takes jobs, the jobs of other queues may submit some.
        queues = [queue] if queue.phase.refusing else list(queue.queues())
        if others is UNBLOCKED or any(map(can_start_job, queues)):
            return UNBLOCKED
        return [*(queue.waits.any_running_job for queue in queues), *others]

    def describe(self, waiter: JobRecord) -> str:
        if self.record is not None:
            return JobEnd(self.queue, self.record).describe(waiter)
        return "a change of jobs that wait themselves"


@final
@dataclass(frozen=True, slots=True)
class QueueIdle:
    """The end of all jobs of a queue."""

    queue: QueueState
    is_refusable: bool = True

    def blockers(self) -> Blockers:
        return UNBLOCKED if self.queue.is_idle else (self.queue.waits.all_running_jobs,)

    def describe(self, waiter: JobRecord) -> str:
        return "the end of all jobs of a queue, of which one waits for this one"


def can_start_job(queue: QueueState) -> bool:
    """Return whether a pending job can start without waiting for a running one."""
    schedule = queue.schedule
    return len(queue.running) < queue.workers and (
        schedule.has_delayed or schedule.starts_by_rate or schedule.peek() is not None
    )


def blockers_of_outside_tasks(queue: QueueState) -> Blockers:
    """Return the nodes that block the tasks which are in a queue's block, but in none of its jobs.

    Such tasks can submit or resume until the block is being left, as a repeat can. If a job of
    another queue has opened the block, they proceed if that job does, or a task outside that
    queue's jobs.
    """
    blockers: list[Node] = []
    while not queue.phase.draining:
        if queue.waits.opened_by is None or queue.repeats.next_time() < math.inf:
            return UNBLOCKED
        record, queue = queue.waits.opened_by
        blockers.append(record)
    return blockers
