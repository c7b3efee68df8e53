"""The rows that every plan has: an issue, where it is, and what would change. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ticketr.app.tui.keymap import Context, KeyAction, KeyMap
from ticketr.app.tui.styled import Line, Span, wrap_line
from ticketr.app.tui.theme import mark
from ticketr.text import clean, clip, width

if TYPE_CHECKING:
    from ticketr.app.sync import FileEdit, PlanEntry

NAME_CELLS = 10
#: The indent of what would change, below the title.
INDENT = " " * 14


def padded_name(name: str) -> str:
    """Return the name of a ticket or file, with a space between it and what follows."""
    shown = clip(clean(name), 2 * NAME_CELLS)
    return shown + " " * max(1, NAME_CELLS - width(shown))


def plan_lines(
    planned: PlanEntry | FileEdit,
    sign: str,
    pieces: Sequence[str],
    keymap: KeyMap,
    cells: int,
    *,
    is_selected: bool,
    is_out: bool,
) -> Iterator[Line]:
    """Yield the lines of one entry of a plan.

    Args:
        planned: The issue, and where it is.
        sign: The mark of what becomes of it.
        pieces: What would change, cleaned.
        keymap: The keys, for how to take it in again.
        cells: The width of the screen.
        is_selected: Whether it is selected.
        is_out: Whether it was left out.
    """
    bar = "▌" if is_selected else " "
    name = padded_name(planned.key or "draft")
    where = f"{clean(planned.path)}:{planned.line}"
    room = cells - 4 - width(name) - width(where) - 2
    title = clip(clean(planned.title), max(4, room))
    gap = " " * max(1, room - width(title))
    yield Span(f"{bar} "), mark("·" if is_out else sign), Span(f" {name}{title}{gap}{where}")
    if is_out:
        again = keymap.hint(KeyAction.SELECT, Context.PLAN, "takes it in again", before="; ")
        yield (Span(f"     left out{again}", ("dim",)),)
    elif pieces:
        line = (Span("; ".join(pieces)),)
        yield from wrap_line(line, max(8, cells - 1), first=INDENT, rest=INDENT)
