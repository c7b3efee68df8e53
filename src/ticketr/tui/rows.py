"""The ticket list as data: one row an issue, sub-tasks below their ticket, always in order."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ticketr.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ticketr.tickets import Ticket

_NUMBERED = re.compile(r"(.*)-(\d+)")

Order = tuple[str, int, str, int]


@dataclass(frozen=True, slots=True)
class IssueRow:
    """One issue in the list. Its texts are clean: they may go to a terminal.

    Attributes:
        order: Where it belongs: project, number, file, then its place in its ticket.
        key: The issue's key; empty for a draft.
        title: Its title.
        status: Its status, as the file has it; empty if it has none.
        path: The file of its ticket, relative to the workspace.
        depth: 1 for a sub-task, 0 otherwise.
        is_broken: Whether it stands for a file with which something is wrong; its title says what.
    """

    order: Order
    key: str
    title: str
    status: str
    path: str
    depth: int
    is_broken: bool = False

    @property
    def head(self) -> str:
        """The key of its ticket: its own, or its parent's; empty for a draft's."""
        return f"{self.order[0]}-{self.order[1]}" if self.order[1] else ""


def rows_of(ticket: Ticket, path: str) -> tuple[IssueRow, ...]:
    """Make the rows of a ticket and its sub-tasks.

    Args:
        ticket: The ticket.
        path: Its file, relative to the workspace.
    """
    project, number = _split(ticket.key)
    return tuple(
        IssueRow(
            # Drafts have no number: what tells two of one file apart is their line.
            order=(project, number, path if number else f"{path}:{ticket.line:08}", place),
            key=issue.key or "",
            title=clean(issue.title),
            status=clean(issue.fields.get("Status", "")),
            path=path,
            depth=1 if place else 0,
        )
        for place, issue in enumerate((ticket, *ticket.tasks))
    )


def row_of_broken(path: str, words: str, *, has_rows: bool) -> IssueRow:
    """Make the row of a file with which something is wrong.

    Args:
        path: The file, relative to the workspace.
        words: What is wrong.
        has_rows: Whether its tickets have rows of their own. Else this row stands where they
            would, as far as the name of the file tells, so that nothing seems to be lost.
    """
    project, number = ("", 0) if has_rows else _split(PurePosixPath(path).stem)
    return IssueRow(
        order=(project, number, path, 0),
        key="",
        title=clean(words),
        status="",
        path=path,
        depth=0,
        is_broken=True,
    )


def merge(
    rows: tuple[IssueRow, ...], tickets: Iterable[tuple[IssueRow, ...]]
) -> tuple[IssueRow, ...]:
    """Put tickets in their places; rows that a ticket had before are replaced.

    Args:
        rows: Rows in order.
        tickets: The rows of each ticket, head first.
    """
    merged = list(rows)
    orders = [row.order for row in merged]
    for ticket in tickets:
        project, number, rest, _ = ticket[0].order
        # A ticket with a key is the same one wherever its file has moved.
        start = bisect_left(orders, (project, number, "" if number else rest, 0))
        end = bisect_left(orders, (project, number, "\U0010ffff" if number else rest, 1 << 30))
        merged[start:end] = ticket
        orders[start:end] = [row.order for row in ticket]
    return tuple(merged)


def index_of(rows: tuple[IssueRow, ...], order: Order) -> int:
    """Find a row by its order; the nearest one below where it has gone."""
    found = bisect_left(rows, order, key=lambda row: row.order)
    return min(found, max(0, len(rows) - 1))


def _split(key: str | None) -> tuple[str, int]:
    found = _NUMBERED.fullmatch(key or "")
    return (found[1], int(found[2])) if found else ("", 0)
