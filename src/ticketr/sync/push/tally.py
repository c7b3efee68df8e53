"""The counts of a push."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ticketr.sync.notes import Note
    from ticketr.sync.push.actions import Action
    from ticketr.sync.session import Progress


@dataclass
class PushTally:
    """The counts and notes of a push; right at every moment, also when it is cancelled.

    Attributes:
        planned: The issues that are to be created or changed.
        created: Keys of those that were created.
        updated: Keys of those that were changed.
        recovered: Keys of issues that an earlier run created and whose drafts got them only now.
        conflicts: Tickets that were held back because they have changed in Jira.
        in_conflict: How many of their issues would have been created or changed.
        failed: What could not be pushed.
        warnings: What else the user should know.
    """

    planned: tuple[Action, ...] = ()
    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    recovered: list[str] = field(default_factory=list)
    conflicts: list[Note] = field(default_factory=list)
    in_conflict: int = 0
    failed: list[Note] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many issues are to be created or changed."""
        return len(self.planned)

    @property
    def done(self) -> int:
        """How many issues were created or changed."""
        return len(self.created) + len(self.updated)

    def plan(self, actions: Iterable[Action]) -> None:
        """Set what is to be created or changed."""
        self.planned = tuple(actions)

    def add_created(self, key: str) -> None:
        """Count an issue that was created."""
        self.created.append(key)

    def add_updated(self, key: str) -> None:
        """Count an issue that was changed."""
        self.updated.append(key)

    def add_recovered(self, key: str) -> None:
        """Note an issue whose draft got its key only now."""
        self.recovered.append(key)

    def fail(self, *notes: Note) -> None:
        """Note what could not be pushed."""
        self.failed += notes

    def warn(self, *notes: Note) -> None:
        """Note what else the user should know."""
        self.warnings += notes

    def hold_back(self, note: Note, writes: int) -> None:
        """Count a ticket that is not pushed because it has changed in Jira.

        Args:
            note: What its user should know.
            writes: How many of its issues would have been created or changed.
        """
        self.conflicts.append(note)
        self.in_conflict += writes

    def show(self, progress: Progress) -> None:
        """Report how far the push is."""
        progress.move(self.done, self.total, "Pushing tickets")
