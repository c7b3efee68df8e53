"""A push's plan: what it would write, what it would leave alone, and what of it may be sent.

A plan is made from the files and the last sync, without a request. It is shown to the user, who confirms
it before the job's turn comes. Meanwhile files may be edited, and a pull may merge what Jira has changed
into them. So the job makes the plan again and compares what the user asked to write. A part was confirmed
if the file still has the same text for it, or the text that a merge of the confirmed one with Jira's
changes gives.

Synchronous, for a worker thread. Nothing is written.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from ticketr.app.sync.compare.attachments import size_text
from ticketr.app.sync.compare.diff import Change, Side, may_show_local_pictures, read_ticket
from ticketr.app.sync.compare.grafting import uploads_in
from ticketr.app.sync.compare.mapping import issue_type_id
from ticketr.app.sync.edits.local_changes import TicketChanges, new_jira_changes, project_and_kind
from ticketr.app.sync.edits.losses import find_literal_text, find_too_long_titles, likely_losses
from ticketr.app.sync.edits.survey import LocalSurvey, check_keys_and_paths, read_state, take_survey
from ticketr.app.sync.notes import Code, Note, conflict_reason
from ticketr.app.sync.state.journal import Conflict, Creation
from ticketr.app.sync.state.state import State
from ticketr.app.sync.workspace.store import LocalTicket, Store, notes_on
from ticketr.app.tickets import Ticket, TicketSyntaxError, key_order

if TYPE_CHECKING:
    from ticketr.app.sync.edits.losses import Loss


#: The most transitions that one push performs on an issue.
MAX_TRANSITIONS = 4


def find_status_route(edges: Mapping[str, Iterable[str]], start: str, goal: str) -> tuple[str, ...]:
    """Return the shortest way to another status, in any case of letters.

    Args:
        edges: The statuses that one transition leads to, by the status from which it does, in
            small letters (`str.casefold`).
        start: The present status.
        goal: The wanted status.

    Returns:
        The statuses on the way, at most `MAX_TRANSITIONS`, the wanted one last; none if no way is known.
    """
    goal = goal.casefold()
    routes = (
        way for way in _shortest_routes(edges, start) if len(way) > 1 and way[-1].casefold() == goal
    )
    return next(routes, ())[1:]


def unexplored_statuses(edges: Mapping[str, Iterable[str]], start: str) -> tuple[str, ...]:
    """Return the statuses near a start from which it is not known where transitions lead.

    They are those that fewer than `MAX_TRANSITIONS` transitions reach, the nearest first.
    """
    near = (route[-1] for route in _shortest_routes(edges, start) if len(route) <= MAX_TRANSITIONS)
    return tuple(status for status in near if status.casefold() not in edges)


def _shortest_routes(edges: Mapping[str, Iterable[str]], start: str) -> Iterator[tuple[str, ...]]:
    """Yield the shortest way to each status near a start, itself first; see `find_status_route`."""
    routes: deque[tuple[str, ...]] = deque([(start,)])
    seen = {start.casefold()}
    while routes:
        route = routes.popleft()
        yield route
        for status in edges.get(route[-1].casefold(), ()) if len(route) <= MAX_TRANSITIONS else ():
            if status.casefold() not in seen:
                seen.add(status.casefold())
                routes.append((*route, status))


def route_text(before: str, between: Sequence[str], after: str) -> str:
    """Return the way of several transitions in words: ``To Do > In Progress > Done (2 transitions)``.

    The way of a new issue begins in the first status ``between``, and ``before`` is empty.
    """
    route = [*([before] if before else []), *between, after]
    return f"{' > '.join(route)} ({len(route) - 1} transitions)"


_STATUS_LINE_NAME = "Status"


@dataclass(frozen=True)
class PlanEntry:
    """One issue that a push creates or changes, or would.

    Its texts are as in the file, not cleaned.

    Attributes:
        key: The issue's key; empty for a draft.
        title: The issue's title.
        path: The issue's file, relative to the workspace.
        title_line: The line of its heading in the file, from 1.
        changes: What would be sent, the title of a draft included. The text of a field that a new
            sub-task takes over ends with its ticket: ``High (from DEMO-2)``.
        parent_key_or_title: The ticket under which a draft is a new sub-task, by its key or, as ``name``, by
            its title; empty for others.
        statuses_between: The statuses on the way to a new one, if several transitions lead there as far as
            it is known.
    """

    key: str
    title: str
    path: str
    title_line: int
    changes: tuple[Change, ...]
    parent_key_or_title: str = ""
    statuses_between: tuple[str, ...] = ()

    @property
    def action(self) -> Literal["create", "update"]:
        """What is done with the issue."""
        return "update" if self.key else "create"

    @property
    def status_change(self) -> tuple[str, str] | None:
        """The status at the last sync, empty for a draft, and the wanted one; None for no move."""
        moves = (change for change in self.changes if change.part == _STATUS_LINE_NAME)
        return next(((change.old, change.new) for change in moves), None)

    @property
    def route(self) -> str:
        """The way to the new status in words, if several transitions lead there; else empty."""
        before, after = self.status_change or ("", "")
        return route_text(before, self.statuses_between, after) if self.statuses_between else ""

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
        changes = [[change.name, change.new] for change in self.changes]
        content = [self.key, self.parent_key_or_title, changes]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PushPlan:
    """What a push would write, as far as the files and the last sync show.

    Attributes:
        entries: The issues that it would create or change, in the order of the files.
        left_alone: What it would not change, and why.
        losses: What its entries would remove from descriptions in Jira. Unless they are accepted,
            these descriptions are not sent.
        markup_sent_as_text: What Jira would get as plain text, such as a mistyped short form.
        expected_refusals: What of its entries Jira would refuse, as far as that shows without a request.
    """

    entries: tuple[PlanEntry, ...] = ()
    left_alone: tuple[Note, ...] = ()
    losses: tuple[Loss, ...] = ()
    markup_sent_as_text: tuple[Note, ...] = ()
    expected_refusals: tuple[Note, ...] = ()


def sort_new_first(entries: Iterable[PlanEntry]) -> tuple[PlanEntry, ...]:
    """Return entries as plans show them: new issues first, the others in the order of their keys."""
    return tuple(sorted(entries, key=lambda entry: (bool(entry.key), *key_order(entry.key))))


#: What a plan calls a file that is attached.
UPLOAD_PART_NAME = "New attachment"


def make_plan_entry(
    local_change: TicketChanges,
    issue: Ticket,
    changes: Sequence[Change],
    inherited: Iterable[Change] = (),
    statuses_between: tuple[str, ...] = (),
) -> PlanEntry:
    """Return the entry for an issue of a ticket; see `PlanEntry` for ``statuses_between``.

    Args:
        local_change: The change of the ticket.
        issue: The issue in its file.
        changes: What is sent of it.
        inherited: What a new sub-task takes over from the ticket.
        statuses_between: The statuses on the way to its new one.
    """
    is_subtask = issue.key is None and issue is not local_change.local.ticket
    # Several paths may lead to one file.
    uploads = dict.fromkeys(
        f"{file.path}, {size_text(file.size)}"
        for change in changes
        if may_show_local_pictures(change.part)
        for file in uploads_in(change.new, change.old, local_change.pictures_by_address).values()
    )
    changes = (
        *changes,
        *(Change(UPLOAD_PART_NAME, "", words) for words in uploads),
        *(
            Change(change.part, "", f"{change.new} (from {local_change.key_or_title})")
            for change in inherited
        ),
    )
    return PlanEntry(
        key=issue.key or "",
        title=issue.title,
        path=local_change.local.path,
        title_line=issue.line,
        changes=changes,
        parent_key_or_title=local_change.key_or_title if is_subtask else "",
        statuses_between=statuses_between,
    )


#: Why an issue is left out that the plan did not show like this.
_CHANGED_SINCE_PLAN_REASON = "it has changed since the plan was shown"
_NOT_IN_PLAN_REASON = "it is not in the plan that was shown"


def find_unconfirmed(
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
    reasons = _why_unconfirmed_by_object_id(drafts, [entry for entry in confirmed if not entry.key])
    shown = {entry.key: entry for entry in confirmed if entry.key}
    for issue, entry in planned:
        if entry.key and entry.key not in shown:
            reasons[id(issue)] = _NOT_IN_PLAN_REASON
        elif entry.key and not all(
            any(_is_confirmed_or_merged(change, one, prefer) for one in shown[entry.key].changes)
            for change in entry.changes
        ):  # Jira may have other parts that were confirmed
            reasons[id(issue)] = _CHANGED_SINCE_PLAN_REASON
    return {
        id(issue): Note.on(issue, entry.path, reasons[id(issue)], Code.NOT_IN_PLAN)
        for issue, entry in planned
        if id(issue) in reasons
    }


def _is_confirmed_or_merged(change: Change, confirmed: Change, prefer: Side | None) -> bool:
    if change.name != confirmed.name:
        return False
    if change.new == confirmed.new:
        return True
    if change.old == confirmed.old:
        return False
    from ticketr.app.sync.compare.merge import merge_texts  # noqa: PLC0415 - most parts need none

    texts = (confirmed.old, confirmed.new, change.old)
    return change.new == merge_texts(change.part, *texts, prefer=prefer)


def _why_unconfirmed_by_object_id(
    drafts: Sequence[tuple[Ticket, PlanEntry]], confirmed: Iterable[PlanEntry]
) -> dict[int, str]:
    """Return why each draft that was not confirmed is left out, by its `id`.

    Drafts can be equal, such as copies. As many of them are sent as were confirmed.
    """
    entries = list(confirmed)
    remaining = Counter(entry.fingerprint for entry in entries)
    # One that stayed in its file comes before a copy of it in another file.
    places = {(entry.path, entry.fingerprint) for entry in entries}
    left: list[tuple[Ticket, PlanEntry]] = []
    for draft, entry in sorted(
        drafts, key=lambda pair: (pair[1].path, pair[1].fingerprint) not in places
    ):
        if remaining[entry.fingerprint]:
            remaining[entry.fingerprint] -= 1
        else:
            left.append((draft, entry))
    titles = {(entry.path, entry.title) for entry in entries if remaining[entry.fingerprint]}
    reasons = {
        id(draft): _CHANGED_SINCE_PLAN_REASON
        if (entry.path, entry.title) in titles
        else _NOT_IN_PLAN_REASON
        for draft, entry in left
    }
    orphans = {id(task) for draft, _ in left for task in draft.tasks}
    return {
        id(draft): "its ticket is not created" for draft, _ in drafts if id(draft) in orphans
    } | reasons


#: Why an issue is left alone.
_UNCERTAIN_REASON = (
    "an earlier push asked for it and got no answer; the next push finds out if it exists"
)
_KEY_NOT_WRITTEN_REASON = (
    "it was created as {key}; the next push or pull writes that key into its file"
)
_NEVER_PULLED_REASON = "it was never pulled into this folder; it is compared with Jira first"
_IN_NO_FILE_REASON = "it is in no file any more, and absence here changes nothing in Jira"


def read_push_plan(
    store: Store,
    keys: Collection[str] | None = None,
    *,
    project: str | None = None,
    prefer: Side | None = None,
    inherit: bool = True,
) -> PushPlan:
    """Read the files and plan what a push would do with them; synchronous, for a worker thread.

    Args:
        store: The ticket files.
        keys: The tickets to push, as in `PushJob`; None for all.
        project: The project in which drafts would be created, if it is known.
        prefer: The side that wins a clash in a sync. Then tickets in conflict are not left alone.
        inherit: Whether new sub-tasks take over the fields of their tickets.

    Raises:
        StateFailed: The state cannot be read.
        UnknownTicket: One of the keys is in no file and was not there at the last sync.
    """
    with read_state(store) as state:
        survey = take_survey(store, state, project=project, inherit=inherit)
        if keys is not None:
            check_keys_and_paths(keys, survey, state)
        return _make_push_plan(survey, state, keys, prefer=prefer)


def _make_push_plan(
    survey: LocalSurvey, state: State, keys: Collection[str] | None, *, prefer: Side | None
) -> PushPlan:
    """Plan what a push would do with what is in a survey; see `read_push_plan`."""
    conflicts = {conflict.key: conflict for conflict in state.conflicts.all()}
    entries: list[PlanEntry] = []
    left: list[Note] = []
    planned: list[TicketChanges] = []
    changes = sorted(
        survey.local_changes,
        key=lambda change: (change.head_id is None, *key_order(change.local.ticket.key or "")),
    )
    decisions = _plan_issues(changes, state, keys, conflicts if prefer is None else {})
    for change, issues in decisions:
        kept: set[int] = set()
        for issue, decision in issues:
            if isinstance(decision, Note):
                left.append(replace(decision, title=issue.title, line=issue.line))
            else:
                entry = decision
                if entry.status_change is not None:
                    entry = _with_route(state, change, issue, entry)
                entries.append(entry)
                kept.add(id(issue))
        if restricted := _restricted_change(change, kept, keys):
            planned.append(restricted)
    left += (_unpulled_or_conflict_note(ticket, conflicts) for ticket in survey.never_pulled)
    if survey.broken:
        broken = survey.broken_files_of(keys, state)
        for note, error in zip(notes_on(broken), broken.values(), strict=True):
            line = error.line if isinstance(error, TicketSyntaxError) else None
            left.append(replace(note, line=line))
    missing = survey.last_paths_by_missing_key(state) if keys else {}
    left += (
        Note(key, missing[key], _IN_NO_FILE_REASON, Code.NOT_FOUND)
        for key in keys or ()
        if key in missing
    )
    losses = tuple(loss for change in planned for loss in likely_losses(state, change))
    literals = tuple(literal for change in planned for literal in find_literal_text(change))
    refused = tuple(note for change in planned for note in find_too_long_titles(change))
    return PushPlan(sort_new_first(entries), tuple(left), losses, literals, refused)


def _plan_issues(
    local_changes: Sequence[TicketChanges],
    state: State,
    keys: Collection[str] | None,
    conflicts: Mapping[str, Conflict],
) -> Iterator[tuple[TicketChanges, list[tuple[Ticket, PlanEntry | Note]]]]:
    """Yield each change with its issues, and for each issue its entry or why it is left alone.

    A ticket in conflict is one issue. What is older comes after what was edited. A draft that an
    earlier push has sent, and that has no key yet, would be created twice.
    """
    uncertain: Mapping[int, Creation] = {}
    if creations := state.creations.read_in_no_file():
        from ticketr.app.sync.edits.drafts import unfinished_creations_by_draft_object_id  # noqa: PLC0415 - few plans need it

        uncertain = unfinished_creations_by_draft_object_id(creations, local_changes)

    for change in local_changes:
        ticket, path = change.local.ticket, change.local.path
        conflict = conflicts.get(ticket.key or "")
        if conflict is not None and _is_open(conflict, change):
            yield change, [(ticket, _conflict_note(conflict, path))]
            continue
        issues: list[tuple[Ticket, PlanEntry | Note]] = []
        for issue, edits in change.edits_and_drafts():
            inherited = change.inherited_by(issue) if issue in change.new_tasks else ()
            decision: PlanEntry | Note = make_plan_entry(change, issue, edits, inherited)
            if not names_issue(keys, change.local, issue):
                decision = Note.on(issue, path, "it was not named", Code.NOT_NAMED_BY_USER)
            elif creation := uncertain.get(id(issue)) or uncertain.get(id(ticket)):
                key = creation.key
                reason = _KEY_NOT_WRITTEN_REASON.format(key=key) if key else _UNCERTAIN_REASON
                decision = Note.on(issue, path, reason, Code.MAYBE_CREATED)
            issues.append((issue, decision))
        if change.older_values_in_file:
            issues += (
                (issue, note)
                for issue, note in change.notes_on_older_values()
                if names_issue(keys, change.local, issue)
            )
        yield change, issues


def names_issue(keys: Collection[str] | None, local: LocalTicket, issue: Ticket) -> bool:
    """Return whether some keys and files name an issue, its ticket or its file; None names all."""
    return keys is None or not {issue.key, local.ticket.key, local.path}.isdisjoint(keys)


def select_changes(
    local_changes: Sequence[TicketChanges],
    state: State,
    prefer: Side | None,
    *,
    keys: frozenset[str] | None,
    confirmed: PushPlan | None,
) -> tuple[list[TicketChanges], list[Note], list[tuple[TicketChanges, Note]]]:
    """Select what a push may send.

    Args:
        local_changes: The changes.
        state: The last sync.
        prefer: The side that wins where a merge clashes, since the plan was shown.
        keys: The keys and files that were named; None for all.
        confirmed: The plan that was confirmed; None if everything may be sent.

    Returns:
        The changes, without what may not be sent; a note for each issue that was not confirmed, that
        an earlier push has sent, or that has older values; and the change of each ticket in
        conflict, which is not a part of any plan, with a note.

    Raises:
        StateFailed: The state cannot be read.
    """
    is_everything = keys is None and confirmed is None
    if is_everything and not state.creations.read_in_no_file():
        older = [note for change in local_changes for _, note in change.notes_on_older_values()]
        # Older values alone are nothing to send.
        selected = [
            change
            for change in local_changes
            if change.edits_and_drafts() or change.added_task_keys
        ]
        return selected, older, []
    # Without a plan, Jira may have ended a conflict by now; the comparison with it finds out.
    known = state.conflicts.all() if confirmed is not None else ()
    conflicts = {conflict.key: conflict for conflict in known}
    in_conflict: list[tuple[TicketChanges, Note]] = []
    rest: list[TicketChanges] = []
    planned: list[tuple[Ticket, PlanEntry]] = []
    left: dict[int, Note] = {}
    older = []
    for change, issues in _plan_issues(local_changes, state, keys, conflicts):
        match issues:
            case [(_, Note(code=Code.CONFLICT) as note)]:
                in_conflict.append((change, note))
                continue
        rest.append(change)
        for issue, decision in issues:
            if isinstance(decision, PlanEntry):
                planned.append((issue, decision))
            elif decision.code is Code.OLDER:
                older.append(decision)
            elif decision.code is not Code.NOT_NAMED_BY_USER:
                left[id(issue)] = decision
    if confirmed is not None:
        left |= find_unconfirmed(planned, confirmed.entries, prefer)
    kept = {id(issue) for issue, _ in planned} - left.keys()
    restricted = (
        _restricted_change(change, kept, keys, mark_as_chosen=not is_everything) for change in rest
    )
    selected = [change for change in restricted if change is not None]
    return selected, [*left.values(), *older], in_conflict


def _restricted_change(
    change: TicketChanges,
    issue_object_ids: Collection[int],
    keys: Collection[str] | None,
    *,
    mark_as_chosen: bool = True,
) -> TicketChanges | None:
    """Return a ticket's change with the issues that may be sent; None if none remain."""
    ticket = change.local.ticket
    if change.head_id is None and id(ticket) not in issue_object_ids:
        return None
    edits = {
        issue.key: change.edits[issue.key]
        for issue in (ticket, *ticket.tasks)
        if issue.key is not None and issue.key in change.edits and id(issue) in issue_object_ids
    }
    drafts = tuple(draft for draft in change.new_tasks if id(draft) in issue_object_ids)
    # Nothing is sent of a key that was added to a file: Jira has it there, or the push says no.
    is_named = names_issue(keys, change.local, ticket)
    added = change.added_task_keys if is_named else ()
    if change.head_id is not None and not (edits or drafts or added):
        return None
    return replace(
        change, edits=edits, new_tasks=drafts, added_task_keys=added, are_chosen=mark_as_chosen
    )


