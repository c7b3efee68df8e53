"""Sends what belongs to one issue: its edit, or the rest of an issue that was just created."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira import AuthenticationFailed, Created, JiraError, certainly_failed
from ticketr.app.sync.compare.comments import DESCRIPTION_FIELD, CommentPart
from ticketr.app.sync.compare.diff import Change
from ticketr.app.sync.compare.mapping import LINK_FIELD
from ticketr.app.sync.compare.sent import SentValue
from ticketr.app.sync.edits.local_changes import LocalChange, add_to_base
from ticketr.app.sync.errors import FileFailed
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.push.commenting import send_comment, send_link
from ticketr.app.sync.push.payload import IssuePayload
from ticketr.app.sync.push.tally import PushTally, failure_note, on_the_way
from ticketr.app.sync.push.transitions import NoTransition, StoppedBetween, status_value, walk
from ticketr.app.sync.push.uploading import PictureNotAttached, with_uploads
from ticketr.app.sync.push.writes import IssueEdit, NewIssue
from ticketr.app.sync.state.state import Base
from ticketr.app.tickets import Ticket, render_ticket

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session


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
