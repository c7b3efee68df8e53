"""Sends the writes of a push: edits, transitions and new issues."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import trio

from ticketr.jira import AuthenticationFailed, Created, JiraError, certainly_failed
from ticketr.sync.compare.comment_parts import CommentPart
from ticketr.sync.compare.jira_links import LINK_FIELD
from ticketr.sync.compare.text_parts import DESCRIPTION_FIELD
from ticketr.sync.concurrency import run_in_tasks
from ticketr.sync.edits.local_changes import add_to_base
from ticketr.sync.errors import FileFailed
from ticketr.sync.notes import Code, Note
from ticketr.sync.push.commenting import send_comment
from ticketr.sync.push.failures import failure_note, on_the_way
from ticketr.sync.push.linking import send_link
from ticketr.sync.push.transitions import NoTransition, StoppedBetween, status_value, walk
from ticketr.sync.push.uploading import PictureNotAttached, with_uploads
from ticketr.sync.push.writes import WantedIssue
from ticketr.sync.state.state import Base
from ticketr.tickets import render_ticket

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from ticketr.sync.compare.diff import Change
    from ticketr.sync.compare.sent import SentValue
    from ticketr.sync.edits.local_changes import LocalChange
    from ticketr.sync.push.creating import Creator
    from ticketr.sync.push.payload import IssuePayload
    from ticketr.sync.push.tally import PushTally
    from ticketr.sync.push.writes import IssueEdit, NewIssue, TicketWrites
    from ticketr.sync.session import Session
    from ticketr.sync.state.state import State
    from ticketr.tickets import Ticket

_STATUS = "Status"
#: With fewer new issues, each is sent alone: its refusal says more.
FEWEST = 10


class Delivery:
    """Sends the writes of tickets, several tickets at once; see `Creator` for ``after`` and ``ways``."""

    def __init__(
        self,
        session: Session,
        tally: PushTally,
        writes: Sequence[TicketWrites],
        *,
        after: Mapping[str, int],
        ways: Collection[tuple[str, ...]] | None = None,
    ) -> None:
        self._session = session
        self._tally = tally
        self._writes = writes
        # With the ID and key of a ticket that an earlier request has created.
        self._waiting: deque[tuple[TicketWrites, Created | None]] = deque(
            (each, None) for each in writes
        )
        self._after = after
        self._ways = ways
        self._drafts = frozenset(
            replace(each.issue, tasks=()) for ticket in writes for each in ticket.new_issues
        )
        # Many sub-tasks of new tickets are created together, once all these tickets exist.
        of_new = sum(len(each.new_subtasks) for each in writes if each.new_ticket)
        self._has_many_subtasks = of_new >= FEWEST
        self._later: deque[tuple[TicketWrites, Created]] = deque()
        self._touched: dict[str, str] = {}
        self._linked: set[str] = set()  # the issues at the other ends of links

    @cached_property
    def _creator(self) -> Creator:
        from ticketr.sync.push.creating import Creator  # noqa: PLC0415 - only for new issues

        return Creator(
            self._session, self._tally, after=self._after, drafts=self._drafts, ways=self._ways
        )

    async def run(self) -> Mapping[str, str]:
        """Send all writes; note what Jira refuses, and continue with the rest.

        Returns:
            The file of each ticket that was created or changed, by its head's ID.

        Raises:
            TicketrError: As for `Creator.create`.

        Cancellation:
            Takes effect at once. The state holds what Jira has taken, or `recover` finds it in the
            next run.
        """
        await self._create_ahead(self._first_new_issues())
        await run_in_tasks(self._send_waiting)
        if self._drafts:
            await self._send_what_waits()
        if self._linked:
            others = await self._session.in_thread(_tickets_of, self._session.state, self._linked)
            self._touched = others | self._touched
        return self._touched

    async def _send_what_waits(self) -> None:
        """Send the rest of the new issues that exist in spite of a refusal, and what waits."""
        # The sub-tasks of tickets that exist in spite of a refusal were not sent yet.
        tickets = {id(each.new_ticket): each for each in self._writes if each.new_ticket}
        for new_issue, created in await self._creator.look_for_refused():
            if (ticket := tickets.get(id(new_issue))) is not None:
                self._waiting.append((ticket, created))
        if self._waiting:
            await run_in_tasks(self._send_waiting)
            await self._creator.look_for_refused()
        if self._later:
            await self._create_ahead(
                WantedIssue(each, ticket.path, created.key)
                for ticket, created in self._later
                for each in ticket.new_subtasks
            )
            await run_in_tasks(self._send_later)
            await self._creator.look_for_refused()

    def _first_new_issues(self) -> Iterator[WantedIssue]:
        """Yield the new issues whose parents exist, or that have none."""
        for ticket in self._writes:
            if ticket.new_ticket is not None:
                yield WantedIssue(ticket.new_ticket, ticket.path, None)
            else:
                parent = ticket.local_change.local.ticket.key
                for each in ticket.new_subtasks:
                    yield WantedIssue(each, ticket.path, parent)

    async def _create_ahead(self, wanted: Iterable[WantedIssue]) -> None:
        """Create issues in few requests, if there are many."""
        wanted = tuple(wanted)
        if len(wanted) >= FEWEST:
            count = f"{len(wanted)} tickets"
            self._session.progress.say(f"Creating {count}...")
            await self._creator.create_ahead(wanted)

    async def _send_waiting(self) -> None:
        while self._waiting:
            ticket, created = self._waiting.popleft()
            if ticket.new_ticket is not None and created is None:
                created = await self._creator.create(ticket.new_ticket, ticket.path, parent=None)
                if created is None:
                    continue
            await self._send_rest(ticket, created)

    async def _send_rest(self, ticket: TicketWrites, created: Created | None) -> None:
        """Send the edits and new sub-tasks of a ticket that exists in Jira."""
        local_change = ticket.local_change
        if ticket.new_ticket is not None and created is not None:
            await self._complete_new(ticket.new_ticket, created, ticket.path)
        for edit in ticket.edits:
            local_change = await self._edit(edit, local_change)
        if created is not None and self._has_many_subtasks:
            self._later.append((ticket, created))
        else:
            parent = local_change.local.ticket.key if created is None else created.key
            await self._send_subtasks(ticket, parent)
        head = local_change.head if created is None else created.id
        if head is not None:
            self._touched[head] = ticket.path

    async def _send_later(self) -> None:
        while self._later:
            ticket, created = self._later.popleft()
            await self._send_subtasks(ticket, created.key)

    async def _send_subtasks(self, ticket: TicketWrites, parent: str | None) -> None:
        for subtask in ticket.new_subtasks:
            new = await self._creator.create(subtask, ticket.path, parent=parent)
            if new is not None:
                await self._complete_new(subtask, new, ticket.path)

    async def _edit(self, edit: IssueEdit, local_change: LocalChange) -> LocalChange:
        """Send the fields and the status of one issue, and note what Jira refuses.

        Returns:
            The local change, with the sent parts in its base.
        """
        path = local_change.local.path
        attached = await self._attach(edit.payload, edit.issue, path, (edit.issue_id, edit.key))
        if attached is None:
            self._tally.show(self._session.progress)
            return local_change
        edit = replace(edit, payload=attached)
        sent: list[Change] = []
        failure: Note | None = None
        unsure = True  # until Jira has answered
        await self._record_request(edit, local_change)
        try:
            if edit.payload.fields:
                await self._session.jira.edit_issue(edit.key, edit.payload.fields)
                sent += _sent_as_fields(edit)
            await self._comment(edit, sent)
            await self._link(edit, sent)
            if edit.payload.status is not None:
                await walk(self._session.jira, edit.key, edit.payload.status, edit.route)
            sent = list(edit.changes)
            unsure = False
        except AuthenticationFailed:  # further requests could lock the account
            raise
        except (JiraError, NoTransition, StoppedBetween) as error:
            cause = error.__cause__ if isinstance(error, StoppedBetween) else error
            assert isinstance(cause, JiraError | NoTransition)
            sent_fields = {*edit.payload.fields, *edit.transition_fields, "comment"}
            unsure = isinstance(cause, JiraError) and not certainly_failed(cause, sent_fields)
            failure = failure_note(edit.issue, path, cause, self._session.columns.named)
            if isinstance(error, StoppedBetween):
                failure = on_the_way(failure, error.reached, edit.payload.status)
            if sent:
                names = ", ".join(each.name for each in sent)
                verb = "was" if len(sent) == 1 else "were"
                reason = f"{names} {verb} sent, but not the rest: {failure.reason}"
                failure = replace(failure, reason=reason)
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
        self._tally.show(self._session.progress)
        return local_change

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
            return await with_uploads(self._session, payload, issue=home[0], key=home[1])
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
            sent += [each for each in edit.changes if each.part == write.part]

    async def _link(self, edit: IssueEdit, sent: list[Change]) -> None:
        """Send the links of an issue; add their lines to ``sent`` once Jira has all of them."""
        for write in edit.payload.links:
            await send_link(self._session, write, key=edit.key)
            self._linked.add(write.key)
        lines = {each.part for each in edit.payload.values if each.field == LINK_FIELD}
        sent += [each for each in edit.changes if each.part in lines]

    async def _complete_new(self, new: NewIssue, created: Created, path: str) -> None:
        """Send the rest of a new issue; the next push sends what is left."""
        try:
            await self._send_pictures(new, created, path)
            for link in new.payload.links:
                await send_link(self._session, link, key=created.key)
                self._linked.add(link.key)
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
        texts = {each.part: each.new for each in sent}
        values = _possible_values(edit)
        confirmed = [each for each in values if texts.get(each.part) == each.text]
        # A request for links may have added some links of a line and not the others.
        rest = [each for each in values if each not in confirmed and each.field != LINK_FIELD]

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


def _tickets_of(state: State, keys: Iterable[str]) -> dict[str, str]:
    """Return the file of the ticket of each key that is in a file, by its head's ID."""
    found = {head: state.base(head) for key in keys if (head := state.head_of(key)) is not None}
    return {head: base.path for head, base in found.items() if base is not None}


def _sent_as_fields(edit: IssueEdit) -> list[Change]:
    """Return the changes that are sent with the fields of the issue."""
    others = {LINK_FIELD, *edit.transition_fields}
    lines = {each.part for each in edit.payload.values if each.field in others}
    return [
        each
        for each in edit.changes
        if each.part != _STATUS
        and each.part not in lines
        and not isinstance(each.part, CommentPart)
    ]


def _possible_values(edit: IssueEdit) -> list[SentValue]:
    """Return the values that Jira may have after an edit, the statuses on its way included."""
    return [*edit.payload.values, *map(status_value, edit.between)]


def _moves_to(status: str, edit: IssueEdit) -> list[Change]:
    """Return the change of the status as far as it came."""
    return [replace(each, new=status) for each in edit.changes if each.part == _STATUS]


def _known(local_change: LocalChange) -> tuple[str, Ticket]:
    """Return the ID of the head of a ticket that Jira has, and its base."""
    assert local_change.head is not None
    assert local_change.base is not None
    return local_change.head, local_change.base
