"""Compares what was edited here with what Jira has now: what may be sent, and what may not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import trio

from ticketr.sync.compare.diff import TEXTS, by_key, differing_size, text_size
from ticketr.sync.compare.sent import add_sent_to_base
from ticketr.sync.compare.wording import keep_wording
from ticketr.sync.edits.local_changes import find_edits, remote_changes, still_to_send
from ticketr.sync.notes import Code, Note, moved_away
from ticketr.sync.push.refresh import Unavailable, fetch_families
from ticketr.sync.threads import CHUNK, chunks, compute

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ticketr.jira import Issue
    from ticketr.sync.compare.diff import Change
    from ticketr.sync.compare.sent import SentValue
    from ticketr.sync.edits.local_changes import LocalChange
    from ticketr.sync.session import Session
    from ticketr.sync.state.state import State
    from ticketr.sync.writing.rendering import RenderedFamily
    from ticketr.tickets import Ticket

#: How often the text of a ticket is converted in one step of a push.
CONVERSIONS = 4


@dataclass(frozen=True, slots=True)
class SendableChange:
    """What may be sent of one ticket, in the terms of its file.

    Attributes:
        local_change: What was changed here.
        edits: The edits that Jira does not have yet, by key.
        types: The ID of each issue's type, by key.
        documents: Each issue's description in Jira as ADF, by key.
    """

    local_change: LocalChange
    edits: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    documents: Mapping[str, object] = field(default_factory=dict)

    @property
    def text_size(self) -> int:
        """How many characters are converted to send it."""
        change = self.local_change
        drafts = [*change.drafts, *([] if change.head else [change.local.ticket])]
        edits = (each for found in self.edits.values() for each in found if each.part in TEXTS)
        # The old text is converted as well, to find out what Jira has beyond it.
        return text_size(*drafts) + sum(len(each.old) + len(each.new) for each in edits)


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A ticket that is not pushed because it has changed in Jira.

    Attributes:
        note: What its user should know.
        writes: How many of its issues would have been created or changed.
    """

    note: Note
    writes: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one local change is against Jira.

    Attributes:
        local_change: What was changed here.
        sendable: What may be sent of it; None if nothing may.
        already_in_jira: Whether Jira has all of it.
        merge_first: Whether Jira's changes have to be merged into the file before it is sent.
        held_back: Set if the ticket is not pushed because it has changed in Jira.
        failed: A note for each issue that cannot be pushed.
        changed: The IDs of the issues of a ticket that is held back.
    """

    local_change: LocalChange
    sendable: SendableChange | None = None
    already_in_jira: bool = False
    merge_first: bool = False
    held_back: HeldBack | None = None
    failed: tuple[Note, ...] = ()
    changed: tuple[str, ...] = ()


async def compare_with_jira(
    session: Session, local_changes: Sequence[LocalChange], *, merging: bool, advice: str
) -> list[Comparison]:
    """Compare local changes with what Jira has now.

    Args:
        session: The workspace and the site.
        local_changes: What was changed here, in the order of the files.
        merging: Whether tickets that have changed in Jira are to be merged, not held back.
        advice: What the user can do about a ticket that is held back.

    Returns:
        One comparison for each change, in the same order.

    Raises:
        JiraError: The site cannot be asked.
    """
    by_head = {each.head: each for each in local_changes if each.head is not None}
    heads = {head: each.local.path for head, each in by_head.items()}
    added_keys = {head: each.added_keys for head, each in by_head.items() if each.added_keys}
    families = await fetch_families(session, heads, added_keys)
    clashes = await session.in_thread(session.state.clashes)
    found: dict[str, Comparison] = {}
    for some in chunks(list(families), CHUNK):
        known, sent = await session.in_thread(_last_sync, session.state, some)
        for head in some:
            change, family = by_head[head], families.pop(head)
            if isinstance(family, Unavailable):
                await trio.lowlevel.checkpoint()
                note = Note(change.name, change.local.path, family.reason, family.code)
                found[head] = Comparison(change, failed=(note,))
                continue
            compare = partial(
                _compare,
                change,
                family,
                sent[head],
                known[head],
                clashes.get(head, ()),
                merging=merging,
                advice=advice,
            )
            found[head] = await compute(session.in_thread, _work(change, family), compare)
    # Closing a sprint or renaming a person does not move an issue's time of last change, so a pull
    # would not fetch it. The user is advised to pull.
    changed = [issue_id for each in found.values() for issue_id in each.changed]
    await session.in_thread(session.state.mark_stale, changed)
    return [
        Comparison(each, SendableChange(each)) if each.head is None else found[each.head]
        for each in local_changes
    ]


def _work(change: LocalChange, family: RenderedFamily) -> int:
    assert change.base is not None
    versions = (change.local.ticket, family.text.ticket)
    return CONVERSIONS * sum(differing_size(change.base, each) for each in versions)


def _last_sync(
    state: State, heads: Sequence[str]
) -> tuple[dict[str, list[Issue]], dict[str, dict[str, list[SentValue]]]]:
    """Read the issues of some tickets at the last sync, and edits that Jira may have since."""
    return {head: state.issues_of(head) for head in heads}, {
        head: state.sent.of(head) for head in heads
    }


def _compare(
    change: LocalChange,
    family: RenderedFamily,
    sent: Mapping[str, Sequence[SentValue]],
    known: Sequence[Issue],
    clashes: Sequence[str],
    *,
    merging: bool,
    advice: str,
) -> Comparison:
    """Compare the local change of one ticket with Jira.

    ``sent`` is what Jira may have of the change already; ``known`` are the issues at the last sync;
    ``clashes`` is what a pull has found to be changed on both sides.
    """
    change, here = _with_sent_in_base(change, family, sent, known)
    assert change.base is not None
    path = change.local.path
    names = {each.id: each.key for each in family.issues}
    renamed = {each.key: now for each in known if (now := names.get(each.id, each.key)) != each.key}
    if change.name in renamed:
        note = Note(change.name, path, moved_away(change.name, renamed), Code.MOVED)
        return Comparison(change, failed=(note,))
    remote = keep_wording(family.text.ticket, family.issues, base=change.base, known=known)
    if news := remote_changes(change.base, here, remote):
        if merging and not clashes:
            return Comparison(change, merge_first=True)
        held_back = HeldBack(_held_back_note(change, news, clashes, advice), change.writes)
        return Comparison(change, held_back=held_back, changed=tuple(names))
    there = by_key(remote)
    absent = [key for key in (*change.added_keys, *change.edits) if key not in there]
    edits = {
        key: left
        for key, found in change.edits.items()
        if key in there and (left := still_to_send(found, there[key]))
    }
    sendable = SendableChange(
        change,
        edits,
        types={each.key: type_id(each.fields) for each in family.issues},
        documents={each.key: each.fields.get("description") for each in family.issues},
    )
    return Comparison(
        change,
        sendable,
        already_in_jira=not edits and not change.drafts and not absent,
        failed=tuple(_absent_note(key, change, renamed) for key in absent),
    )


def _absent_note(key: str, change: LocalChange, renamed: Mapping[str, str]) -> Note:
    """Say why an issue of a ticket's file is not in that ticket in Jira."""
    if key in renamed:
        return Note(key, change.local.path, moved_away(key, renamed), Code.MOVED)
    reason = f"Jira does not have it as a sub-task of {change.name}"
    return Note(key, change.local.path, reason, Code.MISPLACED)


