"""The Trio run that a queue belongs to."""

from __future__ import annotations

from typing import final

from trio.lowlevel import Task, current_root_task


@final
class OwnerThread:
    """The Trio run that opened a queue, while the queue is open.

    Trio itself notices a call from another run or thread too late: half of a change has been made
    by then, or a task of the wrong run has been woken, which crashes Trio.
    """

    __slots__ = ("_root",)

    def __init__(self) -> None:
        self._root: Task | None = current_root_task()

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

    def close(self) -> None:
        """Allow calls from anywhere: the queue no longer changes."""
        self._root = None
