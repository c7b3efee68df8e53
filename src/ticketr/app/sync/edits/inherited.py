"""Which fields of a ticket its new sub-tasks take over unless they name them. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.app.tickets import Ticket

#: Fields that are never taken over, by Jira's IDs: they belong to one issue alone, a sub-task
#: always has its ticket's, or nobody can write them.
_IDS = frozenset(
    {
        *("issuetype", "status", "parent", "summary", "description", "issuekey", "comment"),
        *("reporter", "creator", "resolution", "resolutiondate", "security", "attachment"),
        *("timetracking", "timeoriginalestimate", "timeestimate", "timespent", "issuelinks"),
        *("created", "updated", "lastViewed", "statuscategorychangedate", "workratio"),
    }
)
#: The same by their names in small letters, here or on the site.
_NAMES = frozenset(
    {
        *("type", "status", "parent", "reporter", "creator", "resolution", "resolved"),
        *("security level", "attachments", "created", "updated", "flagged", "rank", "sprint"),
        *("story points", "story point estimate", "original estimate", "remaining estimate"),
        *("time spent", "epic link", "epic name", "epic status", "epic colour", "epic color"),
    }
)
#: The same by the kinds of custom fields, whose names differ from language to language.
_KINDS = ("gh-sprint", "gh-epic-", "gh-lexo-rank", "jsw-story-points")


def inheritable(
    ticket: Ticket, columns: Mapping[str, str], site_fields: str | None
) -> dict[str, str]:
    """Return the names and the texts of the fields that new sub-tasks of a ticket take over.

    Args:
        ticket: The ticket in its file.
        columns: The IDs of the fields that files hold, by the names of their lines, as of the last
            pull; empty if there was none.
        site_fields: The site's list of fields, as JSON; None if it is not known.
    """
    never = {*_IDS, *_own_fields(site_fields)}
    return {
        name: text
        for name, text in ticket.fields.items()
        if text
        and name.casefold() not in _NAMES
        and (not columns or name in columns)
        and columns.get(name) not in never
    }


def _own_fields(site_fields: str | None) -> Iterator[str]:
    """Yield the IDs of a site's fields that are never taken over."""
    # Another version may have stored the list in another form.
    with suppress(ValueError, TypeError, KeyError, AttributeError):
        for load in json.loads(site_fields or "[]"):
            kind = load["custom_type"].rpartition(":")[2]
            if load["name"].strip().casefold() in _NAMES or kind.startswith(_KINDS):
                yield load["id"]
