"""Creates each draft as an issue exactly once, many in one request where that is possible.

The state records a request before it is sent, and the file gets the new key at once. If the answer
leaves open whether the issue exists, `look_up` finds out before the request is repeated. A create
has certainly failed only if Jira refused a field, or if the request was never sent. After any other
refusal the issue may exist; all these issues are looked up together at the end.

Whatever the answer to a batch, each of its issues is looked up by its marker: the answer names the new
issues, but not which draft became which of them.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira import (
    MOST_CREATED,
    AuthenticationFailed,
    Created,
    JiraError,
    Rejected,
    certainly_failed,
    may_have_happened,
)
from ticketr.app.sync.compare.sent import to_json
from ticketr.app.sync.concurrency import TRIES, chunks, passes_soon
from ticketr.app.sync.edits.local_changes import new_type
from ticketr.app.sync.edits.push_plan import way_text
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.push import transitions
from ticketr.app.sync.push.outbox import PROPERTY, has_ended
from ticketr.app.sync.push.preparation import RouteFinder
from ticketr.app.sync.push.recovery import (
    look_up,
    record_created,
    unwritten_key_note,
    write_key_and_record,
)
from ticketr.app.sync.push.tally import PushTally, failure_note, longer_way, on_the_way
from ticketr.app.sync.push.writes import IssueWrite
from ticketr.app.sync.state.outbox import Creation
from ticketr.app.sync.state.state import State
from ticketr.app.sync.workspace.files import attempt
from ticketr.app.tickets import Ticket, render_ticket

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session


def _record_way(state: State, edit: IssueWrite, parent: str | None) -> None:
    """Record the statuses on the way of a new issue, which Jira may have if the push ends there.

    It also records in which status such issues begin, so that the next plan can show the way.
    """
    home = state.head_of(edit.key)
    if home is not None:
        state.sent.put(home, edit.key, [transitions.status_value(text) for text in edit.between])
    site_record, new = state.site_record, new_type(edit.issue, parent)
    known = site_record.workflow(edit.project, edit.type_id)
    site_record.keep_workflow(*new, {**known, "": [edit.status]})


def _raise_highest(highest: dict[str, int], created: Creation) -> None:
    """Raise the highest number of a key in a project to that of a new issue."""
    project, _, number = created.key.rpartition("-")
    # An automation may have moved the issue to another project, whose numbers say nothing here.
    if project == created.project and number.isdecimal():
        highest[project] = max(highest[project], int(number))


def _fields(new: IssueWrite) -> dict[str, object]:
    """Return the fields of a new issue, its parent included."""
    return new.payload.fields | ({"parent": {"key": new.parent}} if new.parent else {})


def _may_succeed_later(error: JiraError) -> bool:
    """Return whether another try may succeed."""
    return passes_soon(error) or may_have_happened(error)


def over_at(error: JiraError) -> float:
    """Return a time of Trio's clock when Jira had finished with a refused request."""
    return -math.inf if has_ended(error) else trio.current_time()


class _NotCreated(Exception):
    """Raised when an issue was not created, or may have been; the message says which."""


@dataclass(frozen=True)
class _Refused:
    """A refused request whose issue may exist nevertheless.

    Attributes:
        creation: The request.
        new: The issue that was sent.
        error: The answer.
        over_at: A time of Trio's clock when Jira had finished with the request.
    """

    creation: Creation
    new: IssueWrite
    error: JiraError
    over_at: float


