"""Reads the text of a ticket at the last sync, its base. Pure."""

from __future__ import annotations

from ticketr.app.sync.compare.diff import by_key, changes
from ticketr.app.tickets import Ticket, TicketSyntaxError, parse


def read_ticket(text: str) -> Ticket | None:
    """Read the ticket of a base; None where this version cannot read it."""
    try:
        tickets = parse(text).tickets
    except TicketSyntaxError:  # pragma: no cover - another version wrote it
        return None
    return tickets[0] if len(tickets) == 1 else None


def distance(base: Ticket, local: Ticket) -> int:
    """Count the edits from a base to a file; after a killed pull, the nearest of several bases counts."""
    old = by_key(base)
    return sum(
        len(changes(old[key], issue)) if key in old else 1 for key, issue in by_key(local).items()
    )
