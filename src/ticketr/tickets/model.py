"""What a ticket is.

Every ``Ticket`` is in canonical form from the moment it exists, whatever it was made of: what the
file format cannot tell apart is made equal here. That is what lets the parser and the renderer
promise ``parse(render([t])).tickets == (t,)`` for each and every ticket:

- line ends are LF; lone surrogates, which UTF-8 cannot hold, become U+FFFD;
- a title is one line without outer white space, and never empty;
- a description has no blank lines around it and no white space at its end;
- field names are one line; names, values and criteria have no outer white space; empty criteria
  are gone.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from ticketr.tickets.errors import InvalidKey, InvalidTicket
from ticketr.tickets.grammar import CONFLICT, TICKETISH
from ticketr.tickets.validate import is_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

NO_TITLE = "(no title)"
"""Stands for a title that is empty, since a heading needs one."""

# Lines in Fields that are more than a remark as they stand: fields, headings, conflict markers.
_MORE_THAN_WORDS = re.compile(rf".*:|##|{CONFLICT.pattern}")
_SURROGATE = re.compile("[\ud800-\udfff]")


def _text(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _one_line(text: str) -> str:
    lines = text.splitlines()
    if len(lines) > 1:
        text = " ".join(part for line in lines if (part := line.strip()))
    return _text(text).strip()


def _block(text: str) -> str:
    """Drop blank lines around a text; the indent of its first line may be a code block's."""
    text = _text(text).rstrip()
    space = len(text) - len(text.lstrip())
    return text[text.rfind("\n", 0, space) + 1 :] if space else text


def _remark(text: str) -> str:
    """Make a line of Fields that cannot be taken for a field, a heading or a conflict marker."""
    line = _one_line(text)
    comment = line.startswith("#") and not line.startswith("##")
    if not TICKETISH.match(line) and (comment or not _MORE_THAN_WORDS.match(line)):
        return line
    line = f"# {line.lstrip('# ')}".rstrip()
    return f"# \\{line[2:]}" if TICKETISH.match(line) else line


@dataclass(frozen=True, slots=True)
class Places:
    """Where the texts of a ticket stand in its file.

    Attributes:
        description: The runs of lines that its description was put together from: the number of
            the first line of each in the description, and in the file; all from 1 on.
        criteria: The line in the file of the first line of each criterion.
    """

    description: tuple[tuple[int, int], ...] = ()
    criteria: tuple[int, ...] = ()

    def of_description(self, line: int) -> int:
        """Return the line in the file of a line of the description; 0 if it is not known."""
        at = bisect_right(self.description, line, key=lambda run: run[0]) - 1
        return self.description[at][1] + line - self.description[at][0] if at >= 0 else 0

    def of_criterion(self, number: int, line: int) -> int:
        """Return the line in the file of a line of a criterion, counted from 0; 0 if not known."""
        return self.criteria[number] + line - 1 if number < len(self.criteria) else 0


NO_PLACES = Places()
"""Those of a ticket that was not read from a file."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A Jira issue as a file holds it; a sub-task is a ticket in its parent's ``tasks``.

    Attributes:
        title: One line.
        key: ``PROJ-123``; None for a draft, which Jira does not know yet.
        description: Markdown.
        fields: Field name to text, in the order of the file. Cannot be changed.
        acceptance_criteria: One text per criterion, possibly of several lines.
        tasks: The sub-tasks, which have none of their own.
        line: The line of its heading, from 1; 0 if it was not read from a file. Not compared.
        remarks: The lines among its fields that are no fields: comments and stray words. They
            stay in the file and never reach Jira. Not compared.
        places: Where its texts stand in the file it was read from. Not compared.

    Raises:
        InvalidKey: If the key is none.
        InvalidTicket: If a field has no name, a task has tasks, or a key occurs twice.
    """

    title: str
    key: str | None = None
    description: str = ""
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)
    acceptance_criteria: tuple[str, ...] = ()
    tasks: tuple[Ticket, ...] = ()
    line: int = field(default=0, compare=False)
    remarks: tuple[str, ...] = field(default=(), compare=False)
    places: Places = field(default=NO_PLACES, compare=False)

    def __post_init__(self) -> None:
        if self.key is not None and not is_key(self.key):
            raise InvalidKey(self.key)
        put = object.__setattr__
        put(self, "title", _one_line(self.title) or NO_TITLE)
        put(self, "description", _block(self.description))
        put(self, "fields", _fields(self.fields))
        put(self, "acceptance_criteria", _kept(map(_criterion, self.acceptance_criteria)))
        put(self, "tasks", tuple(self.tasks))
        put(self, "remarks", _kept(map(_remark, self.remarks)))
        if self.tasks:
            self._check_tasks()

    def _check_tasks(self) -> None:
        for task in self.tasks:
            if task.tasks:
                raise InvalidTicket("a sub-task cannot have sub-tasks", task.title)
        keys = list(self.keys())
        if len(set(keys)) < len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise InvalidTicket("a key occurs twice in one ticket", twice)

    def __reduce__(self) -> tuple[type[Ticket], tuple[object, ...]]:
        # The read-only view of the fields cannot be pickled or copied; what is below it can.
        content: tuple[object, ...]
        content = (self.title, self.key, self.description, dict(self.fields))
        content += (self.acceptance_criteria, self.tasks, self.line, self.remarks, self.places)
        return Ticket, content

    def keys(self) -> Iterator[str]:
        """Return its own key and its tasks', leaving drafts out."""
        if self.key is not None:
            yield self.key
        for task in self.tasks:
            yield from task.keys()

    def count(self) -> int:
        """Count issues: itself and its tasks."""
        return 1 + len(self.tasks)


def _criterion(text: str) -> str:
    return _text(text).strip()


def _kept(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(text for text in texts if text)


def _fields(fields: Mapping[str, str]) -> Mapping[str, str]:
    content: dict[str, str] = {}
    for name, value in fields.items():
        canonical = _one_line(name)
        if not canonical:
            raise InvalidTicket("a field has no name; its value is", value)
        content[canonical] = _text(value).strip()
    return MappingProxyType(content)


@dataclass(frozen=True, slots=True)
class TicketSpan:
    """Where a ticket and its tasks stand in ``TicketFile.text``.

    Attributes:
        start: Offset of its heading.
        end: Offset behind the line end of its last line that is not blank. The blank lines after
            that belong to nobody and survive a rewrite of the ticket.
    """

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TicketFile:
    """A file as it was read, and the tickets in it.

    Attributes:
        text: The whole text, exactly as read: byte order mark and CRLF kept.
        preamble: The text before the first ticket, without a byte order mark.
        tickets: The tickets in the order of the file.
        spans: Where each of them stands.
    """

    text: str
    preamble: str
    tickets: tuple[Ticket, ...]
    spans: tuple[TicketSpan, ...]
