"""The ticket list as data: rows, sub-tasks below their tickets."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import PurePosixPath
from typing import NamedTuple

from ticketr.app.tickets import FilterableIssue, Term, Ticket, filterable_issue_of, sort_key
from ticketr.text import clean


class VisibleRow(NamedTuple):
    """A row of the list as it is shown.

    Attributes:
        row: The issue.
        subtask_count: The number of its sub-tasks that the list holds.
        hidden_count: How many of them are folded away.
        matches_filter: Whether the filter lets it through; else it is shown above a sub-task that does.
    """

    row: ListRow
    subtask_count: int = 0
    hidden_count: int = 0
    matches_filter: bool = True


@dataclass(frozen=True)
class Rows:
    """The rows of all issues and broken files of a workspace, in the order of their keys.

    Attributes:
        all_rows: All of them, as they are shown without a filter and folds.
        draft_count: The number of issues that Jira does not have yet.
        broken_count: The number of rows of broken files.
        matches_by_term: For each term of a filter that was asked for, which rows fit it: one byte a
            row, 1 or 0. It grows as filters ask, also on worker threads.
    """

    all_rows: tuple[VisibleRow, ...] = ()
    draft_count: int = 0
    broken_count: int = 0
    matches_by_term: dict[Term, bytearray] = field(default_factory=dict, repr=False, compare=False)

    #: By identity, so that a cache does not compare thousands of rows.
    __hash__ = object.__hash__

    @staticmethod
    def from_unsorted(rows: Iterable[ListRow]) -> Rows:
        """Make `Rows` from rows in any order."""
        rows = sorted(rows, key=lambda row: row.key_order)
        families = groupby(rows, lambda row: row.key_order[:3])
        shown = tuple([shown for _, some in families for shown in _unfiltered_rows_of(tuple(some))])
        drafts, broken = sum(row.is_draft for row in rows), sum(row.is_broken for row in rows)
        return Rows(shown, drafts, broken)

    def with_tickets(self, tickets: Iterable[tuple[ListRow, ...]]) -> Rows:
        """Return these rows with those of some tickets inserted or replaced.

        Only these tickets are compared with the terms in `matches_by_term`: tickets come many times
        a second.

        Args:
            tickets: The rows of each ticket, the ticket's own row first.
        """
        shown, drafts, broken = list(self.all_rows), self.draft_count, self.broken_count
        # A thread that filters these rows may add a term at any time, so a copy is iterated.
        matches = {term: fits.copy() for term, fits in self.matches_by_term.copy().items()}
        for ticket in tickets:
            place = _slice_of_ticket(shown, ticket[0].key_order)
            old = [visible.row for visible in shown[place]]
            drafts += sum(row.is_draft for row in ticket) - sum(row.is_draft for row in old)
            broken += sum(row.is_broken for row in ticket) - sum(row.is_broken for row in old)
            shown[place] = _unfiltered_rows_of(ticket)
            for term, fits in matches.items():
                fits[place] = bytes([term.matches(row.candidate) for row in ticket])
        return Rows(tuple(shown), drafts, broken, matches)

    def keys_changed_by(self, tickets: Iterable[tuple[ListRow, ...]]) -> frozenset[str]:
        """Return the keys of the issues that some tickets, as Jira has them now, change or add."""
        keys: set[str] = set()
        for ticket in tickets:
            place = _slice_of_ticket(self.all_rows, ticket[0].key_order)
            before = {old.row.key: _comparable_content(old.row) for old in self.all_rows[place]}
            news = {row.key for row in ticket if before.get(row.key) != _comparable_content(row)}
            keys |= news or {ticket[0].key}  # a comment, for instance
        return frozenset(keys)

    def find_by_name(self, words: str, max_rows: int) -> tuple[ListRow, ...]:
        """Return the rows whose key and title hold some words.

        Args:
            words: The words, folded.
            max_rows: How many rows to return.

        Returns:
            The rows whose names begin with the words, then the others.
        """
        first: list[ListRow] = []
        others: list[ListRow] = []
        wanted, start = words.split(), words.strip()
        for row in self:
            key, title, _ = row.candidate.haystack.split("\n", 2)
            name = f"{key or 'draft'}  {title}"
            if all(word in name for word in wanted):
                (first if name.startswith(start) else others).append(row)
                if len(first) >= max_rows:
                    break
        return tuple((first + others)[:max_rows])

    @property
    def issue_and_draft_count(self) -> int:
        """The number of issues, those that Jira does not have yet included."""
        return len(self) - self.broken_count

    def __len__(self) -> int:
        return len(self.all_rows)

    def __iter__(self) -> Iterator[ListRow]:
        return (shown.row for shown in self.all_rows)


def _slice_of_ticket(shown: Sequence[VisibleRow], order: RowSortKey) -> slice:
    """Return where the rows of a ticket are, or would be, among rows in the order of their keys."""
    project, number, rest, _ = order
    end = (project, number, "\U0010ffff" if number else rest, 1 << 30)
    first = bisect_left(shown, first_row_order(order), key=row_order)
    return slice(first, bisect_left(shown, end, lo=first, key=row_order))


def _comparable_content(row: ListRow) -> object:
    """Return what a file says of an issue, for comparisons."""
    return row.candidate.title, row.candidate.fields, row.candidate.text


def row_order(shown: VisibleRow) -> RowSortKey:
    """Return the order of a row, for a search in rows that are in this order."""
    return shown.row.key_order


def first_row_order(order: RowSortKey) -> RowSortKey:
    """Return the order before all rows of a ticket; that of one with a key is the same in any file."""
    project, number, rest, _ = order
    return project, number, "" if number else rest, 0


def _unfiltered_rows_of(ticket: tuple[ListRow, ...]) -> list[VisibleRow]:
    """Return all rows of a ticket, as they are shown without a filter and folds."""
    return [VisibleRow(ticket[0], len(ticket) - 1), *map(VisibleRow, ticket[1:])]


_KEY_PATTERN = re.compile(r"(.*)-(\d+)")

#: What rows are sorted by; see `ListRow.key_order`.
RowSortKey = tuple[str, int, str, int]


@dataclass(frozen=True, slots=True)
class ListRow:
    """One issue in the list.

    Its texts are cleaned for a terminal.

    Attributes:
        key_order: The sort key: project, number, file, then the index in the ticket.
        key: The issue's key; empty for a draft.
        title_or_error: The issue's title, or the error of a broken file.
        status: The issue's status, as the file has it; may be empty.
        path: The file of the issue's ticket, relative to the workspace.
        depth: 1 for a sub-task, 0 otherwise.
        is_broken: Whether the row is that of a broken file.
        line: The line of the issue in its file, from 1; 0 if it is unknown.
        candidate: The issue as filters, searches and sorts see it, not cleaned.
    """

    key_order: RowSortKey
    key: str
    title_or_error: str
    status: str
    path: str
    depth: int
    is_broken: bool = False
    line: int = 0
    candidate: FilterableIssue = field(default=FilterableIssue("", ""), repr=False)
    #: A cache, by the name of the sort.
    _sort_keys: dict[str, tuple[object, ...]] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )

    @property
    def id(self) -> str:
        """What names the row in choices and folds: its key, or its file and place."""
        return self.key or f"{self.path}:{self.key_order[2]}:{self.key_order[3]}"

    @property
    def is_draft(self) -> bool:
        """Whether Jira does not have the issue yet."""
        return not self.key and not self.is_broken

    @property
    def head_key(self) -> str:
        """The key of the issue's ticket: its own, or a sub-task's parent's; empty for a draft's."""
        return f"{self.key_order[0]}-{self.key_order[1]}" if self.key_order[1] else ""

    def with_updated(self, updated: str) -> ListRow:
        """Return the row with another moment of its last change in Jira."""
        if updated == self.candidate.updated:
            return self
        return replace(self, candidate=replace(self.candidate, updated=updated))

    def sort_key(self, sort: str) -> tuple[object, ...]:
        """Return what a sort compares it by; see `ticketr.app.tickets.sort_key`."""
        key = self._sort_keys.get(sort)
        if key is None:
            key = self._sort_keys[sort] = sort_key(sort)(self.candidate)
        return key


def key_order_of(key: str | None, path: str, line: int, subtask_number: int) -> RowSortKey:
    """Return the sort key of a ticket, or of one of its sub-tasks.

    Args:
        key: The ticket's key; None or empty for a draft.
        path: The ticket's file, relative to the workspace.
        line: The ticket's line in it.
        subtask_number: The number of the sub-task, from 1; 0 for the ticket itself.
    """
    project, number = _split_key(key)
    # Drafts have no number; the line distinguishes two in one file.
    return project, number, path if number else f"{path}:{line:08}", subtask_number


def rows_of(ticket: Ticket, path: str, updated: Mapping[str, str] = {}) -> tuple[ListRow, ...]:
    """Return the rows of a ticket and its sub-tasks.

    Args:
        ticket: The ticket.
        path: The ticket's file, relative to the workspace.
        updated: The last changes of issues in Jira, as Jira writes them, by their keys.
    """
    issues = (
        (filterable_issue_of(issue, updated=updated.get(issue.key or "", "")), issue.line)
        for issue in (ticket, *ticket.tasks)
    )
    return rows_of_candidates(issues, path)


def rows_of_candidates(
    issues_and_lines: Iterable[tuple[FilterableIssue, int]], path: str
) -> tuple[ListRow, ...]:
    """Return the rows of a ticket and its sub-tasks.

    Args:
        issues_and_lines: Each as filters see it, and its line, from 1; the ticket first.
        path: The ticket's file, relative to the workspace.
    """
    issues = tuple(issues_and_lines)
    head, first = issues[0]
    project, number, rest, _ = key_order_of(head.key, path, first, 0)
    return tuple(
        [
            ListRow(
                key_order=(project, number, rest, place),
                key=issue.key,
                title_or_error=clean(issue.title),
                status=clean(issue.fields.get("Status", "")),
                path=path,
                depth=1 if place else 0,
                line=line,
                candidate=issue,
            )
            for place, (issue, line) in enumerate(issues)
        ]
    )


def row_of_broken(path: str, error: str, *, has_ticket_rows: bool) -> ListRow:
    """Return the row of a broken file.

    Args:
        path: The file, relative to the workspace.
        error: The error.
        has_ticket_rows: Whether the file's tickets have rows, too. If not, this row takes the
            place that the name of the file suggests, so that no ticket seems to be lost.
    """
    project, number = ("", 0) if has_ticket_rows else _split_key(PurePosixPath(path).stem)
    return ListRow(
        key_order=(project, number, path, 0),
        key="",
        title_or_error=clean(error),
        status="",
        path=path,
        depth=0,
        is_broken=True,
        candidate=FilterableIssue("", clean(error), file_states=frozenset(("broken",))),
    )


def _split_key(key: str | None) -> tuple[str, int]:
    match = _KEY_PATTERN.fullmatch(key or "")
    return (match[1], int(match[2])) if match else ("", 0)
