"""The wait-for graph of all jobs of a Trio run, and the detection of deadlocks in it.

A job that waits for another job, for room in a queue or for a queue's end keeps its worker. If
everything that could end such a wait waits as well, nothing proceeds. A job may wait for a job of
another queue, so all queues of a Trio run share one graph. ``_wait_targets`` has its edges,
``_deadlock`` the algorithms.

Recording. A wait is recorded from the moment its task parks until the task runs again; its target
tells whether it has been reached meanwhile. A job waits only if every task below its worker waits:
any other task may end the other waits. Such active tasks are searched only in jobs that would be
stuck without them.

Checking takes time, so it is done only if a wait may have become endless: when a wait begins that
is not sure to end, when the last running job of a queue that does not wait stops running, when a
queue begins to drain, and when one of the last active tasks takes a step (``StepWatcher``). The
timer task of a queue runs the check (see ``_worker``).

Resolving. A deadlock counts only if a second check finds it again. In between, every task that
could run has run, and the waiting tasks have read their effective deadlines again, which only the
task itself can do. Then one waiting submit is admitted above the limit, or else the newest wait
ends with ``WouldDeadlock``.

A task belongs to the jobs whose workers are its ancestors, or the task itself. A context variable
cannot tell: a task started in somebody else's nursery inherits it, but the job does not wait for
that task.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Final, TypeVar, final

import trio

from ticketr._errors import WouldDeadlock
from ticketr.jobs._deadlock import propagate, sink_component
from ticketr.jobs._record import JobRecord
from ticketr.jobs._task_tree import StepWatcher, descendants, waits_for_children
from ticketr.jobs._wait import Wait, WaitingJob, choose_wait_to_end, deadline_inside
from ticketr.jobs._wait_targets import (
    UNBLOCKED,
    AllRunningJobs,
    AnyRunningJob,
    JobEnd,
    Predecessors,
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
        queue_tasks: The other tasks that the queues themselves run.
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

    # The tasks of the queues

    def add_worker(self, task: trio.lowlevel.Task, queue: QueueState) -> None:
        """Add a worker of a queue."""
        self.workers[task] = queue

    def remove_worker(self, task: trio.lowlevel.Task) -> None:
        """Remove a worker that ends."""
        del self.workers[task]

    def add_queue_task(self, task: trio.lowlevel.Task, queue: QueueState) -> None:
        """Add a task that a queue runs for itself."""
        self.queue_tasks[task] = queue

    def remove_queue_task(self, task: trio.lowlevel.Task) -> None:
        """Remove such a task that ends."""
        del self.queue_tasks[task]

    # Waiting

    def jobs_around(self) -> dict[JobRecord, QueueState]:
        """Return the jobs that the current task belongs to, the innermost first."""
        workers, jobs = self.workers, {}
        task = trio.lowlevel.current_task()
        while True:
            if (queue := workers.get(task)) is not None and task in queue.running:
                jobs[queue.running[task]] = queue
            if (nursery := task.parent_nursery) is None:
                return jobs
            task = nursery.parent_task

    def refuse_wait_inside(self, part: JobRecord | QueueState, awaited: str) -> None:
        """Raise ``WouldDeadlock`` if the current task belongs to this job, or to any of the queue."""
        for job, queue in self.jobs_around().items():
            if part is job or part is queue:
                raise WouldDeadlock(job.id, awaited)

    async def wait(self, target: WaitTarget, park: Callable[[], Awaitable[T]]) -> T:
        """Wait for a target, and record the wait if the task belongs to a job.

        Args:
            target: What the task waits for.
            park: Parks the task until then. It may be cancelled and called again.

        Raises:
            WouldDeadlock: The task belongs to a job, and the wait could never end.
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
        """Record a wait of a task; request a check unless the wait surely ends."""
        self._parked.add(task)
        for job, queue in jobs.items():
            waiter = self.waiting_jobs.get(job)
            if waiter is None:
                waiter = self.waiting_jobs[job] = WaitingJob(job.worker, queue)
                queue.waits.waiting_count += 1
            waiter.waits[wait] = None
        if isinstance(wait.target, JobEnd):
            self._end_waiters[wait.target.record] = wait.jobs[0]
        if not self._surely_ends(wait):
            jobs[wait.jobs[0]].timer.request_deadlock_check()

    def _erase(self, wait: Wait, task: trio.lowlevel.Task) -> None:
        """Remove a wait of a task; a job that had no other wait runs again."""
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
                waiter.queue.timer.request_deadlock_check()  # this one may have kept the others from being stuck
            else:
                del self.waiting_jobs[job]
                waiter.queue.waits.waiting_count -= 1

    def job_ended(self, job: JobRecord, queue: QueueState) -> None:
        """Note the end of the last running job of a queue that did not wait."""
        waiter = self._end_waiters.get(job)
        if waiter is None or self.waiting_jobs[waiter].queue is not queue:
            self.request_check()  # otherwise the waiter proceeds now

    def request_check(self) -> None:
        """Request a check if any job waits; one queue checks for all."""
        for waiter in self.waiting_jobs.values():
            waiter.queue.timer.request_deadlock_check()
            return

    def _surely_ends(self, wait: Wait) -> bool:
        """Return whether a wait is unblocked, or blocked by a job that does not wait."""
        blockers = wait.blockers()
        return blockers is UNBLOCKED or any(self._can_proceed(node) for node in blockers)

    def _can_proceed(self, node: Node) -> bool:
        if isinstance(node, JobRecord):
            return node not in self.waiting_jobs
        return isinstance(node, AnyRunningJob) and node.queue.waits.waiting_count < len(
            node.queue.running
        )

    # Checking

    async def resolve(self) -> None:
        """Check for deadlocks until there is none, and end one wait of each."""
        # A check takes time in proportion to the waiting jobs. With as many checkpoints before
        # it, checking remains a constant share of all work.
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
            # Every task that can run now has run after two checkpoints.
            await trio.lowlevel.checkpoint()
            await trio.lowlevel.checkpoint()

    def find_deadlock(self) -> tuple[list[Wait], list[Wait]]:
        """Return the waits of one deadlock, if any, and the waits past their deadlines."""
        blockers, live, timed = self._graph()
        propagate(blockers, live)
        active: dict[trio.lowlevel.Task, QueueState] = {}
        for node in blockers:
            if isinstance(node, JobRecord) and node not in live:
                waiter = self.waiting_jobs[node]
                if tasks := self._active_tasks(waiter.worker):
                    active.update(dict.fromkeys(tasks, waiter.queue))
                    live.add(node)
        self._step_watcher.watch(active)
        if active:
            propagate(blockers, live)
        overdue = self._check_at_deadlines(timed)
        # A queue without running jobs has no blockers, and unblocks nothing.
        stuck = {node: others for node, others in blockers.items() if others and node not in live}
        if not stuck:
            return [], overdue
        jobs = [node for node in sink_component(stuck) if isinstance(node, JobRecord)]
        return list(
            dict.fromkeys(wait for job in jobs for wait in self.waiting_jobs[job].waits)
        ), overdue

    def _graph(self) -> tuple[dict[Node, list[Node]], set[Node], list[Wait]]:
        """Return the blockers of each node, the unblocked nodes, and the waits with a deadline."""
        blockers: dict[Node, list[Node]] = {}
        live: set[Node] = set()
        timed: list[Wait] = []
        todo: list[Node] = list(self.waiting_jobs)
        while todo:
            node = todo.pop()
            if node in blockers or node in live:
                continue
            found = self._blockers(node, timed)
            if found is UNBLOCKED:
                live.add(node)
            else:
                blockers[node] = list(found)
                todo += found
        return blockers, live, timed

    def _blockers(self, node: Node, timed: list[Wait]) -> Blockers:
        """Return the blockers of a node; add a wait that ends by time to ``timed``."""
        if isinstance(node, AnyRunningJob):
            return list(node.queue.running.values())
        if isinstance(node, AllRunningJobs):
            return list(node.queue.running.values()) or UNBLOCKED
        if isinstance(node, Predecessors):
            return node.ends() or UNBLOCKED
        if isinstance(node, JobEnd):
            return node.blockers()
        waiter = self.waiting_jobs.get(node)
        if waiter is None or waiter.queue.phase.cut_off_at != math.inf:
            return UNBLOCKED
        found: list[Node] = []
        for wait in waiter.waits:
            blockers = wait.blockers()
            if blockers is UNBLOCKED:
                return UNBLOCKED
            if wait.ends_by_time:
                timed.append(wait)
                return UNBLOCKED
            found += blockers
        return found

    def _active_tasks(self, worker: trio.lowlevel.Task) -> list[trio.lowlevel.Task]:
        """Return the tasks below a worker that do not wait, so that they may end its waits."""
        active: list[trio.lowlevel.Task] = []
        for task in descendants(worker):
            queue = self.workers.get(task) or self.queue_tasks.get(task)
            if queue is not None and task not in queue.running:
                if queue.tasks_are_ending or can_start_job(queue):
                    active.append(task)
            elif task not in self._parked and not waits_for_children(task):
                active.append(task)
        return active

    def _check_at_deadlines(self, timed: list[Wait]) -> list[Wait]:
        """Request checks at the deadlines of these waits; return the waits that are overdue."""
        overdue: list[Wait] = []
        now = trio.current_time()
        for wait in timed:
            if wait.deadline <= now:
                overdue.append(wait)
            else:
                self.waiting_jobs[wait.jobs[0]].queue.timer.request_deadlock_check_at(wait.deadline)
        return overdue


_WAIT_GRAPH: Final = trio.lowlevel.RunVar[WaitGraph]("the wait graph of ticketr's jobs")


def wait_graph_of_run() -> WaitGraph:
    """Return the wait graph of the current Trio run."""
    try:
        return _WAIT_GRAPH.get()
    except LookupError:
        graph = WaitGraph()
        _WAIT_GRAPH.set(graph)
        return graph
