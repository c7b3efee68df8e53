"""The versions of a ticket that are merged, and the side that wins."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.app.tickets import Ticket


class Side(Enum):
    """The side whose version of a clashing part is taken."""

    LOCAL = "local"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class Versions:
    """Three versions of a ticket.

    Attributes:
        base: The ticket at the last sync; None for no sync.
        local: The ticket in its file.
        remote: The ticket in Jira.
        links: The names of the lines that hold links.
    """

    base: Ticket | None
    local: Ticket
    remote: Ticket
    links: frozenset[str] = frozenset()
