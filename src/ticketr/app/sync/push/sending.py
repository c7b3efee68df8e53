"""Sends what belongs to one issue: its edit, or the rest of an issue that was just created."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira import AuthenticationFailed, Created, JiraError, certainly_failed
from ticketr.app.sync.compare.comments import DESCRIPTION_FIELD, CommentPart
from ticketr.app.sync.compare.diff import Change
from ticketr.app.sync.compare.mapping import LINK_FIELD
from ticketr.app.sync.compare.sent import SentValue
from ticketr.app.sync.edits.local_changes import LocalChange, add_to_base, new_type
from ticketr.app.sync.edits.push_plan import way_text
from ticketr.app.sync.errors import FileFailed
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.push.commenting import send_comment, send_link
from ticketr.app.sync.push.preparation import RouteFinder
from ticketr.app.sync.push.recovery import record_created, unwritten_key_note, write_key_and_record
from ticketr.app.sync.push.tally import failure_note, longer_way, on_the_way
from ticketr.app.sync.push.transitions import (
    NoTransition,
    Step,
    StoppedBetween,
    status_now,
    status_value,
    walk,
)
from ticketr.app.sync.push.uploading import PictureNotAttached, with_uploads
from ticketr.app.sync.push.writes import IssueEdit, NewIssue
from ticketr.app.sync.state.journal import Creation
from ticketr.app.sync.state.state import Base, State
from ticketr.app.sync.workspace.files import attempt
from ticketr.app.tickets import Ticket, render_ticket

if TYPE_CHECKING:
    from ticketr.app.sync.push.payload import IssuePayload
    from ticketr.app.sync.push.tally import PushTally
    from ticketr.app.sync.session import Session


class Completion:
    """Completes new issues.

    Args:
        session: The workspace and the site.
        tally: Collects notes.
        drafts: Every draft of the push, without its sub-tasks.
        ways: The statuses on the ways of new issues that the user has seen, the first one included;
            None if the user was not asked.
    """

    def __init__(
        self,
        session: Session,
        tally: PushTally,
        *,
        drafts: Collection[Ticket],
        ways: Collection[tuple[str, ...]] | None,
    ) -> None:
        self._session = session
        self._tally = tally
        self._drafts = drafts
        self._ways = ways
        self._routes = RouteFinder(session, {})
        self._editor = session.editor  # shared, so that a large file is parsed once

    async def write_key(self, created: Creation, path: str, *, status_follows: bool) -> bool:
        """Write a key into its draft's file; return whether the draft was found there.

        The state is written too, unless a status follows: then the present status must be fetched
        first.
        """
        session = self._session
        write = partial(
            write_key_and_record,
            self._editor,
            session.state,
            created,
            path,
            status=None if status_follows else "",
            drafts=self._drafts,
        )
        with trio.CancelScope(shield=True):  # one short write
            async with session.disk:
                tried = await session.in_thread(attempt, write)
        if tried.problem is not None:
            self._tally.fail(unwritten_key_note(created, path, tried.problem))
        elif not tried.is_done:
            reason = (
                f"created as {created.key}, but the draft in its file has changed meanwhile; "
                "the next run looks for it again"
            )
            self._tally.warn(Note(created.key or "", path, reason, Code.DRAFT_CHANGED))
        return tried.is_done

    async def move_to_status(self, created: Creation, new: NewIssue, status: str) -> bool:
        """Move a new issue to its draft's status; return whether the state holds the issue.

        Its base has the status in which Jira created it. So the draft's status remains an edit if
        this run ends before the transition.
        """
        session, path = self._session, created.path
        assert created.key is not None
        issue = replace(new.issue, key=created.key)
        try:
            first_status = await status_now(session.jira, created.key)
        except JiraError as error:
            self._fail_after_creation(issue, path, error)
            return False
        with trio.CancelScope(shield=True):  # one short write
            async with session.disk:
                await session.in_thread(record_created, session.state, created, path, first_status)
        try:
            if first_status.casefold() != status.casefold():
                await self._walk(created, new, first_status, status)
        except (JiraError, NoTransition, StoppedBetween) as error:
            self._fail_after_creation(issue, path, error, status)
        return True

    async def _walk(self, created: Creation, new: NewIssue, first: str, status: str) -> None:
        """Move a new issue from its first status to its draft's, by one or more transitions."""
        session, key = self._session, created.key
        assert key is not None
        kind = new.payload.fields.get("issuetype")
        type_id = str(kind.get("id", "")) if isinstance(kind, dict) else ""
        edit = IssueEdit(key, new.issue, (), new.payload, type_id=type_id, status=first)
        edit = replace(edit, route=tuple(map(Step, await self._routes.route(edit))))
        if edit.between:
            with trio.CancelScope(shield=True):  # one short write
                async with session.disk:
                    await session.in_thread(_record_way, session.state, edit, created.parent)
            if self._ways is not None and (first, *edit.between) not in self._ways:
                reason = longer_way(way_text(first, edit.between, status))
                note = Note.on(replace(new.issue, key=key), created.path, reason, Code.UNCONFIRMED)
                self._tally.leave(note)
                return
        await walk(session.jira, key, status, edit.route)

    def _fail_after_creation(
        self,
        issue: Ticket,
        path: str,
        error: JiraError | NoTransition | StoppedBetween,
        status: str = "",
    ) -> None:
        cause = error.__cause__ if isinstance(error, StoppedBetween) else error
        assert isinstance(cause, JiraError | NoTransition)
        note = failure_note(issue, path, cause)
        if isinstance(error, StoppedBetween):
            note = on_the_way(note, error.reached, status)
        self._tally.fail(replace(note, reason=f"it was created, but: {note.reason}"))


