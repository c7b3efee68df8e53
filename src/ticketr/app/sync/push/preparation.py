"""Checks what a push would send: values, statuses and parents, before the first write.

The status is sent in requests of its own. If no transitions lead to it, the issue would be changed
only in part. So all transitions are fetched first; the push uses them later. Jira tells which transitions
an issue can take now, but not where others lead from there. So where no single transition leads to a
status, another issue of the same project is looked for in each status on the way, and asked for its
transitions. Its type is the same, or has the same statuses.

An edited field that the screen of a transition has is sent with it; a resolution, for example, is on
no edit screen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import trio

from ticketr.app import jira
from ticketr.app.sync import concurrency
from ticketr.app.sync.compare.mapping import PARENT_LINE_NAME
from ticketr.app.sync.edits.losses import AllOrTheseLosses
from ticketr.app.sync.edits.push_plan import find_status_route, unexplored_statuses
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.push.metadata import IssueChanges, answer_or_if_refused, fetch_metadata
from ticketr.app.sync.push.refresh import Comparison
from ticketr.app.sync.push.rich_text import location_prefix
from ticketr.app.sync.push.tally import failure_note
from ticketr.app.sync.push.transitions import NoTransition, Step, no_transition_error, transition_to
from ticketr.app.sync.push.values import BadValue, as_choice
from ticketr.app.sync.push.writes import (
    IssueWrite,
    TicketWrites,
    WritesBuilder,
    issue_changes_to_send,
    parent_draft_failed_note,
)

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session


#: The transitions of issues in each status of a workflow, by the status in small letters.
_TransitionsByFromStatus: TypeAlias = "dict[str, tuple[jira.Transition, ...]]"

#: The transitions to an issue's new status in their order, or why there are none.
_FoundRoute: TypeAlias = "tuple[jira.Transition, ...] | NoTransition | jira.JiraError"


@dataclass
class RouteFinder:
    """Finds the transitions of one push; what it learns of a workflow it asks for once.

    Attributes:
        session: The workspace and the site.
    """

    session: Session
    _workflows: dict[tuple[str, str], _TransitionsByFromStatus] = field(
        default_factory=dict, init=False
    )
    _statuses_by_project: dict[str, Mapping[str, tuple[str, ...]]] = field(
        default_factory=dict, init=False
    )
    # What one task learns spares the others the same requests.
    _learning_lock: trio.Lock = field(default_factory=trio.Lock, init=False)

    async def find_routes(self, edits: Sequence[IssueWrite]) -> Mapping[str, _FoundRoute]:
        """Find the transitions of each edit, several at once, by the issues' keys.

        Raises:
            AuthenticationFailed: The site no longer takes the login.
        """

        async def find_one(edit: IssueWrite) -> _FoundRoute:
            try:
                return await self.fetch_route(
                    edit, frozenset(edit.payload.fields) - _NEVER_IN_TRANSITION_FIELDS
                )
            except jira.AuthenticationFailed:  # every other request would fail too
                raise
            except (jira.JiraError, NoTransition) as error:
                return error

        self.session.progress.report("Asking which statuses can be reached...")
        routes = await concurrency.map_in_tasks(find_one, edits)
        return {edit.key: route for edit, route in zip(edits, routes, strict=True)}

    async def fetch_route(
        self, edit: IssueWrite, fields_to_set: Collection[str] = ()
    ) -> tuple[jira.Transition, ...]:
        """Return the transitions to an edit's status, such as take the most of ``fields_to_set``.

        Raises:
            NoTransition: None are known.
            JiraError: A request failed.
        """
        status = edit.payload.status
        assert status is not None
        transitions = await self.session.jira.transitions(edit.key, with_fields=bool(fields_to_set))
        try:
            return (transition_to(status, transitions, fields_to_set),)
        except NoTransition:
            async with self._learning_lock:
                return await self._find_long_route(edit, status, transitions, fields_to_set)

    async def _find_long_route(
        self,
        edit: IssueWrite,
        status: str,
        transitions: tuple[jira.Transition, ...],
        fields_to_set: Collection[str],
    ) -> tuple[jira.Transition, ...]:
        """Return the shortest known way of several transitions; learn what is not known."""
        workflow = self._workflows.setdefault((edit.project, edit.old_type_id), {})
        # The transitions of this issue count, not those of another one in the same status.
        edges = {**workflow, edit.old_status.casefold(): transitions}
        while not (path := find_status_route(_next_statuses(edges), edit.old_status, status)):
            unknown = unexplored_statuses(_next_statuses(edges), edit.old_status)
            if not unknown:
                raise no_transition_error(status, transitions)
            for text in unknown:
                learnt = await self._ask_other_issue(edit, text)
                edges[text.casefold()] = workflow[text.casefold()] = learnt
        known = {status: list(to) for status, to in _next_statuses(edges).items() if to}
        save = self.session.state.site_record.save_workflow  # so the next plan can show the way
        async with self.session.disk_lock:
            await self.session.in_thread(save, edit.project, edit.old_type_id, known)
        starts = (edit.old_status, *path)
        return tuple(
            transition_to(to, edges[start.casefold()], fields_to_set)
            for start, to in zip(starts, path, strict=False)
        )

    async def _ask_other_issue(self, edit: IssueWrite, status: str) -> tuple[jira.Transition, ...]:
        """Ask another issue in a status for its transitions; return none if there is no such one."""
        client, project = self.session.jira, edit.project
        if project not in self._statuses_by_project:
            self._statuses_by_project[project] = await answer_or_if_refused(
                {}, client.status_names_by_type_id(project)
            )
        # An issue of another type will do if that has the same statuses.
        statuses = self._statuses_by_project[project]
        own = set(statuses.get(edit.old_type_id, ()))
        alike = [text for text in statuses if own and set(statuses[text]) == own]
        key = await answer_or_if_refused(
            None, client.key_in_status(project, alike or [edit.old_type_id], status)
        )
        if key is None:
            return ()
        return await answer_or_if_refused((), client.transitions(key, with_fields=True))


def _next_statuses(edges: _TransitionsByFromStatus) -> dict[str, list[str]]:
    return {
        status: [transition.to_status for transition in transitions if transition.to_status]
        for status, transitions in edges.items()
    }


#: Fields that are always sent as an edit, also if the screen of a transition has them.
_NEVER_IN_TRANSITION_FIELDS = frozenset({"summary", "description", "issuetype", "parent"})


def _with_route(edit: IssueWrite, route: Iterable[jira.Transition]) -> IssueWrite | Note:
    """Return an edit with its transitions, which take the fields that their screens have.

    If a transition does not allow a value, return a note.
    """
    steps = [Step(transition) for transition in route]
    # Of several transitions that take a field, the last one gets it.
    takers = {
        taken.id: (at, taken)
        for at, step in enumerate(steps)
        for taken in step.transition.fields
        if taken.id not in _NEVER_IN_TRANSITION_FIELDS
    }
    fields = dict(edit.payload.fields)
    for part, field_id in ((value.part, value.field_id) for value in edit.payload.values):
        if field_id not in takers or field_id not in fields:
            continue
        at, taken = takers[field_id]
        value = fields.pop(field_id)
        name = value.get("name") if isinstance(value, dict) else None
        try:
            if isinstance(name, str) and taken.allowed_values:  # it is given by its ID
                value = as_choice(name, taken.allowed_values)
        except BadValue as error:
            place = location_prefix(edit.path, edit.issue.line_numbers.of_field(str(part)))
            return Note.on(edit.issue, edit.path, f"{part}: {place}{error}", Code.BAD_VALUE)
        steps[at] = replace(steps[at], fields={**steps[at].fields, field_id: value})
    return replace(edit, payload=replace(edit.payload, fields=fields), route=tuple(steps))


def _line_names_by_related_key(write: IssueWrite) -> dict[str, str]:
    """Return the keys of the parent and of linked issues that a write names, with their lines.

    The parent of a new sub-task is always its ticket.
    """
    parent = write.payload.fields.get("parent") if write.parent_key_if_new_subtask is None else None
    key = parent.get("key") if isinstance(parent, dict) else None
    named = {key: PARENT_LINE_NAME} if isinstance(key, str) else {}
    links = write.payload.links
    return named | {link.key: link.line_name for link in links if not link.id_to_remove}


async def _find_absent_keys(session: Session, named: set[str]) -> set[str]:
    """Return the issues that Jira does not have; those in the state are not fetched."""
    known = await session.in_thread(session.state.known_issues_by_id)
    requested = sorted(named.difference(issue.key for issue in known.values()))
    absent: set[str] = set()
    for chunk in concurrency.chunks(requested, concurrency.BULK_FETCH_SIZE):
        answer = await session.jira.bulk_fetch(chunk, fields=["summary"])
        renamed = await session.jira.find_renamed(answer, fields=["summary"])
        absent |= set(answer.missing) - renamed.keys()
    return absent


async def prepare_writes(
    session: Session, comparisons: Sequence[Comparison], accept_loss: AllOrTheseLosses
) -> list[TicketWrites]:
    """Convert what is sent of each ticket; replace by notes what Jira would refuse.

    Args:
        session: The workspace and the site.
        comparisons: The tickets.
        accept_loss: The losses of descriptions that the push may cause; see `losses`.

    Returns:
        The writes of each ticket; the edits have their transitions.

    Raises:
        AuthenticationFailed: The site no longer takes the login.
        JiraError: A request failed, or the project does not exist.
    """
    project = session.job.project
    issues: list[IssueChanges] = []
    for few in concurrency.chunks(comparisons, concurrency.FILES_PER_THREAD_VISIT):
        await trio.lowlevel.checkpoint()
        for comparison in few:
            issues += issue_changes_to_send(comparison, project)
    metadata = await fetch_metadata(session, issues)
    builder = WritesBuilder(metadata, accept_loss, session.file_fields.has_comments, project)
    built = await concurrency.compute_in_batches(
        session.in_thread, [partial(builder.build, comparison) for comparison in comparisons]
    )  # on a thread: conversions take time
    writes = [write for ticket in built for write in ticket.issues if not write.payload.problems]
    named = {key for write in writes for key in _line_names_by_related_key(write)}
    absent = await _find_absent_keys(session, named) if named else set()
    # A new type may have other transitions, which cannot be fetched yet.
    moved = [
        write
        for write in writes
        if write.key and write.payload.status and "issuetype" not in write.payload.fields
    ]
    routes = await RouteFinder(session).find_routes(moved) if moved else {}
    checked = [_check_ticket(ticket, absent, routes) for ticket in built]
    has_drafts_below = any(ticket.local_change.parent_draft_title for ticket in checked)
    return _without_drafts_of_failed_parents(checked) if has_drafts_below else checked


def _without_drafts_of_failed_parents(writes: Sequence[TicketWrites]) -> list[TicketWrites]:
    """Leave out each draft whose parent is a draft that is not created, and note why."""
    drafts = [
        ticket.local_change
        for ticket in writes
        if ticket.issues and ticket.local_change.head_id is None
    ]
    created: set[tuple[str, str]] = set()
    size = -1
    while size < len(created):  # a parent may have a parent
        size = len(created)
        created |= {
            (draft.local.path, draft.local.ticket.title)
            for draft in drafts
            if not draft.parent_draft_title
            or (draft.local.path, draft.parent_draft_title) in created
        }
    kept: list[TicketWrites] = []
    for ticket in writes:
        change = ticket.local_change
        place = change.local.path, change.parent_draft_title
        if ticket.issues and change.parent_draft_title and place not in created:
            failed = (*ticket.unsendable_issue_notes, parent_draft_failed_note(change))
            kept.append(replace(ticket, issues=(), unsendable_issue_notes=failed))
        else:
            kept.append(ticket)
    return kept


def _check_ticket(
    ticket: TicketWrites, absent: Collection[str], routes: Mapping[str, _FoundRoute]
) -> TicketWrites:
    """Return the writes of a ticket that Jira would accept, with a note on each other one.

    The edits get their transitions.
    """
    issues: list[IssueWrite] = []
    failed, warnings = [*ticket.unsendable_issue_notes], [*ticket.warnings]
    for write in ticket.issues:
        if write.parent_key_if_new_subtask == "" and not issues:  # its ticket is not created
            continue
        note, payload = partial(Note.on, write.issue, write.path), write.payload
        problems = payload.problems or [
            f"{line}: Jira has no {key}, or you may not see it"
            for key, line in _line_names_by_related_key(write).items()
            if key in absent
        ]
        route = routes.get(write.key, ())
        checked: IssueWrite | Note = write
        if problems:
            checked = note("; ".join(problems), Code.BAD_VALUE)
        elif isinstance(route, Exception):
            checked = failure_note(write.issue, write.path, route)
        elif route:
            checked = _with_route(write, route)
        if isinstance(checked, Note):
            failed.append(checked)
            continue
        issues.append(checked)
        warnings += (note(warning, Code.LITERAL) for warning in payload.literal_text_warnings)
        warnings += (note(text, Code.BAD_VALUE) for text in payload.inheritance_problems)
    return replace(
        ticket, issues=tuple(issues), unsendable_issue_notes=tuple(failed), warnings=tuple(warnings)
    )
