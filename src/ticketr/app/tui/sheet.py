"""An issue as it is read in the app: a sheet of fields, and its texts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ticketr.app.tickets import Comment, Ticket, render_ticket
from ticketr.app.tui.keymap import KeyAction
from ticketr.app.tui.styled import Line
from ticketr.text import clean


@dataclass(frozen=True, slots=True)
class Edit:
    """One part of an issue that was edited here since the last sync.

    Attributes:
        part: What people call the part, cleaned.
        before: Its text at the last sync, not cleaned.
        after: Its text in the file, not cleaned.
    """

    part: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A sub-task in its ticket's sheet; texts are cleaned."""

    key: str
    title: str
    status: str
    assignee: str


@dataclass(frozen=True, slots=True)
class CommentText:
    """A comment of an issue.

    Attributes:
        head: Who wrote it and when, cleaned; empty for one that was not sent yet.
        text: Its Markdown, not cleaned.
        line: The line of its text in the file; 0 if there is none.
        author: Who wrote it; empty for one that was not sent yet.
    """

    head: str
    text: str
    line: int
    author: str = ""


@dataclass(frozen=True, slots=True)
class FieldText:
    """A rich-text field of an issue.

    Attributes:
        name: Its name, cleaned.
        text: Its Markdown, not cleaned.
        heading: The line of its heading in the file; 0 if there is none.
        line: The line of its text in the file; 0 if there is none.
    """

    name: str
    text: str
    heading: int
    line: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """An issue, read from its file.

    Attributes:
        key: Its key; empty for a draft. Cleaned, as all texts but those in Markdown.
        title: Its title.
        path: Its file, relative to the workspace.
        line: The line of its heading in the file, from 1.
        fields: The names and values of its fields, in the order of the file.
        description: Its description in Markdown, not cleaned.
        description_line: The line of the description's first line in the file; 0 if unknown.
        criteria: Its acceptance criteria in Markdown, not cleaned.
        criteria_lines: The line of each criterion in the file.
        texts: Its rich-text fields.
        comments: Its comments.
        tasks: Its sub-tasks.
        source: Its lines as the file holds them.
        edits: What was edited here since the last sync.
        clashes: The names of the parts that both sides have changed, cleaned.
        error: The error of a broken file; empty for none.
    """

    key: str
    title: str
    path: str
    line: int = 0
    fields: tuple[tuple[str, str], ...] = ()
    description: str = ""
    description_line: int = 0
    criteria: tuple[str, ...] = ()
    criteria_lines: tuple[int, ...] = ()
    texts: tuple[FieldText, ...] = ()
    comments: tuple[CommentText, ...] = ()
    tasks: tuple[TaskLine, ...] = ()
    source: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    clashes: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class DetailLine:
    """One line of an issue's text.

    Attributes:
        line: What is shown.
        source: The line in the file that it comes from, from 1; 0 if there is none.
        action: The action whose key is named at its end; None for none. There is room for that.
    """

    line: Line
    source: int = 0
    action: KeyAction | None = None


@dataclass(frozen=True, slots=True)
class WrappedDetail:
    """The lines of a long issue, which were wrapped in a thread.

    Attributes:
        cells: The width of the panel that they were wrapped to.
        as_source: Whether they are the lines of the file.
        lines: The lines.
    """

    cells: int
    as_source: bool
    lines: tuple[DetailLine, ...] = field(repr=False)


def sheet_of(
    issue: Ticket, path: str, edits: Iterable[Edit] = (), clashes: Iterable[str] = ()
) -> Sheet:
    """Return the sheet of an issue.

    Args:
        issue: The issue, as read from a file.
        path: The file, relative to the workspace.
        edits: What was edited since the last sync.
        clashes: The names of the parts that both sides have changed, cleaned.
    """
    return Sheet(
        key=issue.key or "",
        title=clean(issue.title),
        path=clean(path),
        line=issue.line,
        fields=tuple((clean(name), clean(value)) for name, value in issue.fields.items()),
        description=issue.description,
        description_line=issue.places.of_description(1),
        criteria=issue.acceptance_criteria,
        criteria_lines=issue.places.criteria,
        texts=tuple(_texts(issue)),
        comments=tuple(map(_comment, issue.comments)),
        tasks=tuple(map(_task, issue.tasks)),
        source=tuple(map(clean, render_ticket(issue).splitlines())),
        edits=tuple(edits),
        clashes=tuple(clashes),
    )


def _texts(issue: Ticket) -> Iterator[FieldText]:
    for name, text in issue.texts.items():
        line_of = issue.places.of_text
        yield FieldText(clean(name), text, line_of(name, 0), line_of(name, 1))


def _comment(comment: Comment) -> CommentText:
    head = ", ".join(text for text in (comment.author, comment.time) if text)
    return CommentText(clean(head), comment.text, comment.line, comment.author)


def _task(issue: Ticket) -> TaskLine:
    fields = issue.fields
    return TaskLine(
        issue.key or "",
        clean(issue.title),
        clean(fields.get("Status", "")),
        clean(fields.get("Assignee", "")),
    )
