"""Lays out tables: in a frame as wide as they need, or as a list if the page is too narrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from ticketr.app.tui.markdown.inline import Text
from ticketr.app.tui.styled import Line, Span, cells
from ticketr.text import width as width_of

if TYPE_CHECKING:
    from ticketr.app.tui.markdown.page import Frame, Page

#: The least cells for the text of a column that needs more; with fewer, a table becomes a list.
LEAST_COLUMN: Final = 5


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        source: Its source line.
        is_header: Whether it is the header.
        cells: The lines of each cell.
    """

    source: int
    is_header: bool = False
    cells: list[list[Text]] = field(default_factory=list)


def add_table(page: Page, rows: Sequence[Row], alignments: Sequence[str]) -> None:
    """Write a table.

    Args:
        page: The page.
        rows: The header and the other rows; all have as many cells as the header.
        alignments: The alignment of each column: ``right``, ``center`` or empty.
    """
    needs = [
        max(1, *(_width(row.cells[number]) for row in rows)) for number in range(len(alignments))
    ]
    widths = column_widths(needs, page.room - 3 * len(needs) - 1)
    if widths is None:
        _add_list(page, rows)
        return
    has_header = any(text.spans for cell in rows[0].cells for text in cell)
    shown = [(row, list(_lines(page, row, widths, alignments))) for row in rows[not has_header :]]
    is_ruled = any(len(lines) > 1 for row, lines in shown if not row.is_header)
    top, middle, bottom = (_rule(page, frame, widths) for frame in page.glyphs.frame)
    page.add(top, rows[0].source)
    for number, (row, lines) in enumerate(shown):
        if number and (is_ruled or shown[number - 1][0].is_header):
            page.add(middle, row.source)
        for line in lines:
            page.add(line, row.source)
    page.add(bottom, rows[-1].source)


def column_widths(needs: Sequence[int], room: int) -> list[int] | None:
    """Share the cells of a page among the columns of a table.

    Columns that need no more than an equal share get what they need, and the others share what is
    left, equally.

    Args:
        needs: The cells that each column needs.
        room: The cells for all columns.

    Returns:
        The cells of each column; None if there is not enough room.
    """
    if sum(min(need, LEAST_COLUMN) for need in needs) > room:
        return None
    widths = [0] * len(needs)
    left = room
    for taken, number in enumerate(sorted(range(len(needs)), key=lambda column: needs[column])):
        widths[number] = min(needs[number], left // (len(needs) - taken))
        left -= widths[number]
    return widths


def _width(cell: Sequence[Text]) -> int:
    return max(width_of("".join([span.text for span in text.spans])) for text in cell)


def _lines(
    page: Page, row: Row, widths: Sequence[int], alignments: Sequence[str]
) -> Iterator[Line]:
    """Yield the lines of a row."""
    column = Span(page.glyphs.column, ("dim",))
    columns = [
        [line.line for text in cell for line in text.wrapped(width)]
        for cell, width in zip(row.cells, widths, strict=True)
    ]
    for parts in zip_longest(*columns, fillvalue=()):
        spans: list[Span] = []
        for part, width, alignment in zip(parts, widths, alignments, strict=True):
            left, right = _padding(width - cells(part), alignment)
            spans += column, Span(" " * (left + 1)), *part, Span(" " * (right + 1))
        yield (*spans, column)


def _padding(cells_left: int, alignment: str) -> tuple[int, int]:
    """Return the cells at the left and the right of a text."""
    spare = max(0, cells_left)
    if alignment == "right":
        return spare, 0
    if alignment == "center":
        return spare // 2, spare - spare // 2
    return 0, spare


def _rule(page: Page, frame: Frame, widths: Sequence[int]) -> Line:
    left, crossing, right = frame
    lines = crossing.join(page.glyphs.rule * width for width in widths)
    return (Span(f"{left}{lines}{right}", ("dim",)),)


def _add_list(page: Page, rows: Sequence[Row]) -> None:
    """Write a table as a list: each cell with the head of its column."""
    header, *others = rows
    heads = [
        " ".join("".join([span.text for span in text.spans]) for text in cell)
        for cell in header.cells
    ]
    for row in others or [header]:
        for head, cell in zip(heads, row.cells, strict=True):
            if not any(text.spans for text in cell):
                continue
            page.open("cell", (), (Span("  "),))
            first = Text(row.source)
            if head.strip() and row is not header:
                first.append(Span(f"{head}: ", ("bold",)), row.source)
            for span in cell[0].spans:
                first.append(span, row.source)
            for text in (first, *cell[1:]):
                page.add_all(text.wrapped(page.room))
            page.close("cell")
        page.gap()
