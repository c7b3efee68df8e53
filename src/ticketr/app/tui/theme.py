"""Colours and characters of the app: the 16 palette colours, which suit any background."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ticketr.app.tui.styled import Line, Span, fit_line, paint
from ticketr.statusline import LineStyle
from ticketr.text import fit, to_ascii

#: The colours of marks; everything else is in the terminal's own colours.
MARKS = {
    "*": "yellow",
    "!": "red",
    "×": "red",
    "✗": "red",
    "+": "green",
    "✓": "green",
    "◐": "blue",
    "⊘": "yellow",
}
#: The end of a text that was cut, with as much before it as its three dots need.
_CUT = re.compile(r"[\x20-\x7e]{2}…")


def _plain(text: str, *_: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Theme:
    """The style of the app.

    Attributes:
        style: Adds a style to a text: ``style(text, "bold", "cyan")``.
        line_style: The style of the status line.
        links: Whether the terminal gets links (OSC 8).
    """

    style: Callable[..., str] = _plain
    line_style: LineStyle = field(default_factory=LineStyle)
    links: bool = True

    def text(self, text: str) -> str:
        """Return a cleaned text, in ASCII if need be; its width may differ then."""
        return text if self.line_style.unicode else to_ascii(text)

    def fit(self, text: str, cells: int) -> str:
        """Return a cleaned text cut and padded to so many cells, in ASCII if need be."""
        return fit(self.text(text), cells, ellipsis=self.ellipsis)

    def row(self, line: Line, cells: int, *styles: str) -> str:
        """Return a line cut and padded to so many cells, and painted.

        Args:
            line: The line.
            cells: The width of the row.
            styles: Styles for the whole row, instead of the line's own.
        """
        if not self.line_style.unicode:
            line = tuple(Span(_as_wide(span.text), span.styles, span.link) for span in line)
        fitted = fit_line(line, cells, self.ellipsis)
        if styles:
            return self.style("".join(span.text for span in fitted), *styles)
        return paint(fitted, self.style, links=self.links)

    @property
    def ellipsis(self) -> str:
        """The mark at the end of a text that was cut."""
        return self.line_style.glyphs.ellipsis

    @property
    def rule(self) -> str:
        """The line between two panels, dim."""
        return self.style(self.text("│"), "dim")

    def rules(self, cells: int) -> str:
        """Return a horizontal line, dim."""
        return self.style(self.text("─") * cells, "dim")

    def status(self, text: str) -> str:
        """Style the status line."""
        return text


def _as_wide(text: str) -> str:
    """Return a text in ASCII; a text that was cut keeps its width, for the columns after it."""
    return "...".join(to_ascii(part) for part in _CUT.split(text))


def mark(text: str) -> Span:
    """Return a mark in its colour."""
    color = MARKS.get(text.strip())
    return Span(text, (color,)) if color else Span(text)
