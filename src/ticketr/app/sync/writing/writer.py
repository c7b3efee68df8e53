"""Writes complete families: the file first, then the state, in one visit to a worker thread.

The text is stored before it is written. So if the process is killed between the two, the next pull
knows that the file was not edited. A file may be renamed between the planning of a write and the write,
so it is looked for again: else the same key would get a second file.

A ticket is written as a whole, but issues are counted: an unchanged issue is neither updated nor
merged, whatever the outcome of its parent or its sub-tasks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING

from ticketr._errors import TicketrError
from ticketr.app import tickets
from ticketr.app.sync.compare import diff
from ticketr.app.sync.compare.comments import COMMENT_FIELD
from ticketr.app.sync.compare.sent import older_values_not_in, replace_older_values
from ticketr.app.sync.errors import FileFailed
from ticketr.app.sync.notes import Code, Note, older_replaced_note
from ticketr.app.sync.state.journal import Conflict
from ticketr.app.sync.state.state import MergeBase, State, conflict_rows_to_json
from ticketr.app.sync.state.undo import TextReplacement, Undoable, digest_of
from ticketr.app.sync.workspace.editor import FileEditor
from ticketr.app.sync.workspace.files import lf_and_chomp, retry_if_changed
from ticketr.app.sync.workspace.store import Store
from ticketr.app.sync.writing.recording import WriteDecision, WriteOutcome
from ticketr.app.sync.writing.rendering import (
    RenderedFamily,
    in_wording_of,
    renamed_keys,
    versions_to_merge,
)

if TYPE_CHECKING:
    from ticketr.app.sync.compare.merge import ClashPlace, MergedTicket


def _with_current_paths(
    store: Store,
    state: State,
    families: Sequence[RenderedFamily],
    without_file: Iterable[RenderedFamily],
) -> list[RenderedFamily]:
    """Return families with the files that hold them now, once the files of some are gone or empty.

    Only files in which the state knows no ticket are read.

    Args:
        store: The ticket files.
        state: The last sync.
        families: The families.
        without_file: Those whose files are gone or empty.
    """
    keys = {family.head.id: _head_keys_former_first(state, family) for family in without_file}
    known = set(state.paths_by_head_key().values()).difference(family.path for family in families)
    texts = _locate_keys(store, frozenset(chain.from_iterable(keys.values())), known)
    places = {head: name for head, some in keys.items() for key in some if (name := texts.get(key))}
    return [replace(family, path=places.get(family.head.id, family.path)) for family in families]


def _head_keys_former_first(state: State, family: RenderedFamily) -> tuple[str, ...]:
    """Return the former key of a family, if it was moved, and the present one."""
    now = family.head.key
    return (*(old for old, new in renamed_keys(state, family).items() if new == now), now)


def _locate_keys(store: Store, keys: Collection[str], skipped: Collection[str]) -> dict[str, str]:
    """Return the file of each key that is in a file, but for the skipped files."""
    texts: dict[str, str] = {}
    for name in chain.from_iterable(store.walk()):
        if name in skipped:
            continue
        here: set[str] = set()
        try:
            here.update(*(ticket.keys() for ticket in store.read_tickets(name)))
        except TicketrError:  # the write reports it
            here.update(store.possible_keys(name))
        texts |= dict.fromkeys(here.intersection(keys), name)
    return texts


def _issue_outcome(
    written: WriteOutcome, before: tickets.Ticket | None, after: tickets.Ticket, *, is_edited: bool
) -> WriteOutcome:
    if written is WriteOutcome.CONFLICT:
        differs = (
            before is None or diff.find_changes(after, before) or diff.find_changes(before, after)
        )
        return WriteOutcome.CONFLICT if differs else WriteOutcome.UNCHANGED
    if before is None:
        return WriteOutcome.UPDATED
    if diff.part_texts(before) == diff.part_texts(after):
        return WriteOutcome.UNCHANGED
    if written is WriteOutcome.MERGED and not is_edited:
        return WriteOutcome.UPDATED
    return written


#: Characters from which on a file is not synced to disk at each of its writes.
_NO_FSYNC_FROM_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True)
class FamilyResult:
    """What was done with one family that was to be written.

    Attributes:
        family: The family.
        outcome: What was done; None if it failed.
        path: The file it is in now; empty if it failed.
        note: Why it was kept or failed; None if all is well.
        outcomes_by_key: What was done with each issue, by key; an issue that is not in it shares
            `outcome`.
        copy_path: The file to which the text that it replaced was copied, relative to the
            workspace; empty for none.
        older_values_replaced_notes: A note on each issue in whose file values of earlier syncs were
            replaced.
    """

    family: RenderedFamily
    outcome: WriteOutcome | None
    path: str = ""
    note: Note | None = None
    outcomes_by_key: Mapping[str, WriteOutcome] = field(default_factory=dict)
    copy_path: str = ""
    older_values_replaced_notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class ConflictSettlement:
    """What settles a conflict.

    Attributes:
        how_settled: What counts as done in the undo log.
        chosen_lines_by_clash: The lines that settle single clashes, by their places.
        always_copies_text: Whether to copy the ticket's text aside also if none of the user's is lost.
        expected_text: The text that the ticket must have in its file, else nothing is written; None
            for any text.
    """

    how_settled: Undoable
    chosen_lines_by_clash: Mapping[ClashPlace, Sequence[str]] = field(default_factory=dict)
    always_copies_text: bool = False
    expected_text: str | None = None


class FamilyWriter:
    """Writes families into a workspace; every method belongs on a worker thread.

    Args:
        store: The workspace's files.
        state: Its state.
        seen: Jira's clock when this job began.
        prefer: The side that wins where both have changed the same part; None makes it a conflict.
        is_prefer_from_folder: Whether ``prefer`` comes from a file in the folder. Then the files win
            nothing without a last sync: they may be another person's work.
        go_hashes: What the Go program knew of each ticket, by key.
        settlement: What settles the conflict of the one family to be written; None in a pull.
    """

    def __init__(
        self,
        store: Store,
        state: State,
        *,
        seen: float,
        prefer: diff.Side | None = None,
        is_prefer_from_folder: bool = False,
        go_hashes: Mapping[str, str] = MappingProxyType({}),
        settlement: ConflictSettlement | None = None,
    ) -> None:
        self._go_hashes = go_hashes
        self._settlement = settlement
        self._store = store
        self._editor = FileEditor(store)
        self._state = state
        self._seen = seen
        self._prefer = prefer
        self._prefer_unknown = (
            None if is_prefer_from_folder and prefer is diff.Side.LOCAL else prefer
        )

    def write(
        self, families: Sequence[RenderedFamily], is_stopped: Callable[[], bool] = lambda: False
    ) -> tuple[list[FamilyResult], FileFailed | None]:
        """Write some families.

        Args:
            families: The families.
            is_stopped: Asked before each file; then the rest is left out.

        Returns:
            What was done with each, and the error that ended the work early, if there was one; what
            was written before it stays.
        """
        results: list[FamilyResult] = []
        try:
            self._store.require_unmoved()
        except FileFailed as error:
            return results, error
        heads = [family.head.id for family in families]
        paths, bases = self._state.paths_and_possible_bases(heads)
        families = [
            # A new ticket stays the object that the caller knows.
            replace(family, path=paths[family.head.id])
            if not family.path and paths.get(family.head.id)
            else family
            for family in families
        ]
        gone = [
            family for family in families if family.path and not self._store.size_of(family.path)
        ]
        if gone:
            families = _with_current_paths(self._store, self._state, families, gone)
        with_comments = [
            issue for family in families for issue in family.issues if COMMENT_FIELD in issue.fields
        ]
        with self._state.batch():  # before any file, so that a kill leaves none that looks edited
            if with_comments:
                self._state.comments.store_found_ids(with_comments)
            # A file without a base is compared with Jira alone, also after a kill: a difference is
            # not an edit yet.
            self._state.store_texts_meant_for_files(
                (family.head.id, family.content.text)
                for family in families
                if family.path is None or bases[family.head.id]
            )
        with self._state.batch():
            for name, group in self._group_by_file(families, results):
                if is_stopped():
                    break
                try:
                    decided = retry_if_changed(partial(self._replace_file, name, group, bases))
                except (FileFailed, tickets.TicketSyntaxError) as error:
                    if isinstance(error, FileFailed) and not error.concerns_one_file:
                        return results, error
                    results += (self._note_failure(family, name, error) for family in group)
                else:
                    results += (self._record(family, name, made) for family, made in decided)
        return results, None

    def merge(self, family: RenderedFamily, local: tickets.Ticket) -> MergedTicket:
        """Merge a family with what is in its file, as `write` would."""
        family = in_wording_of(family, local)
        return self._merge_with_file(family, self._possible_bases_of(family), local)

    def versions_to_merge(self, family: RenderedFamily, local: tickets.Ticket) -> diff.Versions:
        """Return the versions that `write` would merge."""
        family = in_wording_of(family, local)
        bases = self._possible_bases_of(family)
        return versions_to_merge(self._state, family, bases, local, self._go_hashes)

    def _possible_bases_of(self, family: RenderedFamily) -> Sequence[str]:
        _, texts = self._state.paths_and_possible_bases([family.head.id])
        return texts[family.head.id]

    def _group_by_file(
        self, families: Sequence[RenderedFamily], results: list[FamilyResult]
    ) -> list[tuple[str, list[RenderedFamily]]]:
        """Group adjacent families of one file; one whose key is not a file name gets an outcome."""
        groups: list[tuple[str, list[RenderedFamily]]] = []
        for family in families:
            head = family.head
            try:
                name = family.path or tickets.md_name_of_key(head.key)
            except tickets.InvalidKey as error:
                note = Note(head.key, "", str(error), Code.BAD_VALUE)
                results.append(FamilyResult(family, None, note=note))
                continue
            last = groups[-1] if groups else ("", [])
            if last[0] == name and all(family.head.id != head.id for family in last[1]):
                last[1].append(family)
            else:
                groups.append((name, [family]))
        return groups

    def _replace_file(
        self, name: str, families: Sequence[RenderedFamily], bases: Mapping[str, Sequence[str]]
    ) -> list[tuple[RenderedFamily, WriteDecision]]:
        """Read a file, decide on each of its families, and replace it once.

        Returns:
            Each family, in the wording of its file, and what was decided.

        Raises:
            FileChanged: It was saved since it was read, so that each decision has to be made again.
        """
        content = families[0].content
        snapshot = self._editor.snapshot_if_writable(
            name, (content.ticket, content.text) if len(families) == 1 else None
        )
        if snapshot is None:
            reason = self._store.write_refusal(name)
            decision = WriteDecision(WriteOutcome.KEPT, reason=reason)
            return [(family, decision) for family in families]
        file = snapshot.file
        indexes = {ticket.key: index for index, ticket in enumerate(file.tickets)}
        decided: list[tuple[RenderedFamily, WriteDecision]] = []
        rewritten: dict[int, tickets.Ticket] = {}
        added: list[tuple[tickets.Ticket, str]] = []
        for rendered in families:
            family, index = rendered, indexes.get(rendered.content.ticket.key)
            if index is None and indexes:
                keys = _head_keys_former_first(self._state, rendered)
                index = next((indexes[key] for key in keys if key in indexes), None)
            if index is not None and file.tickets[index] != rendered.content.ticket:
                family = in_wording_of(rendered, file.tickets[index])
            decision = self._decide(file, index, family, bases[family.head.id])
            decided.append((family, decision))
            if decision.ticket_to_write is not None and index is not None:
                rewritten[index] = decision.ticket_to_write
            elif decision.ticket_to_write is not None:
                added.append((decision.ticket_to_write, family.content.text))
        new = file
        if rewritten or added:
            new = tickets.rewrite(file, rewritten, added)
            # Jira's texts can be fetched again, but not what people wrote into the same file. A
            # large file is replaced often in one pull, so it is not synced to disk each time.
            merged = any(decision.outcome is WriteOutcome.MERGED for _, decision in decided)
            shared = len(rewritten) < len(file.tickets) or bool(file.preamble.strip())
            durable = merged or (shared and len(new.text) < _NO_FSYNC_FROM_CHARACTERS)
            self._editor.replace_if_unchanged(snapshot, new, durable=durable)
        if self._settlement is None and not any(decision.copy_path for _, decision in decided):
            return decided  # nothing of it can be undone
        return [
            (family, self._with_replacement(decision, file, new)) for family, decision in decided
        ]

    def _with_replacement(
        self, decision: WriteDecision, old: tickets.TicketFile, new: tickets.TicketFile
    ) -> WriteDecision:
        """Note what a decision has replaced, if that can be undone."""
        can_undo = decision.copy_path or self._settlement is not None
        if decision.index_in_file is None or not can_undo:
            return decision
        replacement = TextReplacement.of_ticket(
            decision.index_in_file,
            old,
            new,
            file_digest_after=digest_of(new.text),
            copy_path=decision.copy_path,
        )
        return replace(decision, undoable_replacement=replacement)

    def _decide(
        self,
        file: tickets.TicketFile,
        index: int | None,
        family: RenderedFamily,
        bases: Sequence[str],
    ) -> WriteDecision:
        """Decide what to write of one family, whose ticket has an index in its file."""
        remote = family.content
        if index is None:
            if not file.text.strip():
                return WriteDecision(WriteOutcome.NEW, remote.ticket)
            return WriteDecision(WriteOutcome.KEPT, reason="the file holds something else")
        span, local = file.text_slices[index], file.tickets[index]
        text = file.text[span]
        keep_text = self._settlement is not None and self._settlement.always_copies_text
        if self._settlement is not None and self._settlement.expected_text not in {None, text}:
            return WriteDecision(WriteOutcome.KEPT, reason="it was changed meanwhile")
        if lf_and_chomp(text) == lf_and_chomp(remote.text):
            return WriteDecision(WriteOutcome.UNCHANGED, index_in_file=index)
        # After a push that was cut off, the text of the last sync may be an edit: Jira has another.
        was_sent = self._state.sent.values_by_key(family.head.id)
        if not was_sent and lf_and_chomp(text) in map(lf_and_chomp, bases):
            aside = self._copy_to_trash(family, text) if keep_text else ""
            return WriteDecision(WriteOutcome.UPDATED, remote.ticket, index, local, copy_path=aside)
        merged = self._merge_with_file(family, bases, local)
        if clashes := merged.clashes:
            reason = f"changed here and in Jira: {', '.join(map(str, clashes))}"
            return WriteDecision(
                WriteOutcome.CONFLICT, before_if_differs=local, reason=reason, clashes=clashes
            )
        result, older = merged.ticket, merged.older_values_replaced
        if result == local:
            return WriteDecision(WriteOutcome.UNCHANGED, index_in_file=index, merged=result)
        keep_text = keep_text or merged.has_dropped_edits or bool(older)
        aside = self._copy_to_trash(family, text) if keep_text else ""
        return WriteDecision(
            WriteOutcome.MERGED,
            result,
            index,
            local,
            copy_path=aside,
            merged=result,
            older_values_replaced=older,
        )

    def _copy_to_trash(self, family: RenderedFamily, text: str) -> str:
        """Keep a copy of a text that is about to be replaced; return the file that has it."""
        return self._store.relative_path(self._editor.put_in_trash(family.head.key, text))

    def _note_failure(self, family: RenderedFamily, name: str, error: TicketrError) -> FamilyResult:
        """Report a family whose file cannot be read or written."""
        note = Note(family.head.key, name, str(error), Code.BROKEN)
        return self._fetch_again_later(FamilyResult(family, None, note=note))

    def _fetch_again_later(self, result: FamilyResult) -> FamilyResult:
        """Let the next pull fetch a family again, whose file holds no text meant for it."""
        self._state.mark_stale(issue.id for issue in result.family.issues)
        self._state.forget_texts_meant_for_file(result.family.head.id)
        return result

    def _record(self, family: RenderedFamily, name: str, decision: WriteDecision) -> FamilyResult:
        """Record in the state what was decided for a family, and return the result."""
        outcomes: Mapping[str, WriteOutcome] = {}
        if decision.before_if_differs is not None:
            outcomes = self._outcomes_by_key(family, decision, decision.before_if_differs)
        if decision.outcome in {WriteOutcome.KEPT, WriteOutcome.CONFLICT}:
            code = Code.FILE_IN_THE_WAY
            if decision.outcome is WriteOutcome.CONFLICT:
                code = Code.CONFLICT
                issues = conflict_rows_to_json(family.rows, seen=self._seen)
                parts = tuple(map(str, decision.clashes))
                head, text = family.head, family.content.text
                self._state.conflicts.add(Conflict(head.id, head.key, name, text, issues, parts))
            note = Note(family.head.key, name, decision.reason, code)
            return self._fetch_again_later(
                FamilyResult(family, decision.outcome, name, note, outcomes)
            )
        record_written(
            self._state,
            family,
            name,
            seen=self._seen,
            kind=self._settlement.how_settled if self._settlement is not None else Undoable.SYNC,
            replacement=decision.undoable_replacement,
        )
        if decision.merged is not None:  # what differs after a merge is an edit
            edits = diff.find_changes_by_key(family.content.ticket, decision.merged)
            self._state.older.mark_as_edits(edits)
        older = older_values_replaced_notes(
            name, decision.older_values_replaced, is_resolved=self._settlement is not None
        )
        return FamilyResult(
            family,
            decision.outcome,
            name,
            outcomes_by_key=outcomes,
            copy_path=decision.copy_path,
            older_values_replaced_notes=older,
        )

    def _outcomes_by_key(
        self, family: RenderedFamily, decision: WriteDecision, before: tickets.Ticket
    ) -> Mapping[str, WriteOutcome]:
        """Return the outcome of each issue of a family in its file, by its key; in a conflict, of Jira's.

        Args:
            family: The family.
            decision: What was decided for it.
            before: Its ticket in the file before.
        """
        merged = decision.outcome is WriteOutcome.MERGED  # else the edits do not matter
        edited = self._find_keys_edited_since_sync(family, before) if merged else ()
        here, after = diff.issues_by_key(before), decision.ticket_to_write or family.content.ticket
        return {
            key: _issue_outcome(decision.outcome, here.get(key), issue, is_edited=key in edited)
            for key, issue in diff.issues_by_key(after).items()
        }

    def _find_keys_edited_since_sync(
        self, family: RenderedFamily, before: tickets.Ticket
    ) -> Collection[str]:
        """Return the keys of the issues that were edited since the last sync; all without one."""
        known = self._state.base(family.head.id)
        base = diff.read_ticket(known.jira_text) if known is not None else None
        if base is None:
            return diff.issues_by_key(before).keys()
        here, _ = replace_older_values(before, base, self._state.older.digests_of(family.head.id))
        return {
            *diff.issues_by_key(here).keys() - diff.issues_by_key(base),
            *diff.find_changes_by_key(base, here),
        }

    def _merge_with_file(
        self, family: RenderedFamily, bases: Iterable[str], local: tickets.Ticket
    ) -> MergedTicket:
        from ticketr.app.sync.compare.merge import merge  # noqa: PLC0415 - most tickets need none

        three = versions_to_merge(self._state, family, bases, local, self._go_hashes)
        prefer = self._prefer_unknown if three.base is None else self._prefer
        chosen = self._settlement.chosen_lines_by_clash if self._settlement is not None else {}
        merged = merge(
            three.base,
            three.local,
            three.remote,
            prefer=prefer,
            chosen_lines=chosen,
            link_line_names=three.link_line_names,
        )
        older = older_values_not_in(three.older_values_in_file, merged.ticket)
        merged = replace(merged, older_values_replaced=older)
        # Of a ticket that is as the Go program wrote it, a copy is kept of what Jira does not have.
        return replace(merged, has_dropped_edits=True) if three.base is three.local else merged


def record_written(
    state: State,
    family: RenderedFamily,
    path: str,
    *,
    seen: float,
    kind: Undoable,
    replacement: TextReplacement | None,
) -> None:
    """Record that a ticket was written, inside a transaction.

    Args:
        state: The state of the workspace.
        family: The ticket, as Jira has it.
        path: Its file, relative to the workspace.
        seen: When it was true, by Jira's clock.
        kind: What has written it.
        replacement: What was replaced, if that can be undone.
    """
    head = family.head
    stored = state.undo.ticket_state_json(head.id) if replacement is not None else ""
    state.record(head.id, MergeBase(path, family.content.text), family.rows, seen=seen)
    state.sent.forget(head.id)
    if any(COMMENT_FIELD in issue.fields for issue in family.issues):
        sent = state.comments.of(family.issues)
        answered = [comment for comment in sent if comment.id and not comment.settled]
        if answered:
            state.comments.mark_in_file_and_purge_old(*answered, now=time.time())
    if replacement is not None:
        state.undo.add(
            kind, replacement, key=head.key, head_id=head.id, path=path, state_before=stored
        )


def older_values_replaced_notes(
    path: str, older: Mapping[str, Sequence[diff.Change]], *, is_resolved: bool
) -> tuple[Note, ...]:
    """Return a note on each issue in whose file older values were replaced by Jira's."""
    return tuple(
        older_replaced_note(key, path, [value.name for value in values], is_resolved=is_resolved)
        for key, values in older.items()
    )
