"""What the two tasks of a map wait for, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from trio.lowlevel import Abort, current_task, reschedule, wait_task_rescheduled

from ticketr.jobs._job import PENDING
from ticketr.jobs._wait_targets import UNBLOCKED, JobEnd

if TYPE_CHECKING:
    from collections.abc import Callable

    import trio

    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._wait_targets import Blockers, Node, QueueState


@final
class Parking:
    """A place where one task waits until it is woken.

    Attributes:
        task: The task that waits.
    """

    __slots__ = ("task",)

    def __init__(self) -> None:
        self.task: trio.lowlevel.Task | None = None

    async def wait(self) -> None:
        """Wait for :meth:`wake`."""
        self.task = current_task()
        await wait_task_rescheduled(self._leave)

    def wake(self) -> None:
        """Resume the task, if there is one."""
        if self.task is not None:
            task, self.task = self.task, None
            reschedule(task)

    def _leave(self, _: object) -> Abort:
        self.task = None
        return Abort.SUCCEEDED


@final
@dataclass(frozen=True, slots=True)
class Window:
    """The end of a pause of the feeder.

    No job waits for it, so it cannot end a deadlock.
    """

    is_reached: Callable[[], bool]
    is_refusable: bool = False

    def blockers(self) -> Blockers:
        return UNBLOCKED if self.is_reached() else ()

    def describe(self, waiter: JobRecord) -> str:
        return "the reader of a map"


@final
@dataclass(frozen=True, slots=True)
class NextResult:
    """The next result of a map: any of its jobs may end the wait, at least by a failure."""

    queue: QueueState
    jobs: Callable[[], list[JobRecord]]
    is_reached: Callable[[], bool]
    is_refusable: bool = True

    def blockers(self) -> Blockers:
        nodes: dict[Node, None] = {}
        is_pending_known = False
        if self.is_reached():
            return UNBLOCKED
        for record in self.jobs():
            if record.status is PENDING and record.extras.key_slot is None:
                if is_pending_known:
                    continue  # what is in the way of one is in the way of all
                is_pending_known = True
            found = JobEnd(self.queue, record).blockers()
            if found is UNBLOCKED:
                return UNBLOCKED
            nodes.update(dict.fromkeys(found))
        return list(nodes)

    def describe(self, waiter: JobRecord) -> str:
        jobs = self.jobs()
        first = f"{JobEnd(self.queue, jobs[0]).describe(waiter)}: " if jobs else ""
        return f"{first}the next result of a map"
