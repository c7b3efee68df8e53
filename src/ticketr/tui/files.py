"""Reads tickets for the screen. Synchronous, for a worker thread; it never writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.text import clean
from ticketr.tickets import render_ticket
from ticketr.tui.rows import rows_of

if TYPE_CHECKING:
    from ticketr.sync import Store
    from ticketr.tui.rows import Row


def read_rows(store: Store, name: str) -> list[tuple[Row, ...]]:
    """Read the rows of each ticket in a file.

    Args:
        store: the workspace's files.
        name: the file, relative to the workspace.

    Raises:
        FileFailed: it cannot be read.
        TicketSyntaxError: it cannot be read as tickets.
    """
    return [rows_of(ticket, name) for ticket in store.tickets(name)]


def read_detail(store: Store, row: Row) -> tuple[str, ...]:
    """Read an issue's text, clean, line by line; empty where it is no longer there.

    Raises:
        FileFailed: its file cannot be read.
        TicketSyntaxError: its file cannot be read as tickets.
    """
    for ticket in store.read(row.path).tickets:
        for found, issue in zip(rows_of(ticket, row.path), (ticket, *ticket.tasks), strict=True):
            if found.order == row.order:
                return tuple(clean(line) for line in render_ticket(issue).splitlines())
    return ()
