"""Finds the present locations of pulled issues in the workspace. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ticketr.app.sync.notes import Code, Note

if TYPE_CHECKING:
    from ticketr.app.jira import Issue
    from ticketr.app.sync.state.state import KnownIssue
    from ticketr.app.sync.workspace.store import TicketLocation


def misplaced_note(
    head: Issue,
    issue: Issue,
    locations: Mapping[str, TicketLocation],
    known: Mapping[str, KnownIssue],
) -> Note | None:
    """Note that an issue is in another ticket than in Jira, or in a file that cannot be read.

    Such an issue is not written: files are never moved, and no key may be in two files.

    Returns:
        The note; None for an issue that can be written.
    """
    location = location_of(issue, locations, known)
    if location is not None and location.reason:
        return Note(issue.key, location.path, location.reason, Code.BROKEN)
    if location is None or location.head in {head.key, _former_key(head, known)}:
        return None
    home = f"as a sub-task of {head.key}" if issue.id != head.id else "by itself"
    reason = f"Jira has it {home}; move it there in the files"
    return Note(issue.key, location.path, reason, Code.MISPLACED)


def location_of(
    issue: Issue, locations: Mapping[str, TicketLocation], known: Mapping[str, KnownIssue]
) -> TicketLocation | None:
    """Return where an issue is, by its key or by the one that it had at the last sync."""
    return locations.get(issue.key) or locations.get(_former_key(issue, known))


def _former_key(issue: Issue, known: Mapping[str, KnownIssue]) -> str:
    return known[issue.id].key if issue.id in known else issue.key
