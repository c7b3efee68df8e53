"""How a job between a workspace and its site reports its progress."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr import JobContext

#: Seconds without an answer after which a job says so.
SILENT = 3.0


class Progress:
    """Reports the progress of a job; ``redact`` removes secrets that a server may quote."""

    def __init__(self, context: JobContext, redact: Callable[[str], str]) -> None:
        self._context = context
        self._redact = redact
        self._done = 0
        self._message = ""
        self._is_silent = False

    def begin(self, message: str) -> None:
        """Begin a phase whose total is not known yet."""
        self._report(0, 0, message)

    def say(self, message: str) -> None:
        """Report a message with the same numbers as before."""
        self._report(self._done, None, message)

    def move(self, done: int, total: int, message: str) -> None:
        """Report how far the phase is."""
        self._report(done, total, message)

    def _report(self, done: int, total: int | None, message: str) -> None:
        self._done, self._message, self._is_silent = done, self._redact(message), False
        self._context.report(current=done, total=total, message=self._message)

    def tell_silence(self, seconds: float) -> None:
        """Report that the site has not answered for so many seconds; 0 once it has."""
        if seconds >= SILENT:
            self._is_silent = True
            words = f"no answer for {math.floor(seconds)}s"
            self._context.report(current=self._done, message=words)
        elif self._is_silent:
            self._is_silent = False
            self._context.report(current=self._done, message=self._message)

    def wait(self, seconds: float, reason: str) -> None:
        """Report a wait."""
        self.say(f"Waiting {math.ceil(seconds)}s: {reason}")
