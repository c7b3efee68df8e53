"""Creates each draft as an issue exactly once, many in one request where that is possible.

The state records a request before it is sent, and the file gets the new key once it is known. If the
answer leaves open whether an issue exists, `find_created_when_sure` finds out before the request is
repeated, for all these issues together. A create has certainly failed only if Jira refused a field, or if the request was
never sent.

Whatever the answer to a batch, each of its issues is looked up by its marker: the answer names the new
issues, but not which draft became which of them.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

import trio

from ticketr._errors import TicketrError
from ticketr.app import jira
from ticketr.app.sync.compare.mapping import issue_type_id
from ticketr.app.sync.compare.sent import to_json
from ticketr.app.sync.concurrency import (
    CONCURRENT_SENT_TICKETS,
    MAX_JIRA_WRITE_TRIES,
    chunks,
    is_short_rate_limit,
    map_in_tasks,
)
from ticketr.app.sync.edits.local_changes import project_and_kind
from ticketr.app.sync.edits.push_plan import route_text
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.push import transitions
from ticketr.app.sync.push.outbox import MARKER_PROPERTY, cannot_arrive_later
from ticketr.app.sync.push.preparation import RouteFinder
from ticketr.app.sync.push.recovery import (
    find_created_when_sure,
    record_as_base,
    unwritten_key_note,
    write_key_and_record,
)
from ticketr.app.sync.push.tally import PushTally, failure_note, unshown_route_reason
from ticketr.app.sync.push.writes import IssueWrite
from ticketr.app.sync.state.journal import Creation
from ticketr.app.sync.state.state import State
from ticketr.app.sync.workspace.editor import FileEditor
from ticketr.app.tickets import Ticket, render_ticket

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session


#: With fewer new issues, each is sent alone: its refusal says more.
_CREATE_SINGLY_BELOW_COUNT = 10


def _record_first_and_between_statuses(state: State, edit: IssueWrite) -> None:
    """Record the statuses on the way of a new issue, which Jira may have if the push ends there.

    It also records in which status such issues begin, so that the next plan can show the way.
    """
    state.sent.put(edit.key, [*map(transitions.sent_status_value, edit.statuses_between)])
    site_record = state.site_record
    new = project_and_kind(edit.issue, edit.parent_key_if_new_subtask)
    known = site_record.workflow(edit.project, edit.old_type_id)
    site_record.save_workflow(*new, {**known, "": [edit.old_status]})


def _fields_with_parent(new: IssueWrite) -> dict[str, object]:
    """Return the fields of a new issue, its parent included."""
    parent = new.parent_key_if_new_subtask
    return new.payload.fields | ({"parent": {"key": parent}} if parent else {})


@dataclass(frozen=True, slots=True)
class _Request:
    """A request for an issue.

    Attributes:
        write: The issue.
        creation: The request, as the state records it.
        error: The error of the last request for the issue, if there was one.
        may_still_arrive_since_trio_time: When it failed, on Trio's clock, if it may still reach Jira;
            minus infinity if it cannot arrive any more.
    """

    write: IssueWrite
    creation: Creation
    error: jira.JiraError | None = None
    may_still_arrive_since_trio_time: float = -math.inf

    def with_error(self, error: jira.JiraError) -> _Request:
        """Return the same, which has failed just now."""
        since = -math.inf if cannot_arrive_later(error) else trio.current_time()
        return replace(self, error=error, may_still_arrive_since_trio_time=since)

    @property
    def may_succeed_if_resent(self) -> bool:
        """Whether another try may succeed."""
        error = self.error
        return error is not None and (is_short_rate_limit(error) or jira.may_have_happened(error))


#: A request of which it is not known whether its issue exists.
_UncertainRequest: TypeAlias = _Request
#: Sends requests, and returns those that are uncertain then.
_SendFunction: TypeAlias = "Callable[[Sequence[_Request]], Awaitable[list[_UncertainRequest]]]"


@dataclass
class Creator:
    """Creates issues, several at once.

    Attributes:
        session: The workspace and the site.
        tally: Counts created issues, and collects notes.
        highest_key_numbers: The highest key number in each project before the next request.
        all_drafts_without_tasks: Every draft of the push, without its sub-tasks.
        shown_status_routes: The routes of new issues that the user has seen, the first one included;
            None if the user was not asked.
    """

    session: Session
    tally: PushTally
    highest_key_numbers: dict[str, int]
    all_drafts_without_tasks: Collection[Ticket]
    shown_status_routes: Collection[tuple[str, ...]] | None
    # Those of the present call of `create_all` that the state holds.
    _created_by_object_id: dict[int, jira.Created] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Make what all issues share, so that a workflow is fetched and a file parsed only once."""
        self._routes = RouteFinder(self.session)
        self._editor = FileEditor(self.session.store)

    async def create_all(self, new_issues: Sequence[IssueWrite]) -> list[jira.Created | None]:
        """Create issues: many in few requests, and alone what is not created so.

        Returns:
            The ID and the key of each issue, in the same order; None for an issue that was not
            created, or whose key or status could not be recorded. The next run creates its
            sub-tasks.

        Raises:
            AuthenticationFailed: The site no longer takes the login.
            FileFailed: A file cannot be written; the state holds what Jira has taken.
            StateFailed: The state cannot be written.

        Cancellation:
            Takes effect at once. `recover_created_keys` finds in the next run what exists.
        """
        self._created_by_object_id = {}
        alone: list[_Request] = []
        existing: list[_Request] = []
        is_many = len(new_issues) >= _CREATE_SINGLY_BELOW_COUNT
        if is_many:
            self.session.progress.report(f"Creating {len(new_issues)} tickets...")
        for chunk in chunks(new_issues, jira.MAX_CREATED_PER_REQUEST):
            requests = [await self._build_request(new) for new in chunk]
            if is_many:
                created, requests = await self._send_until_known(
                    requests, self._send_in_one_request
                )
                existing += created
            alone += requests
        await map_in_tasks(self._write_key_and_set_status, existing, tasks=CONCURRENT_SENT_TICKETS)
        existing, refused = await self._send_until_known(alone, self._send_each)
        await map_in_tasks(self._write_key_and_set_status, existing, tasks=CONCURRENT_SENT_TICKETS)
        for request in refused:
            await self._forget(request.creation)
            issue, path = request.write.issue, request.creation.path
            if request.error is None or request.may_succeed_if_resent:
                reason = "Jira took it several times, and never had it"
                self.tally.fail(Note.on(issue, path, reason, Code.REQUEST_FAILED))
            else:
                names = self.session.file_fields.line_and_section_fields
                self.tally.fail(failure_note(issue, path, request.error, names))
        return [self._created_by_object_id.get(id(new.issue)) for new in new_issues]

    async def _send_until_known(
        self, requests: Sequence[_Request], send: _SendFunction
    ) -> tuple[list[_Request], list[_Request]]:
        """Send requests, again if that may help, until it is known which of their issues exist.

        Returns:
            Those whose issues were looked up and exist, with IDs and keys, and those whose issues do
            not exist.
        """
        existing: list[_Request] = []
        missing: list[_Request] = []
        for _ in range(MAX_JIRA_WRITE_TRIES):
            present, absent = await self._look_up(await send(requests))
            existing += present
            requests = [request for request in absent if request.may_succeed_if_resent]
            missing += (request for request in absent if not request.may_succeed_if_resent)
            if not requests:
                break
        return existing, [*missing, *requests]

    async def _look_up(self, requests: Sequence[_Request]) -> tuple[list[_Request], list[_Request]]:
        """Find out which requested issues exist; note it if that is not possible.

        Returns:
            Those whose issues exist, with IDs and keys, and the others.
        """
        pending = [request.creation for request in requests]
        times = (request.may_still_arrive_since_trio_time for request in requests)
        since = max(times, default=-math.inf)
        try:
            creations = await find_created_when_sure(self.session, pending, since_trio_time=since)
        except jira.AuthenticationFailed:
            raise
        except jira.JiraError as error:
            for request in requests:
                self.tally.fail(_unknown_outcome_note(request, error))
            return [], []
        existing = [
            replace(request, creation=creations[request.creation.marker])
            for request in requests
            if request.creation.marker in creations
        ]
        for request in existing:
            self._count_created(request.creation)
        return existing, [
            request for request in requests if request.creation.marker not in creations
        ]

    async def _send_in_one_request(self, requests: Sequence[_Request]) -> list[_UncertainRequest]:
        """Send requests as one; return all, since the answer does not tell their issues apart."""
        requests = [_with_sent_time(request) for request in requests]
        creations = [request.creation for request in requests]
        await self.session.in_thread(self.session.state.creations.put, *creations)
        try:
            await self.session.jira.create_issues(
                [
                    (_fields_with_parent(request.write), {MARKER_PROPERTY: request.creation.marker})
                    for request in requests
                ]
            )
        except jira.AuthenticationFailed:
            raise
        except jira.JiraError as error:
            return [request.with_error(error) for request in requests]
        return requests

    async def _send_each(self, requests: Sequence[_Request]) -> list[_UncertainRequest]:
        """Send each request alone; return those whose issues may or may not exist.

        The sub-tasks of a ticket are sent one after the other, so that Jira has them in their order,
        but for one whose request or answer was lost.
        """
        groups: dict[str, list[_Request]] = {}
        for request in requests:
            creation = request.creation
            groups.setdefault(creation.parent or creation.marker, []).append(request)

        async def send_in_order(group: Iterable[_Request]) -> list[_UncertainRequest]:
            return [failed for request in group if (failed := await self._send_one(request))]

        unknown = await map_in_tasks(send_in_order, groups.values(), tasks=CONCURRENT_SENT_TICKETS)
        return list(chain.from_iterable(unknown))

    async def _send_one(self, request: _Request) -> _UncertainRequest | None:
        """Send one request, and complete its issue; return it if the issue may or may not exist."""
        session, creations = self.session, self.session.state.creations
        request = _with_sent_time(request)
        fields = _fields_with_parent(request.write)
        properties = {MARKER_PROPERTY: request.creation.marker}
        await session.in_thread(creations.put, request.creation)
        try:
            created = await session.jira.create_issue(fields, properties=properties)
        except jira.JiraError as error:
            failed = request.with_error(error)
            is_certain = jira.certainly_failed(error, fields)
            if is_certain:
                await self._forget(request.creation)  # noqa: ASYNC120 - a cancellation wins, and the next run looks the issue up
            # Further requests could lock the account.
            if isinstance(error, jira.AuthenticationFailed):
                raise
            if not is_certain:
                return failed
            names = session.file_fields.line_and_section_fields
            self.tally.fail(failure_note(request.write.issue, request.creation.path, error, names))
            return None
        request = replace(request, creation=request.creation.answered(created.id, created.key))
        with trio.CancelScope(shield=True):  # one short write
            await session.in_thread(creations.put, request.creation)
        self._count_created(request.creation)
        await self._write_key_and_set_status(request)
        return None

    def _count_created(self, created: Creation) -> None:
        """Count an issue as created, from the moment that Jira has it for certain."""
        project, _, number = created.key.rpartition("-")
        # An automation may have moved the issue to another project, whose numbers say nothing here.
        if project == created.project and number.isdecimal():
            self.highest_key_numbers[project] = max(self.highest_key_numbers[project], int(number))
        self.tally.add_created(created.key)
        self.tally.show(self.session.progress)

    async def _write_key_and_set_status(self, request: _Request) -> None:
        """Write the key of a new issue into its file, the issue into the state, and set its status.

        If it has a status, the state gets the issue later, once the present status is known.
        """
        session, new, created = self.session, request.write, request.creation
        path, status = created.path, new.payload.status
        with trio.CancelScope(shield=True):  # one short write
            async with session.disk_lock:
                outcome = await write_key_and_record(
                    session,
                    self._editor,
                    created,
                    path,
                    status="" if status is None else None,
                    drafts=self.all_drafts_without_tasks,
                )
        if isinstance(outcome, TicketrError):
            self.tally.fail(unwritten_key_note(created, path, outcome))
        elif not outcome:
            reason = (
                f"created as {created.key}, but the draft in its file has changed meanwhile; "
                "the next run looks for it again"
            )
            self.tally.warn(Note(created.key, path, reason, Code.KEY_NOT_WRITTEN))
        elif status is None:
            self._created_by_object_id[id(new.issue)] = jira.Created(created.id, created.key)
        else:
            await self._record_base_and_move(created, new, status)

    async def _record_base_and_move(self, created: Creation, new: IssueWrite, status: str) -> None:
        """Record a new issue in its first status, and move it to its draft's status.

        Its base has the status in which Jira created it. So the draft's status remains an edit if
        this run ends before the transition.
        """
        session, path = self.session, created.path
        try:
            first = await transitions.fetch_status(session.jira, created.key)
            with trio.CancelScope(shield=True):  # one short write
                async with session.disk_lock:
                    await session.in_thread(record_as_base, session.state, created, path, first)
            self._created_by_object_id[id(new.issue)] = jira.Created(created.id, created.key)
            if first.casefold() != status.casefold():
                await self._follow_route(created, new, first, status)
        except (jira.JiraError, transitions.NoTransition, transitions.StoppedBetween) as error:
            note = failure_note(replace(new.issue, key=created.key), path, error)
            self.tally.fail(replace(note, reason=f"it was created, but: {note.reason}"))

    async def _follow_route(
        self, created: Creation, new: IssueWrite, first: str, status: str
    ) -> None:
        """Move a new issue from its first status to its draft's, by one or more transitions."""
        session, state, key = self.session, self.session.state, created.key
        kind = issue_type_id(new.payload.fields)
        edit = replace(new, key=key, old_type_id=kind, old_status=first)
        route = await self._routes.fetch_route(edit)
        edit = replace(edit, route=tuple(map(transitions.Step, route)))
        if edit.statuses_between:
            with trio.CancelScope(shield=True):  # one short write
                async with session.disk_lock:
                    await session.in_thread(_record_first_and_between_statuses, state, edit)
            shown = self.shown_status_routes
            if shown is not None and (first, *edit.statuses_between) not in shown:
                reason = unshown_route_reason(route_text(first, edit.statuses_between, status))
                note = Note.on(replace(new.issue, key=key), created.path, reason, Code.NOT_IN_PLAN)
                self.tally.note_left_alone(note)
                return
        await transitions.follow_route(session.jira, key, status, edit.route)

    async def _build_request(self, new: IssueWrite) -> _Request:
        """Return a request for an issue."""
        creation = Creation(
            marker=uuid.uuid4().hex,
            project=new.project,
            parent=new.parent_key_if_new_subtask,
            title=new.issue.title,
            path=new.path,
            draft=render_ticket(new.issue),
            after=self.highest_key_numbers[new.project],
            parts=await self.session.in_thread(to_json, new.payload.values),
        )
        return _Request(new, creation)

    async def _forget(self, creation: Creation) -> None:
        with trio.CancelScope(shield=True):  # one short write
            await self.session.in_thread(self.session.state.creations.forget, creation)


def _unknown_outcome_note(request: _Request, error: jira.JiraError) -> Note:
    """Note an issue that could not be looked up."""
    reason = f"it is not known yet whether it was created, the next run finds out: {error}"
    if request.error is not None and not request.may_succeed_if_resent:
        reason, error = f"{request.error}; {reason}", request.error
    note = failure_note(request.write.issue, request.creation.path, error)
    return replace(note, reason=reason)


def _with_sent_time(request: _Request) -> _Request:
    """Return a request that is about to be sent."""
    return replace(request, creation=replace(request.creation, sent=time.time()), error=None)
