"""Creates issues of drafts, each once.

Before an issue is asked for, that is on disk; as soon as it is there, its key is in its file.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import trio

from ticketr.jira import AuthenticationFailed, Created, JiraError, Rejected, is_unsure
from ticketr.sync.journal import Creation
from ticketr.sync.keys import note_key, settle
from ticketr.sync.notes import Code, Note
from ticketr.sync.recovery import PROPERTY, look_up
from ticketr.sync.transitions import NoWay, status_now, take_to
from ticketr.tickets import TicketSyntaxError, render_ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ticketr.sync.requests import Sending
    from ticketr.sync.session import Session
    from ticketr.sync.tally import PushTally
    from ticketr.tickets import Ticket

#: How often an issue is asked for, each time after it was certain that it is not there.
TRIES = 3


@dataclass(frozen=True)
class Draft:
    """What is sent of an issue that is not there yet.

    Attributes:
        issue: it as it stands here.
        project: the key of its project.
        sending: it in Jira's terms, without its parent.
    """

    issue: Ticket
    project: str
    sending: Sending


class _Unsettled(Exception):
    """Nobody knows whether an issue is there."""


class Creator:
    """Creates issues; several may be under way at once.

    Args:
        session: the workspace and the site.
        tally: counts what is done, and takes what failed.
        after: for each project, a number that its keys had reached before the push.
        drafts: every draft of the push, without its tasks.
        progress: called whenever the tally has changed.
    """

    def __init__(
        self,
        session: Session,
        tally: PushTally,
        *,
        after: Mapping[str, int],
        drafts: Collection[Ticket],
        progress: Callable[[], None],
    ) -> None:
        self._session = session
        self._tally = tally
        self._after = after
        self._drafts = drafts
        self._progress = progress
        self._editor = session.editor  # one for all, so that a large file is read once

    async def create(self, draft: Draft, path: str, *, parent: str | None) -> Created | None:
        """Create an issue.

        Args:
            draft: what it is to be.
            path: the draft's file, relative to the workspace.
            parent: the key of its parent, for a sub-task.

        Returns:
            Its ID and key; None if it was not created, or if not all that belongs to it here
            could be done: then whatever builds on it has to wait for the next run.

        Raises:
            AuthenticationFailed: the site does not take the login any more.
            FileFailed: a file could not be written; what Jira has taken is known to the state.
            StateFailed: the state could not be; likewise.

        Cancellation:
            Takes effect at once. An issue that is there by then will be found by `recover`.
        """
        issue, status = draft.issue, draft.sending.status
        creation = Creation(
            marker=uuid.uuid4().hex,
            project=draft.project,
            parent=parent,
            title=issue.title,
            path=path,
            draft=render_ticket(issue),
            after=self._after[draft.project],
            sent=time.time(),
        )
        fields = draft.sending.fields | ({"parent": {"key": parent}} if parent else {})
        created = await self._obtain(creation, issue, fields)
        if created is None:
            return None
        assert created.id is not None
        assert created.key is not None
        is_noted = await self._note_key(created, path, begins=status is not None)
        self._tally.created.append(created.key)
        self._progress()
        if not is_noted or (status is not None and not await self._reach(created, issue, status)):
            return None
        return Created(created.id, created.key)

    async def _obtain(
        self, creation: Creation, draft: Ticket, fields: dict[str, object]
    ) -> Creation | None:
        """Have an issue made; None if it is not there, which is noted."""
        path = creation.path
        try:
            created = await self._ask_for(creation, fields)
        except AuthenticationFailed:  # nor will it take another; a site may lock who goes on
            raise
        except _Unsettled as error:
            reason = f"it is not known yet whether it was created, the next run finds out: {error}"
            note = Note.on(draft, path, reason, Code.UNREACHED)
        except JiraError as error:
            note = failure_note(draft, path, error)
        else:
            if created is not None:
                return created
            reason = "Jira took it several times, and never had it"
            note = Note.on(draft, path, reason, Code.UNREACHED)
        self._tally.failed.append(note)
        return None

    async def _ask_for(self, creation: Creation, fields: dict[str, object]) -> Creation | None:
        """Ask for an issue until it is there; an answer that was lost is looked for first."""
        for _ in range(TRIES):
            found = await self._ask_once(creation, fields)
            if found is None:
                found = await self._look_up(creation)
            if found is not None:
                return found
            creation = replace(creation, sent=time.time())
        await self._session.in_thread(self._session.state.creations.forget, creation.marker)
        return None

    async def _look_up(self, creation: Creation) -> Creation | None:
        """Find out whether an issue is there.

        Raises:
            _Unsettled: it could not be found out.
        """
        try:
            return await look_up(self._session, creation, sent=trio.current_time())
        except AuthenticationFailed:
            raise
        except JiraError as error:
            raise _Unsettled(str(error)) from error

    async def _ask_once(self, creation: Creation, fields: dict[str, object]) -> Creation | None:
        """Ask for an issue; None if nobody knows whether it is there now.

        Raises:
            JiraError: it is certainly not there.
        """
        session, creations = self._session, self._session.state.creations
        properties = {PROPERTY: creation.marker}
        await session.in_thread(creations.put, creation)
        try:
            created = await session.jira.create_issue(fields, properties=properties)
        except JiraError as error:
            if is_unsure(error):
                return None
            with trio.CancelScope(shield=True):  # one visit to the disk
                await session.in_thread(creations.forget, creation.marker)
            raise
        found = creation.answered(created.id, created.key)
        with trio.CancelScope(shield=True):  # one visit to the disk
            await session.in_thread(creations.put, found)
        return found

    async def _note_key(self, created: Creation, path: str, *, begins: bool) -> bool:
        """Write a key into its draft's file, and what Jira has now into the state.

        Args:
            created: the new issue.
            path: the draft's file.
            begins: whether the draft names a status, so that the state has to wait until it is
                known what Jira began with.

        Returns:
            Whether the draft was found.
        """
        session = self._session
        note = partial(note_key, status=None if begins else "", drafts=self._drafts)
        try:
            with trio.CancelScope(shield=True):  # one visit to the disk
                async with session.disk:
                    noted = await session.in_thread(
                        note, self._editor, session.state, created, path
                    )
        except TicketSyntaxError:  # somebody is in the middle of editing the file
            noted = False
        if not noted:
            reason = (
                f"created as {created.key}, but the draft in its file has changed meanwhile; "
                "the next run looks for it again"
            )
            self._tally.warnings.append(Note(created.key or "", path, reason, Code.DRAFT_CHANGED))
        return noted

    async def _reach(self, created: Creation, draft: Ticket, status: str) -> bool:
        """Take a new issue to its draft's status; tell whether the state knows the issue now.

        What Jira began with is its base, so that the way from there is still an edit should this
        run end before it is gone.
        """
        session, path = self._session, created.path
        assert created.key is not None
        issue = replace(draft, key=created.key)
        try:
            begun = await status_now(session.jira, created.key)
        except JiraError as error:
            self._fail_after_creation(issue, path, error)
            return False
        with trio.CancelScope(shield=True):  # one visit to the disk
            async with session.disk:
                await session.in_thread(settle, session.state, created, path, begun)
        try:
            if begun.casefold() != status.casefold():
                await take_to(session.jira, created.key, status)
        except (JiraError, NoWay) as error:
            self._fail_after_creation(issue, path, error)
        return True

    def _fail_after_creation(self, issue: Ticket, path: str, error: JiraError | NoWay) -> None:
        note = failure_note(issue, path, error)
        self._tally.failed.append(replace(note, reason=f"it was created, but: {note.reason}"))


def failure_note(issue: Ticket, path: str, error: JiraError | NoWay) -> Note:
    """Say what kept an issue from being pushed.

    Args:
        issue: it as it stands here.
        path: its file, relative to the workspace.
        error: what went wrong.
    """
    if isinstance(error, NoWay):
        return Note.on(issue, path, f"Status: {error}", Code.NO_TRANSITION)
    code = Code.REFUSED if isinstance(error, Rejected) else Code.UNREACHED
    return Note.on(issue, path, str(error), code)
