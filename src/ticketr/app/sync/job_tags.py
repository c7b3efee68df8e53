"""The tags by which a job and its record in a history name the tickets to which it is limited."""

from __future__ import annotations

from collections.abc import Iterable

from ticketr.app.tickets import is_key

#: The tag of a job before the key of a ticket.
_TICKET = "ticket:"


def ticket_tags(keys: Iterable[str] | None) -> frozenset[str]:
    """Return the tags of a job that is limited to some tickets; none if it is not."""
    return frozenset(f"{_TICKET}{key}" for key in keys or ())


def tagged_tickets(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the keys of the tickets that tags name, by project and number."""
    keys = (tag.removeprefix(_TICKET) for tag in tags if tag.startswith(_TICKET))
    return tuple(sorted(filter(is_key, keys), key=_project_and_number))


def _project_and_number(key: str) -> tuple[str, int]:
    project, _, number = key.rpartition("-")
    return project, int(number)