def _record_way(state: State, edit: IssueEdit, parent: str | None) -> None:
    """Record the statuses on the way of a new issue, which Jira may have if the push ends there.

    It also records in which status such issues begin, so that the next plan can show the way.
    """
    home = state.head_of(edit.key)
    if home is not None:
        state.sent.put(home, edit.key, [status_value(text) for text in edit.between])
    site_record, new = state.site_record, new_type(edit.issue, parent)
    known = site_record.workflow(edit.project, edit.type_id)
    site_record.keep_workflow(*new, {**known, "": [edit.status]})


_STATUS = "Status"


class IssueSender:
    """Sends the edits of issues, and the rest of new ones; several issues at once.

    The tally counts what Jira has taken, and has a note on what it refuses.

    Attributes:
        linked: The keys of the issues at the other ends of links that were sent.
    """

    def __init__(self, session: Session, tally: PushTally) -> None:
        self._session = session
        self._tally = tally
        self.linked: set[str] = set()

    async def edit(self, edit: IssueEdit, local_change: LocalChange) -> LocalChange:
        """Send the fields, comments, links and status of one issue; note what Jira refuses.

        Returns:
            The local change, with the sent parts in its base.

        Raises:
            AuthenticationFailed: The site no longer takes the login.
            StateFailed: The state cannot be written.

        Cancellation:
            Takes effect at once. The state holds what Jira has taken, or may have taken.
        """
        path = local_change.local.path
        attached = await self._attach(edit.payload, edit.issue, path, (edit.issue_id, edit.key))
        if attached is None:
            self._tally.forget_files(edit.key)
            self._tally.show(self._session.progress)
            return local_change
        edit = replace(edit, payload=attached)
        sent: list[Change] = []
        failure: Note | None = None
        unsure = True  # until Jira has answered
        await self._record_request(edit, local_change)
        try:
            await self._send(edit, sent)
            unsure = False
        except AuthenticationFailed:  # further requests could lock the account
            raise
        except (JiraError, NoTransition, StoppedBetween) as error:
            unsure = _may_be_taken(error, edit)
            failure = self._failure(error, edit, path, sent)
            if isinstance(error, StoppedBetween):
                sent += _moves_to(error.reached, edit)
        finally:
            if sent:  # Jira has it, even if the rest was cancelled
                self._tally.add_updated(edit.key)
            if sent or not unsure:
                with trio.CancelScope(shield=True):  # one visit to the disk
                    local_change = await self._record_answer(
                        local_change, edit, tuple(sent), unsure=unsure
                    )
        if failure is not None:
            self._tally.fail(failure)
        self._tally.forget_files(edit.key)
        self._tally.show(self._session.progress)
        return local_change

    async def _send(self, edit: IssueEdit, sent: list[Change]) -> None:
        """Send an edit; add each change to ``sent`` as soon as Jira has it."""
        if edit.payload.fields:
            await self._session.jira.edit_issue(edit.key, edit.payload.fields)
            sent += _sent_as_fields(edit)
        await self._comment(edit, sent)
        await self._link(edit, sent)
        if edit.payload.status is not None:
            await walk(self._session.jira, edit.key, edit.payload.status, edit.route)
        sent[:] = edit.changes

    def _failure(
        self,
        error: JiraError | NoTransition | StoppedBetween,
        edit: IssueEdit,
        path: str,
        sent: Sequence[Change],
    ) -> Note:
        """Return a note that says why an edit was not sent, or not all of it."""
        failure = failure_note(edit.issue, path, _cause_of(error), self._session.columns.named)
        if isinstance(error, StoppedBetween):
            failure = on_the_way(failure, error.reached, edit.payload.status)
        if not sent:
            return failure
        names = ", ".join(change.name for change in sent)
        verb = "was" if len(sent) == 1 else "were"
        return replace(failure, reason=f"{names} {verb} sent, but not the rest: {failure.reason}")

    async def _attach(
        self, payload: IssuePayload, issue: Ticket, path: str, home: tuple[str, str]
    ) -> IssuePayload | None:
        """Attach the files that the texts of an issue show.

        Args:
            payload: What is sent of the issue.
            issue: The issue in its file.
            path: That file.
            home: The ID and the key of the issue.

        Returns:
            What to send with their media IDs; None if a file was not attached, with a note.
        """
        try:
            return await with_uploads(
                self._session, payload, issue=home[0], key=home[1], on_sending=self._tally.add_file
            )
        except AuthenticationFailed:  # further requests could lock the account
            raise
        except JiraError as error:
            note = failure_note(issue, path, error)
        except (PictureNotAttached, FileFailed) as error:
            note = Note.on(issue, path, str(error), Code.INVALID)
        part = "Description" if DESCRIPTION_FIELD in payload.fields else "Comments"
        self._tally.fail(replace(note, reason=f"{part}: {note.reason}"))
        return None

    async def _comment(self, edit: IssueEdit, sent: list[Change]) -> None:
        """Send the comments of an issue; add each to ``sent`` as soon as Jira has it."""
        for write in edit.payload.comments:
            await send_comment(
                self._session, write, issue=edit.issue_id, key=edit.key, after=edit.last_comment
            )
            sent += [change for change in edit.changes if change.part == write.part]

    async def _link(self, edit: IssueEdit, sent: list[Change]) -> None:
        """Send the links of an issue; add their lines to ``sent`` once Jira has all of them."""
        for write in edit.payload.links:
            await send_link(self._session, write, key=edit.key)
            self.linked.add(write.key)
        lines = {value.part for value in edit.payload.values if value.field == LINK_FIELD}
        sent += [change for change in edit.changes if change.part in lines]

    async def complete(self, new: NewIssue, created: Created, path: str) -> None:
        """Send the rest of a new issue; the next push sends what fails."""
        try:
            await self._send_pictures(new, created, path)
            for link in new.payload.links:
                await send_link(self._session, link, key=created.key)
                self.linked.add(link.key)
            payload = await self._attach(
                new.payload, replace(new.issue, key=created.key), path, (created.id, created.key)
            )
            for write in payload.comments if payload is not None else ():
                await send_comment(self._session, write, issue=created.id, key=created.key, after=0)
        except AuthenticationFailed:  # further requests could lock the account
            raise
        except JiraError as error:
            note = failure_note(replace(new.issue, key=created.key), path, error)
            reason = f"it was created, but not all of it was sent: {note.reason}"
            self._tally.fail(replace(note, reason=reason))
        self._tally.forget_files(created.key)

    async def _send_pictures(self, new: NewIssue, created: Created, path: str) -> None:
        """Attach the files that a new issue's description shows, and send it with them."""
        payload, session = new.payload.with_pictures, self._session
        if payload is None:
            return
        issue = replace(new.issue, key=created.key)
        payload = await self._attach(payload, issue, path, (created.id, created.key))
        if payload is None:
            return

        def record(values: Sequence[SentValue]) -> None:
            home = session.state.head_of(created.key)
            if home is not None:
                session.state.sent.put(home, created.key, values)

        async with session.disk:
            await session.in_thread(record, payload.values)
        await session.jira.edit_issue(created.key, payload.fields)

    async def _record_request(self, edit: IssueEdit, local_change: LocalChange) -> None:
        """Record the values before they are sent, in case the answer is lost."""
        head, _ = _known(local_change)
        put, values = self._session.state.sent.put, _possible_values(edit)
        async with self._session.disk:
            await self._session.in_thread(put, head, edit.key, values)

    async def _record_answer(
        self, local_change: LocalChange, edit: IssueEdit, sent: tuple[Change, ...], *, unsure: bool
    ) -> LocalChange:
        """Add sent changes to the base; withdraw the others unless Jira may have taken them too."""
        head, base = _known(local_change)
        new_base = add_to_base(base, edit.key, sent)
        texts = {change.part: change.new for change in sent}
        values = _possible_values(edit)
        confirmed = [value for value in values if texts.get(value.part) == value.text]
        # A request for links may have added some links of a line and not the others.
        rest = [value for value in values if value not in confirmed and value.field != LINK_FIELD]

        def record() -> None:
            state = self._session.state
            known = state.base(head)
            if known is None:  # pragma: no cover - it was there a moment ago
                return
            rows = [replace(row, stale=True) for row in state.rows_of(head)]
            with state.batch():
                if sent:
                    text = render_ticket(new_base)
                    state.record(head, Base(known.path, text), rows, seen=0.0)
                    # Jira may normalise the values, so they must be fetched again.
                    state.sent.confirm(head, edit.key, confirmed)
                if not unsure:
                    state.sent.withdraw(head, edit.key, rest)

        async with self._session.disk:
            await self._session.in_thread(record)
        return replace(local_change, base=new_base)


