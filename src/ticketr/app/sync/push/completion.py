"""Completes a new issue: its key goes into its draft's file, and it moves to the draft's status."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira import JiraError
from ticketr.app.sync.edits.local_changes import new_type
from ticketr.app.sync.edits.push_plan import way_text
from ticketr.app.sync.notes import Code, Note
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
from ticketr.app.sync.push.writes import IssueEdit, NewIssue
from ticketr.app.sync.state.journal import Creation
from ticketr.app.sync.state.state import State
from ticketr.app.sync.workspace.failures import attempt
from ticketr.app.tickets import Ticket

if TYPE_CHECKING:
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
