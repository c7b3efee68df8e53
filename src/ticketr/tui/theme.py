"""Colours and characters of the app: the 16 palette colours, which suit any background."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ticketr.statusline import LineStyle
from ticketr.text import fit, to_ascii

if TYPE_CHECKING:
    from collections.abc import Callable


def _plain(text: str, *_: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Theme:
    """The style of the app.

    Attributes:
        style: Adds a style to a text: ``style(text, "bold", "cyan")``.
        line_style: The style of the status line.
    """

    style: Callable[..., str] = _plain
    line_style: LineStyle = field(default_factory=LineStyle)

    def fit(self, text: str, cells: int) -> str:
        """Return a cleaned text cut and padded to so many cells, in ASCII if need be."""
        if self.line_style.unicode:
            return fit(text, cells)
        return fit(to_ascii(text), cells, ellipsis="...")

    @property
    def rule(self) -> str:
        """The line between two panels."""
        return "│" if self.line_style.unicode else "|"

    @property
    def mark(self) -> str:
        """The mark before the selected row."""
        return "▸" if self.line_style.unicode else ">"

    @property
    def dot(self) -> str:
        """The separator between two facts."""
        return "·" if self.line_style.unicode else "-"

    def header(self, text: str) -> str:
        """Style the first row."""
        return self.style(text, "bold", "reverse")

    def selected(self, text: str) -> str:
        """Style the selected row of a list."""
        return self.style(text, "reverse")

    def heading(self, text: str) -> str:
        """Style a heading in a text."""
        return self.style(text, "bold")

    def bar(self, text: str) -> str:
        """Style the action bar."""
        return self.style(text, "dim")

    def notice(self, text: str) -> str:
        """Style a message to the user."""
        return self.style(text, "bold", "yellow")

    def status(self, text: str) -> str:
        """Style the status line."""
        return self.style(text, "cyan")
