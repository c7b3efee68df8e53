"""The decision what to write of one ticket. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.app.sync.compare.merge import Clash, Merged
    from ticketr.app.sync.writing.recording import Replacement
    from ticketr.app.tickets import Ticket


class WriteOutcome(Enum):
    """What became of a ticket that was to be written."""

    NEW = "new"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    MERGED = "merged"
    KEPT = "kept"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to write of one ticket.

    Attributes:
        outcome: What becomes of the ticket.
        ticket: The ticket to write; None leaves the file as it is.
        index: The index of the ticket in the file; None to append it.
        before: The ticket in the file, if it differs from the one to write.
        reason: Why the file is kept or in conflict; empty otherwise.
        clashes: What both sides have changed; empty unless it is a conflict.
        replaced: A text to copy aside before the file is replaced; empty for none.
        aside: The file that it was copied to, relative to the workspace; empty before that.
        replacement: What was replaced, where that can be undone.
    """

    outcome: WriteOutcome
    ticket: Ticket | None = None
    index: int | None = None
    before: Ticket | None = None
    reason: str = ""
    clashes: tuple[Clash, ...] = ()
    replaced: str = ""
    aside: str = ""
    replacement: Replacement | None = None

    @classmethod
    def kept(cls, reason: str) -> Decision:
        """Leave the file as it is, for a reason."""
        return cls(WriteOutcome.KEPT, reason=reason)

    @classmethod
    def merged(
        cls, merged: Merged, index: int, local: Ticket, text: str, *, keep_text: bool
    ) -> Decision:
        """Take what a merge gave, or leave the file as it is if that clashes.

        Args:
            merged: The result of the merge.
            index: Where the ticket is among the file's tickets.
            local: The ticket as it is there.
            text: Its text there.
            keep_text: Whether to copy that aside before it is replaced.
        """
        if merged.clashes:
            reason = "changed here and in Jira: " + ", ".join(map(str, merged.clashes))
            return cls(WriteOutcome.CONFLICT, before=local, reason=reason, clashes=merged.clashes)
        if merged.ticket == local:
            return cls(WriteOutcome.UNCHANGED, index=index)
        replaced = text if keep_text else ""
        return cls(WriteOutcome.MERGED, merged.ticket, index, local, replaced=replaced)
