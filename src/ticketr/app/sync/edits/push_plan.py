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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from ticketr.app.sync.compare.diff import Change, CommentPart, CorePart, Side
from ticketr.app.sync.compare.grafting import PictureFile, uploads_in
from ticketr.app.sync.edits.local_changes import LocalChange
from ticketr.app.sync.notes import Code, Note
from ticketr.app.tickets import Ticket, key_order

if TYPE_CHECKING:
    from ticketr.app.sync.edits.losses import Loss


#: The most transitions that one push performs on an issue.
MOST_STEPS = 4


def find_path(edges: Mapping[str, Iterable[str]], start: str, goal: str) -> tuple[str, ...]:
    """Return the shortest way to another status, in any case of letters.

    Args:
        edges: The statuses that one transition leads to, by the status from which it does, in
            small letters (`str.casefold`).
        start: The present status.
        goal: The wanted status.

    Returns:
        The statuses on the way, at most `MOST_STEPS`, the wanted one last; none if no way is known.
    """
    goal = goal.casefold()
    ways = (way for way in _ways(edges, start) if len(way) > 1 and way[-1].casefold() == goal)
    return next(ways, ())[1:]


def unknown_statuses(edges: Mapping[str, Iterable[str]], start: str) -> tuple[str, ...]:
    """Return the statuses near a start from which it is not known where transitions lead.

    They are those that fewer than `MOST_STEPS` transitions reach, the nearest first.
    """
    near = (way[-1] for way in _ways(edges, start) if len(way) <= MOST_STEPS)
    return tuple(status for status in near if status.casefold() not in edges)


def _ways(edges: Mapping[str, Iterable[str]], start: str) -> Iterator[tuple[str, ...]]:
    """Yield the shortest way to each status near a start, the start itself first; see `find_path`."""
    ways: deque[tuple[str, ...]] = deque([(start,)])
    seen = {start.casefold()}
    while ways:
        way = ways.popleft()
        yield way
        for status in edges.get(way[-1].casefold(), ()) if len(way) <= MOST_STEPS else ():
            if status.casefold() not in seen:
                seen.add(status.casefold())
                ways.append((*way, status))


def way_text(before: str, between: Sequence[str], after: str) -> str:
    """Return the way of several transitions in words: ``To Do > In Progress > Done (2 transitions)``.

    The way of a new issue begins in the first status ``between``, and ``before`` is empty.
    """
    way = [*([before] if before else []), *between, after]
    return f"{' > '.join(way)} ({len(way) - 1} transitions)"


_STATUS = "Status"


