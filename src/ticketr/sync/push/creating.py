"""Creates issues of drafts, each once.

Before an issue is asked for, that is on disk; as soon as it is there, its key is in its file.
Whatever Jira answers, an issue is looked for before it is asked for again: only a refusal of a
field that was sent, or a request that was never sent, is certain. What was refused is looked for
once all else is created, for all of it together.
"""

from __future__ import annotations

import math
import time
import uuid
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import trio

from ticketr.jira import (
    LONGEST_WAIT,
    AuthenticationFailed,
    Created,
    JiraError,
    RateLimited,
    Rejected,
    certainly_failed,
    may_have_happened,
)
from ticketr.sync.compare.diff import text_size
from ticketr.sync.compare.sent import to_json
from ticketr.sync.notes import Code, Note
from ticketr.sync.push.keys import record_created, write_key_and_record
from ticketr.sync.push.recovery import PROPERTY, look_up
from ticketr.sync.push.transitions import NoTransition, change_status, status_now
from ticketr.sync.state.journal import Creation
from ticketr.sync.threads import compute
from ticketr.tickets import TicketSyntaxError, render_ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ticketr.sync.push.requests import IssuePayload
    from ticketr.sync.push.tally import PushTally
    from ticketr.sync.session import Session
    from ticketr.tickets import Ticket

#: How often an issue is asked for, each time after it was certain that it is not there.
TRIES = 3


@dataclass(frozen=True)
class Draft:
    """What is sent of an issue that is not there yet.

    Attributes:
        issue: It as it stands here.
        project: The key of its project.
        payload: It in Jira's terms, without its parent.
    """

    issue: Ticket
    project: str
    payload: IssuePayload


class _NotCreated(Exception):
    """An issue could not be created, or nobody knows; the message says so."""


@dataclass(frozen=True)
class _Refused:
    """An issue that Jira says it did not create.

    Attributes:
        creation: What was asked for.
        draft: What was sent.
        error: The answer.
        over: Trio's clock at a moment when the request was certainly over.
    """

    creation: Creation
    draft: Draft
    error: JiraError
    over: float


