"""Tickets that need not be read again, since their files and the last sync have not changed.

Synchronous, for a worker thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from ticketr.app.sync.workspace.files import comparable

if TYPE_CHECKING:
    from ticketr.app.sync.state.state import State
    from ticketr.app.sync.workspace.store import LocalTicket


@dataclass(frozen=True, slots=True)
class SeenTicket:
    """What was found when a ticket was read.

    Attributes:
        keys: Its key, and those of its sub-tasks.
        digest: The digest of its text.
    """

    keys: tuple[str, ...]
    digest: str


def seen_ticket(local: LocalTicket) -> SeenTicket | None:
    """Return what was found in a ticket; None for a draft, which is read each time."""
    if local.ticket.key is None:
        return None
    return SeenTicket(tuple(local.ticket.keys()), digest(local.text))


def base_texts(state: State) -> dict[str, str]:
    """Return the comparable text that each ticket had at the last sync, by its key.

    Raises:
        StateFailed: The state cannot be read.
    """
    return {key: comparable(text) for key, text in state.texts_by_key()}


def digest(text: str) -> str:
    """Return the digest of a ticket's text that is comparable with a base."""
    return blake2b(text.encode(), digest_size=16).hexdigest()
