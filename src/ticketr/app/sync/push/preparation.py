"""Checks what a push would send: values, statuses, screens and parents, before the first write.

The status is sent in requests of its own. If no transitions lead to it, the issue would be changed
only in part. So all transitions are fetched first; the push uses them later. Jira tells which transitions
an issue can take now, but not where others lead from there. So where no single transition leads to a
status, another issue of the same project is looked for in each status on the way, and asked for its
transitions. Its type is the same, or has the same statuses.

A field that the edit screen does not have can be set by a transition whose screen has it; a resolution,
for example.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

import trio

from ticketr.app import jira
from ticketr.app.sync import concurrency
from ticketr.app.sync.compare.diff import TextPart
from ticketr.app.sync.compare.mapping import PARENT, type_id
from ticketr.app.sync.compare.times import ESTIMATES, TIME_TRACKING
from ticketr.app.sync.edits.losses import Accepted
from ticketr.app.sync.edits.push_plan import find_route, unknown_statuses
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.push.metadata import (
    MetadataQuery,
    answer_or,
    fetch_metadata,
    has_fields,
)
from ticketr.app.sync.push.refresh import Comparison
from ticketr.app.sync.push.rich_text import location
from ticketr.app.sync.push.tally import failure_note
from ticketr.app.sync.push.transitions import (
    NoTransition,
    Step,
    no_transition,
    status_of,
    transition_to,
)
from ticketr.app.sync.push.values import BadValue, as_choice
from ticketr.app.sync.push.writes import (
    IssueWrite,
    TicketWrites,
    WritesBuilder,
    metadata_queries,
    project_of,
)

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session


#: The transitions of issues in each status of a workflow, by the status in small letters.
_Edges: TypeAlias = "dict[str, tuple[jira.Transition, ...]]"

#: The transitions to an issue's new status in their order, or why there are none.
_FoundRoute: TypeAlias = "tuple[jira.Transition, ...] | NoTransition | jira.JiraError"


class RouteFinder:
    """Finds the transitions of one push; what it learns of a workflow it asks for once.

    Args:
        session: The workspace and the site.
        off_screen: The fields of each edit that only a transition can set, by the issue's key.
    """

    def __init__(self, session: Session, off_screen: Mapping[str, Collection[str]]) -> None:
        self._session = session
        self._off_screen = off_screen
        self._workflows: dict[tuple[str, str], _Edges] = {}
        self._statuses: dict[str, Mapping[str, tuple[str, ...]]] = {}
        self._learning = trio.Lock()  # what one task learns spares the others the same requests

    async def find(self, edits: Iterable[IssueWrite]) -> Mapping[str, _FoundRoute]:
        """Find the transitions of each edit, several at once, by the issues' keys.

        Raises:
            AuthenticationFailed: The site no longer takes the login.
        """
        edits = list(edits)

        async def find_one(edit: IssueWrite) -> _FoundRoute:
            try:
                return await self.route(edit)
            except jira.AuthenticationFailed:  # every other request would fail too
                raise
            except (jira.JiraError, NoTransition) as error:
                return error

        if edits:
            self._session.progress.say("Asking which statuses can be reached...")
        routes = await concurrency.map_in_tasks(find_one, edits)
        return {edit.key: route for edit, route in zip(edits, routes, strict=True)}

    async def route(self, edit: IssueWrite) -> tuple[jira.Transition, ...]:
        """Return the transitions to an edit's status.

        Raises:
            NoTransition: None are known.
            JiraError: A request failed.
        """
        status = edit.payload.status
        assert status is not None
        fields = self._off_screen.get(edit.key, ())
        transitions = await self._session.jira.transitions(edit.key, with_fields=bool(fields))
        try:
            return (transition_to(status, transitions, fields),)
        except NoTransition:
            async with self._learning:
                return await self._long_route(edit, status, transitions)

    async def _long_route(
        self, edit: IssueWrite, status: str, transitions: tuple[jira.Transition, ...]
    ) -> tuple[jira.Transition, ...]:
        """Return the shortest known way of several transitions; learn what is not known."""
        workflow = self._workflows.setdefault((edit.project, edit.type_id), {})
        # The transitions of this issue count, not those of another one in the same status.
        edges = {**workflow, edit.status.casefold(): transitions}
        while not (path := find_route(_next_statuses(edges), edit.status, status)):
            unknown = unknown_statuses(_next_statuses(edges), edit.status)
            if not unknown:
                raise no_transition(status, transitions)
            for text in unknown:
                learnt = await self._transitions_from(edit, text)
                edges[text.casefold()] = workflow[text.casefold()] = learnt
        known = {status: list(to) for status, to in _next_statuses(edges).items() if to}
        record = self._session.state.site_record  # so that the next plan can show the way
        async with self._session.disk:
            await self._session.in_thread(record.save_workflow, edit.project, edit.type_id, known)
        fields = self._off_screen.get(edit.key, ())
        starts = (edit.status, *path)
        return tuple(
            transition_to(to, edges[start.casefold()], fields)
            for start, to in zip(starts, path, strict=False)
        )

    async def _transitions_from(self, edit: IssueWrite, status: str) -> tuple[jira.Transition, ...]:
        """Ask another issue in a status for its transitions; return none if there is no such one."""
        client, types = self._session.jira, await self._alike_types(edit)
        key = await answer_or(None, client.key_in_status(edit.project, types, status))
        return () if key is None else await answer_or((), client.transitions(key, with_fields=True))

    async def _alike_types(self, edit: IssueWrite) -> list[str]:
        """Return the type of an edit's issue, and the types with the same statuses."""
        if edit.project not in self._statuses:
            statuses = self._session.jira.statuses(edit.project)
            self._statuses[edit.project] = await answer_or({}, statuses)
        known = self._statuses[edit.project]
        own = set(known.get(edit.type_id, ()))
        others = (text for text in known if own and set(known[text]) == own)
        return list(dict.fromkeys((edit.type_id, *others)))


