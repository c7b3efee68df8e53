"""Parses the lines of a comment: its first one, and those that are indented below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ticketr.app.tickets import grammar
from ticketr.app.tickets.comment import read_comment_head
from ticketr.app.tickets.grammar import opening
from ticketr.app.tickets.source_lines import refuse_mistakes, skip_fence

if TYPE_CHECKING:
    from ticketr.app.tickets.comment import Comment
    from ticketr.app.tickets.source_lines import SourceLines

INDENT: Final = "  "
_NOT_A_COMMENT = (
    "this is not a comment; write - new: before the text of a new one, and indent its other lines by "
    "two spaces"
)


def dedented(line: str, width: int = len(INDENT)) -> str:
    """Return a line without its indent; a tab counts as two spaces, and less is allowed."""
    if width > len(INDENT) and line[:width].isspace():
        return line[width:]
    if line.startswith(INDENT):
        return line[len(INDENT) :]
    if line.startswith("\t"):
        return line[1:]
    return line if line.strip() else ""


class CommentLines:
    """Reads comments.

    Args:
        read: The file.
        lines: The lines of the file, or of a task without their indent.
        offset: The index of ``lines[0]`` in the file.
    """

    __slots__ = ("_lines", "_offset", "_read")

    def __init__(self, read: SourceLines, lines: Sequence[str], offset: int) -> None:
        self._read = read
        self._lines = lines
        self._offset = offset

    def read(self, index: int) -> tuple[Comment, int]:
        """Parse the comment that a line begins; return it and the index of the line behind it.

        Raises:
            TicketSyntaxError: The line begins no comment, a code block in it is not closed, or a
                line in it is a mistyped heading.
        """
        head = read_comment_head(self._lines[index])
        if head is None:
            self._read.fail(index + self._offset, _NOT_A_COMMENT)
        stop = self._stop(index + 1, is_prose=bool(head.comment.text))
        text = [self._lines[index][head.column :], *map(dedented, self._lines[index + 1 : stop])]
        first = next((at for at, line in enumerate(text) if line.strip()), 0)
        lines = self._unescaped(text, index + self._offset)
        line = index + self._offset + first + 1
        return replace(head.comment, text="\n".join(lines), line=line), stop

    def _stop(self, start: int, *, is_prose: bool) -> int:
        """Return the index behind the last line of a comment.

        A line without indent still belongs to it right below a line of prose, as in Markdown.
        """
        stop = start
        for index in range(start, len(self._lines)):
            line = self._lines[index]
            if line.startswith((INDENT, "\t")) or (is_prose and line[:1].isalnum()):
                is_prose = is_prose or bool(line.strip())
            elif line.strip():
                break
            if line.strip():
                stop = index + 1
            else:
                is_prose = False
        return stop

    def _unescaped(self, lines: Sequence[str], first: int) -> list[str]:
        """Return the lines of a text without escapes; ``first`` is the index of the first one."""
        text: list[str] = []
        while len(text) < len(lines):
            at = len(text)
            if opening(lines[at]):
                end = skip_fence(self._read, first + at, lines, at)
                text.append(lines[at])
                text += (grammar.unescape(line, fenced=True) for line in lines[at + 1 : end])
                text.append(lines[end])
            else:
                if at:
                    refuse_mistakes(self._read, first + at, lines[at])
                text.append(grammar.unescape(lines[at]))
        return text
