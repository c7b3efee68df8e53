"""The comments of a ticket, and the lines that begin them in a file.

A comment of Jira begins with its number, its author and its time, and its text follows, indented. A
new one begins with ``- new:``. Such a line alone makes ``## Comments`` a section; before other lines
alone these words are text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile

from ticketr._lazy import compile_on_use
from ticketr.app.tickets.grammar import normal_text, one_line

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
class CommentHead:
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
    return is_comment_head(next(written, "")) or any(map(_is_known_with_time, written))


def is_comments_heading(line: str) -> bool:
    """Return whether a line could be the heading of the comments."""
    return line.startswith("## ") and _HEADING.match(line) is not None


def is_comment_head(line: str) -> bool:
    """Return whether a line begins a comment."""
    return (_NEW_HEAD.match(line) or _KNOWN_HEAD.match(line)) is not None


def _is_known_with_time(line: str) -> bool:
    return _KNOWN_HEAD.match(line) is not None and _BEFORE_TIME.search(line) is not None


def read_comment_head(line: str) -> CommentHead | None:
    """Parse the first line of a comment; return None for any other line."""
    if match := _NEW_HEAD.match(line):
        return CommentHead(Comment(line[match.end() :]), match.end())
    match = _KNOWN_HEAD.match(line)
    if match is None:
        return None
    rest = line[match.end() :]
    when = _BEFORE_TIME.search(rest)
    if when is None:
        author = rest.rstrip().removesuffix(":")
        return CommentHead(Comment("", match[1], author), len(line))
    start = match.end() + when.end() + len(when[1])
    text = line[start:].removeprefix(":")
    author = rest[: when.start()]
    return CommentHead(Comment(text, match[1], author, when[1]), len(line) - len(text.lstrip()))


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