def _next_statuses(edges: _Edges) -> dict[str, list[str]]:
    return {
        status: [transition.to for transition in transitions if transition.to]
        for status, transitions in edges.items()
    }


#: Fields that Jira edits on every screen, or refuses for another reason; an edit of these alone asks
#: nothing. The parent is one: an edit of it is what Jira's own move to a parent sends.
_ON_EVERY_SCREEN = frozenset({"summary", "description", "issuetype", "parent"})
_RESOLUTION = "resolution"


#: The IDs of the fields of edit screens, by the project, the ID of the type, and the status of issues.
#: Issues that have these in common have the same screen. A screen that the site does not tell is not here.
_Screens: TypeAlias = "dict[tuple[str, str, str], frozenset[str]]"


async def _fetch_screens(session: Session, comparisons: Iterable[Comparison]) -> _Screens:
    """Fetch the edit screens of the issues of which fields are edited.

    Raises:
        JiraError: A request failed.
    """
    issues: dict[tuple[str, str, str], jira.Issue] = {}
    for comparison in comparisons:
        for key, changes in comparison.edits.items():
            issue = comparison.issues[key]
            if has_fields(changes):
                place = (project_of(key), type_id(issue.fields), status_of(issue))
                issues.setdefault(place, issue)

    async def fetch(keys: Sequence[str]) -> Sequence[jira.Issue]:
        request = session.jira.bulk_fetch(keys, fields=["summary"], edit_fields=True, partly=True)
        answer = await answer_or(None, request)
        return answer.issues if answer else ()

    keys = [issue.key for issue in issues.values()]
    fetched = chain.from_iterable(
        await concurrency.map_in_tasks(fetch, concurrency.chunks(keys, concurrency.CHUNK))
    )
    screens = {issue.key: issue.edit_fields for issue in fetched}
    return {
        place: screen
        for place, issue in issues.items()
        if (screen := screens.get(issue.key)) is not None
    }


def _fields_off_screen(edits: Iterable[IssueWrite], screens: _Screens) -> dict[str, frozenset[str]]:
    """Return the edited fields that their edit screens lack, by the keys of the issues.

    An edit of the type is not checked, since the screen of the new type is not known.
    """
    off_screen: dict[str, frozenset[str]] = {}
    for edit in edits:
        screen = screens.get((edit.project, edit.type_id, edit.status))
        if screen is not None and "issuetype" not in edit.payload.fields:
            off_screen[edit.key] = frozenset(edit.payload.fields) - _ON_EVERY_SCREEN - screen
    return off_screen