@dataclass
class Creator:
    """Creates issues, several at once.

    Attributes:
        session: The workspace and the site.
        tally: Counts created issues, and collects notes.
        after: The highest key number in each project before the push.
        drafts: Every draft of the push, without its sub-tasks.
        ways: The statuses on the ways of new issues that the user has seen, the first one included;
            None if the user was not asked.
    """

    session: Session
    tally: PushTally
    after: Mapping[str, int]
    drafts: Collection[Ticket]
    ways: Collection[tuple[str, ...]] | None
    _refused: list[_Refused] = field(default_factory=list, init=False)
    # By the `id` of each draft: the requests that were sent ahead and whose issues exist, and
    # those whose issues may or may not exist.
    _existing: dict[int, Creation] = field(default_factory=dict, init=False)
    _unknown: dict[int, tuple[Creation, JiraError]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Make what all issues share, so that a workflow is fetched and a file parsed only once."""
        self._routes = RouteFinder(self.session, {})
        self._editor = self.session.editor

    async def create(self, new: IssueWrite) -> Created | None:
        """Create an issue.

        Returns:
            Its ID and key; None if it was not created, or if its key or status could not be
            recorded. Then the next run creates its sub-tasks.

        Raises:
            AuthenticationFailed: The site no longer takes the login.
            FileFailed: A file cannot be written; the state holds what Jira has taken.
            StateFailed: The state cannot be written.

        Cancellation:
            Takes effect at once. If the issue exists, `recover` finds it in the next run.
        """
        if id(new.issue) in self._unknown:
            creation, error = self._unknown[id(new.issue)]
            note = failure_note(new.issue, creation.path, error)
            self.tally.fail(replace(note, reason=_unknown_reason(error)))
            return None
        created = self._existing.get(id(new.issue))
        if created is None:
            creation = await self._new_creation(new, self.after[new.project])
            created = await self._create_or_note(creation, new)
        return None if created is None else await self._finish(created, new)

    async def create_ahead(self, wanted: Sequence[IssueWrite]) -> None:
        """Create many issues in few requests; `create` then completes each.

        An issue that Jira refuses in such a request is left to `create`, which sends it alone.

        Raises:
            AuthenticationFailed: The site no longer takes the login.
            StateFailed: The state cannot be written.

        Cancellation:
            Takes effect at once. `recover` finds in the next run what exists.
        """
        highest = dict(self.after)
        for chunk in chunks(wanted, MOST_CREATED):
            batch: dict[str, tuple[IssueWrite, Creation]] = {}
            for new in chunk:
                creation = await self._new_creation(new, highest[new.project])
                batch[creation.marker] = new, creation
            try:
                creations = await self._create_batch(batch)
            except AuthenticationFailed:
                raise
            except JiraError as error:
                self._unknown |= {
                    id(new.issue): (creation, error) for new, creation in batch.values()
                }
                continue
            for marker, (new, creation) in batch.items():
                if marker not in creations:
                    await self._forget(creation)
                    continue
                self._existing[id(new.issue)] = creations[marker]
                self._count(creations[marker])
                _raise_highest(highest, creations[marker])

    async def _create_batch(
        self, batch: Mapping[str, tuple[IssueWrite, Creation]]
    ) -> dict[str, Creation]:
        """Send a batch until its issues exist, or Jira refuses the rest; return what exists.

        Raises:
            JiraError: It is not known what exists.
        """
        session = self.session
        created: dict[str, Creation] = {}
        for _ in range(TRIES):
            remaining = {marker: pair for marker, pair in batch.items() if marker not in created}
            creations = [replace(creation, sent=time.time()) for _, creation in remaining.values()]
            await session.in_thread(session.state.creations.put, *creations)
            failure: JiraError | None = None
            try:
                await session.jira.create_issues(
                    [(_fields(new), {PROPERTY: marker}) for marker, (new, _) in remaining.items()]
                )
            except AuthenticationFailed:
                raise
            except JiraError as error:
                failure = error
            since = -math.inf if failure is None else over_at(failure)
            created |= await look_up(session, creations, since=since)
            if len(created) == len(batch) or failure is None or not _may_succeed_later(failure):
                break
        return created

    async def look_for_refused(self) -> list[tuple[IssueWrite, Created]]:
        """Look up the issues whose creation was refused; note those that do not exist as failed.

        Returns:
            The issues that exist and whose sub-tasks can be created, with their IDs and keys.

        Raises:
            TicketrError: As for `create`.

        Cancellation:
            Takes effect at once. The next run looks up the other issues.
        """
        refused, self._refused = self._refused, []
        requested = [refusal.creation for refusal in refused]
        over_at = max((refusal.over_at for refusal in refused), default=-math.inf)
        try:
            creations = await look_up(self.session, requested, since=over_at)
        except AuthenticationFailed:
            raise
        except JiraError as error:
            for refusal in refused:
                note = failure_note(refusal.new.issue, refusal.creation.path, refusal.error)
                reason = f"{refusal.error}; {_unknown_reason(error)}"
                self.tally.fail(replace(note, reason=reason))
            return []
        existing: list[tuple[IssueWrite, Created]] = []
        for refusal in refused:
            if refusal.creation.marker not in creations:
                await self._forget(refusal.creation)
                issue, path = refusal.new.issue, refusal.creation.path
                named = self.session.columns.named
                self.tally.fail(failure_note(issue, path, refusal.error, named))
            elif created := await self._finish(creations[refusal.creation.marker], refusal.new):
                reason = f"it was created, although the answer was {_without_advice(refusal.error)}"
                note = Note(created.key, refusal.creation.path, reason, Code.REFUSED)
                self.tally.warn(note)
                existing.append((refusal.new, created))
        return existing

    def _count(self, created: Creation) -> None:
        """Count an issue as created, from the moment that Jira has it for certain."""
        self.tally.add_created(created.key)
        self.tally.show(self.session.progress)

    async def _finish(self, created: Creation, new: IssueWrite) -> Created | None:
        """Write the key of a new issue into its file, and set its status."""
        status = new.payload.status
        is_written = await self._write_key(created, created.path, status_follows=status is not None)
        if id(new.issue) not in self._existing:  # else it is counted already
            self._count(created)
        if not is_written or (
            status is not None and not await self._move_to_status(created, new, status)
        ):
            return None
        return Created(created.id, created.key)

    async def _write_key(self, created: Creation, path: str, *, status_follows: bool) -> bool:
        """Write a key into its draft's file; return whether the draft was found there.

        The state is written too, unless a status follows: then the present status must be fetched
        first.
        """
        session = self.session
        write = partial(
            write_key_and_record,
            self._editor,
            session.state,
            created,
            path,
            status=None if status_follows else "",
            drafts=self.drafts,
        )
        with trio.CancelScope(shield=True):  # one short write
            async with session.disk:
                tried = await session.in_thread(attempt, write)
        if tried.problem is not None:
            self.tally.fail(unwritten_key_note(created, path, tried.problem))
        elif not tried.is_done:
            reason = (
                f"created as {created.key}, but the draft in its file has changed meanwhile; "
                "the next run looks for it again"
            )
            self.tally.warn(Note(created.key, path, reason, Code.DRAFT_CHANGED))
        return tried.is_done

    async def _move_to_status(self, created: Creation, new: IssueWrite, status: str) -> bool:
        """Move a new issue to its draft's status; return whether the state holds the issue.

        Its base has the status in which Jira created it. So the draft's status remains an edit if
        this run ends before the transition.
        """
        session, path = self.session, created.path
        issue = replace(new.issue, key=created.key)
        try:
            first_status = await transitions.status_now(session.jira, created.key)
        except JiraError as error:
            self._fail_after_creation(issue, path, error)
            return False
        with trio.CancelScope(shield=True):  # one short write
            async with session.disk:
                await session.in_thread(record_created, session.state, created, path, first_status)
        try:
            if first_status.casefold() != status.casefold():
                await self._walk(created, new, first_status, status)
        except (JiraError, transitions.NoTransition, transitions.StoppedBetween) as error:
            self._fail_after_creation(issue, path, error, status)
        return True

    async def _walk(self, created: Creation, new: IssueWrite, first: str, status: str) -> None:
        """Move a new issue from its first status to its draft's, by one or more transitions."""
        session, key = self.session, created.key
        kind = new.payload.fields.get("issuetype")
        type_id = str(kind.get("id", "")) if isinstance(kind, dict) else ""
        edit = replace(new, key=key, type_id=type_id, status=first)
        edit = replace(edit, route=tuple(map(transitions.Step, await self._routes.route(edit))))
        if edit.between:
            with trio.CancelScope(shield=True):  # one short write
                async with session.disk:
                    await session.in_thread(_record_way, session.state, edit, created.parent)
            if self.ways is not None and (first, *edit.between) not in self.ways:
                reason = longer_way(way_text(first, edit.between, status))
                note = Note.on(replace(new.issue, key=key), created.path, reason, Code.UNCONFIRMED)
                self.tally.leave(note)
                return
        await transitions.walk(session.jira, key, status, edit.route)

    def _fail_after_creation(
        self,
        issue: Ticket,
        path: str,
        error: JiraError | transitions.NoTransition | transitions.StoppedBetween,
        status: str = "",
    ) -> None:
        cause = error.__cause__ if isinstance(error, transitions.StoppedBetween) else error
        assert isinstance(cause, JiraError | transitions.NoTransition)
        note = failure_note(issue, path, cause)
        if isinstance(error, transitions.StoppedBetween):
            note = on_the_way(note, error.reached, status)
        self.tally.fail(replace(note, reason=f"it was created, but: {note.reason}"))

    async def _new_creation(self, new: IssueWrite, after: int) -> Creation:
        """Return a request for an issue, as the state records it.

        Args:
            new: The issue.
            after: The highest number of a key before the request.
        """
        return Creation(
            marker=uuid.uuid4().hex,
            project=new.project,
            parent=new.parent,
            title=new.issue.title,
            path=new.path,
            draft=render_ticket(new.issue),
            after=after,
            sent=time.time(),
            parts=await self.session.in_thread(to_json, new.payload.values),
        )

    async def _create_or_note(self, creation: Creation, new: IssueWrite) -> Creation | None:
        """Create an issue; return None if that failed, with a note now or after `look_for_refused`."""
        path = creation.path
        try:
            return await self._try_to_create(creation, new)
        except AuthenticationFailed:  # further requests could lock the account
            raise
        except _NotCreated as error:
            note = Note.on(new.issue, path, str(error), Code.UNREACHED)
        except JiraError as error:
            note = failure_note(new.issue, path, error, self.session.columns.named)
        self.tally.fail(note)
        return None

    async def _try_to_create(self, creation: Creation, new: IssueWrite) -> Creation | None:
        """Send a create until the issue exists; look the issue up before each further try.

        Returns:
            None if Jira refused the request; `look_for_refused` looks the issue up.

        Raises:
            JiraError: The issue certainly does not exist.
            _NotCreated: The issue does not exist, or that is unknown.
        """
        fields = _fields(new)
        for _ in range(TRIES):
            creation = replace(creation, sent=time.time())
            try:
                return await self._request(creation, fields)
            except JiraError as error:
                if certainly_failed(error, fields):
                    await self._forget(creation)  # noqa: ASYNC120 - a cancellation wins, and the next run looks the issue up
                    raise
                if not _may_succeed_later(error):
                    if isinstance(error, AuthenticationFailed):
                        raise
                    self._refused.append(_Refused(creation, new, error, over_at(error)))
                    return None
                since = over_at(error)
            try:
                creations = await look_up(self.session, [creation], since=since)
            except AuthenticationFailed:
                raise
            except JiraError as error:
                raise _NotCreated(_unknown_reason(error)) from error
            if creation.marker in creations:
                return creations[creation.marker]
        await self._forget(creation)
        raise _NotCreated("Jira took it several times, and never had it")

    async def _request(self, creation: Creation, fields: Mapping[str, object]) -> Creation:
        """Send one create; record the request before, and the answer after."""
        session, creations = self.session, self.session.state.creations
        properties = {PROPERTY: creation.marker}
        await session.in_thread(creations.put, creation)
        created = await session.jira.create_issue(fields, properties=properties)
        answered_creation = creation.answered(created.id, created.key)
        with trio.CancelScope(shield=True):  # one short write
            await session.in_thread(creations.put, answered_creation)
        return answered_creation

    async def _forget(self, creation: Creation) -> None:
        with trio.CancelScope(shield=True):  # one short write
            await self.session.in_thread(self.session.state.creations.forget, creation)


def _without_advice(error: JiraError) -> str:
    """Return an error without its advice to the user."""
    if not isinstance(error, Rejected):
        return str(error)
    return f"{error.status}: {error.detail}" if error.detail else str(error.status)


def _unknown_reason(error: Exception) -> str:
    return f"it is not known yet whether it was created, the next run finds out: {error}"
