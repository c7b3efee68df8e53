"""All uses of Trio beyond what it documents, each with its reason.

* ``task.context`` is written: see ``switch_context``.
* ``task.custom_sleep_data`` is written: see ``NOT_RESCHEDULED``.
* ``_cancel_status`` is read, of a task and of a scope: see ``is_innermost``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from contextvars import Context

    import trio

NOT_RESCHEDULED: Final = object()
"""What a task has as its ``custom_sleep_data`` until it is next rescheduled.

Trio writes None there when it reschedules a task, and has no other sign that costs as little. It
tells a worker whether its job has passed a checkpoint, so that it need not pass one itself for the
sake of other tasks.
"""


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