def _with_transition_fields(
    edit: IssueWrite, route: Iterable[jira.Transition], off_screen: Collection[str]
) -> tuple[IssueWrite, tuple[str, ...]]:
    """Return an edit whose fields off the edit screen go with its transitions.

    Args:
        edit: The edit.
        route: The transitions to its status; none for no new status.
        off_screen: The fields that its edit screen lacks.

    Returns:
        The edit, and what is wrong with the fields that no transition takes.
    """
    steps = [Step(transition) for transition in route]
    fields = dict(edit.payload.fields)
    problems: list[str] = []
    for field in sorted(off_screen):
        at, taken = _step_with(field, steps)
        if taken is None:
            problems.append(_problem(edit, field, _remedy(field, bool(steps))))
            continue
        try:
            value = _allowed_value(fields.pop(field), taken)
        except BadValue as error:
            problems.append(_problem(edit, field, str(error)))
            continue
        steps[at] = replace(steps[at], fields={**steps[at].fields, field: value})
    payload = replace(edit.payload, fields=fields)
    return replace(edit, payload=payload, route=tuple(steps)), tuple(problems)


def _step_with(field: str, steps: list[Step]) -> tuple[int, jira.ScreenField | None]:
    """Return the last step whose screen has a field, and the field there."""
    for at in reversed(range(len(steps))):
        for screen_field in steps[at].transition.fields:
            if screen_field.id == field:
                return at, screen_field
    return 0, None


def _allowed_value(value: object, field: jira.ScreenField) -> object:
    """Return a value that is given by its name as its ID; raise `BadValue` if it is not allowed."""
    name = value.get("name") if isinstance(value, dict) else None
    return as_choice(name, field.allowed) if isinstance(name, str) and field.allowed else value


def _remedy(field: str, is_moved: bool) -> str:  # noqa: FBT001 - one of two cases
    where = "the edit screen of this ticket has no such field, so Jira would refuse it; "
    if is_moved:
        return f"{where}no transition to the new Status asks for it either"
    if field == _RESOLUTION:
        return f"{where}it is set together with a new Status whose transition asks for it"
    return f"{where}undo the edit, or have an administrator put the field there"


def _problem(edit: IssueWrite, field: str, reason: str) -> str:
    """Return what is wrong with a field, with its name, file and line."""
    fields = ESTIMATES.keys() if field == TIME_TRACKING else {field}
    parts = [value.part for value in edit.payload.values if value.field in fields]
    part = parts[0] if parts else field
    places = edit.issue.places
    if isinstance(part, TextPart):
        return f"{part.name}: {location(edit.path, places.of_text(part.name, 0))}{reason}"
    return f"{part}: {location(edit.path, places.of_field(str(part)))}{reason}"


async def check(
    session: Session, writes: Sequence[TicketWrites], screens: _Screens
) -> list[TicketWrites]:
    """Replace what Jira would refuse because of a status, a screen or a parent by notes.

    The edits that remain have their transitions.

    Raises:
        AuthenticationFailed: The site no longer takes the login.
        JiraError: The parents cannot be fetched.
    """
    # The parent of a new sub-task is always its ticket.
    named = {
        key
        for ticket in writes
        for write in ticket.issues
        for key, line in _named_issues(write).items()
        if line != PARENT or write.key or write is ticket.new_ticket
    }
    absent = await _absent(session, named)
    edits = [edit for ticket in writes for edit in ticket.edits]
    off_screen = _fields_off_screen(edits, screens)
    # A new type may have other transitions, which cannot be fetched yet.
    moved = (
        edit for edit in edits if edit.payload.status and "issuetype" not in edit.payload.fields
    )
    routes = await RouteFinder(session, off_screen).find(moved)
    return _without_orphans([_checked(ticket, absent, routes, off_screen) for ticket in writes])


