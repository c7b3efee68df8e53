"""Colours and characters of the app. Only the 16 palette colours, so that they suit any ground."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ticketr.statusline import LineStyle
from ticketr.text import fit, width

if TYPE_CHECKING:
    from collections.abc import Callable


def _plain(text: str, *_: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Theme:
    """How things look.

    Attributes:
        style: Puts a style around a text: ``style(text, "bold", "cyan")``.
        line_style: How the status line is drawn.
    """

    style: Callable[..., str] = _plain
    line_style: LineStyle = field(default_factory=LineStyle)

    def fit(self, text: str, cells: int) -> str:
        """Cut and pad a clean text to exactly so many cells, in characters that can be shown."""
        if self.line_style.unicode:
            return fit(text, cells)
        if not text.isascii():
            text = "".join(each if each.isascii() else "?" * width(each) for each in text)
        return fit(text, cells, ellipsis="...")

    @property
    def rule(self) -> str:
        """The line between two panels."""
        return "│" if self.line_style.unicode else "|"

    @property
    def mark(self) -> str:
        """What stands before the selected row."""
        return "▸" if self.line_style.unicode else ">"

    @property
    def dot(self) -> str:
        """What stands between two facts."""
        return "·" if self.line_style.unicode else "-"

    def header(self, text: str) -> str:
        """The first row."""
        return self.style(text, "bold", "reverse")

    def selected(self, text: str) -> str:
        """The selected row of a list."""
        return self.style(text, "reverse")

    def heading(self, text: str) -> str:
        """A heading in a text."""
        return self.style(text, "bold")

    def bar(self, text: str) -> str:
        """The action bar."""
        return self.style(text, "dim")

    def notice(self, text: str) -> str:
        """A word to the user."""
        return self.style(text, "bold", "yellow")

    def status(self, text: str) -> str:
        """The status line."""
        return self.style(text, "cyan")
