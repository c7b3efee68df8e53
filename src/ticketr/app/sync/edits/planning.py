"""Makes the plan of a push from the files and the last sync, without a request.

Synchronous, for a worker thread. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from ticketr._errors import TicketrError
from ticketr.app.sync.compare.diff import Side, read_ticket
from ticketr.app.sync.compare.mapping import type_id
from ticketr.app.sync.edits import push_plan
from ticketr.app.sync.edits.local_changes import LocalChange, new_type, remote_changes
from ticketr.app.sync.edits.losses import find_literals, known_losses
from ticketr.app.sync.edits.survey import LocalSurvey, check_keys, survey_now
from ticketr.app.sync.errors import DuplicateKey
from ticketr.app.sync.notes import Code, Note, in_conflict
from ticketr.app.sync.state.journal import Conflict
from ticketr.app.sync.state.state import State
from ticketr.app.sync.workspace.store import LocalTicket, Store
from ticketr.app.tickets import TicketSyntaxError

#: Why an issue is left alone.
_UNCERTAIN = "an earlier push asked for it and got no answer; the next push finds out if it exists"
_CREATED = "it was created as {key}; the next push or pull writes that key into its file"
_UNPULLED = "it was never pulled into this folder; it is compared with Jira first"
_UNNAMED = "it was not named"
_MISSING = "it is in no file any more, and absence here changes nothing in Jira"


def read_push_plan(
    store: Store,
    state: State,
    keys: Collection[str] | None = None,
    *,
    project: str | None = None,
    prefer: Side | None = None,
    inherit: bool = True,
) -> push_plan.PushPlan:
    """Read the files and plan what a push would do with them; synchronous, for a worker thread.

    Args:
        store: The ticket files.
        state: The last sync.
        keys: The tickets to push, as in `PushJob`; None for all.
        project: The project in which drafts would be created, if it is known.
        prefer: The side that wins a clash in a sync. Then tickets in conflict are not left alone.
        inherit: Whether new sub-tasks take over the fields of their tickets.

    Raises:
        StateFailed: The state cannot be read.
        UnknownTicket: One of the keys is in no file and was not there at the last sync.
    """
    survey = survey_now(store, state, project=project, inherit=inherit)
    if keys is not None:
        check_keys(keys, survey, state)
    return _make_push_plan(survey, state, keys, prefer=prefer)


def _make_push_plan(
    survey: LocalSurvey,
    state: State,
    keys: Collection[str] | None = None,
    *,
    prefer: Side | None = None,
) -> push_plan.PushPlan:
    """Plan what a push would do with what is in a survey; see `read_push_plan`.

    Raises:
        StateFailed: The state cannot be read.
    """
    conflicts = _conflicts_by_key(state)
    unfinished = _unfinished(state, survey.local_changes)
    entries: list[push_plan.PlanEntry] = []
    left: list[Note] = []
    planned: list[LocalChange] = []
    for local_change in survey.local_changes:
        conflict = _open_conflict(conflicts, local_change)
        if conflict is not None and prefer is None:
            left.append(_in_conflict(conflict, local_change.local))
            continue
        sent: set[str] = set()
        for request in push_plan.write_requests(local_change):
            entry = request.entry
            if note := unfinished.get(id(request.issue)):
                left.append(note)
            elif keys is not None and not push_plan.is_named(request, keys):
                place = entry.title, entry.line
                left.append(Note(entry.key, entry.path, _UNNAMED, Code.UNNAMED, *place))
            else:
                entries.append(_with_way(state, request))
                sent.add(entry.key)
        planned.append(_with_edits(local_change, sent))
    left += (_never_pulled(ticket, conflicts) for ticket in survey.never_pulled)
    left += (_broken(path, error) for path, error in survey.broken.items())
    left += _missing(survey, state, keys or ())
    losses = tuple(loss for change in planned for loss in known_losses(state, change))
    literals = tuple(literal for change in planned for literal in find_literals(change))
    return push_plan.PushPlan(tuple(entries), tuple(left), losses, literals)


def _unfinished(state: State, local_changes: Sequence[LocalChange]) -> dict[int, Note]:
    """Return a note on each draft that an earlier push has asked Jira to create, by its `id`."""
    creations = state.creations.all()
    if not creations:
        return {}
    from ticketr.app.sync.edits.drafts import find_uncertain  # noqa: PLC0415 - few plans need it

    uncertain = find_uncertain(creations, local_changes)
    notes: dict[int, Note] = {}
    for request in (
        request for change in local_changes for request in push_plan.write_requests(change)
    ):
        ticket = request.local_change.local.ticket
        if creation := uncertain.get(id(request.issue)) or uncertain.get(id(ticket)):
            reason = _CREATED.format(key=creation.key) if creation.key else _UNCERTAIN
            path = request.entry.path
            notes[id(request.issue)] = Note.on(request.issue, path, reason, Code.UNCERTAIN)
    return notes


def select_changes(
    local_changes: Sequence[LocalChange], state: State, selection: push_plan.Selection
) -> push_plan.Selected:
    """Select what a push may send; a ticket in conflict is not a part of any plan.

    A draft that an earlier push has sent, and that has no key yet, would be created twice.

    Raises:
        StateFailed: The state cannot be read.
    """
    unfinished = _unfinished(state, local_changes)
    if selection.confirmed is None:
        return selection.select(local_changes, unfinished)
    conflicts = _conflicts_by_key(state)
    in_conflict = tuple(change for change in local_changes if _open_conflict(conflicts, change))
    heads = {change.head for change in in_conflict}
    rest = [change for change in local_changes if change.head not in heads]
    return replace(selection.select(rest, unfinished), in_conflict=in_conflict)


def _conflicts_by_key(state: State) -> dict[str, Conflict]:
    return {conflict.key: conflict for conflict in state.conflicts.all()}


def _open_conflict(conflicts: Mapping[str, Conflict], local_change: LocalChange) -> Conflict | None:
    """Return a ticket's conflict; None if an edit of the file has taken over Jira's changes."""
    conflict = conflicts.get(local_change.local.ticket.key or "")
    remote = read_ticket(conflict.text) if conflict is not None else None
    if remote is None or local_change.base is None:
        return conflict
    is_open = remote_changes(local_change.base, local_change.local.ticket, remote)
    return conflict if is_open else None


def _in_conflict(conflict: Conflict, local: LocalTicket) -> Note:
    ticket, reason = local.ticket, in_conflict(conflict.key, conflict.parts_text)
    return Note(conflict.key, local.path, reason, Code.CONFLICT, ticket.title, ticket.line)


def _with_way(state: State, request: push_plan.WriteRequest) -> push_plan.PlanEntry:
    """Add the statuses on the way to a new one, as far as earlier pushes have learnt them."""
    entry, local_change = request.entry, request.local_change
    if entry.moves is None:
        return entry
    before, after = entry.moves
    if not entry.key or local_change.head is None:
        is_subtask = request.issue is not local_change.local.ticket
        parent = (local_change.local.ticket.key or "") if is_subtask else None
        edges = state.site_record.workflow(*new_type(request.issue, parent))
        first = next(iter(edges.get("", ())), "")  # the one in which Jira creates it
        path = push_plan.find_path(edges, first, after)
        return replace(entry, between=(first, *path[:-1]) if len(path) > 1 else ())
    type_ids = (
        type_id(issue.fields)
        for issue in state.issues_of(local_change.head)
        if issue.key == entry.key
    )
    edges = state.site_record.workflow(entry.key.rpartition("-")[0], next(type_ids, ""))
    return replace(entry, between=push_plan.find_path(edges, before, after)[:-1])


def _with_edits(local_change: LocalChange, keys: Collection[str]) -> LocalChange:
    edits = {key: changes for key, changes in local_change.edits.items() if key in keys}
    return replace(local_change, edits=edits)


def _never_pulled(local: LocalTicket, conflicts: Mapping[str, Conflict]) -> Note:
    ticket = local.ticket
    if conflict := conflicts.get(ticket.key or ""):
        return _in_conflict(conflict, local)
    return Note(ticket.key or "", local.path, _UNPULLED, Code.UNPULLED, ticket.title, ticket.line)


def _broken(path: str, error: TicketrError) -> Note:
    key = error.key if isinstance(error, DuplicateKey) else ""
    line = error.line if isinstance(error, TicketSyntaxError) else None
    return Note(key, path, str(error), Code.BROKEN, "", line)


def _missing(survey: LocalSurvey, state: State, keys: Collection[str]) -> Iterator[Note]:
    """Yield the named tickets that are in no file any more."""
    missing = survey.missing(state) if keys else {}
    for key in keys:
        if key in missing:
            yield Note(key, missing[key], _MISSING, Code.MISSING, "", None)
