"""What a task of a job can wait for, and which jobs would have to go on for it to come about.

These are the edges of the wait-for graph (see ``_deadlock``): a goal names the nodes of which
one has to go on. A goal that has come about, or that comes about without any waiting job, by
a worker that is free, by the clock or by a task outside all jobs, needs none: ``NOTHING``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, final

from ticketr.jobs._job import PENDING, JobRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from trio.lowlevel import Task

    from ticketr.jobs._schedule import Schedule, Submission


class Books(Protocol):
    """What is asked of a queue's ledger, which has more, and what is told to it.

    Attributes:
        waiting: How many running jobs wait.
        opener: The job that has opened the queue, if one has, and that job's queue.
        deadline: When a scope around the queue ends it.
    """

    waiting: int

    @property
    def workers(self) -> int: ...
    @property
    def running(self) -> Mapping[Task, JobRecord]: ...
    @property
    def schedule(self) -> Schedule: ...
    @property
    def any_job(self) -> AnyJobOf: ...
    @property
    def every_job(self) -> EveryJobOf: ...
    @property
    def opener(self) -> tuple[JobRecord, Books] | None: ...
    @property
    def is_idle(self) -> bool: ...
    @property
    def leaving(self) -> bool: ...
    @property
    def refusing(self) -> bool: ...
    @property
    def cut_off_at(self) -> float: ...
    @property
    def deadline(self) -> float: ...

    def queues(self) -> Iterable[Books]:
        """Return the books of all open queues."""

    def admit(self, above: Submission) -> None:
        """Let a submission in though there is no room."""

    def suspect(self) -> None:
        """Have it looked soon whether jobs wait for ever."""

    def look_at(self, time: float) -> None:
        """Have it looked at this time, too."""


@final
@dataclass(eq=False, slots=True)
class AnyJobOf:
    """A node: some running job of a queue goes on, and may end. A queue has one."""

    ledger: Books


@final
@dataclass(eq=False, slots=True)
class EveryJobOf:
    """A node: every running job of a queue goes on. A queue has one."""

    ledger: Books


Node: TypeAlias = "JobRecord | AnyJobOf | EveryJobOf"
"""Something that may go on; a record stands for a running job."""
Needs: TypeAlias = "Sequence[Node] | None"
"""The nodes of which one has to go on, or ``NOTHING``."""
NOTHING: Final = None


class Goal(Protocol):
    """What is waited for.

    Attributes:
        is_refusable: Whether the wait may end with ``WouldDeadlock``.
    """

    @property
    def is_refusable(self) -> bool: ...

    def needs(self) -> Needs:
        """Return what has to go on for it to come about."""

    def words(self, waiter: JobRecord) -> str:
        """Name it, for the error message of a job that would wait for ever."""


@final
@dataclass(frozen=True, slots=True)
class EndOf:
    """The end of a job."""

    ledger: Books
    record: JobRecord
    is_refusable: bool = True

    def needs(self) -> Needs:
        schedule, record = self.ledger.schedule, self.record
        is_paused = False
        while record.status is PENDING:
            if schedule.expires(record):
                return NOTHING
            is_paused = is_paused or schedule.is_held(record)
            obstacle = schedule.waits_for_end_of(record)
            if obstacle is None:
                if len(self.ledger.running) == self.ledger.workers:
                    return (self.ledger.any_job,)
                return outsiders(self.ledger) if is_paused else NOTHING
            record = obstacle
        return (record,)

    def words(self, waiter: JobRecord) -> str:
        target = self.record
        if target is waiter:
            return "itself"
        if target.status is not PENDING:
            return f"job {target.id!r}, which waits for this one"
        obstacle = self.ledger.schedule.waits_for_end_of(target)
        if obstacle is None and self.ledger.running.get(waiter.worker) is waiter:
            return f"job {target.id!r}, which needs the worker that this job holds"
        if obstacle is None:
            return f"job {target.id!r}, which needs a worker, and these are held by jobs that wait"
        if obstacle is waiter and target.lane is not None and target.lane is waiter.lane:
            return f"job {target.id!r}, which needs the key that this job holds"
        return f"job {target.id!r}, which waits for the end of job {obstacle.id!r}"


@final
@dataclass(frozen=True, slots=True)
class RoomFor:
    """Room in a queue for one more pending job. If it cannot come, the job enters all the same."""

    ledger: Books
    submission: Submission
    is_refusable: bool = False

    def needs(self) -> Needs:
        ledger = self.ledger
        if not ledger.schedule.is_outside(self.submission) or ledger.schedule.may_expire:
            return NOTHING
        held: Needs = ()
        if len(ledger.running) < ledger.workers:
            if may_start(ledger):
                return NOTHING
            if ledger.schedule.has_pauses:
                held = outsiders(ledger)
        return NOTHING if held is None else (ledger.any_job, *held)

    def words(self, waiter: JobRecord) -> str:
        return "room in the queue"


@final
@dataclass(frozen=True, slots=True)
class ChangeIn:
    """Something to read of a queue's jobs, or of one, which counts as its end."""

    ledger: Books
    record: JobRecord | None
    has_come: Callable[[], bool]
    is_refusable: bool = True

    def needs(self) -> Needs:
        ledger = self.ledger
        if self.has_come():
            return NOTHING
        if self.record is not None:
            is_timed = ledger.schedule.waits_for_time(
                self.record
            )  # which is told of when it is due
            return NOTHING if is_timed else EndOf(ledger, self.record).needs()
        if ledger.schedule.may_expire or ledger.schedule.has_timed:
            return NOTHING
        others = outsiders(ledger)
        # As long as the queue takes jobs, those of others may submit some.
        queues = [ledger] if ledger.refusing else list(ledger.queues())
        if others is NOTHING or any(map(may_start, queues)):
            return NOTHING
        return [*(queue.any_job for queue in queues), *others]

    def words(self, waiter: JobRecord) -> str:
        if self.record is not None:
            return EndOf(self.ledger, self.record).words(waiter)
        return "a change of jobs that wait themselves"


@final
@dataclass(frozen=True, slots=True)
class AllEnded:
    """No job of a queue is pending or running."""

    ledger: Books
    is_refusable: bool = True

    def needs(self) -> Needs:
        return NOTHING if self.ledger.is_idle else (self.ledger.every_job,)

    def words(self, waiter: JobRecord) -> str:
        return "the end of all jobs of a queue, of which one waits for this one"


def may_start(ledger: Books) -> bool:
    """Tell whether a pending job can start without any other going on first."""
    has_worker = len(ledger.running) < ledger.workers
    return has_worker and (ledger.schedule.has_timed or ledger.schedule.peek() is not None)


def outsiders(ledger: Books) -> Needs:
    """Return what has to go on for a task outside the jobs to act on a queue.

    Until its block is being left there may be such tasks. If the block is in a job of another
    queue, they are those of that job, or those outside of that queue's jobs.
    """
    needs: list[Node] = []
    while not ledger.leaving:
        if ledger.opener is None:
            return NOTHING
        record, ledger = ledger.opener
        needs.append(record)
    return needs