class Creator:
    """Creates issues; several may be under way at once.

    Args:
        session: The workspace and the site.
        tally: Counts what is done, and takes what failed.
        after: For each project, a number that its keys had reached before the push.
        drafts: Every draft of the push, without its tasks.
        progress: Called whenever the tally has changed.
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
        self._refused: list[_Refused] = []
        self._editor = session.editor  # one for all, so that a large file is read once

    async def create(self, draft: Draft, path: str, *, parent: str | None) -> Created | None:
        """Create an issue.

        Args:
            draft: What it is to be.
            path: The draft's file, relative to the workspace.
            parent: The key of its parent, for a sub-task.

        Returns:
            Its ID and key; None if it was not created, or if not all that belongs to it here
            could be done: then whatever builds on it has to wait for the next run.

        Raises:
            AuthenticationFailed: The site does not take the login any more.
            FileFailed: A file could not be written; what Jira has taken is known to the state.
            StateFailed: The state could not be; likewise.

        Cancellation:
            Takes effect at once. An issue that is there by then will be found by `recover`.
        """
        # A long text takes some milliseconds.
        write = partial(to_json, draft.payload.values)
        parts = await compute(self._session.in_thread, text_size(draft.issue), write)
        creation = Creation(
            marker=uuid.uuid4().hex,
            project=draft.project,
            parent=parent,
            title=draft.issue.title,
            path=path,
            draft=render_ticket(draft.issue),
            after=self._after[draft.project],
            sent=time.time(),
            parts=parts,
        )
        created = await self._obtain(creation, draft)
        return None if created is None else await self._take_in(created, draft)

    async def look_for_refused(self) -> list[tuple[Draft, Created]]:
        """Find the issues that Jira has although it refused to create them; note those it has not.

        Returns:
            The drafts of those that are there and complete but for their sub-tasks, with their
            IDs and keys.

        Raises:
            AuthenticationFailed: The site does not take the login any more.
            FileFailed: As of `create`; likewise StateFailed.

        Cancellation:
            Takes effect at once. The next run looks for what was not looked for.
        """
        refused, self._refused = self._refused, []
        asked = [each.creation for each in refused]
        over = max((each.over for each in refused), default=-math.inf)
        try:
            found = await look_up(self._session, asked, sent=over)
        except AuthenticationFailed:
            raise
        except JiraError as error:
            for each in refused:
                self._fail(each, f"{each.error}; {_unknown(error)}")
            return []
        there: list[tuple[Draft, Created]] = []
        for each in refused:
            if each.creation.marker not in found:
                await self._forget(each.creation)
                self._fail(each, str(each.error))
            elif created := await self._take_in(found[each.creation.marker], each.draft):
                reason = f"it was created, although the answer was {_short(each.error)}"
                note = Note(created.key, each.creation.path, reason, Code.REFUSED)
                self._tally.warnings.append(note)
                there.append((each.draft, created))
        return there

    def _fail(self, refused: _Refused, reason: str) -> None:
        note = failure_note(refused.draft.issue, refused.creation.path, refused.error)
        self._tally.failed.append(replace(note, reason=reason))

    async def _take_in(self, created: Creation, draft: Draft) -> Created | None:
        """Write the key of an issue that is there into its file, and take it to its status."""
        issue, status = draft.issue, draft.payload.status
        assert created.id is not None
        assert created.key is not None
        is_noted = await self._note_key(created, created.path, begins=status is not None)
        self._tally.created.append(created.key)
        self._progress()
        if not is_noted or (status is not None and not await self._reach(created, issue, status)):
            return None
        return Created(created.id, created.key)

    async def _obtain(self, creation: Creation, draft: Draft) -> Creation | None:
        """Have an issue made; None if it is not there, which is noted now or by the look for it."""
        path = creation.path
        try:
            return await self._ask_for(creation, draft)
        except AuthenticationFailed:  # nor will it take another; a site may lock who goes on
            raise
        except _NotCreated as error:
            note = Note.on(draft.issue, path, str(error), Code.UNREACHED)
        except JiraError as error:
            note = failure_note(draft.issue, path, error)
        self._tally.failed.append(note)
        return None

    async def _ask_for(self, creation: Creation, draft: Draft) -> Creation | None:
        """Ask for an issue until it is there, and look for it before each further time.

        Returns:
            None if it was refused, which has to be looked into.

        Raises:
            JiraError: It is certainly not there.
            _NotCreated: Likewise, or nobody knows.
        """
        parent = {"parent": {"key": creation.parent}} if creation.parent else {}
        fields = draft.payload.fields | parent
        for _ in range(TRIES):
            creation = replace(creation, sent=time.time())
            try:
                return await self._ask_once(creation, fields)
            except JiraError as error:
                if certainly_failed(error, fields):
                    await self._forget(creation)
                    raise
                if not _is_passing(error):
                    if isinstance(error, AuthenticationFailed):
                        raise
                    self._refused.append(_Refused(creation, draft, error, _over(error)))
                    return None
                over = _over(error)
            found = await self._look_up(creation, sent=over)
            if found is not None:
                return found
        await self._forget(creation)
        raise _NotCreated("Jira took it several times, and never had it")

    async def _look_up(self, creation: Creation, *, sent: float) -> Creation | None:
        """Find out whether an issue is there.

        Raises:
            _NotCreated: It could not be found out.
        """
        try:
            found = await look_up(self._session, [creation], sent=sent)
        except AuthenticationFailed:
            raise
        except JiraError as error:
            raise _NotCreated(_unknown(error)) from error
        return found.get(creation.marker)

    async def _ask_once(self, creation: Creation, fields: Mapping[str, object]) -> Creation:
        """Ask for an issue, and write down that before and the answer after."""
        session, creations = self._session, self._session.state.creations
        properties = {PROPERTY: creation.marker}
        await session.in_thread(creations.put, creation)
        created = await session.jira.create_issue(fields, properties=properties, once=True)
        found = creation.answered(created.id, created.key)
        with trio.CancelScope(shield=True):  # one visit to the disk
            await session.in_thread(creations.put, found)
        return found

    async def _forget(self, creation: Creation) -> None:
        with trio.CancelScope(shield=True):  # one visit to the disk
            await self._session.in_thread(self._session.state.creations.forget, creation.marker)

    async def _note_key(self, created: Creation, path: str, *, begins: bool) -> bool:
        """Write a key into its draft's file, and what Jira has now into the state.

        Args:
            created: The new issue.
            path: The draft's file.
            begins: Whether the draft names a status, so that the state has to wait until it is
                known what Jira began with.

        Returns:
            Whether the draft was found.
        """
        session = self._session
        note = partial(write_key_and_record, status=None if begins else "", drafts=self._drafts)
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
                await session.in_thread(record_created, session.state, created, path, begun)
        try:
            if begun.casefold() != status.casefold():
                await change_status(session.jira, created.key, status)
        except (JiraError, NoTransition) as error:
            self._fail_after_creation(issue, path, error)
        return True

    def _fail_after_creation(
        self, issue: Ticket, path: str, error: JiraError | NoTransition
    ) -> None:
        note = failure_note(issue, path, error)
        self._tally.failed.append(replace(note, reason=f"it was created, but: {note.reason}"))


def _is_passing(error: JiraError) -> bool:
    """Tell whether another try may well be answered better."""
    if isinstance(error, RateLimited):
        return (error.retry_after or 0.0) <= LONGEST_WAIT
    return may_have_happened(error)


def _over(error: JiraError) -> float:
    """Give Trio's clock at a moment when a request was over that has just been answered so.

    With words in its own form Jira has come to an end. Anything else may come from something that
    stands before Jira, which may be at it still.
    """
    is_over = isinstance(error, RateLimited) or (isinstance(error, Rejected) and error.is_jiras)
    return -math.inf if is_over else trio.current_time()


def _short(error: JiraError) -> str:
    """Say what an answer was; what to do about it is no matter any more."""
    if not isinstance(error, Rejected):
        return str(error)
    return f"{error.status}: {error.detail}" if error.detail else str(error.status)


def _unknown(error: Exception) -> str:
    return f"it is not known yet whether it was created, the next run finds out: {error}"


def failure_note(issue: Ticket, path: str, error: JiraError | NoTransition) -> Note:
    """Say what kept an issue from being pushed.

    Args:
        issue: It as it stands here.
        path: Its file, relative to the workspace.
        error: What went wrong.
    """
    if isinstance(error, NoTransition):
        return Note.on(issue, path, f"Status: {error}", Code.NO_TRANSITION)
    code = Code.REFUSED if isinstance(error, Rejected) else Code.UNREACHED
    return Note.on(issue, path, str(error), code)