def _cause_of(error: JiraError | NoTransition | StoppedBetween) -> JiraError | NoTransition:
    if not isinstance(error, StoppedBetween):
        return error
    assert isinstance(error.__cause__, JiraError | NoTransition)
    return error.__cause__


def _may_be_taken(error: JiraError | NoTransition | StoppedBetween, edit: IssueEdit) -> bool:
    """Return whether Jira may have carried out a request of an edit in spite of the error."""
    cause = _cause_of(error)
    fields = {*edit.payload.fields, *edit.transition_fields, "comment"}
    return isinstance(cause, JiraError) and not certainly_failed(cause, fields)


def _sent_as_fields(edit: IssueEdit) -> list[Change]:
    """Return the changes that are sent with the fields of the issue."""
    others = {LINK_FIELD, *edit.transition_fields}
    lines = {value.part for value in edit.payload.values if value.field in others}
    return [
        change
        for change in edit.changes
        if change.part != _STATUS
        and change.part not in lines
        and not isinstance(change.part, CommentPart)
    ]


def _possible_values(edit: IssueEdit) -> list[SentValue]:
    """Return the values that Jira may have after an edit, the statuses on its way included."""
    return [*edit.payload.values, *map(status_value, edit.between)]


def _moves_to(status: str, edit: IssueEdit) -> list[Change]:
    """Return the change of the status as far as it came."""
    return [replace(change, new=status) for change in edit.changes if change.part == _STATUS]


def _known(local_change: LocalChange) -> tuple[str, Ticket]:
    """Return the ID of the head of a ticket that Jira has, and its base."""
    assert local_change.head is not None
    assert local_change.base is not None
    return local_change.head, local_change.base
