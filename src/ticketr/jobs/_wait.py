"""One wait of a job, and the choice of the wait to end in a deadlock."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

import trio

from ticketr.jobs._wait_targets import UNBLOCKED, QueueRoom

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._wait_targets import Blockers, QueueState, WaitTarget


@final
class Wait:
    """The wait of one task that belongs to one or more jobs.

    Also written in ``_wait_graph``.

    Attributes:
        target: What the task waits for.
        jobs: The jobs that the task belongs to, the innermost first. There are several if a job
            has opened a queue.
        number: Rises from wait to wait.
        scope: Cancel it to end the wait, or to have the task read its deadline again.
        deadline: The deadline of the cancel scopes inside the outermost queue, as read when the
            task parked; infinite if there is none.
        is_refused: Whether the wait is to end with ``WouldDeadlock``.
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

        The deadline of a submit does not count: to let it pass would lose a job that could enter.
        """
        return self.deadline != math.inf and not isinstance(self.target, QueueRoom)

    def end(self) -> None:
        """End the wait: admit the job of a submit, else raise ``WouldDeadlock`` in the task."""
        if isinstance(self.target, QueueRoom):
            self.target.queue.admit(self.target.submission)
        else:
            self.is_refused = True
            self.scope.cancel()

    def blockers(self) -> Blockers:
        """Return the nodes that block the wait; deadlines are ignored."""
        if self.is_refused:
            return UNBLOCKED
        try:
            return self.target.blockers()
        except Exception:  # noqa: BLE001 - a key's own code raised; the queue fails that key's job
            return UNBLOCKED


@final
class WaitingJob:
    """A running job that waits.

    Also written in ``_wait_graph``.

    Attributes:
        worker: The worker of the job.
        queue: The state of the job's queue.
        waits: The waits of all tasks below the worker.
    """

    __slots__ = ("queue", "waits", "worker")

    def __init__(self, worker: trio.lowlevel.Task, queue: QueueState) -> None:
        self.worker = worker
        self.queue = queue
        self.waits: dict[Wait, None] = {}


def deadline_inside(queue: QueueState) -> float:
    """Return the current deadline if it is that of a scope inside the queue, else infinity."""
    deadline = trio.current_effective_deadline()
    return deadline if deadline < queue.waits.deadline else math.inf


def choose_wait_to_end(deadlock: Sequence[Wait]) -> Wait | None:
    """Choose the wait of a deadlock to end: the first submit, else the newest; None if none may."""
    submits = [wait for wait in deadlock if isinstance(wait.target, QueueRoom)]
    if submits:
        return min(submits, key=_submission_order)
    refusable = [wait for wait in deadlock if wait.target.is_refusable]
    return max(refusable, key=lambda wait: wait.number, default=None)


def _submission_order(submit: Wait) -> tuple[float, int]:
    assert isinstance(submit.target, QueueRoom)
    return submit.target.queue.schedule.submissions.order(submit.target.submission)