def _is_open(conflict: Conflict, local_change: TicketChanges) -> bool:
    """Return whether a ticket is still in conflict: no edit has taken over Jira's changes."""
    base, remote = local_change.base, read_ticket(conflict.remote_text)
    if base is not None and remote is not None:
        return bool(new_jira_changes(base, local_change.local.ticket, remote))
    return True  # pragma: no cover - another version wrote it


def _conflict_note(conflict: Conflict, path: str) -> Note:
    reason = conflict_reason(conflict.key, conflict.clashes_for_display)
    return Note(conflict.key, path, reason, Code.CONFLICT)


def _with_route(state: State, change: TicketChanges, issue: Ticket, entry: PlanEntry) -> PlanEntry:
    """Add the statuses on the way to a new one, as far as earlier pushes have learnt them."""
    assert entry.status_change is not None
    before, after = entry.status_change
    if not entry.key or change.head_id is None:
        parent = (change.local.ticket.key or "") if entry.parent_key_or_title else None
        edges = state.site_record.workflow(*project_and_kind(issue, parent))
        first = next(iter(edges.get("", ())), "")  # the one in which Jira creates it
        path = find_status_route(edges, first, after)
        return replace(entry, statuses_between=(first, *path[:-1]) if len(path) > 1 else ())
    type_ids = (
        issue_type_id(known.fields)
        for known in state.issues_of(change.head_id)
        if known.key == entry.key
    )
    edges = state.site_record.workflow(entry.key.rpartition("-")[0], next(type_ids, ""))
    return replace(entry, statuses_between=find_status_route(edges, before, after)[:-1])


def _unpulled_or_conflict_note(local: LocalTicket, conflicts: Mapping[str, Conflict]) -> Note:
    key = local.ticket.key or ""
    note = Note(key, local.path, _NEVER_PULLED_REASON, Code.NEVER_PULLED)
    if key in conflicts:
        note = _conflict_note(conflicts[key], local.path)
    return replace(note, title=local.ticket.title, line=local.ticket.line)
