"""One wait of a job, and which of several is ended if none of them can end by itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

import trio

from ticketr.jobs._wait_targets import UNBLOCKED, QueueRoom

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ticketr.jobs._job import JobRecord
    from ticketr.jobs._wait_targets import Blockers, QueueState, WaitTarget


@final
class Wait:
    """One task's wait inside one or more jobs.

    Attributes:
        target: What it waits for.
        jobs: The jobs that the task belongs to, the innermost first: more than one if a job
            has opened a queue.
        number: Rises from wait to wait.
        scope: Cancelled to end the wait, or to have the deadline read anew.
        deadline: When a scope inside the outermost queue will end it, as the task saw it when it
            parked; infinite if none will.
        is_refused: Whether it is to end with ``WouldDeadlock``.
    """

    __slots__ = ("deadline", "is_refused", "jobs", "number", "scope", "target")

    def __init__(self, target: WaitTarget, jobs: Sequence[JobRecord], number: int) -> None:
        self.target = target
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
        return self.deadline != math.inf and not isinstance(self.target, QueueRoom)

    def end(self) -> None:
        """End it, by letting the job in or by ``WouldDeadlock``."""
        if isinstance(self.target, QueueRoom):
            self.target.ledger.admit(self.target.submission)
        else:
            self.is_refused = True
            self.scope.cancel()

    def blockers(self) -> Blockers:
        """Return what has to go on for it to end; a deadline aside."""
        if self.is_refused:
            return UNBLOCKED
        try:
            return self.target.blockers()
        except Exception:  # noqa: BLE001 - a key's own code, which fails the job it belongs to
            return UNBLOCKED


@final
class WaitingJob:
    """A job that waits.

    Attributes:
        worker: The job's worker.
        ledger: Its queue's books.
        waits: The waits of all tasks below the worker.
    """

    __slots__ = ("ledger", "waits", "worker")

    def __init__(self, worker: trio.lowlevel.Task, ledger: QueueState) -> None:
        self.worker = worker
        self.ledger = ledger
        self.waits: dict[Wait, None] = {}


def deadline_inside(ledger: QueueState) -> float:
    """Return when a scope around the current task ends it that is not around the queue as well."""
    deadline = trio.current_effective_deadline()
    return deadline if deadline < ledger.deadline else math.inf


def choose_wait_to_end(deadlock: Sequence[Wait]) -> Wait | None:
    """Choose the wait of a deadlock that is to be ended; None if none may be."""
    submits = [wait for wait in deadlock if isinstance(wait.target, QueueRoom)]
    if submits:
        return min(submits, key=_submission_order)
    refusable = [wait for wait in deadlock if wait.target.is_refusable]
    return max(refusable, key=lambda wait: wait.number, default=None)


def _submission_order(submit: Wait) -> tuple[float, int]:
    assert isinstance(submit.target, QueueRoom)
    return submit.target.ledger.schedule.submission_order(submit.target.submission)
