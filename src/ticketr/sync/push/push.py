"""Push: from edited files to Jira.

The road: files are compared with the last sync; what that gives is checked against what the
project takes; what Jira has now is read, and a ticket that has moved on there is left to the next
pull; then each issue is created or changed, and read again. Each ticket succeeds or fails by
itself. Every ``await`` may be cancelled: what Jira took is known or will be found, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

from ticketr.jira import JiraError
from ticketr.sync.edits.local_changes import draft_changes
from ticketr.sync.notes import Code, Note
from ticketr.sync.push.actions import Action
from ticketr.sync.push.delivery import Delivery
from ticketr.sync.push.plan import OrderMaker
from ticketr.sync.push.refresh import adopt, refresh
from ticketr.sync.writing.decision import WriteOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ticketr.sync.edits.losses import Accepted
    from ticketr.sync.edits.survey import LocalSurvey
    from ticketr.sync.push.delivery import TicketWrites
    from ticketr.sync.push.tally import PushTally
    from ticketr.sync.session import Session
    from ticketr.sync.workspace.store import LocalTicket
    from ticketr.sync.writing.writer import FamilyResult
    from ticketr.tickets import Ticket


#: What to do where Jira changes a ticket faster than a sync can merge it.
_AGAIN = "sync again in a moment"


@dataclass(frozen=True, slots=True)
class PushResult:
    """What a push did, or would do. All counts are issues, sub-tasks included.

    Attributes:
        total: Issues that were to be created or changed.
        site: The site's address for browsers.
        planned: Each of them.
        created: Keys of those that were created.
        updated: Keys of those that were changed.
        recovered: Keys of issues that an earlier run has made and whose drafts have them only now.
        conflicts: Tickets that were left alone, since Jira has moved on.
        in_conflict: Issues in them that were to be created or changed.
        failed: Tickets, or parts of them, that could not be pushed, each with the reason.
        warnings: What else should be known, by ticket.
    """

    total: int
    site: str = ""
    planned: tuple[Action, ...] = ()
    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    recovered: tuple[str, ...] = ()
    conflicts: tuple[Note, ...] = ()
    in_conflict: int = 0
    failed: tuple[Note, ...] = ()
    warnings: tuple[Note, ...] = ()


async def push(
    session: Session,
    survey: LocalSurvey,
    tally: PushTally,
    *,
    dry_run: bool = False,
    merging: bool = False,
    accept_loss: Accepted = False,
) -> PushResult:
    """Bring what was edited in the workspace to Jira.

    Args:
        session: The workspace and the site.
        survey: What was edited in the workspace.
        tally: Counts what is done; right at every moment.
        dry_run: Only find out what there is to do, and whether Jira would take it.
        merging: Merge tickets that Jira has changed meanwhile, instead of leaving them alone.
        accept_loss: Which losses of a description the push may cause; see `losses`.

    Cancellation:
        Takes effect at once, inside a running request too. What Jira has taken is known, or will
        be found by the next run.
    """
    return await _Push(session, tally, accept_loss).run(survey, dry_run=dry_run, merging=merging)


def push_result(site: str, tally: PushTally) -> PushResult:
    """Say what a push has done until now.

    Args:
        site: The site's address for browsers.
        tally: What it has counted.
    """
    return PushResult(
        total=tally.total,
        site=site,
        planned=tally.planned,
        created=tuple(tally.created),
        updated=tuple(tally.updated),
        recovered=tuple(tally.recovered),
        conflicts=tuple(tally.conflicts),
        in_conflict=tally.in_conflict,
        failed=tuple(tally.failed),
        warnings=tuple(tally.warnings),
    )


class _Push:
    """One run of a push."""

    def __init__(self, session: Session, tally: PushTally, accept_loss: Accepted) -> None:
        self._session = session
        self._tally = tally
        self._accept_loss = accept_loss

    async def run(self, survey: LocalSurvey, *, dry_run: bool, merging: bool) -> PushResult:
        session, tally = self._session, self._tally
        if not survey.local_changes and not survey.unknown:
            await trio.lowlevel.checkpoint()
            return push_result(session.job.site, tally)
        seen = await session.now()
        maker = OrderMaker(session, tally, merging=merging, accept_loss=self._accept_loss)
        async with session.naming_project():
            orders = await maker.make(survey.local_changes)
            if maker.behind:
                orders += await self._catch_up(maker, seen=seen)
        tally.planned = tuple(action for order in orders for action in _actions(order))
        tally.total = len(tally.planned)
        if not dry_run:
            await self._adopt(survey.unknown, maker, seen=seen)
            await self._deliver(orders, maker, seen=seen)
        return push_result(session.job.site, tally)

    async def _catch_up(self, maker: OrderMaker, *, seen: float) -> list[TicketWrites]:
        """Merge tickets whose changes the search index did not have, and make their orders."""
        session = self._session
        outcomes, _ = await refresh(session, maker.behind, seen=seen, added_keys=maker.added_keys)
        self._note(outcomes)
        noted = {each.family.issues[0].id for each in outcomes if each.note is not None}
        wanted = maker.behind.keys() - noted
        local_changes = [
            each for each in (await session.survey()).local_changes if each.head in wanted
        ]
        again = OrderMaker(session, self._tally, advice=_AGAIN, accept_loss=self._accept_loss)
        orders = await again.make(local_changes)
        maker.adopted |= again.adopted
        maker.added_keys |= again.added_keys
        return orders

    async def _adopt(
        self, unknown: Sequence[LocalTicket], maker: OrderMaker, *, seen: float
    ) -> None:
        """Take in tickets that came from elsewhere, and those that Jira has as they stand here."""
        session, tally = self._session, self._tally
        outcomes, absent = await adopt(session, unknown, seen=seen)
        tally.failed += absent
        same, _ = await refresh(session, maker.adopted, seen=seen, added_keys=maker.added_keys)
        self._note([*outcomes, *same])

    async def _deliver(
        self, orders: Sequence[TicketWrites], maker: OrderMaker, *, seen: float
    ) -> None:
        session = self._session
        if not orders:
            return
        self._progress()
        after = await self._reached(orders)
        delivery = Delivery(session, self._tally, orders, after=after, progress=self._progress)
        await delivery.run()
        try:
            touched, absent = await refresh(
                session, delivery.touched, seen=seen, added_keys=maker.added_keys
            )
        except JiraError as error:
            await self._warn(delivery.touched, dict.fromkeys(delivery.touched, str(error)))
        else:
            self._note(touched)
            unread = {
                head: each.reason for head, each in absent.items() if each.code is Code.UNREACHED
            }
            await self._warn(delivery.touched, unread)

    async def _warn(self, touched: Mapping[str, str], unread: Mapping[str, str]) -> None:
        """Tell that what was pushed could not be read again; the next pull does it.

        Args:
            touched: The file of each ticket that was pushed, by its head's ID.
            unread: Why some of them could not be read, likewise.
        """
        if not unread:
            return
        known = await self._session.in_thread(self._session.state.known)
        self._tally.warnings += (
            Note(
                known[head].key,
                touched[head],
                f"it was pushed, but could not be read again: {reason}",
                Code.UNREACHED,
            )
            for head, reason in unread.items()
            if head in known
        )

    async def _reached(self, orders: Sequence[TicketWrites]) -> dict[str, int]:
        """Find for each project a number that its keys have reached, to look for lost ones after."""
        projects = {
            draft.project
            for order in orders
            for draft in (*((order.head,) if order.head else ()), *order.tasks)
        }
        reached: dict[str, int] = {}
        for project in projects:
            key = await self._session.jira.newest_key(project)
            number = key.rpartition("-")[2] if key else ""
            reached[project] = int(number) if number.isdecimal() else 0
        return reached

    def _note(self, outcomes: Sequence[FamilyResult]) -> None:
        for outcome in outcomes:
            if outcome.note is None:
                continue
            if outcome.written is WriteOutcome.CONFLICT:
                shares = [outcome.outcome_of(each.key) for each in outcome.family.issues]
                self._tally.leave(outcome.note, shares.count(WriteOutcome.CONFLICT))
            else:
                self._tally.failed.append(outcome.note)

    def _progress(self) -> None:
        self._session.progress.move(self._tally.done, self._tally.total, "Pushing tickets")


def _actions(order: TicketWrites) -> Iterator[Action]:
    path = order.local_change.local.path
    if order.head is not None:
        yield _creation(order.head.issue, path)
    for edit in order.edits:
        changes = tuple((each.name, each.old_shown, each.new_shown) for each in edit.changes)
        yield Action("update", edit.key, edit.issue.title, path, changes)
    for task in order.tasks:
        yield _creation(task.issue, path)


def _creation(draft: Ticket, path: str) -> Action:
    changes = tuple((each.name, "", each.new_shown) for each in draft_changes(draft))
    return Action("create", "", draft.title, path, changes)
