"""A push's plan: what it would write, what it would leave alone, and what of it may be sent. Pure.

A plan is made from the files and the last sync, without a request. It is shown to the user, who confirms
it before the job's turn comes. Meanwhile files may be edited, and a pull may merge what Jira has changed
into them. So the job makes the plan again and compares what the user asked to write. A part was confirmed
if the file still has the same text for it, or the text that a merge of the confirmed one with Jira's
changes gives.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ticketr.app.sync.compare.comments import CommentPart
from ticketr.app.sync.compare.diff import Change, CorePart, Side, by_key, criteria_of
from ticketr.app.sync.compare.grafting import PictureFile, uploads_in
from ticketr.app.sync.edits.local_changes import LocalChange, draft_changes
from ticketr.app.sync.notes import Code, Note
from ticketr.app.tickets import Ticket

if TYPE_CHECKING:
    from ticketr.app.sync.edits.losses import LiteralText, Loss
    from ticketr.app.sync.workspace.store import LocalTicket


#: The most transitions that one push performs on an issue.
MOST_STEPS = 4


def find_path(edges: Mapping[str, Iterable[str]], start: str, goal: str) -> tuple[str, ...]:
    """Return the shortest way to a status, in any case of letters.

    Args:
        edges: The statuses that one transition leads to, by the status from which it does, in
            small letters (`str.casefold`).
        start: The present status.
        goal: The wanted status.

    Returns:
        The statuses on the way, at most `MOST_STEPS`, the wanted one last; none if no way is known.
    """
    paths: deque[tuple[str, ...]] = deque([(start,)])
    seen = {start.casefold()}
    while paths:
        path = paths.popleft()
        for status in edges.get(path[-1].casefold(), ()):
            if status.casefold() == goal.casefold():
                return (*path[1:], status)
            if status.casefold() not in seen and len(path) < MOST_STEPS:
                seen.add(status.casefold())
                paths.append((*path, status))
    return ()


def unknown_statuses(
    edges: Mapping[str, Iterable[str]], start: str, *, most: int = MOST_STEPS
) -> tuple[str, ...]:
    """Return the statuses near a start from which it is not known where transitions lead.

    They are those that fewer than ``most`` transitions reach, the nearest first.
    """
    texts: list[str] = []
    nearest, seen = [start], {start.casefold()}
    for _ in range(most):
        texts += (text for text in nearest if text.casefold() not in edges)
        further: dict[str, str] = {}
        for status in nearest:
            for text in edges.get(status.casefold(), ()):
                if text.casefold() not in seen:
                    further.setdefault(text.casefold(), text)
        seen |= further.keys()
        nearest = list(further.values())
    return tuple(texts)


def way_text(before: str, between: Sequence[str], after: str) -> str:
    """Return the way of several transitions in words: ``To Do > In Progress > Done (2 transitions)``.

    The way of a new issue begins in the first status ``between``, and ``before`` is empty.
    """
    way = [*([before] if before else []), *between, after]
    return f"{' > '.join(way)} ({len(way) - 1} transitions)"


_STATUS = "Status"


@dataclass(frozen=True, slots=True)
class PlanPart:
    """One part of an issue that a push would send.

    Attributes:
        name: What people call the part.
        before: Its text at the last sync; empty for none.
        after: Its text in the file. Acceptance criteria are a list in Markdown. The text of a
            field that a new sub-task takes over ends with its ticket: ``High (from DEMO-2)``.
    """

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One issue that a push would create or change.

    Its texts are as in the file, not cleaned.

    Attributes:
        key: The issue's key; empty for a draft.
        title: The issue's title.
        path: The issue's file, relative to the workspace.
        line: The line of its heading in the file, from 1.
        parts: The parts that would be sent, the title of a draft included.
        parent: The ticket under which a draft is a new sub-task, by its key or, as ``name``, by
            its title; empty for others.
        between: The statuses on the way to a new one, if several transitions lead there as far as
            it is known.
    """

    key: str
    title: str
    path: str
    line: int
    parts: tuple[PlanPart, ...]
    parent: str = ""
    between: tuple[str, ...] = ()

    @property
    def action(self) -> Literal["created", "updated"]:
        """What would be done with the issue."""
        return "updated" if self.key else "created"

    @property
    def moves(self) -> tuple[str, str] | None:
        """The status at the last sync, empty for a draft, and the wanted one; None for no move."""
        parts = (part for part in self.parts if part.name == _STATUS)
        return next(((part.before, part.after) for part in parts), None)

    @property
    def way(self) -> str:
        """The way to the new status in words, if several transitions lead there; else empty."""
        before, after = self.moves or ("", "")
        return way_text(before, self.between, after) if self.between else ""

    @property
    def name(self) -> str:
        """What to call the issue: its key, or a draft's title."""
        return self.key or f'draft "{self.title}"'

    @property
    def fingerprint(self) -> str:
        """A digest of what the user asks to write, to compare a plan with a later one.

        It covers the new texts, and which issue or parent gets them; not the old texts, nor the
        place in the files.
        """
        asked = [self.key, self.parent, [[part.name, part.after] for part in self.parts]]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PushPlan:
    """What a push would write, as far as the files and the last sync show.

    Attributes:
        entries: The issues that it would create or change, in the order of the files.
        left: What it would not change, and why.
        losses: What its entries would remove from descriptions in Jira. Unless they are accepted,
            these descriptions are not sent.
        literals: What Jira would get as plain text, such as a mistyped short form.
    """

    entries: tuple[PlanEntry, ...] = ()
    left: tuple[Note, ...] = ()
    losses: tuple[Loss, ...] = ()
    literals: tuple[LiteralText, ...] = ()


