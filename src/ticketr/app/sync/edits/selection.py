"""Selects what a push may send: what was named, and what was confirmed in a plan. Pure.

A plan is confirmed before the job's turn comes. Meanwhile files may be edited, and a pull may merge
what Jira has changed into them. So the job makes the plan again and compares what the user asked to
write. A part was confirmed if the file still has the same text for it, or the text that a merge of
the confirmed one with Jira's changes gives.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ticketr.app.sync.compare.diff import by_key
from ticketr.app.sync.edits.local_changes import LocalChange
from ticketr.app.sync.edits.push_plan import PlanEntry, PlanPart, PushPlan
from ticketr.app.sync.edits.write_requests import WriteRequest, write_requests
from ticketr.app.sync.notes import Code, Note
from ticketr.app.tickets import Ticket

if TYPE_CHECKING:
    from ticketr.app.sync.compare.merge import Side

#: Why an issue is left out that the plan did not show like this.
_CHANGED = "it has changed since the plan was shown"
_NEW = "it is not in the plan that was shown"
_NO_PARENT = "its ticket is not created"


@dataclass(frozen=True, slots=True)
class Selected:
    """What a push may send.

    Attributes:
        local_changes: The changes, without what may not be sent.
        left: A note for each issue that was not confirmed.
        in_conflict: The changes of tickets in conflict, which were not compared with the plan.
    """

    local_changes: tuple[LocalChange, ...]
    left: tuple[Note, ...] = ()
    in_conflict: tuple[LocalChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """What a push may send.

    Attributes:
        keys: The keys that were named; None for all.
        confirmed: The plan that was confirmed; None if everything may be sent.
        prefer: The side that wins where a merge clashes, since the plan was shown.
    """

    keys: frozenset[str] | None = None
    confirmed: PushPlan | None = None
    prefer: Side | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self.keys is None and self.confirmed is None

    def names(self, ticket: Ticket) -> bool:
        """Return whether an issue of a ticket was named, or all were."""
        return self.keys is None or not self.keys.isdisjoint(ticket.keys())

    def select(
        self, local_changes: Iterable[LocalChange], unfinished: Mapping[int, Note]
    ) -> Selected:
        """Keep what was named and confirmed.

        Args:
            local_changes: The changes.
            unfinished: A note on each draft that an earlier push has sent, by its `id`.
        """
        changes = tuple(local_changes)
        if self.is_everything and not unfinished:
            return Selected(changes)
        requests = [request for change in changes for request in write_requests(change)]
        named = [
            request for request in requests if self.keys is None or is_named(request, self.keys)
        ]
        left = {
            id(request.issue): unfinished[id(request.issue)]
            for request in named
            if id(request.issue) in unfinished
        }
        if self.confirmed is not None:
            new = [request for request in named if id(request.issue) not in left]
            left |= _unconfirmed_notes(new, self.confirmed.entries, self.prefer)
        issues = {id(request.issue) for request in named} - left.keys()
        kept = (_restricted_change(change, issues, self.keys) for change in changes)
        return Selected(
            tuple(change for change in kept if change is not None), tuple(left.values())
        )


#: Everything may be sent.
EVERYTHING = Selection()


def is_named(request: WriteRequest, keys: Collection[str]) -> bool:
    """Return whether the key of an issue or of its ticket is among some keys."""
    return request.issue.key in keys or request.local_change.local.ticket.key in keys


def _unconfirmed_notes(
    requests: Sequence[WriteRequest], confirmed: Sequence[PlanEntry], prefer: Side | None
) -> dict[int, Note]:
    """Return a note on each issue that was not confirmed, by the `id` of the issue."""
    left = _unconfirmed_drafts(requests, [entry for entry in confirmed if not entry.key])
    edited = {entry.key: entry for entry in confirmed if entry.key}
    for request in requests:
        key = request.entry.key
        if not key:
            continue
        if key not in edited:
            left[id(request.issue)] = _note(request, _NEW)
        elif not _is_confirmed(request.entry, edited[key], prefer):
            left[id(request.issue)] = _note(request, _CHANGED)
    return {
        id(request.issue): left[id(request.issue)]
        for request in requests
        if id(request.issue) in left
    }


def _is_confirmed(entry: PlanEntry, confirmed: PlanEntry, prefer: Side | None) -> bool:
    """Return whether each part that would be sent was confirmed; Jira may have the others."""
    return all(
        any(_is_same(part, plan_part, prefer) for plan_part in confirmed.parts)
        for part in entry.parts
    )


def _is_same(part: PlanPart, confirmed: PlanPart, prefer: Side | None) -> bool:
    if part.name != confirmed.name:
        return False
    if part.after == confirmed.after:
        return True
    if part.before == confirmed.before:
        return False
    from ticketr.app.sync.compare.merge import merge_texts  # noqa: PLC0415 - most parts need none

    return part.after == merge_texts(confirmed.before, confirmed.after, part.before, prefer=prefer)


def _unconfirmed_drafts(
    requests: Sequence[WriteRequest], confirmed: Iterable[PlanEntry]
) -> dict[int, Note]:
    """Return a note on each draft that was not confirmed, by its `id`.

    Drafts can be equal, such as copies. As many of them are sent as were confirmed.
    """
    waiting: dict[str, list[PlanEntry]] = {}
    for entry in confirmed:
        waiting.setdefault(entry.fingerprint, []).append(entry)
    drafts = [request for request in requests if not request.entry.key]
    # One that stayed in its file comes before a copy of it in another file.
    drafts = [draft for draft in drafts if not _take(waiting, draft.entry, path=draft.entry.path)]
    drafts = [draft for draft in drafts if not _take(waiting, draft.entry)]
    titles = {(entry.path, entry.title) for alike in waiting.values() for entry in alike}
    left = {
        id(draft.issue): _note(
            draft, _CHANGED if (draft.entry.path, draft.entry.title) in titles else _NEW
        )
        for draft in drafts
    }
    for request in requests:
        ticket = request.local_change.local.ticket
        if ticket.key is None and id(ticket) in left and id(request.issue) not in left:
            left[id(request.issue)] = _note(request, _NO_PARENT)
    return left


def _take(
    waiting: dict[str, list[PlanEntry]], entry: PlanEntry, *, path: str | None = None
) -> bool:
    """Remove a confirmed draft that is equal to an entry; return whether there was one."""
    alike = waiting.get(entry.fingerprint, [])
    match = next((plan_entry for plan_entry in alike if path in {None, plan_entry.path}), None)
    if match is not None:
        alike.remove(match)
    return match is not None


def _note(request: WriteRequest, reason: str) -> Note:
    return Note.on(request.issue, request.entry.path, reason, Code.UNCONFIRMED)


def _restricted_change(
    change: LocalChange, issues: Collection[int], keys: Collection[str] | None
) -> LocalChange | None:
    """Return a ticket's change with the issues that may be sent; None if none remain."""
    ticket = change.local.ticket
    if change.head is None and id(ticket) not in issues:
        return None
    here = by_key(ticket)
    edits = {key: changes for key, changes in change.edits.items() if id(here[key]) in issues}
    drafts = tuple(draft for draft in change.drafts if id(draft) in issues)
    # Nothing is sent of a key that was added to a file: Jira has it there, or the push says no.
    is_named = keys is None or ticket.key in keys
    if change.head is not None and not (edits or drafts or (change.added_keys and is_named)):
        return None
    added_keys = change.added_keys if is_named else ()
    return replace(change, edits=edits, drafts=drafts, added_keys=added_keys, is_restricted=True)
