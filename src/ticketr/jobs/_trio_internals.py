"""All uses of Trio beyond what it documents, each with its reason.

* ``task.context`` is written: see ``switch_context``.
* ``task.custom_sleep_data`` is written: see ``NOT_RESCHEDULED``.
* ``nursery._nested_child_finished`` is called and replaced: see ``_close_nursery``.
* ``_cancel_status`` is read, of a task and of a scope: see ``is_innermost``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import trio

from ticketr.jobs._exceptions import make_splittable
from ticketr.jobs._groups import leaves

if TYPE_CHECKING:
    from contextvars import Context

NOT_RESCHEDULED: Final = object()
"""What a task has as its ``custom_sleep_data`` until it is next rescheduled.

Trio writes None there when it reschedules a task, and has no other sign that costs as little. It
tells a worker whether its job has passed a checkpoint, so that it need not pass one itself for the
sake of other tasks.
"""
LEFT_OPEN: Final = "a job has left a nursery open: enter it by 'async with trio.open_nursery()'"


def switch_context(task: trio.lowlevel.Task, context: Context) -> None:
    """Let a task run in other context variables from its next step on.

    A job runs in the context variables of its submitter, but its worker is a task with a context of
    its own. Trio enters ``task.context`` again at each step of a task, so a worker that writes it
    and passes a checkpoint runs in the other context. A task for each job would need no write, and
    cost a third of the jobs a second.

    The price is that checkpoint, and that Trio does not promise that the field may be written. The
    checkpoint costs nothing extra where the worker is idle, since the wake-up is one. Between two
    contexts without variables no switch is needed, as long as no other job can see what this one
    leaves in the worker's (see ``_worker``).
    """
    task.context = context


def is_innermost(scope: trio.CancelScope, task: trio.lowlevel.Task) -> bool:
    """Return whether a scope is the last one that a task has entered and not left.

    Trio compares the same at the end of a scope, and raises if another one is open in it. A scope
    that is to stay open needs to know before.
    """
    return task._cancel_status is scope._cancel_status  # noqa: SLF001


async def reraise_after_cleanup(worker: trio.lowlevel.Task, error: BaseException) -> None:
    """Raise what is to leave a job's scope in the place of an error, if that is not the same."""
    whole = await close_leftovers(worker, error)
    if whole is error:
        return
    try:
        raise whole
    finally:
        whole.__context__ = None  # it is in there already, in parts
        del error, whole  # their tracebacks hold this frame


async def close_leftovers(worker: trio.lowlevel.Task, error: BaseException) -> BaseException:
    """Close the nurseries that a job has left open, and replace an error that Trio cannot split.

    Call it inside the job's scope, whose end would fail in the middle otherwise.

    Returns:
        The error to go on with; the same one if there is nothing to replace.
    """
    nurseries = worker.child_nurseries
    if not nurseries:
        return make_splittable(error)  # noqa: ASYNC910 - the job has ended
    found = [error]
    if all(type(leaf) is trio.Cancelled for leaf in leaves(error)):
        found.append(RuntimeError(LEFT_OPEN))  # or the fault would be silent
    for nursery in reversed(nurseries):
        found += await _close_nursery(nursery)
    return make_splittable(error if len(found) == 1 else BaseExceptionGroup(LEFT_OPEN, found))  # noqa: ASYNC910 - the job has ended


async def _close_nursery(nursery: trio.Nursery) -> list[BaseException]:
    """Cancel a nursery that was entered and not left, and wait for its tasks.

    Only ``async with`` closes a nursery, and that block is gone: its generator, say, was dropped.
    This does what the end of the block would do. If an async generator has entered the nursery, its
    own end would do the same later, in a task of Trio's, and wait for ever or take a nursery of the
    worker's next job off its list; so that end is replaced by one that raises.

    Returns:
        What the tasks raised.
    """
    nursery.cancel_scope.cancel("the job has ended without leaving this nursery")
    internals: Any = nursery
    finish = internals._nested_child_finished  # noqa: SLF001
    internals._nested_child_finished = _refuse_to_close  # noqa: SLF001
    error: BaseException | None = await finish(None)
    kind = None if error is None else type(error)
    try:
        is_done = nursery.cancel_scope.__exit__(kind, error, None)
    except BaseException as rest:  # noqa: ASYNC103, BLE001 - it is reported with the job's own
        return [rest]  # noqa: ASYNC104 - it is reported with the job's own
    return [] if error is None or is_done else [error]


async def _refuse_to_close(_: BaseException | None) -> BaseException | None:
    raise RuntimeError(LEFT_OPEN)