@dataclass(frozen=True)
class PlanEntry:
    """One issue that a push creates or changes, or would.

    Its texts are as in the file, not cleaned.

    Attributes:
        key: The issue's key; empty for a draft.
        title: The issue's title.
        path: The issue's file, relative to the workspace.
        line: The line of its heading in the file, from 1.
        changes: What would be sent, the title of a draft included. The text of a field that a new
            sub-task takes over ends with its ticket: ``High (from DEMO-2)``.
        parent: The ticket under which a draft is a new sub-task, by its key or, as ``name``, by
            its title; empty for others.
        between: The statuses on the way to a new one, if several transitions lead there as far as
            it is known.
    """

    key: str
    title: str
    path: str
    line: int
    changes: tuple[Change, ...]
    parent: str = ""
    between: tuple[str, ...] = ()

    @property
    def action(self) -> Literal["create", "update"]:
        """What is done with the issue."""
        return "update" if self.key else "create"

    @property
    def moves(self) -> tuple[str, str] | None:
        """The status at the last sync, empty for a draft, and the wanted one; None for no move."""
        moves = (change for change in self.changes if change.name == _STATUS)
        return next(((change.old, change.new) for change in moves), None)

    @property
    def way(self) -> str:
        """The way to the new status in words, if several transitions lead there; else empty."""
        before, after = self.moves or ("", "")
        return way_text(before, self.between, after) if self.between else ""

    @property
    def name(self) -> str:
        """What to call the issue: its key, or a draft's title."""
        return self.key or f'draft "{self.title}"'

    @cached_property
    def fingerprint(self) -> str:
        """A digest of what the user asks to write, to compare a plan with a later one.

        It covers the new texts, and which issue or parent gets them; not the old texts, nor the
        place in the files.
        """
        asked = [self.key, self.parent, [[change.name, change.new] for change in self.changes]]
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
        refused: What of its entries Jira would refuse, as far as that shows without a request.
    """

    entries: tuple[PlanEntry, ...] = ()
    left: tuple[Note, ...] = ()
    losses: tuple[Loss, ...] = ()
    literals: tuple[Note, ...] = ()
    refused: tuple[Note, ...] = ()


def in_order(entries: Iterable[PlanEntry]) -> tuple[PlanEntry, ...]:
    """Return entries as plans show them: new issues first, the others in the order of their keys."""
    return tuple(sorted(entries, key=lambda entry: (entry.action, *key_order(entry.key))))


#: What a plan calls a file that is attached.
UPLOAD = "New attachment"


def plan_entry(
    local_change: LocalChange,
    issue: Ticket,
    changes: Sequence[Change],
    inherited: Iterable[Change] = (),
    between: tuple[str, ...] = (),
) -> PlanEntry:
    """Return the entry for an issue of a ticket; see `PlanEntry` for ``between``.

    Args:
        local_change: The change of the ticket.
        issue: The issue in its file.
        changes: What is sent of it.
        inherited: What a new sub-task takes over from the ticket.
        between: The statuses on the way to its new one.
    """
    is_subtask = issue.key is None and issue is not local_change.local.ticket
    changes = (
        *changes,
        *(Change(UPLOAD, "", words) for words in _uploads_of(changes, local_change.pictures)),
        *(
            Change(change.part, "", f"{change.new} (from {local_change.name})")
            for change in inherited
        ),
    )
    return PlanEntry(
        key=issue.key or "",
        title=issue.title,
        path=local_change.local.path,
        line=issue.line,
        changes=changes,
        parent=local_change.name if is_subtask else "",
        between=between,
    )


def _uploads_of(changes: Iterable[Change], pictures: Mapping[str, PictureFile]) -> tuple[str, ...]:
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


#: Why an issue is left out that the plan did not show like this.
_CHANGED = "it has changed since the plan was shown"
_NEW = "it is not in the plan that was shown"
_NO_PARENT = "its ticket is not created"


def unconfirmed(
    planned: Sequence[tuple[Ticket, PlanEntry]],
    confirmed: Sequence[PlanEntry],
    prefer: Side | None,
) -> dict[int, Note]:
    """Return a note on each issue that was not confirmed, by the `id` of the issue.

    Args:
        planned: The issues that would be written, each ticket before its sub-tasks.
        confirmed: The entries of the plan that was confirmed.
        prefer: The side that wins where a merge clashes, since the plan was shown.
    """
    drafts = [(issue, entry) for issue, entry in planned if not entry.key]
    reasons = _unconfirmed_drafts(drafts, [entry for entry in confirmed if not entry.key])
    shown = {entry.key: entry for entry in confirmed if entry.key}
    for issue, entry in planned:
        if entry.key and entry.key not in shown:
            reasons[id(issue)] = _NEW
        elif entry.key and not _is_confirmed(entry, shown[entry.key], prefer):
            reasons[id(issue)] = _CHANGED
    return {
        id(issue): Note.on(issue, entry.path, reasons[id(issue)], Code.UNCONFIRMED)
        for issue, entry in planned
        if id(issue) in reasons
    }


def _is_confirmed(entry: PlanEntry, confirmed: PlanEntry, prefer: Side | None) -> bool:
    """Return whether each part that would be sent was confirmed; Jira may have the others."""
    return all(
        any(_is_same(change, shown, prefer) for shown in confirmed.changes)
        for change in entry.changes
    )


def _is_same(change: Change, confirmed: Change, prefer: Side | None) -> bool:
    if change.name != confirmed.name:
        return False
    if change.new == confirmed.new:
        return True
    if change.old == confirmed.old:
        return False
    from ticketr.app.sync.compare.merge import merge_texts  # noqa: PLC0415 - most parts need none

    return change.new == merge_texts(confirmed.old, confirmed.new, change.old, prefer=prefer)


def _unconfirmed_drafts(
    drafts: Sequence[tuple[Ticket, PlanEntry]], confirmed: Iterable[PlanEntry]
) -> dict[int, str]:
    """Return why each draft that was not confirmed is left out, by its `id`.

    Drafts can be equal, such as copies. As many of them are sent as were confirmed.
    """
    waiting: dict[str, list[PlanEntry]] = {}
    for entry in confirmed:
        waiting.setdefault(entry.fingerprint, []).append(entry)
    # One that stayed in its file comes before a copy of it in another file.
    left = [(draft, entry) for draft, entry in drafts if not _take(waiting, entry, entry.path)]
    left = [(draft, entry) for draft, entry in left if not _take(waiting, entry)]
    titles = {(entry.path, entry.title) for alike in waiting.values() for entry in alike}
    reasons = {
        id(draft): _CHANGED if (entry.path, entry.title) in titles else _NEW
        for draft, entry in left
    }
    orphans = {id(task) for draft, _ in left for task in draft.tasks}
    return {id(draft): _NO_PARENT for draft, _ in drafts if id(draft) in orphans} | reasons


def _take(waiting: dict[str, list[PlanEntry]], entry: PlanEntry, path: str | None = None) -> bool:
    """Remove a confirmed draft that is equal to an entry; return whether there was one."""
    alike = waiting.get(entry.fingerprint, [])
    match = next((plan_entry for plan_entry in alike if path in {None, plan_entry.path}), None)
    if match is not None:
        alike.remove(match)
    return match is not None
