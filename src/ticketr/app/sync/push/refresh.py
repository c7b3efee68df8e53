"""Fetches complete tickets: to compare local changes with them, or to write them into their files.

The comparison finds out which of the local changes may be sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING

from ticketr._errors import TicketrError
from ticketr.app.jira import Issue
from ticketr.app.sync import concurrency
from ticketr.app.sync.compare.diff import Change, by_key
from ticketr.app.sync.compare.grafting import unknown_files
from ticketr.app.sync.compare.mapping import Columns, is_subtask, parent_id
from ticketr.app.sync.compare.sent import (
    SentComment,
    SentValue,
    add_sent_to_base,
    with_sent_comments,
)
from ticketr.app.sync.compare.wording import keep_wording
from ticketr.app.sync.edits.local_changes import LocalChange, remote_changes, still_to_send
from ticketr.app.sync.notes import Code, Note, in_conflict, moved_away, not_given
from ticketr.app.sync.push.outbox import known_comments
from ticketr.app.sync.state.state import State
from ticketr.app.sync.workspace.store import LocalTicket
from ticketr.app.sync.writing.rendering import (
    RenderedFamily,
    fetch_whole,
    render_family,
)
from ticketr.app.sync.writing.writer import FamilyResult, FamilyWriter
from ticketr.app.tickets import InvalidKey, InvalidTicket, Ticket

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Why a ticket could not be fetched.

    Attributes:
        reason: The reason in words.
        code: The reason for scripts.
    """

    reason: str
    code: Code


_NO_LONGER_THERE = Unavailable("Jira no longer has it, or you may no longer see it", Code.MISSING)
_NEVER_THERE = Unavailable("Jira does not have it, or you may not see it", Code.MISSING)


@dataclass(frozen=True, slots=True)
class _Fetched:
    """The answer to a bulk fetch.

    Attributes:
        issues: Each issue, by its ID and by its key.
        failed: Why an issue could not be fetched, by its ID or key.
        renamed: The new keys of moved issues, by their old keys.
    """

    issues: Mapping[str, Issue]
    failed: Mapping[str, str]
    renamed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Request:
    """A ticket to fetch, by IDs, or by keys if it was never pulled into this workspace.

    Attributes:
        head: The ID or key of its head.
        members: The ID or key of each of its issues, its head included.
        path: Its file, relative to the workspace.
        added_keys: Keys of other issues that may be its sub-tasks in Jira.
    """

    head: str
    members: Sequence[str]
    path: str
    added_keys: Sequence[str] = ()

    @property
    def names(self) -> Sequence[str]:
        """The IDs and keys of all issues to fetch."""
        return (*self.members, *self.added_keys)

    def unavailable(self, fetched: _Fetched, otherwise: Unavailable) -> Unavailable | None:
        """Return why the whole ticket could not be fetched; None if it was fetched."""
        for name in self.names:
            if words := fetched.failed.get(name):
                return Unavailable(f"{not_given(words)}; try again later", Code.UNREACHED)
        if self.head in fetched.renamed:
            return Unavailable(moved_away(self.head, fetched.renamed), Code.MOVED)
        return None if self.head in fetched.issues else otherwise

    def issues_in(self, answers: Mapping[str, Issue]) -> list[Issue]:
        """Return its issues, the head first; an empty list if Jira does not have the head."""
        if self.head not in answers:
            return []
        issues = [answers[text] for text in (self.head, *self.members) if text in answers]
        issues += (
            issue
            for issue in map(answers.get, self.added_keys)
            if issue is not None and is_subtask(issue) and parent_id(issue) == self.head
        )
        return list({issue.id: issue for issue in issues}.values())


async def fetch_families(
    session: Session,
    heads: Mapping[str, str],
    added_keys: Mapping[str, Sequence[str]],
    *,
    keep_lost: bool = False,
) -> dict[str, RenderedFamily | Unavailable]:
    """Fetch tickets and render them.

    Args:
        session: The workspace and the site.
        heads: Each ticket's file, relative to the workspace, by its head's ID.
        added_keys: Keys that were added to a ticket's file since the last sync, by its head's ID.
            Issues that are its sub-tasks in Jira are fetched with it.
        keep_lost: Whether sub-tasks that Jira no longer has keep their lines in the file.

    Returns:
        Each ticket, or why it could not be fetched, by its head's ID.
    """
    state = session.state

    def look(chunk: Sequence[str]) -> list[_Request]:
        """Read the issues of the tickets at the last sync, and the texts of their descriptions."""
        members = state.members(chunk)
        return [
            _Request(head, members[head], heads[head], added_keys.get(head, ())) for head in chunk
        ]

    wanted: list[_Request] = []
    for chunk in concurrency.chunks(list(heads), concurrency.PAGE):
        wanted += await session.in_thread(look, chunk)
    read = partial(_read, session, otherwise=_NO_LONGER_THERE, keep_lost=keep_lost)
    families: dict[str, RenderedFamily | Unavailable] = {}
    for some in await concurrency.map_in_tasks(read, _batches(wanted)):
        families |= some
    return families