def _with_sent_in_base(
    change: LocalChange,
    family: RenderedFamily,
    sent: Mapping[str, Sequence[SentValue]],
    known: Sequence[Issue],
) -> tuple[LocalChange, Ticket]:
    """Count what Jira has of an interrupted push as part of the base.

    Returns:
        The change without that, and the ticket as it stands here.
    """
    assert change.base is not None
    local, remote = change.local.ticket, family.text.ticket
    base, here = add_sent_to_base(change.base, local, remote, family.issues, sent, known=known)
    if base is change.base:
        return change, here
    return replace(change, base=base, edits=find_edits(base, here)), here


def _held_back_note(
    change: LocalChange, news: Mapping[str, Sequence[Change]], clashes: Sequence[str], advice: str
) -> Note:
    """Say what to do about a ticket that has changed in Jira, which a pull may have seen before."""
    if known := ", ".join(clashes):
        reason = f"it is in conflict with Jira ({known}); run ticketr resolve {change.name}"
        return Note(change.name, change.local.path, reason, Code.CONFLICT)
    what = ", ".join(f"{key}: {each.name}" for key in news for each in news[key])
    reason = f"changed in Jira since the last pull ({what}); {advice}"
    return Note(change.name, change.local.path, reason, Code.MOVED_ON)


def type_id(fields: Mapping[str, object]) -> str:
    """Return the ID of the issue type in Jira's fields; empty if there is none."""
    kind = fields.get("issuetype")
    found = kind.get("id") if isinstance(kind, dict) else None
    return found if isinstance(found, str) else ""
