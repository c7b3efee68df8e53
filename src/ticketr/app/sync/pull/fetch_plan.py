"""Plans which issues a pull fetches. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.app.sync.state.state import KnownIssue
    from ticketr.app.sync.workspace.store import TicketLocation


@dataclass(frozen=True, slots=True)
class FetchPlan:
    """What a pull fetches, and what it no longer finds.

    Attributes:
        ids: Every issue ID that the query found, in its order.
        wanted: Those to fetch.
        missing: Issues pulled earlier that the query no longer finds, in the order of their keys;
            none that may be in a file that cannot be read.
    """

    ids: tuple[str, ...]
    wanted: tuple[str, ...]
    missing: tuple[KnownIssue, ...]


def make_fetch_plan(
    ids: Iterable[str],
    changed: Iterable[str],
    known: Mapping[str, KnownIssue],
    locations: Mapping[str, TicketLocation],
    *,
    project: str | None,
) -> FetchPlan:
    """Plan to fetch what is missing here, has changed in Jira, or was not written last time.

    Args:
        ids: IDs that the query finds.
        changed: IDs among them that Jira says have changed.
        known: What the state knows.
        locations: The keys that are in files.
        project: The project, when all of it is pulled; only then can an issue be missing.
    """
    ids = tuple(ids)
    home = f"{project}-" if project else ""  # in its project an issue has such a key
    fresh = {
        issue.id
        for issue in known.values()
        if issue.key in locations and not issue.stale and issue.key.startswith(home)
    }
    fresh.difference_update(changed)
    present = set(ids)
    missing = (
        issue
        for issue in known.values()
        if project and issue.key.startswith(f"{project}-") and issue.key in locations
        if issue.id not in present and not locations[issue.key].reason
    )
    return FetchPlan(
        ids,
        tuple(issue_id for issue_id in ids if issue_id not in fresh),
        tuple(sorted(missing, key=lambda issue: issue.key)),
    )


def oldest_confirmation(
    ids: Iterable[str], known: Mapping[str, KnownIssue], locations: Mapping[str, TicketLocation]
) -> float | None:
    """Return the time since when changes have to be searched; None if nothing is here yet."""
    confirmed = [
        known[issue_id].seen
        for issue_id in ids
        if issue_id in known and known[issue_id].key in locations and not known[issue_id].stale
    ]
    return min(confirmed, default=None)
