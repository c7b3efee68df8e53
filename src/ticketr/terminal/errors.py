"""The errors of the terminal."""

from __future__ import annotations

from dataclasses import dataclass

from ticketr._errors import TicketrError


@dataclass(eq=False, repr=False)
class NotATerminal(TicketrError):
    """There is no terminal on which a full screen can be drawn.

    Attributes:
        problem: What is missing, such as ``"standard input is not a terminal"``.
    """

    problem: str

    def __str__(self) -> str:
        return f"the full-screen app needs a terminal: {self.problem}; use --plain instead"
