"""The lines of a file, with their offsets in its text."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import NoReturn

from ticketr.app.tickets.errors import TicketSyntaxError

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
