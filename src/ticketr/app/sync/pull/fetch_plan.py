"""Plans which issues a pull fetches, and decides when a family is complete. Pure.

A pull fetches issues by the hundred, in the order of the search, but writes families. When one member
of a family arrives, the others move to the front of the queue. So only a few pages are in memory,
however many issues there are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ticketr.app.jira import Issue
from ticketr.app.sync.compare.mapping import is_subtask, parent_id, subtask_ids
from ticketr.app.sync.notes import Code, Note

if TYPE_CHECKING:
    from ticketr.app.sync.state.state import KnownIssue
    from ticketr.app.sync.workspace.store import TicketLocation


@dataclass(slots=True)
class FetchedFamily:
    """The fetched members of a family.

    Attributes:
        head_id: The ID of the issue that gives the ticket its heading. It may be absent from
            ``issues``: then it has not changed, and the state has it.
        issues: The fetched members, by ID.
        awaited_ids: The IDs of those that are still awaited.
    """

    head_id: str
    issues: dict[str, Issue] = field(default_factory=dict)
    awaited_ids: set[str] = field(default_factory=set)


class FamilyCollector:
    """Splits wanted issues into batches to fetch, and groups answers into complete families.

    Args:
        wanted: IDs to fetch, in order.
        present: The IDs that sub-tasks are filed under: every one that the query found, and those
            whose tickets are in the workspace. A sub-task whose parent is not among them is a
            ticket of its own.
        standalone: Keys and IDs of sub-tasks that people keep as tickets of their own.
    """

    def __init__(
        self, wanted: Iterable[str], *, present: Iterable[str], standalone: Iterable[str] = ()
    ) -> None:
        # OrderedDict removes its first member in constant time; a dict does not.
        self._waiting = OrderedDict.fromkeys(wanted)
        self._urgent: OrderedDict[str, None] = OrderedDict()
        self._awaited = set(self._waiting)  # wanted and not here yet, requested or not
        self._present = set(present)
        self._standalone = set(standalone)
        self._incomplete: dict[str, FetchedFamily] = {}

    def next_batch(self, limit: int) -> list[str]:
        """Remove and return the IDs to fetch next; an empty list if none is left."""
        batch: list[str] = []
        for queue in (self._urgent, self._waiting):
            while queue and len(batch) < limit:
                batch.append(queue.popitem(last=False)[0])
        return batch

    def add_answer(
        self, requested_ids: Iterable[str], issues: Iterable[Issue]
    ) -> list[FetchedFamily]:
        """Add the answer to one batch.

        Returns:
            The families that are complete now.
        """
        requested_ids = set(requested_ids)
        self._awaited -= requested_ids
        touched: dict[str, None] = {}
        for issue in issues:
            self._awaited.discard(issue.id)
            head, parent = issue.id, parent_id(issue)
            stands_alone = not self._standalone.isdisjoint((issue.key, issue.id))
            if parent in self._present and is_subtask(issue) and not stands_alone:
                head = parent
            touched[head] = None
            family = self._incomplete.setdefault(head, FetchedFamily(head))
            family.issues[issue.id] = issue
            others = subtask_ids(issue) if head == issue.id else (head,)
            for other in others:
                if other in self._awaited:
                    family.awaited_ids.add(other)
                if other in self._waiting:
                    del self._waiting[other]
                    self._urgent[other] = None
        waiting = [
            head for head, family in self._incomplete.items() if family.awaited_ids & requested_ids
        ]
        touched.update(dict.fromkeys(waiting))
        complete: list[FetchedFamily] = []
        for head in touched:
            family = self._incomplete[head]
            family.awaited_ids &= self._awaited
            if not family.awaited_ids:
                complete.append(self._incomplete.pop(head))
        return complete


def misplaced_or_unreadable_note(
    head: Issue,
    issue: Issue,
    key_locations: Mapping[str, TicketLocation],
    known: Mapping[str, KnownIssue],
) -> Note | None:
    """Note that an issue is in another ticket than in Jira, or in a file that cannot be read.

    Such an issue is not written: files are never moved, and no key may be in two files.

    Returns:
        The note; None for an issue that can be written.
    """
    former = known[head.id].key if head.id in known else head.key
    location = location_by_either_key(issue, key_locations, known)
    if location is not None and location.change_refusal:
        return Note(issue.key, location.path, location.change_refusal, Code.BROKEN)
    if location is None or location.top_level_key in {head.key, former}:
        return None
    home = f"as a sub-task of {head.key}" if issue.id != head.id else "by itself"
    reason = f"Jira has it {home}; move it there in the files"
    return Note(issue.key, location.path, reason, Code.OTHER_PARENT)


def location_by_either_key(
    issue: Issue, key_locations: Mapping[str, TicketLocation], known: Mapping[str, KnownIssue]
) -> TicketLocation | None:
    """Return where an issue is, by its key or by the one that it had at the last sync."""
    former = known[issue.id].key if issue.id in known else issue.key
    return key_locations.get(issue.key) or key_locations.get(former)


@dataclass(frozen=True, slots=True)
class FetchPlan:
    """What a pull fetches, and what it no longer finds.

    Attributes:
        found_ids: Every issue ID that the query found, in its order.
        wanted_ids: Those to fetch.
        not_in_query: Issues pulled earlier that the query no longer finds, in the order of their
            keys; none that may be in a file that cannot be read.
    """

    found_ids: tuple[str, ...]
    wanted_ids: tuple[str, ...]
    not_in_query: tuple[KnownIssue, ...]


def make_fetch_plan(
    ids: Iterable[str],
    changed: Iterable[str],
    known: Mapping[str, KnownIssue],
    key_locations: Mapping[str, TicketLocation],
    *,
    project: str | None,
) -> FetchPlan:
    """Plan to fetch what is missing here, has changed in Jira, or was not written last time.

    Args:
        ids: IDs that the query finds.
        changed: IDs among them that Jira says have changed.
        known: What the state knows.
        key_locations: The keys that are in files.
        project: The project, when all of it is pulled; only then can an issue be missing.
    """
    ids = tuple(ids)
    home = f"{project}-" if project else ""  # in its project an issue has such a key
    fresh = {
        issue.id
        for issue in known.values()
        if issue.key in key_locations and not issue.is_stale and issue.key.startswith(home)
    }
    fresh.difference_update(changed)
    present = set(ids)
    missing = (
        issue
        for issue in known.values()
        if project and issue.key.startswith(f"{project}-") and issue.key in key_locations
        if issue.id not in present and not key_locations[issue.key].change_refusal
    )
    return FetchPlan(
        ids,
        tuple(issue_id for issue_id in ids if issue_id not in fresh),
        tuple(sorted(missing, key=lambda issue: issue.key)),
    )


def change_search_start_time(
    ids: Iterable[str], known: Mapping[str, KnownIssue], key_locations: Mapping[str, TicketLocation]
) -> float | None:
    """Return the time since when changes have to be searched; None if nothing is here yet."""
    confirmed = [
        issue.seen_at
        for issue in map(known.get, ids)
        if issue is not None and issue.key in key_locations and not issue.is_stale
    ]
    return min(confirmed, default=None)
