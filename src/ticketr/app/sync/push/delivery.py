"""Sends the writes of a push in their order: tickets side by side, parents before sub-tasks."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from ticketr.app.jira import Created
from ticketr.app.sync.concurrency import run_in_tasks
from ticketr.app.sync.push.sending import IssueSender
from ticketr.app.sync.push.writes import TicketWrites, WantedIssue
from ticketr.app.sync.state.state import State

if TYPE_CHECKING:
    from ticketr.app.sync.push.creating import Creator
    from ticketr.app.sync.push.tally import PushTally
    from ticketr.app.sync.session import Session

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
        self._sender = IssueSender(session, tally)
        self._writes = writes
        # With the ID and key of a ticket that an earlier request has created.
        self._waiting: deque[tuple[TicketWrites, Created | None]] = deque(
            (write, None) for write in writes
        )
        self._after = after
        self._ways = ways
        self._drafts = frozenset(
            replace(issue.issue, tasks=()) for ticket in writes for issue in ticket.new_issues
        )
        # Many sub-tasks of new tickets are created together, once all these tickets exist.
        of_new = sum(len(write.new_subtasks) for write in writes if write.new_ticket)
        self._has_many_subtasks = of_new >= FEWEST
        self._later: deque[tuple[TicketWrites, Created]] = deque()
        self._touched: dict[str, str] = {}

    @cached_property
    def _creator(self) -> Creator:
        from ticketr.app.sync.push.creating import Creator  # noqa: PLC0415 - only for new issues
        from ticketr.app.sync.push.sending import Completion  # noqa: PLC0415 - only for new issues

        session, tally = self._session, self._tally
        completion = Completion(session, tally, drafts=self._drafts, ways=self._ways)
        return Creator(session, tally, completion, after=self._after)

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
        if linked := self._sender.linked:
            others = await self._session.in_thread(_tickets_of, self._session.state, linked)
            self._touched = others | self._touched
        return self._touched

    async def _send_what_waits(self) -> None:
        """Send the rest of the new issues that exist in spite of a refusal, and what waits."""
        # The sub-tasks of tickets that exist in spite of a refusal were not sent yet.
        tickets = {id(write.new_ticket): write for write in self._writes if write.new_ticket}
        for new_issue, created in await self._creator.look_for_refused():
            if (ticket := tickets.get(id(new_issue))) is not None:
                self._waiting.append((ticket, created))
        if self._waiting:
            await run_in_tasks(self._send_waiting)
            await self._creator.look_for_refused()
        if self._later:
            await self._create_ahead(
                WantedIssue(subtask, ticket.path, created.key)
                for ticket, created in self._later
                for subtask in ticket.new_subtasks
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
                for subtask in ticket.new_subtasks:
                    yield WantedIssue(subtask, ticket.path, parent)

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
            await self._sender.complete(ticket.new_ticket, created, ticket.path)
        for edit in ticket.edits:
            local_change = await self._sender.edit(edit, local_change)
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
                await self._sender.complete(subtask, new, ticket.path)


def _tickets_of(state: State, keys: Iterable[str]) -> dict[str, str]:
    """Return the file of the ticket of each key that is in a file, by its head's ID."""
    bases = {head: state.base(head) for key in keys if (head := state.head_of(key)) is not None}
    return {head: base.path for head, base in bases.items() if base is not None}
