"""The thread that a queue belongs to."""

from __future__ import annotations

from threading import get_ident
from typing import Final, final


@final
class Home:
    """The thread of the Trio run in which it was made.

    Trio itself finds out too late: by the time it raises, half of a change is in the books,
    or a task was woken from the wrong thread and the whole run crashes.
    """

    __slots__ = ("thread",)

    def __init__(self) -> None:
        self.thread: Final = get_ident()

    def check(self) -> None:
        """Raise if called in another thread.

        Raises:
            RuntimeError: It is another one.
        """
        if get_ident() != self.thread:
            raise RuntimeError(
                "a job queue belongs to the thread of its Trio run: call its methods, its handles' "
                "and its jobs' contexts' by trio.from_thread.run() or run_sync() in other threads"
            )
