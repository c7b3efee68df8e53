"""Refuses lines that are nearly headings, and code blocks that are not closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ticketr.app.tickets import grammar
from ticketr.app.tickets.grammar import closing, is_heading

if TYPE_CHECKING:
    from ticketr.app.tickets.source_lines import SourceLines


def refuse_mistakes(read: SourceLines, index: int, line: str) -> None:
    """Raise if a line is a mistyped heading of a ticket, which would become text."""
    match = grammar.ALMOST_TICKET.match(line)
    if match is None:
        return
    if "STORY" in match[0]:
        problem = "stories are tickets now; write # TICKET: Title"
    elif line.lstrip().startswith(grammar.TICKET):
        problem = "the heading of a ticket begins in the first column; remove what is before it"
    else:
        problem = "this is not quite the heading of a ticket; write # TICKET: Title"
    column = read.lines[index].index("#") + 1
    read.fail(index, f"{problem}, or \\# if it is text", column=column)


def skip_fence(read: SourceLines, index: int, lines: Sequence[str], start: int) -> int:
    """Return the index of the line that closes the code block opened by ``lines[start]``.

    Args:
        read: The file, for the error and for its `suspect`.
        index: The index of ``lines[start]`` in the file.
        lines: The lines in which the block must end: the file's, or those of a task.
        start: The index of the opening line in `lines`.

    Raises:
        TicketSyntaxError: The block is not closed.
    """
    end = closing(lines, start)
    if end is None:
        if read.suspect is not None:
            index = read.suspect
        read.fail(
            index,
            "this code block is not closed before the next heading or code block; close it, or "
            "put a backslash before it if it is text",
        )
    if read.suspect is None and any(map(is_heading, lines[start + 1 : end])):
        read.suspect = index
    return end
