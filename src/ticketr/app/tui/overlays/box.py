"""A box over some rows of the screen. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ticketr.app.tui.panels.frame import scroll_top
from ticketr.text import clip, fit, width

if TYPE_CHECKING:
    from ticketr.app.tui.theme import Theme

_STYLE = re.compile("\x1b\\[[0-9;]*m|\x1b\\]8;[^\x07\x1b]*(?:\x07|\x1b\\\\)")


def boxed(
    below: Sequence[str],
    title: str,
    lines: Sequence[tuple[str, bool]],
    at: int,
    cells: int,
    screen: int,
    theme: Theme,
) -> list[str]:
    """Return the rows of a body with a box over its middle.

    The rows that the box covers lose their styles, so that no style is cut.

    Args:
        below: The rows without the box.
        title: The title in the frame of the box.
        lines: The lines of the box, and whether each is selected.
        at: The index of the selected line, which stays on the screen.
        cells: The width of the box without its frame.
        screen: The width of the screen.
        theme: Colours and characters.
    """
    height = min(len(lines), max(1, len(below) - 2))
    top = scroll_top(0, at, height, len(lines))
    bar, corner = theme.text("│"), theme.text
    rule = theme.text("─")
    name = clip(f" {theme.text(title)} ", cells - 2)
    rows = [f"{corner('┌')}{rule}{name}{rule * (cells - 1 - width(name))}{corner('┐')}"]
    for text, is_selected in lines[top : top + height]:
        shown = theme.fit(text, cells)
        rows.append(f"{bar}{theme.style(shown, 'reverse') if is_selected else shown}{bar}")
    rows.append(f"{corner('└')}{rule * cells}{corner('┘')}")
    begin = max(0, (len(below) - len(rows)) // 2)
    left = max(0, (screen - cells - 2) // 2)
    covered = list(below)
    for number, row in enumerate(rows[: len(below)], start=begin):
        under = _STYLE.sub("", below[number])
        start = fit(under, left, ellipsis="") if left else ""
        rest = max(0, screen - left - cells - 2)
        covered[number] = start + row + _row_end(under, rest)
    return covered


def _row_end(text: str, cells: int) -> str:
    """Return the end of a row, of exactly so many cells."""
    size = width(text)
    start = clip(text, max(0, size - cells), ellipsis="")
    return text[len(start) :] if width(start) == size - cells else " " * cells
