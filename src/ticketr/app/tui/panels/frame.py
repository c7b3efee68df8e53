"""The frames of panels: rules with a title, and rows filled up to a height. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from ticketr.text import clip, width

if TYPE_CHECKING:
    from ticketr.app.tui.theme import Theme


#: A row, or a function that draws it once it is known to be on the screen.
Row: TypeAlias = str | Callable[[], str]

T = TypeVar("T")


def title_rule(left: str, right: str, cells: int, theme: Theme, *, is_focused: bool) -> str:
    """Return a rule that holds a title at its left and facts at its right.

    Args:
        left: The title, cleaned.
        right: The facts, cleaned; left out where there is no room.
        cells: The width of the rule.
        theme: Colours and characters.
        is_focused: Whether the panel has the focus, which makes its title bold.
    """
    left, right = theme.text(left), theme.text(right)
    room = cells - width(left) - 5
    right = f" {right} " if right and width(right) + 2 <= room else ""
    line = theme.text("─")
    left = clip(left, max(0, cells - 4 - width(right)), ellipsis=theme.ellipsis)
    fill = max(0, cells - 3 - width(left) - width(right) - 1)
    start, end = clip(f"{line} ", cells, ellipsis=""), line * fill
    shown = theme.style(left, "bold") if is_focused else left
    tail = clip(f" {end}", max(0, cells - 2 - width(left) - width(right) - 1), ellipsis="")
    if cells < 4:
        return theme.rules(cells)
    return theme.style(start, "dim") + shown + theme.style(tail, "dim") + right + theme.rules(1)


def filled(rows: Sequence[str], height: int, cells: int) -> list[str]:
    """Return exactly so many rows, with blank ones at the end."""
    return [*rows[:height], *[" " * cells] * (height - len(rows))]


def drawn(rows: Sequence[Row]) -> list[str]:
    """Return rows that are on the screen; of hundreds, only these are drawn."""
    return [row if isinstance(row, str) else row() for row in rows]


def spaced(
    rows: Sequence[T], headings: Sequence[int], at: int, height: int, blank: T
) -> tuple[list[T], int]:
    """Put a blank row before each heading, if there is room for all rows then.

    Args:
        rows: The rows, or what draws them.
        headings: The indices of the headings; one at the very top gets no blank row.
        at: The index of a row that is looked for.
        height: The rows of the screen.
        blank: A blank row.

    Returns:
        The rows, and where the row is that was looked for.
    """
    before = [heading for heading in headings if heading]
    if len(rows) + len(before) > height:
        return list(rows), at
    shown = list(rows)
    for number in reversed(before):
        shown.insert(number, blank)
    return shown, at + sum(number <= at for number in before)


def scroll_top(top: int, index: int, page: int, count: int) -> int:
    """Return the index of the first row to show, so that the selected row is on the screen.

    Args:
        top: The index of the first row that was shown before.
        index: The index of the selected row.
        page: The number of rows on the screen.
        count: The number of all rows.
    """
    return max(0, min(max(top, index - page + 1), index, count - page))
