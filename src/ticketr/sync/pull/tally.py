"""The counts of a pull."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.sync.writing.decision import WriteOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ticketr.sync.notes import Note
    from ticketr.sync.writing.writer import FamilyResult


#: What counts of an issue that was written more than once: the last of these.
_WEIGHTS = (
    WriteOutcome.UNCHANGED,
    WriteOutcome.UPDATED,
    WriteOutcome.MERGED,
    WriteOutcome.NEW,
    WriteOutcome.KEPT,
    WriteOutcome.CONFLICT,
)


class Tally:
    """Count the issues that a pull has dealt with, each once, however often it is written.

    A ticket may hold more than the query found: sub-tasks that were pulled another time, or that
    Jira has no longer. They are written with it and not counted.

    Attributes:
        outcomes: What became of each issue, by ID; of one written more than once, the most.
        kept: Tickets left as they are, by key.
        conflicts: Tickets that both sides have changed, by key.
        failed: Tickets that could not be written, by key; where Jira could not give an issue that
            was never here, by its ID.
        broken: Files that cannot be read.
        vanished: Tickets that the query found and Jira did not give, by key.
        inexact: Keys of issues whose description says more than their files can.
        recovered: Keys of issues that an earlier run created and whose drafts got them only now.
    """

    def __init__(self) -> None:
        self.outcomes: dict[str, WriteOutcome] = {}
        self.kept: dict[str, Note] = {}
        self.conflicts: dict[str, Note] = {}
        self.failed: dict[str, Note] = {}
        self.broken: list[Note] = []
        self.vanished: dict[str, Note] = {}
        self.inexact: set[str] = set()
        self.recovered: list[str] = []
        self._found: set[str] = set()
        self._known: set[str] = set()

    @property
    def total(self) -> int:
        """How many issues the query found and Jira could give."""
        return len(self._found)

    @property
    def done(self) -> int:
        """How many issues are done: in their files as Jira has them, or left there as they were."""
        return len(self.outcomes)

    def count(self, outcome: WriteOutcome) -> int:
        """How many issues came to this end."""
        return sum(each is outcome for each in self.outcomes.values())

    def found(self, ids: Iterable[str], fresh: Iterable[str], *, known: Iterable[str]) -> None:
        """Begin with what the query found, what of it is up to date, and what was here before."""
        self._found.update(ids)
        self._known.update(known)
        self.outcomes.update(dict.fromkeys(fresh, WriteOutcome.UNCHANGED))

    def add_missing(self, ids: Iterable[str], notes: Iterable[Note]) -> None:
        """Stop counting issues that Jira did not give, and note those that have a file."""
        self._found.difference_update(ids)
        self.vanished.update((note.key, note) for note in notes if note.path)

    def add_broken(self, notes: Iterable[Note]) -> None:
        """Note files that cannot be read."""
        self.broken += notes

    def add_recovered(self, key: str) -> None:
        """Note an issue whose draft got its key only now."""
        self.recovered.append(key)

    def fail(self, note: Note) -> None:
        """Note a ticket that could not be written."""
        self.failed[note.key] = note

    def keep(self, note: Note, ids: Iterable[str]) -> None:
        """Count issues that are left where they stand, with what their user should know."""
        self.kept[note.key] = note
        for each in ids:
            self._count(each, WriteOutcome.KEPT)

    def add(self, outcomes: Iterable[FamilyResult]) -> None:
        """Count what was just written."""
        for outcome in outcomes:
            if outcome.written is None:
                if outcome.note is not None:
                    self.fail(outcome.note)
                continue
            if outcome.note is not None:
                conflict = outcome.written is WriteOutcome.CONFLICT
                notes = self.conflicts if conflict else self.kept
                notes[outcome.note.key] = outcome.note
            else:
                self.inexact |= outcome.family.text.inexact
            for issue in outcome.family.issues:
                if issue.id not in outcome.family.stale:
                    self._count(issue.id, outcome.outcome_of(issue.key))

    def _count(self, issue_id: str, written: WriteOutcome) -> None:
        if issue_id not in self._found:
            return
        if written is WriteOutcome.UPDATED and issue_id not in self._known:
            written = WriteOutcome.NEW  # a sub-task that joined a ticket which was there
        # A ticket is written again when more of it arrives; what it was before still counts.
        before = self.outcomes.get(issue_id, written)
        self.outcomes[issue_id] = max(before, written, key=_WEIGHTS.index)
