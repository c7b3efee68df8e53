"""The model of a ticket and of a ticket file.

Every ``Ticket`` is normalized when it is created: texts that the file format cannot distinguish
become equal. Thus ``parse(render([t])).tickets == (t,)`` holds for every ticket:

- line ends are LF; lone surrogates, which UTF-8 cannot hold, become U+FFFD;
- a title is one line without outer white space, and never empty;
- a description has no blank lines around it and no white space at its end;
- texts of fields are like a description;
- field names are one line; names, values and criteria have no outer white space; empty criteria
  are removed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from ticketr.app.tickets.errors import InvalidKey, UnwritableTicket
from ticketr.app.tickets.grammar import (
    ALMOST_TICKET,
    COMMA_BEFORE_COMMENT_TIME,
    COMMENT_TIME_PATTERN,
    CONFLICT_MARKER,
    is_key,
    one_line,
    with_lf_and_utf8,
)

#: Replaces an empty title, since a heading needs one.
NO_TITLE = "(no title)"

# Lines in Fields that are not remarks: fields, headings, conflict markers.
_FIELD_HEADING_OR_MARKER = re.compile(rf".*:|##|{CONFLICT_MARKER.pattern}")


def _strip_blank_lines(text: str) -> str:
    """Remove blank lines around a normal text; keep the first line's indent, as of a code block."""
    text = text.rstrip()
    space = len(text) - len(text.lstrip())
    return text[text.rfind("\n", 0, space) + 1 :] if space else text


