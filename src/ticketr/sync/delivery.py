"""Carries out what a push was found to do for each ticket: creates, edits, transitions."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import trio

from ticketr._errors import TicketrError
from ticketr.jira import AuthenticationFailed, JiraError
from ticketr.sync.creating import Creator, Draft, failure_note
from ticketr.sync.errors import first_of
from ticketr.sync.plan import pushed
from ticketr.sync.session import CONCURRENCY
from ticketr.sync.state import Base
from ticketr.sync.transitions import NoWay, take_to
from ticketr.sync.writer import read_ticket
from ticketr.tickets import render_ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ticketr.jira import Transition
    from ticketr.sync.notes import Note
    from ticketr.sync.parts import Change
    from ticketr.sync.plan import Work
    from ticketr.sync.requests import Sending
    from ticketr.sync.session import Session
    from ticketr.sync.tally import PushTally
    from ticketr.tickets import Ticket


@dataclass(frozen=True)
class Edit:
    """What is sent of an issue that is there.

    Attributes:
        key: the issue.
        issue: it as it stands here.
        changes: what of it is sent.
        sending: the same in Jira's terms.
        way: the transition to its new status; None where that cannot be known yet.
    """

    key: str
    issue: Ticket
    changes: tuple[Change, ...]
    sending: Sending
    way: Transition | None = None


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
    """Carries out orders, several at once.

    Args:
        session: the workspace and the site.
        tally: counts what is done.
        orders: what is to be done.
        after: for each project, a number that its keys had reached before the push.
        progress: called whenever the tally has changed.

    Attributes:
        touched: the file of each ticket that was created or changed, by its head's ID.
    """

    def __init__(
        self,
        session: Session,
        tally: PushTally,
        orders: Sequence[Order],
        *,
        after: dict[str, int],
        progress: Callable[[], None],
    ) -> None:
        self._session = session
        self._tally = tally
        self._waiting = deque(orders)
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
            AuthenticationFailed: the site does not take the login any more.
            FileFailed: a file could not be written; what Jira has taken by then is known.
            StateFailed: the state could not be; likewise.

        Cancellation:
            Takes effect at once. What Jira has taken by then is known to the state, or will be
            found by `recover`.
        """
        failure: TicketrError | None = None
        try:
            async with trio.open_nursery() as nursery:
                for _ in range(CONCURRENCY):
                    nursery.start_soon(self._deliver_some)
        except* TicketrError as group:
            failure = first_of(group)
        if failure is not None:
            raise failure

    async def _deliver_some(self) -> None:
        while self._waiting:
            await self._deliver(self._waiting.popleft())

    async def _deliver(self, order: Order) -> None:
        local = order.work.local
        parent, head = local.ticket.key, order.work.head
        if order.head is not None:
            created = await self._creator.create(order.head, local.path, parent=None)
            if created is None:
                return
            parent, head = created.key, created.id
        for edit in order.edits:
            await self._edit(edit, order.work)
        for task in order.tasks:
            await self._creator.create(task, local.path, parent=parent)
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
                await take_to(self._session.jira, edit.key, edit.sending.status, way=edit.way)
            sent = list(edit.changes)
        except AuthenticationFailed:  # nor will it take another; a site may lock who goes on
            raise
        except (JiraError, NoWay) as error:
            failure = failure_note(edit.issue, path, error)
            if sent:
                reason = f"{_sent(sent)}, but not the rest: {failure.reason}"
                failure = replace(failure, reason=reason)
        finally:
            if sent:  # Jira has it, even if the rest was cancelled
                self._tally.updated.append(edit.key)
                with trio.CancelScope(shield=True):  # one visit to the disk
                    await self._record(work, edit, tuple(sent))
        if failure is not None:
            self._tally.failed.append(failure)
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


def _sent(changes: Iterable[Change]) -> str:
    names = [each.name for each in changes]
    return f"{', '.join(names)} {'was' if len(names) == 1 else 'were'} sent"
