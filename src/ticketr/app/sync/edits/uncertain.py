"""Finds the drafts that an earlier push has asked Jira to create, and that have no key yet.

Synchronous, for a worker thread.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ticketr.app.sync.edits.drafts import SAME_TITLE, DraftMatcher
from ticketr.app.tickets import Ticket, parse

if TYPE_CHECKING:
    from ticketr.app.sync.edits.local_changes import LocalChange
    from ticketr.app.sync.state.journal import Creation


def matcher_for(creation: Creation, drafts: Collection[Ticket] = frozenset()) -> DraftMatcher:
    """Return a matcher that finds the draft of a new issue.

    Args:
        creation: The issue; its key may be unknown if no key is to be written.
        drafts: The drafts of other issues, without their sub-tasks; may hold the issue's own draft.
    """
    draft = parse(creation.draft).tickets[0]
    return DraftMatcher(creation.key or "", draft, creation.parent, drafts)


def read_draft(creation: Creation) -> Ticket:
    """Return the draft as it was when the issue was requested, without its sub-tasks."""
    return replace(parse(creation.draft).tickets[0], tasks=())


def find_uncertain(
    creations: Sequence[Creation], local_changes: Sequence[LocalChange]
) -> dict[int, Creation]:
    """Find the drafts whose creation is not finished.

    Args:
        creations: The requests of earlier pushes.
        local_changes: What has changed in the files.

    Returns:
        The request of each draft, by the `id` of the draft in the local change.
    """
    others = frozenset(map(read_draft, creations))
    everywhere = [change.local.ticket for change in local_changes]
    by_draft: dict[int, Creation] = {}
    for creation in creations:
        matcher = matcher_for(creation, others)
        own = [
            change.local.ticket for change in local_changes if change.local.path == creation.path
        ]
        draft = matcher.find(own) or matcher.find(everywhere, least=SAME_TITLE)
        if draft is not None:
            by_draft[id(draft)] = creation
    return by_draft
