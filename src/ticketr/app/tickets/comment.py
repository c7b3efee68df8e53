"""The comments of a ticket, and their lines in a file.

A comment of Jira begins with its number, its author and its time, and its text follows, indented. A
new one begins with ``- new:``. Such a line alone makes ``## Comments`` a section; before other lines
alone these words are text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final

from ticketr._lazy import compile_on_use
from ticketr.app.tickets import grammar
from ticketr.app.tickets.grammar import normal_text, one_line, opening
from ticketr.app.tickets.source_lines import refuse_mistakes, skip_fence

if TYPE_CHECKING:
    from ticketr.app.tickets.source_lines import SourceLines


COMMENTS = "Comments"

_HEADING = compile_on_use(r"\\*(?=## Comments[ \t:#]*\Z)")
# A heading behind the comments, or a text that is written as one.
_NEXT_HEADING = compile_on_use(r" {0,3}\\*#{1,2} ")
#: What the first line of a new comment, and of one that Jira has, begins with.
_NEW_HEAD = compile_on_use(r"[-*+][ \t]+[Nn]ew:[ \t]*")
_KNOWN_HEAD = compile_on_use(r"[-*+][ \t]+\[([0-9]+)\][ \t]*")
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}Z"
_BEFORE_TIME = compile_on_use(rf"[ \t]*,[ \t]*(?=({_TIME}))")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of a ticket.

    Attributes:
        text: Markdown, without outer white space.
        id: The number that Jira gave it; empty for a new one, which is not in Jira yet.
        author: The name of its author; empty for a new one.
        time: When it was written, as ``2026-03-01 09:30Z``; empty if unknown.
        line: The line of its text in the file, from 1; 0 if it was not read from one. Not compared.
    """

    text: str
    id: str = ""
    author: str = ""
    time: str = ""
    line: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "text", normal_text(self.text).strip())
        put(self, "id", self.id if _is_number(self.id) else "")
        put(self, "author", one_line(_BEFORE_TIME.sub(" ", one_line(self.author))))
        put(self, "time", self.time if re.fullmatch(_TIME, self.time) else "")
        if not self.id:
            put(self, "author", "")
            put(self, "time", "")

    @property
    def is_new(self) -> bool:
        """Whether Jira does not have it yet."""
        return not self.id


@dataclass(frozen=True, slots=True)
class _CommentHead:
    """The first line of a comment in a file.

    Attributes:
        comment: What it says of the comment; its text is the rest of the line.
        column: Where that text begins, from 0.
    """

    comment: Comment
    column: int


def begins_comments(lines: Sequence[str], index: int) -> bool:
    """Return whether a line is the heading of the comments, perhaps behind backslashes.

    A line that begins a comment must follow it, perhaps after blank lines. One with a number and a
    time may also be below other lines: else what was written above the comments would make all
    of them text, which a push would send.

    Args:
        lines: The lines of a file or of a text.
        index: The line.
    """
    if not _HEADING.match(lines[index]):
        return False
    section = takewhile(lambda line: not _NEXT_HEADING.match(line), islice(lines, index + 1, None))
    written = (line for line in section if line.strip())
    return _is_comment_head(next(written, "")) or any(map(_is_known_with_time, written))


def is_comments_heading(line: str) -> bool:
    """Return whether a line could be the heading of the comments."""
    return line.startswith("## ") and _HEADING.match(line) is not None


def _is_comment_head(line: str) -> bool:
    """Return whether a line begins a comment."""
    return (_NEW_HEAD.match(line) or _KNOWN_HEAD.match(line)) is not None


def _is_known_with_time(line: str) -> bool:
    return _KNOWN_HEAD.match(line) is not None and _BEFORE_TIME.search(line) is not None


def _read_comment_head(line: str) -> _CommentHead | None:
    """Parse the first line of a comment; return None for any other line."""
    if match := _NEW_HEAD.match(line):
        return _CommentHead(Comment(line[match.end() :]), match.end())
    match = _KNOWN_HEAD.match(line)
    if match is None:
        return None
    rest = line[match.end() :]
    when = _BEFORE_TIME.search(rest)
    if when is None:
        author = rest.rstrip().removesuffix(":")
        return _CommentHead(Comment("", match[1], author), len(line))
    start = match.end() + when.end() + len(when[1])
    text = line[start:].removeprefix(":")
    author = rest[: when.start()]
    return _CommentHead(Comment(text, match[1], author, when[1]), len(line) - len(text.lstrip()))


def write_comment_head(comment: Comment) -> str:
    """Return the first line of a comment; that of a new one continues with its text."""
    if comment.is_new:
        return "- new: "
    when = f", {comment.time}" if comment.time else ""
    return f"- [{comment.id}] {comment.author}{when}:"


def kept_comments(comments: Iterable[Comment]) -> tuple[Comment, ...]:
    """Return comments without new ones that have no text."""
    return tuple([comment for comment in comments if comment.id or comment.text])


def repeated_comment(comments: Iterable[Comment]) -> Comment | None:
    """Return the first comment whose number another one has already."""
    seen: set[str] = set()
    for comment in comments:
        if comment.id in seen:
            return comment
        if comment.id:
            seen.add(comment.id)
    return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


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
        head = _read_comment_head(self._lines[index])
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
