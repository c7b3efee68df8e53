"""Reads the state of the Go program Ticketr: which tickets were edited since its last sync.

That program kept a hash of each ticket in ``.ticketr.state``. A ticket that still has this hash was
not edited, so Jira's version may replace it without a conflict. The hash is SHA-256 over the texts
of the ticket, joined without a separator, as the program's source and its files show.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ticketr._errors import TicketrError
from ticketr.app.config import read_text

if TYPE_CHECKING:
    from ticketr.app.tickets import Ticket

STATE_FILE = ".ticketr.state"
#: The largest file to read, in bytes; that program writes about 200 for each ticket.
LARGEST = 8 * 1024 * 1024


def go_hash(ticket: Ticket) -> str:
    """Return the hash that the Go program would store for a ticket.

    Returns:
        64 hexadecimal digits.
    """
    return hashlib.sha256("".join(_hashed_texts(ticket)).encode()).hexdigest()


def _hashed_texts(ticket: Ticket) -> Iterator[str]:
    yield ticket.title
    yield ticket.description
    yield from ticket.acceptance_criteria
    for name in sorted(ticket.fields):
        yield name
        yield ticket.fields[name]
    for task in ticket.tasks:
        yield from _hashed_texts(task)


def read_hashes(root: Path) -> dict[str, str]:
    """Read the hashes that the Go program stored in a folder.

    Returns:
        The hash of each ticket at that program's last sync, by key; empty if the file does not
        exist or cannot be read.
    """
    try:
        state = json.loads(read_text(root / STATE_FILE, largest=LARGEST) or "{}")
    except (TicketrError, ValueError, RecursionError):
        return {}
    if not isinstance(state, dict):
        return {}
    hashes = (
        (key, entry.get("local_hash")) for key, entry in state.items() if isinstance(entry, dict)
    )
    return {key: text_hash for key, text_hash in hashes if isinstance(text_hash, str)}
