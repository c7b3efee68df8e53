"""The Trio run that a queue belongs to."""

from __future__ import annotations

from typing import final

from trio.lowlevel import Task, current_root_task


@final
class OwnerThread:
    """The Trio run in which it was made, as long as the queue is open.

    Trio itself finds out too late that a call comes from elsewhere: by the time it raises, half
    of a change is in the books, or a task was woken in the wrong run, which crashes.
    """

    __slots__ = ("_root",)

    def __init__(self) -> None:
        self._root: Task | None = current_root_task()

    def check(self) -> None:
        """Raise if called in another run, in another thread or outside of Trio.

        A queue that is closed does not change any more, and may be asked anywhere.

        Raises:
            RuntimeError: The call comes from elsewhere.
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
        """Let everybody in: nothing changes any more."""
        self._root = None
