"""An issue as it is read in the app: a sheet of fields, and its texts. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ticketr.app.tickets import Comment, Ticket
from ticketr.app.tui.styled import Line
from ticketr.text import clean

#: What a sheet holds whose file cannot be read.
UNREADABLE_TICKET_STAND_IN = Ticket("")


@dataclass(frozen=True, slots=True)
class EditedPart:
    """One part of an issue that was edited here since the last sync.

    Attributes:
        part_name: What people call the part, cleaned.
        before: Its text at the last sync, not cleaned.
        after: Its text in the file, not cleaned.
    """

    part_name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, eq=False)
class IssueSheet:
    """An issue, read from its file. Each reading makes another one.

    Attributes:
        key: Its key; empty for a draft. Cleaned, as the title and the path are.
        title: Its title.
        path: Its file, relative to the workspace.
        line: The line of its heading in the file, from 1.
        issue: What the file holds of it, not cleaned.
        edits: What was edited here since the last sync.
        clashing_parts: The names of the parts that both sides have changed, cleaned.
        error: The error of a broken file; empty for none.
    """

    key: str
    title: str
    path: str
    line: int = 0
    issue: Ticket = UNREADABLE_TICKET_STAND_IN
    edits: tuple[EditedPart, ...] = ()
    clashing_parts: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class DetailLine:
    """One line of an issue's text.

    Attributes:
        line: What is shown.
        source_line: The line in the file that it comes from, from 1; 0 if there is none.
        has_resolve_hint: Whether the key that resolves a conflict is named at its end. There is room for that.
    """

    line: Line
    source_line: int = 0
    has_resolve_hint: bool = False


def sheet_of(
    issue: Ticket, path: str, edits: Iterable[EditedPart] = (), clashes: Iterable[str] = ()
) -> IssueSheet:
    """Return the sheet of an issue.

    Args:
        issue: The issue, as read from a file.
        path: The file, relative to the workspace.
        edits: What was edited since the last sync.
        clashes: The names of the parts that both sides have changed, cleaned.
    """
    return IssueSheet(
        key=issue.key or "",
        title=clean(issue.title),
        path=clean(path),
        line=issue.line,
        issue=issue,
        edits=tuple(edits),
        clashing_parts=tuple(clashes),
    )


def comment_heading(comment: Comment) -> str:
    """Return the author and time of a comment, cleaned; an empty text if it is not in Jira yet."""
    return clean(", ".join(text for text in (comment.author, comment.time) if text))
