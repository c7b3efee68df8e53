"""The counts of a push."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.sync.notes import Note
    from ticketr.sync.push.actions import Action


@dataclass
class PushTally:
    """The honest count of a push; right at every moment.

    Attributes:
        total: Issues to create or change.
        planned: Each of them.
        created: Keys of those that were created.
        updated: Keys of those that were changed.
        recovered: Keys of issues that an earlier run has made and whose drafts have them only now.
        conflicts: Tickets that were left alone.
        in_conflict: How many of their issues were to be created or changed.
        failed: What could not be pushed.
        warnings: What else should be known.
    """

    total: int = 0
    planned: tuple[Action, ...] = ()
    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    recovered: list[str] = field(default_factory=list)
    conflicts: list[Note] = field(default_factory=list)
    in_conflict: int = 0
    failed: list[Note] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)

    @property
    def done(self) -> int:
        """How many issues are in Jira as they stand here."""
        return len(self.created) + len(self.updated)

    def leave(self, note: Note, issues: int) -> None:
        """Count a ticket that is left alone, since Jira has moved on.

        Args:
            note: What its user should know.
            issues: How many of its issues were to be created or changed.
        """
        self.conflicts.append(note)
        self.in_conflict += issues
