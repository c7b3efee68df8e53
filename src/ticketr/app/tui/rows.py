"""The ticket list as data: one row for each issue, sub-tasks below their ticket, sorted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ticketr.app.tickets import Candidate, Ticket, candidate_of, sort_key
from ticketr.text import clean

_NUMBERED = re.compile(r"(.*)-(\d+)")

Order = tuple[str, int, str, int]


@dataclass(frozen=True, slots=True)
class ListRow:
    """One issue in the list.

    Its texts are cleaned for a terminal.

    Attributes:
        order: The sort key: project, number, file, then the index in the ticket.
        key: The issue's key; empty for a draft.
        title: The issue's title, or the error of a broken file.
        status: The issue's status, as the file has it; may be empty.
        path: The file of the issue's ticket, relative to the workspace.
        depth: 1 for a sub-task, 0 otherwise.
        is_broken: Whether the row is that of a broken file.
        line: The line of the issue in its file, from 1; 0 if it is unknown.
        candidate: The issue as filters, searches and sorts see it, not cleaned.
    """

    order: Order
    key: str
    title: str
    status: str
    path: str
    depth: int
    is_broken: bool = False
    line: int = 0
    candidate: Candidate = field(default=Candidate("", ""), repr=False)
    #: A cache, by the name of the sort.
    _sort_keys: dict[str, tuple[object, ...]] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )

    @property
    def id(self) -> str:
        """What names the row in choices and folds: its key, or its file and place."""
        return self.key or f"{self.path}:{self.order[2]}:{self.order[3]}"

    @property
    def is_draft(self) -> bool:
        """Whether Jira does not have the issue yet."""
        return not self.key and not self.is_broken

    @property
    def assignee(self) -> str:
        """The name of the person who is to do it, cleaned; may be empty."""
        return clean(self.candidate.fields.get("Assignee", ""))

    @property
    def head(self) -> str:
        """The key of the issue's ticket: its own, or its parent's; empty for a draft's."""
        return f"{self.order[0]}-{self.order[1]}" if self.order[1] else ""

    def sort_key(self, sort: str) -> tuple[object, ...]:
        """Return what a sort compares it by; see `ticketr.app.tickets.sort_key`."""
        key = self._sort_keys.get(sort)
        if key is None:
            key = self._sort_keys[sort] = sort_key(sort)(self.candidate)
        return key


def order_of(ticket: Ticket, path: str, place: int) -> Order:
    """Return the sort key of a ticket, or of one of its sub-tasks.

    Args:
        ticket: The ticket.
        path: The ticket's file, relative to the workspace.
        place: 0 for the ticket, else the number of the sub-task, from 1.
    """
    return _order(ticket.key, path, ticket.line, place)


def _order(key: str | None, path: str, line: int, place: int) -> Order:
    project, number = _split(key)
    # Drafts have no number; the line distinguishes two in one file.
    return project, number, path if number else f"{path}:{line:08}", place


def rows_of(ticket: Ticket, path: str) -> tuple[ListRow, ...]:
    """Return the rows of a ticket and its sub-tasks.

    Args:
        ticket: The ticket.
        path: The ticket's file, relative to the workspace.
    """
    issues = ((candidate_of(issue), issue.line) for issue in (ticket, *ticket.tasks))
    return rows_of_candidates(issues, path)


def rows_of_candidates(issues: Iterable[tuple[Candidate, int]], path: str) -> tuple[ListRow, ...]:
    """Return the rows of a ticket and its sub-tasks.

    Args:
        issues: Each as filters see it, and its line in the file, from 1; the ticket first.
        path: The ticket's file, relative to the workspace.
    """
    issues = tuple(issues)
    head, first = issues[0]
    project, number, rest, _ = _order(head.key, path, first, 0)
    return tuple(
        [
            ListRow(
                order=(project, number, rest, place),
                key=issue.key,
                title=clean(issue.title),
                status=clean(issue.fields.get("Status", "")),
                path=path,
                depth=1 if place else 0,
                line=line,
                candidate=issue,
            )
            for place, (issue, line) in enumerate(issues)
        ]
    )


def row_of_broken(path: str, words: str, *, has_rows: bool) -> ListRow:
    """Return the row of a broken file.

    Args:
        path: The file, relative to the workspace.
        words: The error.
        has_rows: Whether the file's tickets have rows, too. If not, this row takes the place that
            the name of the file suggests, so that no ticket seems to be lost.
    """
    project, number = ("", 0) if has_rows else _split(PurePosixPath(path).stem)
    return ListRow(
        order=(project, number, path, 0),
        key="",
        title=clean(words),
        status="",
        path=path,
        depth=0,
        is_broken=True,
        candidate=Candidate("", clean(words), flags=frozenset(("broken",))),
    )


def _split(key: str | None) -> tuple[str, int]:
    match = _NUMBERED.fullmatch(key or "")
    return (match[1], int(match[2])) if match else ("", 0)
