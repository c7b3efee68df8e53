"""The result of a pull, and its counts on the way. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ticketr.app.sync.writing.recording import WriteOutcome

if TYPE_CHECKING:
    from ticketr.app.sync.notes import Note
    from ticketr.app.sync.writing.writer import FamilyResult

#: Of an issue that was written more than once, the last of these outcomes counts.
_OUTCOMES_WEAKEST_FIRST = (
    WriteOutcome.UNCHANGED,
    WriteOutcome.UPDATED,
    WriteOutcome.MERGED,
    WriteOutcome.NEW,
    WriteOutcome.KEPT,
    WriteOutcome.CONFLICT,
)


@dataclass(frozen=True, slots=True)
class PullResult:
    """What a pull did.

    All counts are issues, sub-tasks included, and none is in two of them.

    Attributes:
        total: Issues that the query found and Jira could give.
        new: Issues written into a file for the first time.
        updated: Issues that were rewritten, since Jira had something newer.
        merged: Issues whose local edits were merged with changes in Jira.
        unchanged: Issues that were up to date already.
        in_conflict: Issues that differ from Jira's and were left so, since both sides have changed
            the same in their tickets.
        left_alone: Issues in the tickets that were kept.
        kept: Tickets left as they are, each with the reason.
        conflicts: Tickets left as they are, since both sides have changed the same.
        failed: Tickets that could not be written, or that Jira could not give, and files that
            cannot be read or written, each with the reason.
        inexact: Keys of issues written by this pull whose description says more than Markdown
            can; Jira's own form of it is kept in the state.
        gone: Tickets pulled earlier that the query no longer finds or Jira no longer gives, each
            with what became of it; their files are kept.
        left_out: IDs of issues that the query found and Jira did not give, and that are in no file;
            the next pull asks for them again.
        pruned: Keys of those whose files were moved away by a prune.
        prunable: Keys of those whose files a prune would have moved away.
        recovered: Keys of issues that an earlier run created and whose drafts got them only now.
            In a sync, they are in the result of the push.
        brought_forward: Issues in whose files values of before the last pull were replaced by
            Jira's.
    """

    total: int = 0
    new: int = 0
    updated: int = 0
    merged: int = 0
    unchanged: int = 0
    in_conflict: int = 0
    left_alone: int = 0
    kept: tuple[Note, ...] = ()
    conflicts: tuple[Note, ...] = ()
    failed: tuple[Note, ...] = ()
    inexact: tuple[str, ...] = ()
    gone: tuple[Note, ...] = ()
    left_out: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()
    prunable: tuple[str, ...] = ()
    recovered: tuple[str, ...] = ()
    brought_forward: tuple[Note, ...] = ()

    @property
    def written_or_unchanged_count(self) -> int:
        """How many issues are in files with all that Jira has of them."""
        return self.new + self.updated + self.merged + self.unchanged

    @property
    def failed_issue_count(self) -> int:
        """How many issues could not be written, once the pull has ended."""
        return self.total - self.written_or_unchanged_count - self.in_conflict - self.left_alone


@dataclass
class PullTally:
    """Counts the issues of a pull, each once, however often it is written.

    Only issues that the query found are counted. A ticket may have other sub-tasks, which were
    pulled earlier or which Jira no longer has.

    Attributes:
        found_and_returned_ids: The IDs of the issues that the query found and Jira could give.
        outcomes_by_id: The outcome of each of them that is done, by ID: it is in its file as Jira has it,
            or was left there as it was. If it is written twice, the later in `_OUTCOMES_WEAKEST_FIRST`.
        kept_by_key: Tickets whose files were not changed, by key.
        conflicts_by_key: Tickets in conflict, by key.
        failed_by_key: Tickets that could not be written, by key, or by ID if Jira never gave the issue.
        broken_file_notes: Files that cannot be read or written.
        gone_or_not_returned_by_key: Tickets that the query found and Jira did not give, or that it
            no longer finds, by key.
        not_returned_in_no_file: The keys of those that are in no file, or the IDs of unknown ones.
        pruned_keys: Keys of deleted issues that were removed from their files.
        prunable_keys: Keys of those that a prune would have removed.
        inexact_keys: Keys of issues whose description says more than their files can.
        recovered_draft_keys: Keys of issues that an earlier run created and whose drafts got them
            only now.
        older_values_replaced_by_key: Issues whose older values were replaced, by key.
    """

    found_and_returned_ids: set[str] = field(default_factory=set)
    outcomes_by_id: dict[str, WriteOutcome] = field(default_factory=dict)
    kept_by_key: dict[str, Note] = field(default_factory=dict)
    conflicts_by_key: dict[str, Note] = field(default_factory=dict)
    failed_by_key: dict[str, Note] = field(default_factory=dict)
    broken_file_notes: list[Note] = field(default_factory=list)
    gone_or_not_returned_by_key: dict[str, Note] = field(default_factory=dict)
    not_returned_in_no_file: list[str] = field(default_factory=list)
    pruned_keys: list[str] = field(default_factory=list)
    prunable_keys: list[str] = field(default_factory=list)
    inexact_keys: set[str] = field(default_factory=set)
    recovered_draft_keys: list[str] = field(default_factory=list)
    older_values_replaced_by_key: dict[str, Note] = field(default_factory=dict)
    _known_ids: set[str] = field(default_factory=set)

    def begin(
        self, found_ids: Iterable[str], unchanged_ids: Iterable[str], *, known_ids: Iterable[str]
    ) -> None:
        """Begin with what the query found, what of it is up to date, and what was here before."""
        self.found_and_returned_ids.update(found_ids)
        self._known_ids.update(known_ids)
        self.outcomes_by_id.update(dict.fromkeys(unchanged_ids, WriteOutcome.UNCHANGED))

    def exclude_not_returned(self, ids: Iterable[str], notes: Iterable[Note]) -> None:
        """Stop counting issues that Jira did not give, and note them."""
        self.found_and_returned_ids.difference_update(ids)
        for note in notes:
            if note.path:
                self.gone_or_not_returned_by_key[note.key] = note
            else:
                self.not_returned_in_no_file.append(note.key)

    def add_broken(self, notes: Iterable[Note]) -> None:
        """Note files that cannot be read or written."""
        self.broken_file_notes += notes

    def add_recovered_draft(self, key: str) -> None:
        """Count an issue whose draft got its key only now."""
        self.recovered_draft_keys.append(key)

    def fail(self, note: Note) -> None:
        """Note a ticket that could not be written."""
        self.failed_by_key[note.key] = note

    def add_kept(self, note: Note, ids: Iterable[str]) -> None:
        """Count issues whose file is not changed, with a note for the user."""
        self.kept_by_key[note.key] = note
        for text in ids:
            self._record_strongest_outcome(text, WriteOutcome.KEPT)

    def add(self, outcomes: Iterable[FamilyResult]) -> None:
        """Count what was just written."""
        for result in outcomes:
            if result.outcome is None:
                if result.note is not None:
                    self.fail(result.note)
                continue
            if result.note is not None:
                conflict = result.outcome is WriteOutcome.CONFLICT
                notes = self.conflicts_by_key if conflict else self.kept_by_key
                notes[result.note.key] = result.note
            else:
                self.inexact_keys |= result.family.content.inexact_keys
            older = result.older_values_replaced_notes
            self.older_values_replaced_by_key |= {note.key: note for note in older}
            for issue in result.family.issues:
                if issue.id not in result.family.newer_in_jira_ids:
                    outcome = result.outcomes_by_key.get(issue.key, result.outcome)
                    self._record_strongest_outcome(issue.id, outcome)

    def add_gone(
        self, notes: Iterable[Note], *, pruned_keys: Iterable[str], prunable_keys: Iterable[str]
    ) -> None:
        """Note what has happened to issues that the query no longer finds."""
        self.gone_or_not_returned_by_key |= {note.key: note for note in notes}
        self.pruned_keys += pruned_keys
        self.prunable_keys += prunable_keys

    def result(self) -> PullResult:
        """Return what the pull has done until now."""
        counts = Counter(self.outcomes_by_id.values())
        return PullResult(
            total=len(self.found_and_returned_ids),
            new=counts[WriteOutcome.NEW],
            updated=counts[WriteOutcome.UPDATED],
            merged=counts[WriteOutcome.MERGED],
            unchanged=counts[WriteOutcome.UNCHANGED],
            in_conflict=counts[WriteOutcome.CONFLICT],
            left_alone=counts[WriteOutcome.KEPT],
            kept=tuple(self.kept_by_key.values()),
            conflicts=tuple(self.conflicts_by_key.values()),
            failed=(*self.broken_file_notes, *self.failed_by_key.values()),
            inexact=tuple(sorted(self.inexact_keys)),
            gone=tuple(self.gone_or_not_returned_by_key.values()),
            left_out=tuple(self.not_returned_in_no_file),
            pruned=tuple(self.pruned_keys),
            prunable=tuple(self.prunable_keys),
            recovered=tuple(self.recovered_draft_keys),
            brought_forward=tuple(self.older_values_replaced_by_key.values()),
        )

    def _record_strongest_outcome(self, issue_id: str, written: WriteOutcome) -> None:
        """Record the outcome of an issue; of several outcomes, the strongest counts."""
        if issue_id not in self.found_and_returned_ids:
            return
        if written is WriteOutcome.UPDATED and issue_id not in self._known_ids:
            written = WriteOutcome.NEW  # a new sub-task of a known ticket
        # A ticket is written again when more of it arrives; its earlier outcome still counts.
        before = self.outcomes_by_id.get(issue_id, written)
        self.outcomes_by_id[issue_id] = max(before, written, key=_OUTCOMES_WEAKEST_FIRST.index)