def _as_non_field_line(text: str) -> str:
    """Return a line of Fields that is not a field, heading or conflict marker."""
    line = one_line(text)
    comment = line.startswith("#") and not line.startswith("##")
    if not ALMOST_TICKET.match(line) and (comment or not _FIELD_HEADING_OR_MARKER.match(line)):
        return line
    line = f"# {line.lstrip('# ')}".rstrip()
    return f"# \\{line[2:]}" if ALMOST_TICKET.match(line) else line


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of a ticket.

    Attributes:
        text: Markdown, without outer white space.
        id: The number that Jira gave it; empty for a new one, which is not in Jira yet.
        author: The name of its author; empty for a new one.
        time: When it was written, as ``2026-03-01 09:30Z``; empty if unknown.
        text_line: The line of its text in the file, from 1; 0 if it was not read from one. Not compared.
    """

    text: str
    id: str = ""
    author: str = ""
    time: str = ""
    text_line: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "text", with_lf_and_utf8(self.text).strip())
        put(self, "id", self.id if _is_ascii_digits(self.id) else "")
        put(self, "author", one_line(COMMA_BEFORE_COMMENT_TIME.sub(" ", one_line(self.author))))
        put(self, "time", self.time if re.fullmatch(COMMENT_TIME_PATTERN, self.time) else "")
        if not self.id:
            put(self, "author", "")
            put(self, "time", "")

    @property
    def is_new(self) -> bool:
        """Whether Jira does not have it yet."""
        return not self.id


def _is_ascii_digits(text: str) -> bool:
    return text.isascii() and text.isdecimal()


#: For each consecutive run of lines in a text, the number of its first line there and in the file.
RunStartsInTextAndFile: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class TextLineNumbers:
    """The line numbers of the text of a field in its file, from 1.

    Attributes:
        heading_line: The line of the heading of its section.
        runs: The runs of its lines.
    """

    heading_line: int
    runs: RunStartsInTextAndFile = ()


@dataclass(frozen=True, slots=True)
class LineNumbers:
    """The line numbers of a ticket's texts in its file, from 1.

    Attributes:
        description: The runs of lines in the description.
        criteria_starts: For each criterion, the number of its first line in the file.
        rich_texts: The line numbers of each text of a field, by the field's name.
        fields: For each field, its name and the number of its line in the file.
    """

    description: RunStartsInTextAndFile = ()
    criteria_starts: tuple[int, ...] = ()
    rich_texts: Mapping[str, TextLineNumbers] = field(
        default_factory=dict[str, TextLineNumbers], hash=False
    )
    fields: tuple[tuple[str, int], ...] = ()

    def of_description(self, line: int) -> int:
        """Return the line in the file of a line of the description; 0 if it is unknown."""
        return _line_in(self.description, line)

    def of_text(self, name: str, line: int) -> int:
        """Return the line in the file of a line of a field's text; 0 if it is unknown.

        Args:
            name: The name of the field.
            line: The line in the text, from 1; 0 for the heading of the section.
        """
        place = self.rich_texts.get(name)
        if place is None:
            return 0
        return _line_in(place.runs, line) if line else place.heading_line

    def of_criterion(self, index: int, line: int) -> int:
        """Return the line in the file of a line of a criterion; 0 if it is unknown.

        Args:
            index: The index of the criterion, from 0.
            line: The line in the criterion, from 1.
        """
        return self.criteria_starts[index] + line - 1 if index < len(self.criteria_starts) else 0

    def of_field(self, name: str) -> int:
        """Return the line in the file of a field; 0 if it is unknown."""
        return dict(self.fields).get(name, 0)


def _line_in(runs: RunStartsInTextAndFile, line: int) -> int:
    at = bisect_right(runs, line, key=lambda run: run[0]) - 1
    return runs[at][1] + line - runs[at][0] if at >= 0 else 0


#: The line numbers of a ticket that was not read from a file.
NO_LINE_NUMBERS = LineNumbers()


@dataclass(frozen=True, slots=True)
class Ticket:
    """A Jira issue as a file holds it; a sub-task is a ticket in its parent's ``tasks``.

    Attributes:
        title: One line.
        key: ``PROJ-123``; None for a draft, which is not in Jira yet.
        description: Markdown.
        fields: Field names and texts, in the order of the file. Read-only.
        acceptance_criteria: One text for each criterion, possibly of several lines.
        tasks: The sub-tasks, which have no sub-tasks.
        line: The line of its heading, from 1; 0 if it was not read from a file. Not compared.
        non_field_lines: The lines in the section Fields that are not fields. They stay in the file
            and are never sent to Jira. Not compared.
        line_numbers: The line numbers of its texts in the file. Not compared.
        comments: The comments, in the order of the file.
        rich_texts: The names of the rich-text fields that have sections of their own, and their
            Markdown, in the order of the file. Read-only. An empty text empties its field.

    Raises:
        InvalidKey: The key is not an issue key.
        UnwritableTicket: A field has no name, a task has tasks, or a key occurs twice.
    """

    title: str
    key: str | None = None
    description: str = ""
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)
    acceptance_criteria: tuple[str, ...] = ()
    tasks: tuple[Ticket, ...] = ()
    line: int = field(default=0, compare=False)
    non_field_lines: tuple[str, ...] = field(default=(), compare=False)
    line_numbers: LineNumbers = field(default=NO_LINE_NUMBERS, compare=False)
    comments: tuple[Comment, ...] = ()
    rich_texts: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)

    def __post_init__(self) -> None:
        if self.key is not None and not is_key(self.key):
            raise InvalidKey(self.key)
        put = object.__setattr__
        put(self, "title", one_line(self.title) or NO_TITLE)
        put(self, "description", _strip_blank_lines(with_lf_and_utf8(self.description)))
        is_normal = type(self.fields) is AlreadyNormalFields
        fields = self.fields if is_normal else _strip_fields(self.fields, str.strip)
        put(self, "fields", MappingProxyType(fields))
        texts = _strip_fields(self.rich_texts, _strip_blank_lines) if self.rich_texts else {}
        put(self, "rich_texts", MappingProxyType(texts))
        criteria = [with_lf_and_utf8(text).strip() for text in self.acceptance_criteria]
        put(self, "acceptance_criteria", tuple(filter(None, criteria)))
        put(self, "tasks", tuple(self.tasks))
        lines = map(_as_non_field_line, self.non_field_lines)
        put(self, "non_field_lines", tuple(filter(None, lines)))
        # A new comment without a text is none.
        comments = [comment for comment in self.comments if comment.id or comment.text]
        put(self, "comments", tuple(comments))
        if self.tasks:
            self._check_tasks()

    def _check_tasks(self) -> None:
        for task in self.tasks:
            if task.tasks:
                raise UnwritableTicket("a sub-task cannot have sub-tasks", task.title)
        keys = list(self.keys())
        if len(set(keys)) < len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise UnwritableTicket("a key occurs twice in one ticket", twice)

    def keys(self) -> Iterator[str]:
        """Yield the ticket's key and its tasks' keys; drafts have none."""
        if self.key is not None:
            yield self.key
        for task in self.tasks:
            yield from task.keys()

    def count_issues(self) -> int:
        """Return the number of issues: the ticket and its tasks."""
        return 1 + len(self.tasks)


class AlreadyNormalFields(dict[str, str]):
    """Fields whose names and values are in their normal form, as the parser reads them."""


def _strip_fields(fields: Mapping[str, str], strip: Callable[[str], str]) -> dict[str, str]:
    """Return fields in their normal form.

    Args:
        fields: The fields.
        strip: Removes the outer white space that a value, which is a normal text, does not keep.
    """
    content: dict[str, str] = {}
    for name, value in fields.items():
        canonical = one_line(name)
        if not canonical:
            raise UnwritableTicket("a field has no name; its value is", value)
        content[canonical] = strip(with_lf_and_utf8(value))
    return content


@dataclass(frozen=True, slots=True)
class TicketFile:
    """The text of a file, and the tickets in it.

    Attributes:
        text: The whole text, exactly as read: byte order mark and CRLF kept.
        preamble: The text before the first ticket, without a byte order mark.
        tickets: The tickets in the order of the file.
        text_slices: The place of each ticket with its tasks in ``text``: from its heading to behind the
            line end of its last non-blank line. The blank lines after that stay when it is rewritten.
    """

    text: str
    preamble: str
    tickets: tuple[Ticket, ...]
    text_slices: tuple[slice[int, int, None], ...]
