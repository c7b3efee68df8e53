"""Waits of jobs for their queues: those that can never end are found and ended.

A job that waits for another, for room in a queue or for its end holds its worker meanwhile.
If all that could bring this about waits in the same way, nobody moves again. All queues of one
Trio run share one wait-for graph, since a job may wait for a job of another queue (see
``_goals`` for its edges and ``_deadlock`` for what is looked for in it).

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
from ticketr.jobs._deadlock import sink_component, spread
from ticketr.jobs._goals import NOTHING, AnyJobOf, EndOf, EveryJobOf, may_start
from ticketr.jobs._job import JobRecord
from ticketr.jobs._steps import Steps
from ticketr.jobs._task_tree import descendants, waits_for_children
from ticketr.jobs._wait import Wait, Waiter, deadline_inside, wait_to_end

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ticketr.jobs._goals import Books, Goal, Needs, Node

T = TypeVar("T")


@final
class Waits:
    """The waits of all jobs of one Trio run.

    Attributes:
        workers: The workers of all open queues.
        helpers: The other tasks that open queues have for themselves.
        waiters: The running jobs that wait.
    """

    def __init__(self) -> None:
        self.workers: dict[trio.lowlevel.Task, Books] = {}
        self.helpers: dict[trio.lowlevel.Task, Books] = {}
        self._parked: set[trio.lowlevel.Task] = set()
        self.waiters: dict[JobRecord, Waiter] = {}
        self._of_end: dict[JobRecord, JobRecord] = {}  # a job that waits for the end of another
        self._numbers = itertools.count()
        self._steps = Steps()

    # Waiting

    def jobs_around(self) -> dict[JobRecord, Books]:
        """Return the jobs that the current task belongs to, the innermost first."""
        workers, jobs = self.workers, {}
        task = trio.lowlevel.current_task()
        while True:
            if (ledger := workers.get(task)) is not None and task in ledger.running:
                jobs[ledger.running[task]] = ledger
            if (nursery := task.parent_nursery) is None:
                return jobs
            task = nursery.parent_task

    def forbid(self, part: JobRecord | Books, awaited: str) -> None:
        """Refuse a wait for a job, or for all of a queue, to a task that belongs to one of them."""
        for job, ledger in self.jobs_around().items():
            if part is job or part is ledger:
                raise WouldDeadlock(job.id, awaited)

    async def wait(self, goal: Goal, park: Callable[[], Awaitable[T]]) -> T:
        """Wait for something in a way of one's own, but not if it can never come.

        Args:
            goal: What is waited for.
            park: Parks the task until then. It may be cancelled and called again.

        Raises:
            WouldDeadlock: The task belongs to a job, and the goal can never come.
        """
        jobs = self.jobs_around()
        if not jobs:
            return await park()
        if isinstance(goal, EndOf) and goal.record in jobs:
            raise WouldDeadlock(goal.record.id, "itself")
        task = trio.lowlevel.current_task()
        wait = Wait(goal, list(jobs), next(self._numbers))
        outermost = jobs[wait.jobs[-1]]
        self._record(wait, task, jobs)
        try:
            while True:
                wait.deadline = deadline_inside(outermost)
                with trio.CancelScope() as wait.scope:
                    return await park()
                if wait.is_refused and deadline_inside(outermost) == math.inf:
                    raise WouldDeadlock(wait.jobs[0].id, goal.words(wait.jobs[0]))
                wait.is_refused = False
        finally:
            self._erase(wait, task)

    def _record(self, wait: Wait, task: trio.lowlevel.Task, jobs: dict[JobRecord, Books]) -> None:
        self._parked.add(task)
        for job, ledger in jobs.items():
            waiter = self.waiters.get(job)
            if waiter is None:
                waiter = self.waiters[job] = Waiter(job.worker, ledger)
                ledger.waiting += 1
            waiter.waits[wait] = None
        if isinstance(wait.goal, EndOf):
            self._of_end[wait.goal.record] = wait.jobs[0]
        if not self._is_sure(wait):
            jobs[wait.jobs[0]].suspect()

    def _erase(self, wait: Wait, task: trio.lowlevel.Task) -> None:
        self._parked.remove(task)
        if isinstance(wait.goal, EndOf) and self._of_end.get(wait.goal.record) is wait.jobs[0]:
            del self._of_end[wait.goal.record]
        for job in wait.jobs:
            waiter = self.waiters[job]
            del waiter.waits[wait]
            if waiter.waits:
                waiter.ledger.suspect()  # they may have counted on this one
            else:
                del self.waiters[job]
                waiter.ledger.waiting -= 1

    def ended(self, job: JobRecord, ledger: Books) -> None:
        """The last running job of a queue that did not wait has ended."""
        waiter = self._of_end.get(job)
        if waiter is None or self.waiters[waiter].ledger is not ledger:
            self.reconsider()  # otherwise that one goes on now

    def reconsider(self) -> None:
        """Have it looked soon whether jobs wait for ever: something that they need may be gone."""
        for waiter in self.waiters.values():
            waiter.ledger.suspect()
            return  # one look is for all

    def _is_sure(self, wait: Wait) -> bool:
        """Tell whether a wait needs a job only that does not wait: then a look finds nothing."""
        needs = wait.needs()
        return needs is NOTHING or any(self._runs_on(node) for node in needs)

    def _runs_on(self, node: Node) -> bool:
        if isinstance(node, JobRecord):
            return node not in self.waiters
        return isinstance(node, AnyJobOf) and node.ledger.waiting < len(node.ledger.running)

    # Looking

    async def resolve(self) -> None:
        """Look for deadlocks until there is none, and end a wait of each that there is."""
        # A look takes time for each waiting job. If as many steps lie between two looks, it is a
        # constant part of the time that anything takes.
        for _ in range(len(self.waiters)):
            await trio.lowlevel.checkpoint()
        before: set[Wait] = set()
        asked: set[Wait] = set()
        while True:
            deadlock, overdue = self._look()
            if deadlock and before == set(deadlock):
                wait = wait_to_end(deadlock)
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
                if wait.goal.is_refusable:
                    wait.scope.cancel()
            # A task that could run when this one did has run after the second at the latest.
            await trio.lowlevel.checkpoint()
            await trio.lowlevel.checkpoint()

    def _look(self) -> tuple[list[Wait], list[Wait]]:
        """Return the waits of one deadlock, if there is any, and those past their deadlines."""
        needs, live, timed = self._graph()
        spread(needs, live)
        hopes: dict[trio.lowlevel.Task, Books] = {}
        for node in needs:
            if isinstance(node, JobRecord) and node not in live:
                waiter = self.waiters[node]
                if tasks := self._active_tasks(waiter.worker):
                    hopes.update(dict.fromkeys(tasks, waiter.ledger))
                    live.add(node)
        self._steps.watch(hopes)
        if hopes:
            spread(needs, live)
        overdue = self._wake_at_deadlines(timed)
        # A queue without running jobs needs nothing and brings about nothing.
        stuck = {node: needed for node, needed in needs.items() if needed and node not in live}
        if not stuck:
            return [], overdue
        jobs = [node for node in sink_component(stuck) if isinstance(node, JobRecord)]
        return list(
            dict.fromkeys(wait for job in jobs for wait in self.waiters[job].waits)
        ), overdue

    def _graph(self) -> tuple[dict[Node, list[Node]], set[Node], list[Wait]]:
        """Return what each node needs, the nodes that need nothing, and waits that time ends."""
        needs: dict[Node, list[Node]] = {}
        live: set[Node] = set()
        timed: list[Wait] = []
        todo: list[Node] = list(self.waiters)
        while todo:
            node = todo.pop()
            if node in needs or node in live:
                continue
            needed = self._needs(node, timed)
            if needed is NOTHING:
                live.add(node)
            else:
                needs[node] = list(needed)
                todo += needed
        return needs, live, timed

    def _needs(self, node: Node, timed: list[Wait]) -> Needs:
        if isinstance(node, AnyJobOf):
            return list(node.ledger.running.values())
        if isinstance(node, EveryJobOf):
            return list(node.ledger.running.values()) or NOTHING
        waiter = self.waiters.get(node)
        if waiter is None or waiter.ledger.cut_off_at != math.inf:
            return NOTHING
        needed: list[Node] = []
        for wait in waiter.waits:
            needs = wait.needs()
            if needs is NOTHING:
                return NOTHING
            if wait.ends_by_time:
                timed.append(wait)
                return NOTHING
            needed += needs
        return needed

    def _active_tasks(self, worker: trio.lowlevel.Task) -> list[trio.lowlevel.Task]:
        """Return the tasks below a worker that do anything but wait."""
        active: list[trio.lowlevel.Task] = []
        for task in descendants(worker):
            ledger = self.workers.get(task) or self.helpers.get(task)
            if ledger is not None and task not in ledger.running:
                if may_start(ledger):
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
                self.waiters[wait.jobs[0]].ledger.look_at(wait.deadline)
        return overdue


_WAITS: Final = trio.lowlevel.RunVar[Waits]("the waits of ticketr's jobs")


def waits_of_run() -> Waits:
    """The waits of the current Trio run."""
    try:
        return _WAITS.get()
    except LookupError:
        waits = Waits()
        _WAITS.set(waits)
        return waits
