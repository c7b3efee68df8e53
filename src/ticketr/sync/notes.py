"""What a user should know of a single ticket, for people and for scripts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """Why a ticket was not simply written or pushed; these words do not change."""

    KEPT = "kept"  # its file is in the way, or not ours to write
    MISPLACED = "misplaced"  # it stands under another ticket than in Jira
    CONFLICT = "conflict"  # both sides have changed the same
    MOVED_ON = "moved_on"  # Jira has changed since the last pull
    INVALID = "invalid"  # what the file says cannot be said in Jira
    REFUSED = "refused"  # Jira did not take it
    NO_TRANSITION = "no_transition"  # no transition reaches the status
    UNREACHED = "unreached"  # the request failed; nothing is known to have changed
    MISSING = "missing"  # Jira does not have it, or the account may not see it
    MOVED = "moved"  # Jira has it in another project now
    UNMATCHED = "unmatched"  # the query no longer finds it
    DRAFT_CHANGED = "draft_changed"  # it was created, its key is not in its file yet


@dataclass(frozen=True, slots=True)
class Note:
    """Something about one ticket that its user should know.

    Attributes:
        key: the ticket's key, or what to call a draft.
        path: its file, relative to the workspace; empty if it has none.
        reason: what is to be known, in words.
        code: the same for scripts.
    """

    key: str
    path: str
    reason: str
    code: Code
