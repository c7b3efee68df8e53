"""Carries out what a push was found to do for one ticket: creates, edits, transitions.

Before an issue is asked for, that is on disk; as soon as it is there, its key is in its file. A
change goes out only once its own parts are all understood.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import trio

from ticketr.jira import Created, JiraError, Rejected, is_unsure
from ticketr.sync.journal import Creation
from ticketr.sync.notes import Code, Note
from ticketr.sync.plan import pushed
from ticketr.sync.recovery import PROPERTY, look_up, note_key, status_of
from ticketr.sync.state import Base
from ticketr.sync.writer import read_ticket
from ticketr.tickets import render_ticket

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketr.sync.parts import Change
    from ticketr.sync.plan import Work
    from ticketr.sync.requests import Sending
    from ticketr.sync.session import Session
    from ticketr.sync.tally import PushTally
    from ticketr.tickets import Ticket

#: How often an issue is asked for, each time after it was certain that it is not there.
TRIES = 3


class NoWay(Exception):
    """No transition of an issue leads to the status that its file says."""


@dataclass(frozen=True)
class Edit:
    """What is sent of an issue that is there.

    Attributes:
        key: the issue.
        issue: it as it stands here.
        changes: what of it is sent.
        sending: the same in Jira's terms.
    """

    key: str
    issue: Ticket
    changes: tuple[Change, ...]
    sending: Sending


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


@dataclass(frozen=True)
class Order:
    """All that is sent of one ticket.

    Attributes:
        work: what was found to do.
        head: the ticket itself, if it is a draft.
        edits: its issues that are there.
        tasks: its sub-tasks that are not.
    """

    work: Work
    head: Draft | None
    edits: tuple[Edit, ...]
    tasks: tuple[Draft, ...]


class Delivery:
    """Carries out orders; several may be under way at once.

    Args:
        session: the workspace and the site.
        tally: counts what is done.
        after: for each project, a number that its keys had reached before the push.
        progress: called whenever the tally has changed.
    """

    def __init__(
        self,
        session: Session,
        tally: PushTally,
        *,
        after: dict[str, int],
        progress: Callable[[], None],
    ) -> None:
        self._session = session
        self._tally = tally
        self._after = after
        self._progress = progress
        self.touched: dict[str, str] = {}

    async def deliver(self, order: Order) -> None:
        """Carry out one order; what fails is noted, and the rest goes on.

        Cancellation:
            Takes effect at once. What Jira has taken by then is known to the state, or will be
            found by `recover`.
        """
        local = order.work.local
        parent, head = local.ticket.key, order.work.head
        if order.head is not None:
            created = await self._create(order.head, local.path, parent=None)
            if created is None:
                return
            parent, head = created.key, created.id
        for edit in order.edits:
            await self._edit(edit, order.work)
        for task in order.tasks:
            await self._create(task, local.path, parent=parent)
        if head is not None:
            self.touched[head] = local.path

    async def _edit(self, edit: Edit, work: Work) -> None:
        path = work.local.path
        sent: list[Change] = []
        failure: Note | None = None
        try:
            if edit.sending.fields:
                await self._session.jira.edit_issue(edit.key, edit.sending.fields)
                sent += [each for each in edit.changes if each.part != "Status"]
            if edit.sending.status is not None:
                await self._transition(edit.key, edit.sending.status)
            sent = list(edit.changes)
        except (JiraError, NoWay) as error:
            failure = _note(edit.key, path, error)
        if sent:
            with trio.CancelScope(shield=True):  # Jira has it: one visit to the disk
                await self._record(work, edit, tuple(sent))
        if failure is not None:
            self._tally.failed.append(failure)
        else:
            self._tally.updated.append(edit.key)
            self._progress()

    async def _record(self, work: Work, edit: Edit, sent: tuple[Change, ...]) -> None:
        def record() -> None:
            state = self._session.state
            assert work.head is not None
            base = state.base(work.head)
            ticket = read_ticket(base.text) if base else None
            if base is None or ticket is None:  # pragma: no cover - it was there a moment ago
                return
            text = render_ticket(pushed(ticket, edit.key, edit.issue, sent))
            rows = [replace(row, stale=True) for row in state.rows_of(work.head)]
            with state.batch():
                state.record(work.head, Base(base.path, text), rows, seen=0.0)

        async with self._session.disk:
            await self._session.in_thread(record)

    async def _transition(self, key: str, status: str) -> None:
        """Take an issue to a status by one transition.

        Raises:
            NoWay: no transition leads there from where it is.
            JiraError: Jira refused, or could not be asked.
        """
        transitions = await self._session.jira.transitions(key)
        wanted = status.casefold()
        way = next((each for each in transitions if each.to.casefold() == wanted), None)
        if way is None:
            reachable = ", ".join(dict.fromkeys(each.to for each in transitions if each.to))
            raise NoWay(
                f'no transition leads to "{status}" from where it is; '
                f"{f'those that can be reached: {reachable}' if reachable else 'none can be reached'}"
            )
        failure: JiraError | None = None
        try:
            await self._session.jira.transition_issue(key, way.id)
        except JiraError as error:
            failure = error
        if failure is not None and not (
            is_unsure(failure) and await self._status(key) == way.to  # it was taken all the same
        ):
            raise failure

    async def _status(self, key: str) -> str:
        answer = await self._session.jira.bulk_fetch([key], fields=["status"])
        return status_of(answer.issues[0]) if answer.issues else ""

    async def _create(self, draft: Draft, path: str, *, parent: str | None) -> Created | None:
        issue = draft.issue
        creation = Creation(
            marker=uuid.uuid4().hex,
            project=draft.project,
            parent=parent,
            title=issue.title,
            path=path,
            draft=render_ticket(replace(issue, tasks=())),
            after=self._after[draft.project],
            sent=time.time(),
        )
        fields = draft.sending.fields | ({"parent": {"key": parent}} if parent else {})
        name = f'"{issue.title}"'
        try:
            created = await self._ask_for(creation, fields)
            if created is None:
                reason = "Jira took it several times, and never had it"
                self._tally.failed.append(Note(name, path, reason, Code.UNREACHED))
                return None
            await self._finish(created, path, begins=draft.sending.status is not None)
        except JiraError as error:
            self._tally.failed.append(_note(name, path, error))
            return None
        assert created.id is not None
        assert created.key is not None
        self._tally.created.append(created.key)
        self._progress()
        if draft.sending.status is not None:
            await self._reach(created.key, path, draft.sending.status)
        return Created(created.id, created.key)

    async def _ask_for(self, creation: Creation, fields: dict[str, object]) -> Creation | None:
        """Ask for an issue until it is there; an answer that was lost is looked for first."""
        for _ in range(TRIES):
            found = await self._ask_once(creation, fields)
            if found is None:
                found = await look_up(self._session, creation)
            if found is not None:
                return found
            creation = replace(creation, sent=time.time())
        await self._session.in_thread(self._session.state.creations.forget, creation.marker)
        return None

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

    async def _finish(self, created: Creation, path: str, *, begins: bool) -> None:
        """Write the key into the draft's file, and what Jira has now into the state.

        Args:
            created: the new issue.
            path: the draft's file.
            begins: whether the draft names a status. What Jira began with is its base then, so
                that the way from there is still an edit should this run end before it is gone.
        """
        session = self._session
        assert created.key is not None
        status = await self._status(created.key) if begins else ""
        with trio.CancelScope(shield=True):  # one visit to the disk
            async with session.disk:
                noted = await session.in_thread(note_key, session, created, path, status)
        if not noted:
            reason = (
                f"created as {created.key}, but the draft in its file has changed meanwhile; "
                "the next push looks for it again"
            )
            self._tally.warnings.append(Note(created.key, path, reason, Code.DRAFT_CHANGED))

    async def _reach(self, key: str, path: str, status: str) -> None:
        try:
            if (await self._status(key)).casefold() != status.casefold():
                await self._transition(key, status)
        except (JiraError, NoWay) as error:
            note = _note(key, path, error)
            self._tally.failed.append(replace(note, reason=f"it was created, but: {note.reason}"))


def _note(name: str, path: str, error: JiraError | NoWay) -> Note:
    if isinstance(error, NoWay):
        return Note(name, path, f"Status: {error}", Code.NO_TRANSITION)
    code = Code.REFUSED if isinstance(error, Rejected) else Code.UNREACHED
    return Note(name, path, str(error), code)