#: What a plan calls a file that is attached.
UPLOAD = "New attachment"


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """One issue that a user asks to create or to change.

    Attributes:
        local_change: The change of its ticket.
        issue: The issue in its file.
        entry: The same as an entry of a plan.
    """

    local_change: LocalChange
    issue: Ticket
    entry: PlanEntry


def write_requests(local_change: LocalChange) -> Iterator[WriteRequest]:
    """Yield what a user asks to write of one ticket, the ticket before its sub-tasks."""
    ticket, path = local_change.local.ticket, local_change.local.path
    if local_change.head is None:
        parts = _parts(draft_changes(ticket), local_change)
        entry = PlanEntry("", ticket.title, path, ticket.line, parts)
        yield WriteRequest(local_change, ticket, entry)
    here = by_key(ticket)
    for key, changes in local_change.edits.items():
        issue = here[key]
        entry = PlanEntry(key, issue.title, path, issue.line, _parts(changes, local_change))
        yield WriteRequest(local_change, issue, entry)
    for draft in local_change.drafts:
        parts = (
            *_parts(draft_changes(draft), local_change),
            *(
                PlanPart(change.name, "", local_change.inherited_text(change))
                for change in local_change.inherited_by(draft)
            ),
        )
        entry = PlanEntry("", draft.title, path, draft.line, parts, local_change.name)
        yield WriteRequest(local_change, draft, entry)


def _parts(changes: Sequence[Change], local_change: LocalChange) -> tuple[PlanPart, ...]:
    own = (
        PlanPart(change.name, _as_list(change.old), _as_list(change.new))
        if change.part is CorePart.CRITERIA
        else PlanPart(change.name, change.old, change.new)
        for change in changes
    )
    files = (PlanPart(UPLOAD, "", words) for words in uploads_of(changes, local_change.pictures))
    return (*own, *files)


def uploads_of(changes: Iterable[Change], pictures: Mapping[str, PictureFile]) -> tuple[str, ...]:
    """Return the files that must be attached before some changes of an issue are sent, in words.

    Several paths may lead to one file.
    """
    words = (
        file.words
        for change in changes
        if change.part is CorePart.DESCRIPTION or isinstance(change.part, CommentPart)
        for file in uploads_in(change.new, change.old, pictures).values()
    )
    return tuple(dict.fromkeys(words))


def _as_list(criteria: str) -> str:
    """Return criteria as a list in Markdown, so that the lines of one are not several."""
    return "\n".join("- " + text.replace("\n", "\n  ") for text in criteria_of(criteria))


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
        keys: The keys and files that were named; None for all.
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

    def names(self, local: LocalTicket) -> bool:
        """Return whether an issue of a ticket was named, or its file, or all were."""
        return self.keys is None or not self.keys.isdisjoint((*local.ticket.keys(), local.path))

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
    """Return whether an issue, its ticket or its file is among some keys and files."""
    return request.issue.key in keys or _names_ticket(keys, request.local_change.local)


def _names_ticket(keys: Collection[str], local: LocalTicket) -> bool:
    """Return whether a ticket or its file is among some keys and files."""
    return local.ticket.key in keys or local.path in keys


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
    is_named = keys is None or _names_ticket(keys, change.local)
    if change.head is not None and not (edits or drafts or (change.added_keys and is_named)):
        return None
    added_keys = change.added_keys if is_named else ()
    return replace(change, edits=edits, drafts=drafts, added_keys=added_keys, is_restricted=True)
