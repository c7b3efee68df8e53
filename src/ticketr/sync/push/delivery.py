"""Carries out what a push was found to do for each ticket: creates, edits, transitions."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import trio

from ticketr._errors import TicketrError
from ticketr.jira import AuthenticationFailed, Created, JiraError, certainly_failed
from ticketr.sync.edits.local_changes import add_to_base
from ticketr.sync.errors import first_error
from ticketr.sync.push.creating import Creator, Draft, failure_note
from ticketr.sync.push.transitions import NoTransition, change_status
from ticketr.sync.session import CONCURRENCY
from ticketr.sync.state.state import Base
from ticketr.tickets import render_ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ticketr.jira import Transition
    from ticketr.sync.compare.diff import Change
    from ticketr.sync.edits.local_changes import LocalChange
    from ticketr.sync.notes import Note
    from ticketr.sync.push.requests import IssuePayload
    from ticketr.sync.push.tally import PushTally
    from ticketr.sync.session import Session
    from ticketr.tickets import Ticket


@dataclass(frozen=True)
class IssueEdit:
    """What is sent of an issue that is there.

    Attributes:
        key: The issue.
        issue: It as it stands here.
        changes: What of it is sent.
        payload: The same in Jira's terms.
        way: The transition to its new status; None where that cannot be known yet.
    """

    key: str
    issue: Ticket
    changes: tuple[Change, ...]
    payload: IssuePayload
    way: Transition | None = None


@dataclass(frozen=True)
class TicketWrites:
    """All that is sent of one ticket.

    Attributes:
        local_change: What was found to do.
        head: The ticket itself, if it is a draft.
        edits: Its issues that are there.
        tasks: Its sub-tasks that are not.
    """

    local_change: LocalChange
    head: Draft | None
    edits: tuple[IssueEdit, ...]
    tasks: tuple[Draft, ...]


class Delivery:
    """Carries out orders, several at once.

    Args:
        session: The workspace and the site.
        tally: Counts what is done.
        orders: What is to be done.
        after: For each project, a number that its keys had reached before the push.
        progress: Called whenever the tally has changed.

    Attributes:
        touched: The file of each ticket that was created or changed, by its head's ID.
    """

    def __init__(
        self,
        session: Session,
        tally: PushTally,
        orders: Sequence[TicketWrites],
        *,
        after: dict[str, int],
        progress: Callable[[], None],
    ) -> None:
        self._session = session
        self._tally = tally
        self._orders = orders
        self._waiting: deque[tuple[TicketWrites, Created | None]] = deque(
            (each, None) for each in orders
        )
        self._progress = progress
        drafts = (each for order in orders for each in (order.head, *order.tasks) if each)
        self._creator = Creator(
            session,
            tally,
            after=after,
            drafts=frozenset(replace(each.issue, tasks=()) for each in drafts),
            progress=progress,
        )
        self.touched: dict[str, str] = {}

    async def run(self) -> None:
        """Carry out the orders; what Jira does not take is noted, and the rest goes on.

        Raises:
            AuthenticationFailed: The site does not take the login any more.
            FileFailed: A file could not be written; what Jira has taken by then is known.
            StateFailed: The state could not be; likewise.

        Cancellation:
            Takes effect at once. What Jira has taken by then is known to the state, or will be
            found by `recover`.
        """
        await self._deliver_all()
        # What was refused and is there all the same has tasks that nobody has asked for yet.
        heads = {id(order.head): order for order in self._orders if order.head is not None}
        for draft, created in await self._creator.look_for_refused():
            if (order := heads.get(id(draft))) is not None:
                self._waiting.append((order, created))
        if self._waiting:
            await self._deliver_all()
            await self._creator.look_for_refused()

    async def _deliver_all(self) -> None:
        failure: TicketrError | None = None
        try:
            async with trio.open_nursery() as nursery:
                for _ in range(CONCURRENCY):
                    nursery.start_soon(self._deliver_some)
        except* TicketrError as group:
            failure = first_error(group)
        if failure is not None:
            raise failure

    async def _deliver_some(self) -> None:
        while self._waiting:
            order, created = self._waiting.popleft()
            path = order.local_change.local.path
            if order.head is not None and created is None:
                created = await self._creator.create(order.head, path, parent=None)
                if created is None:
                    continue
            await self._deliver(order, created)

    async def _deliver(self, order: TicketWrites, created: Created | None) -> None:
        """Send the rest of a ticket; its head is there, and was created just now or is known."""
        local_change, local = order.local_change, order.local_change.local
        for edit in order.edits:
            local_change = await self._edit(edit, local_change)
        for task in order.tasks:
            parent = local.ticket.key if created is None else created.key
            await self._creator.create(task, local.path, parent=parent)
        head = local_change.head if created is None else created.id
        if head is not None:
            self.touched[head] = local.path

    async def _edit(self, edit: IssueEdit, local_change: LocalChange) -> LocalChange:
        """Send what was edited of one issue; gives the work with what Jira has taken as its base."""
        path = local_change.local.path
        sent: list[Change] = []
        failure: Note | None = None
        unsure = True  # until Jira has said what it makes of it
        await self._announce(edit, local_change)
        try:
            if edit.payload.fields:
                await self._session.jira.edit_issue(edit.key, edit.payload.fields)
                sent += [each for each in edit.changes if each.part != "Status"]
            if edit.payload.status is not None:
                await change_status(self._session.jira, edit.key, edit.payload.status, way=edit.way)
            sent = list(edit.changes)
            unsure = False
        except AuthenticationFailed:  # nor will it take another; a site may lock who goes on
            raise
        except (JiraError, NoTransition) as error:
            unsure = isinstance(error, JiraError) and not certainly_failed(
                error, edit.payload.fields
            )
            failure = failure_note(edit.issue, path, error)
            if sent:
                reason = f"{_sent(sent)}, but not the rest: {failure.reason}"
                failure = replace(failure, reason=reason)
        finally:
            if sent:  # Jira has it, even if the rest was cancelled
                self._tally.updated.append(edit.key)
            if sent or not unsure:
                with trio.CancelScope(shield=True):  # one visit to the disk
                    local_change = await self._record(
                        local_change, edit, tuple(sent), unsure=unsure
                    )
        if failure is not None:
            self._tally.failed.append(failure)
        self._progress()
        return local_change

    async def _announce(self, edit: IssueEdit, local_change: LocalChange) -> None:
        """Write down what is about to be sent, so that a lost answer makes nobody else's change."""
        head, _ = _known(local_change)
        put, values = self._session.state.sent.put, edit.payload.values
        async with self._session.disk:
            await self._session.in_thread(put, head, edit.key, values)

    async def _record(
        self, local_change: LocalChange, edit: IssueEdit, sent: tuple[Change, ...], *, unsure: bool
    ) -> LocalChange:
        """Make what was sent the base; what Jira has refused is forgotten.

        Args:
            local_change: The ticket.
            edit: What was to be sent of one of its issues.
            sent: What Jira has of it.
            unsure: Whether Jira may have the rest as well.
        """
        head, base = _known(local_change)
        new_base = add_to_base(base, edit.key, sent)
        names = {each.part for each in sent}
        confirmed = [each for each in edit.payload.values if each.part in names]
        rest = [each for each in edit.payload.values if each.part not in names]

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
                    # How Jira writes them is not known before they are read again.
                    state.sent.confirm(head, edit.key, confirmed)
                if not unsure:
                    state.sent.withdraw(head, edit.key, rest)

        async with self._session.disk:
            await self._session.in_thread(record)
        return replace(local_change, base=new_base)


def _known(local_change: LocalChange) -> tuple[str, Ticket]:
    """Give the ID of the head of a ticket that Jira has, and its base."""
    assert local_change.head is not None
    assert local_change.base is not None
    return local_change.head, local_change.base


def _sent(changes: Iterable[Change]) -> str:
    names = [each.name for each in changes]
    return f"{', '.join(names)} {'was' if len(names) == 1 else 'were'} sent"
