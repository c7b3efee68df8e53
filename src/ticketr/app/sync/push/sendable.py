"""Compares local changes with Jira, to find out which of them may be sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from ticketr.app.jira import Issue
from ticketr.app.sync.compare.diff import Change, by_key
from ticketr.app.sync.compare.grafting import unknown_files
from ticketr.app.sync.compare.sent import (
    SentComment,
    SentValue,
    add_sent_to_base,
    with_sent_comments,
)
from ticketr.app.sync.compare.wording import keep_wording
from ticketr.app.sync.concurrency import CHUNK, chunks, compute_all
from ticketr.app.sync.edits.local_changes import LocalChange, remote_changes, still_to_send
from ticketr.app.sync.notes import Code, Note, in_conflict, moved_away
from ticketr.app.sync.push.outbox import known_comments
from ticketr.app.sync.push.refresh import Unavailable, fetch_families
from ticketr.app.sync.state.state import State
from ticketr.app.sync.writing.rendering import RenderedFamily
from ticketr.app.tickets import Ticket

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session


class Fate(Enum):
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
        fate: What becomes of it.
        notes: Why a part of it is not sent, or all of it.
        edits: The edits that Jira does not have yet, by key.
        issues: Each issue as Jira has it, by key.
        texts: The ID of each field with a section of its own, by its name.
    """

    local_change: LocalChange
    fate: Fate
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
    for chunk in chunks(list(families), CHUNK):
        last = await session.in_thread(_last_sync, session.state, chunk)
        compares: dict[str, Callable[[], Comparison]] = {}
        for head in chunk:
            change, family = by_head[head], families.pop(head)
            if isinstance(family, Unavailable):
                note = Note(change.name, change.local.path, family.reason, family.code)
                comparisons[head] = Comparison(change, Fate.FAIL, (note,))
                continue
            compares[head] = partial(
                _compare, change, family, last[head], comments, merging=merging, advice=advice
            )
        compared = await compute_all(session.in_thread, list(compares.values()))
        comparisons.update(zip(compares, compared, strict=True))
    # The user is advised to pull. But closing a sprint or renaming a person does not change the
    # issue's `updated`, so without this mark the pull would not fetch it.
    stale = [
        issue.id
        for comparison in comparisons.values()
        for issue in comparison.issues.values()
        if comparison.fate is Fate.HOLD_BACK
    ]
    if stale:
        await session.in_thread(session.state.mark_stale, stale)
    return [
        Comparison(local_change, Fate.SEND)
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
        return Comparison(change, Fate.FAIL, (note,))
    remote = keep_wording(
        family.text.ticket,
        family.issues,
        base=change.base,
        known=last.issues,
        texts=family.text.texts,
    )
    if theirs := remote_changes(change.base, here, remote):
        if merging and not last.clashes:
            return Comparison(change, Fate.MERGE_FIRST)
        note = _held_back_note(change, theirs, last.clashes, advice)
        return Comparison(change, Fate.HOLD_BACK, (note,), issues=issues)
    there = by_key(remote)
    absent = [key for key in (*change.added_keys, *change.edits) if key not in there]
    edits = {
        key: left
        for key, changes in change.edits.items()
        if key in there and (left := still_to_send(changes, there[key]))
    }
    notes = tuple(_absent_note(key, change, renamed) for key in absent)
    fate = Fate.SEND if edits or change.drafts or absent else Fate.SAME
    return Comparison(change, fate, notes, edits, issues, dict(family.text.texts))


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
