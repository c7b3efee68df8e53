"""The lines of a text while they are read, with their places in the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.app.tickets.model import Runs


@dataclass(slots=True)
class TextLines:
    """A text that consists of one or several passages of a file.

    Attributes:
        lines: The lines.
        runs: For each consecutive run of lines, the index of its first line in `lines` and its
            number in the file, from 1.
    """

    # `list[str]` takes twenty times as long to call as `list`, and each issue has some.
    lines: list[str] = field(default_factory=list)
    runs: list[tuple[int, int]] = field(default_factory=list)

    def begin(self) -> None:
        """Begin another passage, behind a blank line if there is one already."""
        while self.lines and not self.lines[-1].strip():
            self.lines.pop()
        if self.lines:
            self.lines.append("")

    def mark(self, line: int) -> None:
        """Record the number in the file, from 1, of the next line of the text."""
        at, runs = len(self.lines), self.runs
        while runs and runs[-1][0] >= at:
            runs.pop()
        if not runs or at - runs[-1][0] != line - runs[-1][1]:
            runs.append((at, line))

    def places(self) -> Runs:
        """Return the places of the lines; the text starts at its first non-blank line."""
        blank = 0
        if self.lines and not self.lines[0].strip():
            blank = next((at for at, line in enumerate(self.lines) if line.strip()), 0)
        return tuple([(at - blank + 1, line) for at, line in self.runs])

    def __str__(self) -> str:
        return "\n".join(self.lines)
