"""Waits of jobs for their queues: those that can never end are found and ended.

A job that waits for another, for room in a queue or for its end holds its worker meanwhile.
If all that could bring this about waits in the same way, nobody moves again. All queues of one
Trio run share one wait-for graph, since a job may wait for a job of another queue (see
``_wait_targets`` for its edges and ``_deadlock`` for what is looked for in it).

Recording. A wait is recorded from when its task parks until that task runs again. Whether it
has been answered in between is not recorded; its goal tells. A job waits only if every task
below its worker does: a task that is anywhere else may do something that ends the other
waits. Such tasks are looked for only in jobs that would be stuck without them.

Looking. A look costs time, so there is one only if a wait may have become hopeless: when one
begins that is not sure to end, when a queue's last running job without a wait stops running,
when a queue begins to end, and when a task that was the only hope has taken a step, which a
Trio instrument tells as long as there is such a task. The task that keeps a queue's time does
it (see ``_worker``).

Acting. Between a look and what follows from it all tasks that could run have run, and those
that wait have read the deadlines around them anew: only a task itself can do that. If they are
stuck still, one of the jobs is let into the queue above its bound, or else the wait that began
last ends with ``WouldDeadlock``.

Which job a task belongs to is read from the task tree: a job whose worker is the task itself
or an ancestor of it. A context variable would not do: a task that a job starts in somebody
else's nursery inherits the variable, but the job does not wait for it.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Final, TypeVar, final

import trio

from ticketr._errors import WouldDeadlock
from ticketr.jobs._deadlock import propagate, sink_component
from ticketr.jobs._job import JobRecord
from ticketr.jobs._task_tree import StepWatcher, descendants, waits_for_children
from ticketr.jobs._wait import Wait, WaitingJob, choose_wait_to_end, deadline_inside
from ticketr.jobs._wait_targets import (
    UNBLOCKED,
    AllRunningJobs,
    AnyRunningJob,
    JobEnd,
    can_start_job,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ticketr.jobs._wait_targets import Blockers, Node, QueueState, WaitTarget

T = TypeVar("T")


@final
class WaitGraph:
    """The waits of all jobs of one Trio run.

    Attributes:
        workers: The workers of all open queues.
        queue_tasks: The other tasks that open queues have for themselves.
        waiting_jobs: The running jobs that wait.
    """

    def __init__(self) -> None:
        self.workers: dict[trio.lowlevel.Task, QueueState] = {}
        self.queue_tasks: dict[trio.lowlevel.Task, QueueState] = {}
        self._parked: set[trio.lowlevel.Task] = set()
        self.waiting_jobs: dict[JobRecord, WaitingJob] = {}
        self._end_waiters: dict[JobRecord, JobRecord] = {}  # by the job whose end they wait for
        self._numbers = itertools.count()
        self._step_watcher = StepWatcher()

    # Waiting

    def jobs_around(self) -> dict[JobRecord, QueueState]:
        """Return the jobs that the current task belongs to, the innermost first."""
        workers, jobs = self.workers, {}
        task = trio.lowlevel.current_task()
        while True:
            if (ledger := workers.get(task)) is not None and task in ledger.running:
                jobs[ledger.running[task]] = ledger
            if (nursery := task.parent_nursery) is None:
                return jobs
            task = nursery.parent_task

    def refuse_wait_inside(self, part: JobRecord | QueueState, awaited: str) -> None:
        """Refuse a wait for a job, or for all of a queue, to a task that belongs to one of them."""
        for job, ledger in self.jobs_around().items():
            if part is job or part is ledger:
                raise WouldDeadlock(job.id, awaited)

    async def wait(self, target: WaitTarget, park: Callable[[], Awaitable[T]]) -> T:
        """Wait for something in a way of one's own, but not if it can never come.

        Args:
            target: What is waited for.
            park: Parks the task until then. It may be cancelled and called again.

        Raises:
            WouldDeadlock: The task belongs to a job, and the goal can never come.
        """
        jobs = self.jobs_around()
        if not jobs:
            return await park()
        if isinstance(target, JobEnd) and target.record in jobs:
            raise WouldDeadlock(target.record.id, "itself")
        task = trio.lowlevel.current_task()
        wait = Wait(target, list(jobs), next(self._numbers))
        outermost = jobs[wait.jobs[-1]]
        self._record(wait, task, jobs)
        try:
            while True:
                wait.deadline = deadline_inside(outermost)
                with trio.CancelScope() as wait.scope:
                    return await park()
                if wait.is_refused and deadline_inside(outermost) == math.inf:
                    raise WouldDeadlock(wait.jobs[0].id, target.describe(wait.jobs[0]))
                wait.is_refused = False
        finally:
            self._erase(wait, task)

    def _record(
        self, wait: Wait, task: trio.lowlevel.Task, jobs: dict[JobRecord, QueueState]
    ) -> None:
        self._parked.add(task)
        for job, ledger in jobs.items():
            waiter = self.waiting_jobs.get(job)
            if waiter is None:
                waiter = self.waiting_jobs[job] = WaitingJob(job.worker, ledger)
                ledger.waiting_count += 1
            waiter.waits[wait] = None
        if isinstance(wait.target, JobEnd):
            self._end_waiters[wait.target.record] = wait.jobs[0]
        if not self._surely_ends(wait):
            jobs[wait.jobs[0]].request_deadlock_check()

    def _erase(self, wait: Wait, task: trio.lowlevel.Task) -> None:
        self._parked.remove(task)
        if (
            isinstance(wait.target, JobEnd)
            and self._end_waiters.get(wait.target.record) is wait.jobs[0]
        ):
            del self._end_waiters[wait.target.record]
        for job in wait.jobs:
            waiter = self.waiting_jobs[job]
            del waiter.waits[wait]
            if waiter.waits:
                waiter.ledger.request_deadlock_check()  # they may have counted on this one
            else:
                del self.waiting_jobs[job]
                waiter.ledger.waiting_count -= 1

    def job_ended(self, job: JobRecord, ledger: QueueState) -> None:
        """The last running job of a queue that did not wait has ended."""
        waiter = self._end_waiters.get(job)
        if waiter is None or self.waiting_jobs[waiter].ledger is not ledger:
            self.request_check()  # otherwise that one goes on now

    def request_check(self) -> None:
        """Have it looked soon whether jobs wait for ever: something that they need may be gone."""
        for waiter in self.waiting_jobs.values():
            waiter.ledger.request_deadlock_check()
            return  # one look is for all

    def _surely_ends(self, wait: Wait) -> bool:
        """Tell whether a wait needs a job only that does not wait: then a look finds nothing."""
        blockers = wait.blockers()
        return blockers is UNBLOCKED or any(self._can_proceed(node) for node in blockers)

    def _can_proceed(self, node: Node) -> bool:
        if isinstance(node, JobRecord):
            return node not in self.waiting_jobs
        return isinstance(node, AnyRunningJob) and node.ledger.waiting_count < len(
            node.ledger.running
        )

    # Looking

    async def resolve(self) -> None:
        """Look for deadlocks until there is none, and end a wait of each that there is."""
        # A look takes time for each waiting job. If as many steps lie between two looks, it is a
        # constant part of the time that anything takes.
        for _ in range(len(self.waiting_jobs)):
            await trio.lowlevel.checkpoint()
        before: set[Wait] = set()
        asked: set[Wait] = set()
        while True:
            deadlock, overdue = self.find_deadlock()
            if deadlock and before == set(deadlock):
                wait = choose_wait_to_end(deadlock)
                if wait is None:
                    return  # noqa: ASYNC910 - there are waiters, so the loop above has a checkpoint
                wait.end()
                before = set()
                continue
            before = set(deadlock)
            suspects = before.union(set(overdue) - asked)
            if not suspects:
                return  # noqa: ASYNC910 - there are waiters, so the loop above has a checkpoint
            asked.update(overdue)
            for wait in suspects:
                if wait.target.is_refusable:
                    wait.scope.cancel()
            # A task that could run when this one did has run after the second at the latest.
            await trio.lowlevel.checkpoint()
            await trio.lowlevel.checkpoint()

    def find_deadlock(self) -> tuple[list[Wait], list[Wait]]:
        """Return the waits of one deadlock, if there is any, and those past their deadlines."""
        blockers, live, timed = self._graph()
        propagate(blockers, live)
        hopes: dict[trio.lowlevel.Task, QueueState] = {}
        for node in blockers:
            if isinstance(node, JobRecord) and node not in live:
                waiter = self.waiting_jobs[node]
                if tasks := self._active_tasks(waiter.worker):
                    hopes.update(dict.fromkeys(tasks, waiter.ledger))
                    live.add(node)
        self._step_watcher.watch(hopes)
        if hopes:
            propagate(blockers, live)
        overdue = self._wake_at_deadlines(timed)
        # A queue without running jobs needs nothing and brings about nothing.
        stuck = {node: needed for node, needed in blockers.items() if needed and node not in live}
        if not stuck:
            return [], overdue
        jobs = [node for node in sink_component(stuck) if isinstance(node, JobRecord)]
        return list(
            dict.fromkeys(wait for job in jobs for wait in self.waiting_jobs[job].waits)
        ), overdue

    def _graph(self) -> tuple[dict[Node, list[Node]], set[Node], list[Wait]]:
        """Return what each node needs, the nodes that need nothing, and waits that time ends."""
        blockers: dict[Node, list[Node]] = {}
        live: set[Node] = set()
        timed: list[Wait] = []
        todo: list[Node] = list(self.waiting_jobs)
        while todo:
            node = todo.pop()
            if node in blockers or node in live:
                continue
            needed = self._needs(node, timed)
            if needed is UNBLOCKED:
                live.add(node)
            else:
                blockers[node] = list(needed)
                todo += needed
        return blockers, live, timed

    def _needs(self, node: Node, timed: list[Wait]) -> Blockers:
        if isinstance(node, AnyRunningJob):
            return list(node.ledger.running.values())
        if isinstance(node, AllRunningJobs):
            return list(node.ledger.running.values()) or UNBLOCKED
        waiter = self.waiting_jobs.get(node)
        if waiter is None or waiter.ledger.cut_off_at != math.inf:
            return UNBLOCKED
        needed: list[Node] = []
        for wait in waiter.waits:
            blockers = wait.blockers()
            if blockers is UNBLOCKED:
                return UNBLOCKED
            if wait.ends_by_time:
                timed.append(wait)
                return UNBLOCKED
            needed += blockers
        return needed

    def _active_tasks(self, worker: trio.lowlevel.Task) -> list[trio.lowlevel.Task]:
        """Return the tasks below a worker that do anything but wait."""
        active: list[trio.lowlevel.Task] = []
        for task in descendants(worker):
            ledger = self.workers.get(task) or self.queue_tasks.get(task)
            if ledger is not None and task not in ledger.running:
                if can_start_job(ledger):
                    active.append(task)
            elif task not in self._parked and not waits_for_children(task):
                active.append(task)
        return active

    def _wake_at_deadlines(self, timed: list[Wait]) -> list[Wait]:
        """Have queues look again when waits should be over by a deadline; return those overdue."""
        overdue: list[Wait] = []
        now = trio.current_time()
        for wait in timed:
            if wait.deadline <= now:
                overdue.append(wait)
            else:
                self.waiting_jobs[wait.jobs[0]].ledger.request_deadlock_check_at(wait.deadline)
        return overdue


_WAIT_GRAPH: Final = trio.lowlevel.RunVar[WaitGraph]("the waits of ticketr's jobs")


def wait_graph_of_run() -> WaitGraph:
    """The waits of the current Trio run."""
    try:
        return _WAIT_GRAPH.get()
    except LookupError:
        waits = WaitGraph()
        _WAIT_GRAPH.set(waits)
        return waits
