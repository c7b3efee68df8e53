"""The lines of a file, with their offsets in its text; refuses mistyped headings and unclosed code blocks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import NoReturn

from ticketr.app.tickets import grammar
from ticketr.app.tickets.errors import TicketSyntaxError
from ticketr.app.tickets.grammar import closing, is_heading

_BOM = "\ufeff"
_LINE_END = re.compile("(\r\n|\n|\r)")


class SourceLines:
    """The lines of a file without their ends, which are LF, CRLF or CR as in Markdown.

    Attributes:
        text: The whole text.
        name: The name of the file in an error.
        lines: The lines, without a byte order mark.
        suspect: The index of the first code block that holds a heading: an error about an unclosed
            block names it instead.
    """

    __slots__ = ("_end", "_offsets", "lines", "name", "suspect", "text")

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        self.suspect: int | None = None
        if "\r" in text:
            parts = _LINE_END.split(text)
            self.lines = parts[::2]
            self._offsets = list(accumulate(map(len, parts), initial=0))[::2]
            self._end = 0
        else:
            self.lines = text.split("\n")
            self._offsets = list(accumulate(map(len, self.lines), initial=0))
            self._end = 1  # the length of a line's end, which the offsets leave out
        if text.startswith(_BOM):
            self.lines[0] = self.lines[0].removeprefix(_BOM)
            self._offsets[0] = len(_BOM)

    def start_of(self, index: int) -> int:
        """Return the offset of a line's start; behind the last line, the text's length."""
        if index < len(self.lines):
            return self._offsets[index] + index * self._end
        return len(self.text)

    def fail(self, index: int, problem: str, *, column: int = 1) -> NoReturn:
        """Raise an error about a line, whose index starts at 0.

        Raises:
            TicketSyntaxError: Always.
        """
        line = self.lines[index]
        raise TicketSyntaxError(self.name, index + 1, column, problem, line)


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


def refuse_mistyped_section(read: SourceLines, index: int, line: str) -> None:
    """Raise if a line of a ticket is the heading of a section with a wrong letter."""
    if section := grammar.nearest_section(line):
        problem = f"did you mean ## {section}? If it is text, put a backslash before it: \\##"
        read.fail(index, problem, column=read.lines[index].index("#") + 1)


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
