"""Waits inside jobs, and which of them are refused because they could not end.

A context variable says which queues' jobs a task belongs to; child tasks and threads inherit it.
Each attempt of a job sets it, so the contexts of jobs that have no other variable count as empty,
and a worker can run them one after the other in one context (see ``_worker``).

A job's record notes what the job's own task waits for without a limit. When another wait begins, it
is refused by what the notes of this one queue say at that moment. Nothing is looked at later, and
waits of a job's child tasks, of other queues, or for anything but jobs are not noted.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable
from contextvars import Context, ContextVar, copy_context
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import trio

from ticketr._errors import WouldDeadlock
from ticketr.jobs._job import PENDING, RUNNING
from ticketr.jobs._record import GetAwaitedJobs, JobRecord

if TYPE_CHECKING:
    from ticketr.jobs._core import QueueCore

QueueMarksInnerFirst: TypeAlias = tuple[object, ...]
"""What stands for a queue, then for those in whose jobs it was opened, the inner ones first."""
ENCLOSING_QUEUES: Final[ContextVar[QueueMarksInnerFirst]] = ContextVar("ticketr queues", default=())


def is_inside(marks: QueueMarksInnerFirst) -> bool:
    """Tell whether this runs inside a job of the queue with these marks."""
    return marks[0] in ENCLOSING_QUEUES.get()


def copy_context_unless_blank() -> Context:
    """Return the context variables of a new job: a copy of these; empty if they are marks alone."""
    context = copy_context()
    return Context() if ENCLOSING_QUEUES in context and len(context) == 1 else context


T = TypeVar("T")


async def wait_for_jobs(
    queue: QueueCore,
    awaited: GetAwaitedJobs,
    park: Callable[[], Awaitable[T]],
    *,
    is_refusable: bool = True,
) -> T:
    """Wait for jobs of a queue; if a job of the queue waits, note it.

    Args:
        queue: The queue.
        awaited: Returns the jobs that have to end first; none once the wait is over.
        park: Waits.
        is_refusable: Whether the wait may be refused.

    Raises:
        WouldDeadlock: The job would wait for ever.
    """
    waiter = current_job_without_deadline(queue)
    if waiter is None:
        return await park()
    if is_refusable:
        refuse_endless_wait(queue, waiter, awaited())
    waiter.note_wait(awaited)
    try:
        return await park()
    finally:
        waiter.note_wait(None)


def refuse_wait_for_all(queue: QueueCore, awaited: str) -> None:
    """Raise ``WouldDeadlock`` if a job of the queue begins to wait for the end of all jobs."""
    waiter = current_job_without_deadline(queue)
    if waiter is not None:
        raise WouldDeadlock(waiter.id, awaited)


def current_job_without_deadline(queue: QueueCore) -> JobRecord | None:
    """Return the job of the queue whose own task this is; None if its waits have a limit."""
    record = queue.running.get(trio.lowlevel.current_task())
    return None if record is None or _has_own_or_inner_deadline(record.attempt_scope) else record


def _has_own_or_inner_deadline(scope: trio.CancelScope) -> bool:
    """Return whether a deadline in this scope, its own included, ends a wait of this task.

    A scope that is shielded for a moment hides the deadlines around it.
    """
    deadline = trio.current_effective_deadline()
    if math.isinf(deadline):
        return deadline < 0  # cancelled
    scope.shield = True
    try:
        return trio.current_effective_deadline() != math.inf
    finally:
        scope.shield = False


def refuse_endless_wait(queue: QueueCore, waiter: JobRecord, awaited: Iterable[JobRecord]) -> None:
    """Raise ``WouldDeadlock`` if a job would wait for itself, or no worker would be left."""
    todo = [*awaited]
    if not todo:
        return
    first, seen = todo[0], {waiter}
    while todo:
        record = todo.pop()
        if record is waiter:
            raise WouldDeadlock(waiter.id, _describe_awaited_job(queue, waiter, first))
        if record not in seen:
            seen.add(record)
            todo += _jobs_blocking(waiter, record)
    running = queue.running.values()
    if len(running) >= queue.schedule.queue_concurrency and all(
        record is waiter or record.jobs_its_task_awaits() for record in running
    ):
        needs = "the worker that this job holds"
        if len(running) > 1:
            needs = "a worker, and these are held by jobs that wait"
        raise WouldDeadlock(waiter.id, f"job {first.id!r}, which needs {needs}")


def _jobs_blocking(waiter: JobRecord, blocked: JobRecord) -> Iterable[JobRecord]:
    """Return the jobs that have to end before a job can."""
    if blocked.status is RUNNING:
        return blocked.jobs_its_task_awaits()
    if blocked.status is not PENDING:
        return ()
    return [*_key_holders_if_deadlocking(waiter, blocked), *blocked.extras.predecessors]


def _key_holders_if_deadlocking(waiter: JobRecord, record: JobRecord) -> list[JobRecord]:
    """Return the jobs that use up the key of a pending one; none unless all but one wait for it."""
    holders, slot = record.queue.schedule.key_holders_blocking(record), record.extras.key_slot
    waiting = {waiter, *(slot.live_jobs if slot is not None else ())}.difference(holders) | {waiter}
    others = [holder for holder in holders if holder is not waiter]
    is_used_up = len(holders) == 1 or all(
        not waiting.isdisjoint(holder.jobs_its_task_awaits()) for holder in others
    )
    return holders if is_used_up else []


def _describe_awaited_job(queue: QueueCore, waiter: JobRecord, target: JobRecord) -> str:
    if target is waiter:
        return "itself"
    if target.status is not PENDING:
        return f"job {target.id!r}, which waits for this one"
    if queue.schedule.waits_for_predecessors(target):
        return f"job {target.id!r}, which starts after one that waits for this job"
    if waiter in queue.schedule.key_holders_blocking(target):
        return f"job {target.id!r}, which needs the key that this job holds"
    return f"job {target.id!r}, which needs the key of a job that waits for this one"
