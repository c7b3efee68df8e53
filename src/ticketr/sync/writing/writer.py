"""Writes whole families: the file first, then the state, in one visit to a worker thread.

What is about to be written is put down before. So should the process die between the two, the
next pull knows the file's text for its own, whatever Jira has by then.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ticketr.jira import Issue
from ticketr.sync.compare.bases import distance, read_ticket
from ticketr.sync.compare.diff import rekeyed
from ticketr.sync.compare.mapping import (
    Columns,
    FamilyText,
    family_text,
    slim,
    subtask_ids,
    updated,
)
from ticketr.sync.compare.merge import Clash, Merged, Side, merge
from ticketr.sync.compare.sent import arrived, as_sent
from ticketr.sync.compare.wording import settled
from ticketr.sync.errors import FileFailed
from ticketr.sync.notes import Code, Note
from ticketr.sync.state.journal import Conflict
from ticketr.sync.state.state import Base, IssueRow, rows_to_json
from ticketr.sync.workspace.editor import Editor, Write, WriteOutcome
from ticketr.sync.workspace.go_state import go_hash
from ticketr.sync.writing.per_issue import outcome_per_issue
from ticketr.tickets import InvalidKey, TicketSyntaxError, render_ticket, safe_file_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ticketr.sync.compare.sent import SentValue
    from ticketr.sync.state.state import KnownIssue, State
    from ticketr.sync.workspace.editor import WriteResult
    from ticketr.sync.workspace.store import Store, TicketLocation
    from ticketr.tickets import Ticket


@dataclass(frozen=True, slots=True)
class RenderedFamily:
    """A family ready to be written.

    Attributes:
        issues: its issues, head first, without what files do not need.
        text: its text.
        path: the file it was found in or written to; None for a new one.
        stale: the IDs of those issues of which Jira has a newer version that was not read.
    """

    issues: tuple[Issue, ...]
    text: FamilyText
    path: str | None
    stale: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FamilyResult:
    """What became of one prepared family.

    Attributes:
        family: the family.
        written: what was done; None if it failed.
        path: the file it stands in now; empty if it failed.
        note: why it was kept or failed; None if all is well.
        shares: what that was to single issues, by key, as far as it was not the same.
    """

    family: RenderedFamily
    written: WriteOutcome | None
    path: str = ""
    note: Note | None = None
    shares: Mapping[str, WriteOutcome] = field(default_factory=dict)

    @property
    def ids(self) -> tuple[str, ...]:
        """The IDs of its issues, the head's first."""
        return tuple(each.id for each in self.family.issues)

    def share(self, key: str) -> WriteOutcome:
        """Tell what became of one issue."""
        assert self.written is not None
        return self.shares.get(key, self.written)


def prepare(
    head: Issue,
    subtasks: Iterable[Issue],
    columns: Columns,
    *,
    path: str | None,
    stale: Iterable[str] = (),
) -> RenderedFamily:
    """Put a family in order and write its text.

    Args:
        head: the issue that gives the ticket its heading.
        subtasks: those to file under it, in any order.
        columns: the fields to write.
        path: its file, relative to the workspace; None for a new one.
        stale: IDs of issues of which Jira has a newer version, some of them of other families.
    """
    order = {each: position for position, each in enumerate(subtask_ids(head))}
    last = len(order)
    ordered = sorted(subtasks, key=lambda each: (order.get(each.id, last), _number(each.id)))
    issues = tuple(
        Issue(id=each.id, key=each.key, fields=slim(each.fields)) for each in (head, *ordered)
    )
    text = family_text(issues[0], issues[1:], columns)
    own = frozenset(stale).intersection(each.id for each in issues)
    return RenderedFamily(issues, text, path, own)


def misplaced(
    head: Issue, issue: Issue, places: Mapping[str, TicketLocation], known: Mapping[str, KnownIssue]
) -> Note | None:
    """Tell where an issue stands, if that is not in the ticket where Jira has it.

    Files are never moved, and a key must not stand in two of them.
    """
    place = place_of(issue, places, known)
    if place is not None and place.reason:
        return Note(issue.key, place.path, place.reason, Code.BROKEN)
    if place is None or place.head in {head.key, _former(head, known)}:
        return None
    home = f"as a sub-task of {head.key}" if issue.id != head.id else "by itself"
    reason = f"Jira has it {home}; move it there in the files"
    return Note(issue.key, place.path, reason, Code.MISPLACED)


def place_of(
    issue: Issue, places: Mapping[str, TicketLocation], known: Mapping[str, KnownIssue]
) -> TicketLocation | None:
    """Tell where an issue stands, by its key or by the one that it had at the last sync."""
    return places.get(issue.key) or places.get(_former(issue, known))