async def refresh(
    session: Session,
    heads: Mapping[str, str],
    *,
    seen: float,
    added_keys: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> tuple[list[FamilyResult], dict[str, Unavailable]]:
    """Fetch tickets and write them into their files and the state.

    Args:
        session: The workspace and the site.
        heads: See `fetch_families`.
        added_keys: See `fetch_families`.
        seen: The time by Jira's clock before the call, in seconds since the epoch.

    Returns:
        The result for each ticket that was fetched, and why the others were not, by their heads'
        IDs.

    Cancellation:
        Takes effect at once, or after a running write. Written tickets stay.
    """
    now = await fetch_families(session, heads, added_keys, keep_lost=True)
    absent = {head: family for head, family in now.items() if isinstance(family, Unavailable)}
    return await _write(session, now, seen), absent


async def adopt(
    session: Session, never_pulled: Sequence[LocalTicket], *, seen: float
) -> tuple[list[FamilyResult], list[Note]]:
    """Record tickets with keys that were never pulled into this workspace.

    A ticket that is equal to Jira's becomes its base. If they differ, it is a conflict.

    Returns:
        The result for each ticket that was fetched, and a note on each other ticket.

    Cancellation:
        As for `refresh`. The next run fetches only the rest.
    """
    outcomes: list[FamilyResult] = []
    absent: list[Note] = []
    wanted = [
        _Request(local.ticket.key or "", tuple(local.ticket.keys()), local.path)
        for local in never_pulled
    ]
    done, total = 0, sum(len(request.members) for request in wanted)
    for batch in _batches(wanted):
        session.progress.say(f"Comparing with Jira: {done}/{total} tickets")
        now = await _read(session, batch, _NEVER_THERE)
        outcomes += await _write(session, now, seen)
        for request in batch:
            family = now[request.head]
            if isinstance(family, Unavailable):
                absent.append(Note(request.head, request.path, family.reason, family.code))
        done += sum(len(request.members) for request in batch)
    return outcomes, absent


async def _read(
    session: Session, batch: Sequence[_Request], otherwise: Unavailable, *, keep_lost: bool = False
) -> dict[str, RenderedFamily | Unavailable]:
    """Fetch and render some tickets; return each, or why it is unavailable, by its head's ID or key.

    Args:
        session: The workspace and the site.
        batch: The tickets.
        otherwise: What to return of a ticket that Jira does not have.
        keep_lost: See `fetch_families`.
    """
    families: dict[str, RenderedFamily | Unavailable] = {}
    answers = await _fetch(session, [name for request in batch for name in request.names])
    renders: dict[str, Callable[[], RenderedFamily | Unavailable]] = {}
    for request in batch:
        if absent := request.unavailable(answers, otherwise):
            families[request.head] = absent
            continue
        issues = request.issues_in(answers.issues)
        if keep_lost:
            issues += await _lost_subtasks(session, request, issues)
        renders[request.head] = partial(_render, session.columns, request.path, issues, otherwise)
    rendered = await concurrency.compute_all(session.in_thread, list(renders.values()))
    return families | dict(zip(renders, rendered, strict=True))


def _render(
    columns: Columns, path: str, issues: Sequence[Issue], otherwise: Unavailable
) -> RenderedFamily | Unavailable:
    """Render a ticket; return ``otherwise`` where Jira's answer cannot be a ticket."""
    head, *others = issues
    try:
        return render_family(head, others, columns, path=path)
    except (InvalidKey, InvalidTicket):
        return otherwise


def _batches(wanted: Iterable[_Request]) -> Iterator[list[_Request]]:
    """Yield groups of tickets whose issues fit into one bulk fetch."""
    batch: list[_Request] = []
    size = 0
    for request in wanted:
        if batch and size + len(request.names) > concurrency.PAGE:
            yield batch
            batch, size = [], 0
        batch.append(request)
        size += len(request.names)
    if batch:
        yield batch


async def _fetch(session: Session, names: Sequence[str]) -> _Fetched:
    """Fetch issues by ID or by key."""
    issues: dict[str, Issue] = {}
    failed: dict[str, str] = {}
    renamed: dict[str, str] = {}
    for chunk in concurrency.chunks(names, concurrency.PAGE):
        answer = await fetch_whole(session.jira, session.columns, chunk)
        for issue in await session.picture_files.add(answer.issues):
            issues[issue.id] = issues[issue.key] = issue
        failed.update(answer.failed)
        for key in answer.missing if answer.renamed else ():
            # An answer to one key alone shows which issue had that key.
            alone = await session.jira.bulk_fetch([key], fields=["summary"])
            renamed.update((key, issue.key) for issue in alone.renamed)
    return _Fetched(issues, failed, renamed)


async def _lost_subtasks(
    session: Session, wanted: _Request, issues: Sequence[Issue]
) -> list[Issue]:
    """Return sub-tasks that are in the file but no longer in Jira; only a prune removes them."""
    there = {name for issue in issues for name in (issue.id, issue.key)}
    if not issues or there.issuperset(wanted.members):
        return []

    def look() -> list[Issue]:
        known = session.state.issues_of(wanted.head)
        lost = [issue for issue in known if not there & {issue.id, issue.key}]
        try:
            tickets = session.store.tickets(wanted.path)
        except TicketrError:  # the file was broken since a moment ago, and is not written
            return lost
        here = set(chain.from_iterable(ticket.keys() for ticket in tickets))
        return [issue for issue in lost if issue.key in here]

    return await session.in_thread(look)


async def _write(
    session: Session, now: Mapping[str, RenderedFamily | Unavailable], seen: float
) -> list[FamilyResult]:
    """Write the tickets that were fetched into their files and the state."""
    writer = FamilyWriter(
        session.store,
        session.state,
        seen=seen,
        prefer=session.job.prefer,
        prefer_from_file=session.job.prefer_from_file,
    )
    outcomes: list[FamilyResult] = []
    ready = (family for family in now.values() if not isinstance(family, Unavailable))
    for portion in concurrency.portions(ready, lambda family: len(family.text.text)):
        async with session.disk:
            written, error = await session.in_thread(writer.write, portion)
        outcomes += written
        if error is not None:
            raise error
    return outcomes


class PushAction(Enum):
    """What a push does with the changes of a ticket, once they were compared with Jira."""

    SEND = "it sends them"
    SAME = "Jira has them already"
    MERGE_FIRST = "Jira's changes are merged into the file first"
    HOLD_BACK = "it leaves them, since the ticket has changed in Jira"
    FAIL = "it cannot send them"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The comparison of one local change with Jira.

    Attributes:
        local_change: The change in its file.
        action: What the push does with it.
        notes: Why a part of it is not sent, or all of it.
        edits: The edits that Jira does not have yet, by key.
        issues: Each issue as Jira has it, by key.
        texts: The ID of each field with a section of its own, by its name.
    """

    local_change: LocalChange
    action: PushAction
    notes: tuple[Note, ...] = ()
    edits: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    issues: Mapping[str, Issue] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


async def compare_with_jira(
    session: Session, local_changes: Sequence[LocalChange], *, merging: bool, advice: str
) -> list[Comparison]:
    """Compare local changes with what Jira has now.

    See `prepare` for ``merging`` and ``advice``.

    Returns:
        One comparison for each change, in the same order.
    """
    by_head = {
        local_change.head: local_change
        for local_change in local_changes
        if local_change.head is not None
    }
    heads = {head: local_change.local.path for head, local_change in by_head.items()}
    added_keys = {
        head: local_change.added_keys
        for head, local_change in by_head.items()
        if local_change.added_keys
    }
    families = await fetch_families(session, heads, added_keys)
    await _add_named_files(session, by_head, families)
    whole = (family for family in families.values() if not isinstance(family, Unavailable))
    comments = await known_comments(session, [issue for family in whole for issue in family.issues])
    comparisons: dict[str, Comparison] = {}
    for chunk in concurrency.chunks(list(families), concurrency.CHUNK):
        last = await session.in_thread(_last_sync, session.state, chunk)
        compares: dict[str, Callable[[], Comparison]] = {}
        for head in chunk:
            change, family = by_head[head], families.pop(head)
            if isinstance(family, Unavailable):
                note = Note(change.name, change.local.path, family.reason, family.code)
                comparisons[head] = Comparison(change, PushAction.FAIL, (note,))
                continue
            compares[head] = partial(
                _compare, change, family, last[head], comments, merging=merging, advice=advice
            )
        compared = await concurrency.compute_all(session.in_thread, list(compares.values()))
        comparisons.update(zip(compares, compared, strict=True))
    # The user is advised to pull. But closing a sprint or renaming a person does not change the
    # issue's `updated`, so without this mark the pull would not fetch it.
    stale = [
        issue.id
        for comparison in comparisons.values()
        for issue in comparison.issues.values()
        if comparison.action is PushAction.HOLD_BACK
    ]
    if stale:
        await session.in_thread(session.state.mark_stale, stale)
    return [
        Comparison(local_change, PushAction.SEND)
        if local_change.head is None
        else comparisons[local_change.head]
        for local_change in local_changes
    ]


async def _add_named_files(
    session: Session,
    changes: Mapping[str, LocalChange],
    families: dict[str, RenderedFamily | Unavailable],
) -> None:
    """Add the media IDs of attachments that edited descriptions show by their names."""
    for head, family in families.items():
        if isinstance(family, Unavailable) or not changes[head].edits:
            continue
        names = unknown_files(changes[head].local.ticket, family.issues)
        if names:
            issues = await session.picture_files.add(family.issues, names=names)
            families[head] = replace(family, issues=tuple(issues))


@dataclass(frozen=True, slots=True)
class _LastSync:
    """What the state has of one ticket.

    Attributes:
        issues: Its issues at the last sync.
        sent: Values that Jira may have since, by the keys of the issues.
        clashes: The parts that a pull has found changed on both sides.
    """

    issues: Sequence[Issue]
    sent: Mapping[str, Sequence[SentValue]]
    clashes: Sequence[str]


def _last_sync(state: State, heads: Sequence[str]) -> dict[str, _LastSync]:
    """Read the last sync of some tickets, by the IDs of their heads."""
    clashes = {conflict.head: conflict.parts for conflict in state.conflicts.all()}
    return {
        head: _LastSync(state.issues_of(head), state.sent.of(head), clashes.get(head, ()))
        for head in heads
    }


def _compare(
    change: LocalChange,
    family: RenderedFamily,
    last: _LastSync,
    comments: Sequence[SentComment],
    *,
    merging: bool,
    advice: str,
) -> Comparison:
    """Compare the local change of one ticket with Jira, which has the new ``comments`` already."""
    change, here = _with_sent_in_base(change, family, last, comments)
    assert change.base is not None
    keys = {issue.id: issue.key for issue in family.issues}
    issues = {issue.key: issue for issue in family.issues}
    renamed = {
        issue.key: now
        for issue in last.issues
        if (now := keys.get(issue.id, issue.key)) != issue.key
    }
    if change.name in renamed:
        reason = moved_away(change.name, renamed)
        note = Note(change.name, change.local.path, reason, Code.MOVED)
        return Comparison(change, PushAction.FAIL, (note,))
    remote = keep_wording(
        family.text.ticket,
        family.issues,
        base=change.base,
        known=last.issues,
        texts=family.text.texts,
    )
    if theirs := remote_changes(change.base, here, remote):
        if merging and not last.clashes:
            return Comparison(change, PushAction.MERGE_FIRST)
        note = _held_back_note(change, theirs, last.clashes, advice)
        return Comparison(change, PushAction.HOLD_BACK, (note,), issues=issues)
    there = by_key(remote)
    absent = [key for key in (*change.added_keys, *change.edits) if key not in there]
    edits = {
        key: left
        for key, changes in change.edits.items()
        if key in there and (left := still_to_send(changes, there[key]))
    }
    notes = tuple(_absent_note(key, change, renamed) for key in absent)
    action = PushAction.SEND if edits or change.drafts or absent else PushAction.SAME
    return Comparison(change, action, notes, edits, issues, dict(family.text.texts))


def _absent_note(key: str, change: LocalChange, renamed: Mapping[str, str]) -> Note:
    """Return a note that says why Jira does not have an issue in this ticket."""
    if key in renamed:
        return Note(key, change.local.path, moved_away(key, renamed), Code.MOVED)
    reason = f"Jira does not have it as a sub-task of {change.name}"
    return Note(key, change.local.path, reason, Code.MISPLACED)


def _with_sent_in_base(
    change: LocalChange,
    family: RenderedFamily,
    last: _LastSync,
    comments: Sequence[SentComment],
) -> tuple[LocalChange, Ticket]:
    """Add the edits that an interrupted push has sent to the base.

    Returns:
        The change without these edits, and the ticket in its file.
    """
    assert change.base is not None
    local, remote = change.local.ticket, family.text.ticket
    base, here = with_sent_comments(change.base, local, comments, remote)
    base, here = add_sent_to_base(base, here, remote, family.issues, last.sent, known=last.issues)
    if base is change.base:
        return change, here
    return change.with_base(base, here), here


def _held_back_note(
    change: LocalChange, theirs: Mapping[str, Sequence[Change]], clashes: Sequence[str], advice: str
) -> Note:
    """Return a note that says what to do about a ticket that has changed in Jira."""
    if known := ", ".join(clashes):
        reason = in_conflict(change.name, known)
        return Note(change.name, change.local.path, reason, Code.CONFLICT)
    what = ", ".join(
        f"{key}: {remote_change.name}" for key in theirs for remote_change in theirs[key]
    )
    reason = f"changed in Jira since the last pull ({what}); {advice}"
    return Note(change.name, change.local.path, reason, Code.MOVED_ON)
