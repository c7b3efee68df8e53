"""The run of Trio that a queue belongs to, and all uses of Trio beyond what it documents.

Ctrl+C in the middle of a step would leave a queue inconsistent, so all classes that users call are
protected from it (see ``protect_methods_from_ki``).

* ``task.context`` is written: see ``switch_context``.
* ``task.custom_sleep_data`` is written: see ``NO_CHECKPOINT_YET``.
* ``_cancel_status`` is read, of a task and of a scope: see ``needs_checkpoint_or_is_cancelled`` and
  ``try_make_scope_reusable``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass, field
from math import inf
from types import FunctionType
from typing import Final, TypeVar, final

import trio
from trio.lowlevel import Task, current_root_task, enable_ki_protection

from ticketr._errors import TicketrError
from ticketr.jobs._groups import leaves
from ticketr.jobs._record import JobRecord

ClassT = TypeVar("ClassT", bound="type[object]")

NO_CHECKPOINT_YET: Final = object()
"""What a task has as its ``custom_sleep_data`` until it is next rescheduled.

Trio writes None there when it reschedules a task, and has no other sign that costs as little. It
tells a worker whether its job has passed a checkpoint, so that it need not pass one itself for the
sake of other tasks.
"""


def protect_methods_from_ki(cls: ClassT) -> ClassT:
    """Protect all methods of a class from KeyboardInterrupt; a class decorator."""
    for name, method in [*vars(cls).items()]:
        if isinstance(method, FunctionType):
            setattr(cls, name, enable_ki_protection(method))
    return cls


async def wait_despite_interrupts(wait: Callable[[], Awaitable[object]]) -> None:
    """Wait in a shield, and raise a KeyboardInterrupt, which Trio raises even in one, only then."""
    try:
        with trio.CancelScope(shield=True):  # noqa: ASYNC912 - the caller has been cancelled
            await wait()
    except KeyboardInterrupt:
        await wait_despite_interrupts(wait)  # noqa: ASYNC120 - in a shield
        raise


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


def needs_checkpoint_or_is_cancelled(task: Task) -> bool:
    """Return whether a task has to pass a checkpoint: for others to run, or as it is cancelled.

    ``checkpoint_if_cancelled`` finds out the latter, but costs each job a coroutine.
    """
    return task.custom_sleep_data is NO_CHECKPOINT_YET or task._cancel_status.effectively_cancelled  # noqa: SLF001


def try_make_scope_reusable(scope: trio.CancelScope, task: Task, record: JobRecord) -> bool:
    """Make a scope what it was before an attempt that gave a value, for the next job.

    Trio compares the same at the end of a scope, and raises if another one is open in it. A scope
    that is to stay open needs to know before.

    Returns:
        False if the scope is used up: it is cancelled, or the job has left another one open in it,
        which the end of this one will raise.
    """
    if task._cancel_status is not scope._cancel_status or record.extras.cancel_requested:  # noqa: SLF001
        return False
    if (record.attempt_timeout != inf or record.retry is not None) and scope.deadline != inf:
        if scope.cancel_called:  # the value came too late
            return False
        scope.deadline = inf
    return True


@final
@dataclass(eq=False, slots=True)
class OwnerRun:
    """The Trio run that opened a queue, while the queue is open.

    Trio itself notices a call from another run or thread too late: half of a change has been made
    by then, or a task of the wrong run has been woken, which crashes Trio.
    """

    _root: Task | None = field(default_factory=current_root_task)

    def check(self) -> None:
        """Raise if called in another Trio run, in another thread or outside of Trio.

        A closed queue no longer changes, and may be used from anywhere.

        Raises:
            RuntimeError: The call comes from outside the owner's run.
        """
        root = self._root
        if root is None:
            return
        try:
            if current_root_task() is root:
                return
        except RuntimeError:
            pass  # called outside of Trio
        raise RuntimeError(
            "a job queue belongs to the Trio run that opened it: call its methods, its handles', "
            "its readers' and its jobs' contexts' there, from another thread or run by "
            "trio.from_thread.run() or run_sync() with that run's trio_token"
        )

    def allow_any_caller(self) -> None:
        """Allow calls from anywhere: the queue no longer changes."""
        self._root = None


class QueueFull(TicketrError, trio.WouldBlock):
    """Raised by ``submit_nowait`` when ``max_pending`` jobs wait for a worker.

    It is a ``trio.WouldBlock`` as well, as the ``*_nowait`` methods of Trio raise.

    Attributes:
        max_pending: The most jobs that may wait for a worker.
    """

    def __init__(self, max_pending: float) -> None:
        super().__init__(max_pending)
        self.max_pending = max_pending

    def __str__(self) -> str:
        jobs = "1 job waits" if self.max_pending == 1 else f"{self.max_pending} jobs wait"
        return f"{jobs} for a worker already: await submit() to wait for room"


def split_cancelled(error: BaseException) -> tuple[BaseException | None, BaseException | None]:
    """Split an error into its ``trio.Cancelled`` and the rest."""
    is_cancelled = [isinstance(leaf, trio.Cancelled) for leaf in leaves(error)]
    if not any(is_cancelled):
        return None, error
    if all(is_cancelled) or not isinstance(error, BaseExceptionGroup):
        return error, None
    return error.split(trio.Cancelled)