def _without_orphans(writes: Sequence[TicketWrites]) -> list[TicketWrites]:
    """Leave out each new ticket whose parent is a draft that is not created, and note why."""
    created: set[tuple[str, str] | None] = {None}
    size = 0
    while size < len(created):  # a parent may have a parent
        size = len(created)
        created |= {
            ticket.place
            for ticket in writes
            if ticket.new_ticket and ticket.parent_place in created
        }
    return [
        ticket
        if ticket.new_ticket is None or ticket.parent_place in created
        else replace(
            ticket, new_ticket=None, new_subtasks=(), failed=(*ticket.failed, ticket.orphan_note)
        )
        for ticket in writes
    ]


def _checked(
    ticket: TicketWrites,
    absent: set[str],
    routes: Mapping[str, _FoundRoute],
    off_screen: Mapping[str, frozenset[str]],
) -> TicketWrites:
    """Return the writes of a ticket that Jira would accept, with a note on each other one."""

    def checked(write: IssueWrite) -> IssueWrite | Note:
        for key, line in _named_issues(write).items():
            if key in absent:
                reason = f"{line}: Jira has no {key}, or you may not see it"
                return Note.on(write.issue, write.path, reason, Code.INVALID)
        route = routes.get(write.key, ())
        if isinstance(route, Exception):
            return failure_note(write.issue, write.path, route)
        routed, problems = _with_transition_fields(write, route, off_screen.get(write.key, ()))
        if problems:
            return Note.on(write.issue, write.path, "; ".join(problems), Code.INVALID)
        return routed

    edits = [checked(edit) for edit in ticket.edits]
    new_ticket = checked(ticket.new_ticket) if ticket.new_ticket is not None else None
    subtasks = [] if isinstance(new_ticket, Note) else [*map(checked, ticket.new_subtasks)]
    notes = (note for note in (*edits, new_ticket, *subtasks) if isinstance(note, Note))
    return replace(
        ticket,
        edits=tuple(edit for edit in edits if isinstance(edit, IssueWrite)),
        new_ticket=new_ticket if isinstance(new_ticket, IssueWrite) else None,
        new_subtasks=tuple(task for task in subtasks if isinstance(task, IssueWrite)),
        failed=(*ticket.failed, *notes),
    )


def _named_issues(write: IssueWrite) -> dict[str, str]:
    """Return the keys of the parent and of linked issues that a write names, with their lines."""
    parent = write.payload.fields.get("parent")
    key = parent.get("key") if isinstance(parent, dict) else None
    named = {key: PARENT} if isinstance(key, str) else {}
    return named | {link.key: link.line for link in write.payload.links if not link.remove}


async def _absent(session: Session, parents: set[str]) -> set[str]:
    """Return the parents that Jira does not have; parents in the state are not fetched."""
    if not parents:
        return set()
    known = await session.in_thread(session.state.known)
    requested = sorted(parents.difference(issue.key for issue in known.values()))
    absent: set[str] = set()
    for chunk in concurrency.chunks(requested, concurrency.PAGE):
        answer = await session.jira.bulk_fetch(chunk, fields=["summary"])
        renamed = await session.jira.find_renamed(answer, fields=["summary"])
        absent |= set(answer.missing) - renamed.keys()
    return absent


async def prepare(
    session: Session, comparisons: Sequence[Comparison], accept_loss: Accepted
) -> list[TicketWrites]:
    """Convert what is sent of each ticket, and check it.

    Args:
        session: The workspace and the site.
        comparisons: The tickets.
        accept_loss: The losses of descriptions that the push may cause; see `losses`.

    Raises:
        JiraError: A request failed, or the project does not exist.
    """
    queries: list[MetadataQuery] = []
    for few in concurrency.chunks(comparisons, concurrency.CHUNK):
        await trio.lowlevel.checkpoint()
        for comparison in few:
            queries += metadata_queries(comparison, session.job.project)
    metadata, screens = await concurrency.run_both(
        partial(fetch_metadata, session, queries), partial(_fetch_screens, session, comparisons)
    )
    has_comments, project = session.columns.comments, session.job.project
    builders = (
        WritesBuilder(comparison, metadata, accept_loss, has_comments) for comparison in comparisons
    )
    builds = [partial(builder.build, project) for builder in builders]
    built = await concurrency.compute_all(
        session.in_thread, builds
    )  # on a thread: conversions take time
    return await check(session, built, screens)
