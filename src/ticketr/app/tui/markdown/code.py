"""Writes blocks of code: as they are, with a bar at the left and the language at the right."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from ticketr.app.tui.styled import Span, fit_line
from ticketr.text import cuts_of, width as width_of

if TYPE_CHECKING:
    from ticketr.app.tui.markdown.page import Page


def add_code(page: Page, code: str, language: str, source: int) -> None:
    """Write a block of code.

    Args:
        page: The page.
        code: The code.
        language: Its language; it is left out if there is no room for it.
        source: The source line of the first line of code.
    """
    bar = (Span(f"{page.glyphs.bar} ", ("dim",)),)
    page.open("code", bar, bar)
    room = page.room
    label = page.text(language)
    for number, line in enumerate(code.removesuffix("\n").split("\n")):
        for begins, part in _parts(page.text(line.expandtabs(4)), room, page.glyphs.wrapped):
            spans = (Span(page.glyphs.wrapped, ("dim",)),) if not begins else ()
            shown = (*spans, Span(part)) if part else spans
            if label:
                left = room - width_of(label)
                if left > 0 and width_of(part) < left - 1:
                    shown = (*fit_line(shown, left), Span(label, ("dim",)))
                elif left > 0:
                    page.add((Span(" " * left), Span(label, ("dim",))), source)
                label = ""
            page.add(shown, source + number)
    page.close("code")


def _parts(text: str, room: int, mark: str) -> Iterator[tuple[bool, str]]:
    """Yield the parts of a line that fit, and whether each begins the line."""
    stops = cuts_of(text, room, max(2, room - width_of(mark))) if width_of(text) > room else ()
    for number, (begin, end) in enumerate(pairwise([0, *stops, len(text)])):
        yield number == 0, text[begin:end]