def _former(issue: Issue, known: Mapping[str, KnownIssue]) -> str:
    return known[issue.id].key if issue.id in known else issue.key


class FamilyWriter:
    """Writes families into a workspace; every method belongs on a worker thread.

    Args:
        store: the workspace's files.
        state: its state.
        seen: Jira's clock when this job began.
        prefer: who wins where both sides have changed the same; None makes it a conflict.
        prefer_from_file: whether that is said by a file that came with the folder. Then it is a
            conflict too where the files would win and no last sync is known: they may be the work
            of anybody.
        into: the file for new tickets, relative to the workspace; None gives each one of its own.
        hashes: what the Go program knew of each ticket, by key.
    """

    def __init__(
        self,
        store: Store,
        state: State,
        *,
        seen: float,
        prefer: Side | None = None,
        prefer_from_file: bool = False,
        into: str | None = None,
        hashes: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._into = into
        self._hashes = hashes
        self._editor = Editor(store)
        self._state = state
        self._seen = seen
        self._prefer = prefer
        self._prefer_unknown = None if prefer_from_file and prefer is Side.LOCAL else prefer

    def write(
        self, families: Sequence[RenderedFamily]
    ) -> tuple[list[FamilyResult], FileFailed | None]:
        """Write some families.

        Returns:
            What became of each, and the error that ended the work early, if one did: whatever
            was written before it counts.
        """
        outcomes: list[FamilyResult] = []
        with self._state.batch():  # before any file, so that a kill leaves none that looks edited
            bases = {family.issues[0].id: self._bases(family) for family in families}
            for family in families:
                # A file that was never in step with Jira is compared with Jira alone, also after
                # a kill: what it says otherwise is nobody's edit yet.
                if family.path is None or bases[family.issues[0].id]:
                    self._state.intend(family.issues[0].id, family.text.text)
        with self._state.batch():
            for name, group in self._by_file(families, outcomes):
                try:
                    outcomes += self._write(name, group, bases)
                except FileFailed as error:
                    if not error.alone:
                        return outcomes, error
                    outcomes += (self._fail(each, name, error) for each in group)
        return outcomes, None

    def merge(self, family: RenderedFamily, local: Ticket) -> Merged:
        """Join a family with what stands in its file, as `write` would."""
        return self._merge(family, self._bases(family), local)

    def _by_file(
        self, families: Sequence[RenderedFamily], outcomes: list[FamilyResult]
    ) -> list[tuple[str, list[RenderedFamily]]]:
        """Put neighbours of one file together, none of them twice; what has no file is an outcome."""
        groups: list[tuple[str, list[RenderedFamily]]] = []
        for family in families:
            head = family.issues[0]
            try:
                name = self._name_of(family)
            except InvalidKey as error:
                note = Note(head.key, "", str(error), Code.INVALID)
                outcomes.append(FamilyResult(family, None, note=note))
                continue
            last = groups[-1] if groups else ("", [])
            if last[0] == name and all(each.issues[0].id != head.id for each in last[1]):
                last[1].append(family)
            else:
                groups.append((name, [family]))
        return groups

    def _name_of(self, family: RenderedFamily) -> str:
        if family.path is not None:
            return family.path
        base = self._state.base(family.issues[0].id)
        if base is not None:
            return base.path
        return self._into or safe_file_name(family.issues[0].key)

    def _bases(self, family: RenderedFamily) -> list[str]:
        """Give the texts that a sync has written into the file, or was about to."""
        head = family.issues[0].id
        base = self._state.base(head)
        return [*([base.text] if base else []), *self._state.intended(head)]

    def _write(
        self, name: str, families: Sequence[RenderedFamily], bases: Mapping[str, Sequence[str]]
    ) -> list[FamilyResult]:
        writes = [self._write_of(each, bases[each.issues[0].id]) for each in families]
        try:
            results = self._editor.write(name, writes, joins=name == self._into)
        except TicketSyntaxError as error:  # it was whole a moment ago, so it was edited
            return [self._keep(each, WriteOutcome.KEPT, name, str(error)) for each in families]
        return [
            self._settle(family, result) for family, result in zip(families, results, strict=True)
        ]

    def _fail(self, family: RenderedFamily, name: str, error: FileFailed) -> FamilyResult:
        """Leave a family out whose file cannot be written; the next pull fetches it again."""
        head = family.issues[0]
        outcome = FamilyResult(family, None, note=Note(head.key, name, str(error), Code.BROKEN))
        self._state.mark_stale(outcome.ids)
        self._state.forget_intended(head.id)
        return outcome

    def _write_of(self, family: RenderedFamily, bases: Sequence[str]) -> Write:
        text, sent = family.text, self._state.sent.of(family.issues[0].id)
        # What Jira has of a push whose end was lost belongs to the last sync, as it stands here.
        unedited = [_with_arrived(each, family, sent) for each in bases] if sent else bases
        former = next(
            (old for old, new in self._renamed(family).items() if new == text.ticket.key), None
        )
        return Write(
            text.ticket,
            text.text,
            unedited,
            lambda local: self._merge(family, bases, local),
            former,
        )

    def _renamed(self, family: RenderedFamily) -> dict[str, str]:
        """Give the keys of issues that were moved since the last sync, by those that they had."""
        now = {each.id: each.key for each in family.issues}
        known = self._state.issues_of(family.issues[0].id)
        return {each.key: now[each.id] for each in known if now.get(each.id, each.key) != each.key}

    def _settle(self, family: RenderedFamily, result: WriteResult) -> FamilyResult:
        shares = self._shares(family, result)
        if result.outcome is WriteOutcome.CONFLICT:
            self._state.conflicts.add(self._conflict(family, result.path, result.clashes))
        if result.outcome in {WriteOutcome.KEPT, WriteOutcome.CONFLICT}:
            kept = self._keep(family, result.outcome, result.path, result.reason)
            return replace(kept, shares=shares)
        base = Base(result.path, family.text.text)
        self._state.record(family.issues[0].id, base, _rows(family), seen=self._seen)
        self._state.sent.forget(family.issues[0].id)
        return FamilyResult(family, result.outcome, result.path, shares=shares)

    def _shares(self, family: RenderedFamily, result: WriteResult) -> Mapping[str, WriteOutcome]:
        if result.before is None:
            return {}
        merged = result.outcome is WriteOutcome.MERGED  # else it does not matter
        base = self._state.base(family.issues[0].id) if merged else None
        return outcome_per_issue(
            result.outcome,
            base=read_ticket(base.text) if base is not None else None,
            before=result.before,
            after=result.after or family.text.ticket,
        )

    def _merge(self, family: RenderedFamily, bases: Iterable[str], local: Ticket) -> Merged:
        head, remote = family.issues[0].id, family.text.ticket
        renamed = self._renamed(family)
        local = rekeyed(local, renamed)
        sent = {renamed.get(key, key): each for key, each in self._state.sent.of(head).items()}
        known = self._state.issues_of(head)
        read = [
            rekeyed(ticket, renamed) for each in bases if (ticket := read_ticket(each)) is not None
        ]
        caught_up = (
            arrived(each, local, remote, family.issues, sent, known=known) for each in read
        )
        before, local = min(caught_up, key=lambda each: distance(*each), default=(None, local))
        if before is None and self._hashes.get(local.key or "") == go_hash(local):
            # As the Go program left it; what Jira has not of it is kept aside.
            return replace(merge(local, local, remote), dropped=True)
        if before is not None:
            remote = settled(remote, family.issues, base=before, known=known)
        prefer = self._prefer_unknown if before is None else self._prefer
        return merge(before, local, remote, prefer=prefer)

    def _conflict(self, family: RenderedFamily, path: str, clashes: Iterable[Clash]) -> Conflict:
        head = family.issues[0]
        return Conflict(
            head=head.id,
            key=head.key,
            path=path,
            text=family.text.text,
            issues=rows_to_json(_rows(family), seen=self._seen),
            parts=tuple(map(str, clashes)),
        )

    def _keep(
        self, family: RenderedFamily, written: WriteOutcome, path: str, reason: str
    ) -> FamilyResult:
        head = family.issues[0]
        code = Code.CONFLICT if written is WriteOutcome.CONFLICT else Code.KEPT
        outcome = FamilyResult(family, written, path, Note(head.key, path, reason, code))
        self._state.mark_stale(outcome.ids)
        self._state.forget_intended(head.id)  # what stands there is none of these texts
        return outcome


def _with_arrived(
    text: str, family: RenderedFamily, sent: Mapping[str, Sequence[SentValue]]
) -> str:
    base = read_ticket(text)
    moved = base and as_sent(base, family.text.ticket, family.issues, sent)
    return text if moved is None or moved is base else render_ticket(moved)


def _rows(family: RenderedFamily) -> list[IssueRow]:
    inexact = family.text.inexact
    return [
        IssueRow(issue, updated(issue), issue.key not in inexact, issue.id in family.stale)
        for issue in family.issues
    ]


def _number(issue_id: str) -> int:
    return int(issue_id) if issue_id.isdecimal() else 0
