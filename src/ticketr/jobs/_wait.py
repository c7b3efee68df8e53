"""One wait of a job, and which of several is ended if none of them can end by itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

import trio

from ticketr.jobs._goals import NOTHING, RoomFor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ticketr.jobs._goals import Books, Goal, Needs
    from ticketr.jobs._job import JobRecord


@final
class Wait:
    """One task's wait inside one or more jobs.

    Attributes:
        goal: What it waits for.
        jobs: The jobs that the task belongs to, the innermost first: more than one if a job
            has opened a queue.
        number: Rises from wait to wait.
        scope: Cancelled to end the wait, or to have the deadline read anew.
        deadline: When a scope inside the outermost queue will end it, as the task saw it when it
            parked; infinite if none will.
        is_refused: Whether it is to end with ``WouldDeadlock``.
    """

    __slots__ = ("deadline", "goal", "is_refused", "jobs", "number", "scope")

    def __init__(self, goal: Goal, jobs: Sequence[JobRecord], number: int) -> None:
        self.goal = goal
        self.jobs = jobs
        self.number = number
        self.scope = trio.CancelScope()
        self.deadline: float = math.inf
        self.is_refused: bool = False

    @property
    def ends_by_time(self) -> bool:
        """Whether a deadline ends it.

        One around a submit does not count: if it passes, the job is lost that could be let in.
        """
        return self.deadline != math.inf and not isinstance(self.goal, RoomFor)

    def end(self) -> None:
        """End it, by letting the job in or by ``WouldDeadlock``."""
        if isinstance(self.goal, RoomFor):
            self.goal.ledger.admit(self.goal.submission)
        else:
            self.is_refused = True
            self.scope.cancel()

    def needs(self) -> Needs:
        """Return what has to go on for it to end; a deadline aside."""
        if self.is_refused:
            return NOTHING
        try:
            return self.goal.needs()
        except Exception:  # noqa: BLE001 - a key's own code, which fails the job it belongs to
            return NOTHING


@final
class Waiter:
    """A job that waits.

    Attributes:
        worker: The job's worker.
        ledger: Its queue's books.
        waits: The waits of all tasks below the worker.
    """

    __slots__ = ("ledger", "waits", "worker")

    def __init__(self, worker: trio.lowlevel.Task, ledger: Books) -> None:
        self.worker = worker
        self.ledger = ledger
        self.waits: dict[Wait, None] = {}


def deadline_inside(ledger: Books) -> float:
    """Return when a scope around the current task ends it that is not around the queue as well."""
    deadline = trio.current_effective_deadline()
    return deadline if deadline < ledger.deadline else math.inf


def wait_to_end(deadlock: Sequence[Wait]) -> Wait | None:
    """Choose the wait of a deadlock that is to be ended; None if none may be."""
    submits = [wait for wait in deadlock if isinstance(wait.goal, RoomFor)]
    if submits:
        return min(submits, key=_place)
    refusable = [wait for wait in deadlock if wait.goal.is_refusable]
    return max(refusable, key=lambda wait: wait.number, default=None)


def _place(submit: Wait) -> tuple[float, int]:
    assert isinstance(submit.goal, RoomFor)
    return submit.goal.ledger.schedule.place_outside(submit.goal.submission)
