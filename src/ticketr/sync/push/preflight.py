"""Finds out before the first write what of a ticket Jira would not do: ways and parents.

A ticket whose status no transition reaches would be sent by half, for a status is a request of
its own; so the transitions are asked for beforehand. They are kept, so that a push asks no more.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

import trio

from ticketr._errors import TicketrError
from ticketr.jira import AuthenticationFailed, JiraError, Transition
from ticketr.sync.errors import first_error
from ticketr.sync.notes import Code, Note
from ticketr.sync.push.creating import failure_note
from ticketr.sync.push.transitions import NoTransition, find_transition
from ticketr.sync.session import CONCURRENCY, PAGE
from ticketr.sync.threads import chunks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ticketr.sync.push.creating import Draft
    from ticketr.sync.push.delivery import IssueEdit, TicketWrites
    from ticketr.sync.push.requests import IssuePayload
    from ticketr.sync.push.tally import PushTally
    from ticketr.sync.session import Session


async def check(
    session: Session, tally: PushTally, orders: Sequence[TicketWrites]
) -> list[TicketWrites]:
    """Leave out of some orders what Jira would not do; that is noted, issue by issue.

    Args:
        session: The workspace and the site.
        tally: Takes the notes.
        orders: What is to be sent.

    Raises:
        AuthenticationFailed: The site does not take the login any more.
        JiraError: The parents could not be asked for.

    Cancellation:
        Takes effect at once; nothing was sent yet.
    """
    said = (each.payload for order in orders for each in _with_parents(order))
    absent = await _absent(session, {key for each in said if (key := _parent(each))})
    edits = [edit for order in orders for edit in order.edits if _has_way(edit)]
    found = await _Ways(session, edits).find()

    def fail(said: IssueEdit | Draft, path: str) -> None:
        reason = f"Parent: Jira has no {_parent(said.payload)}, or you may not see it"
        tally.failed.append(Note.on(said.issue, path, reason, Code.INVALID))

    left: list[TicketWrites] = []
    for order in orders:
        path = order.local_change.local.path
        if order.head is not None and _parent(order.head.payload) in absent:
            fail(order.head, path)
            continue
        kept: list[IssueEdit] = []
        for edit in order.edits:
            way = found.get(edit.key)
            if _parent(edit.payload) in absent:
                fail(edit, path)
            elif isinstance(way, Exception):
                tally.failed.append(failure_note(edit.issue, path, way))
            else:
                kept.append(replace(edit, way=way))
        if order.head or kept or order.tasks:
            left.append(replace(order, edits=tuple(kept)))
    return left


def _with_parents(order: TicketWrites) -> Iterable[IssueEdit | Draft]:
    """Choose what may name a parent; that of a task is its ticket, whatever it says."""
    return (*order.edits, *([order.head] if order.head else []))


def _parent(payload: IssuePayload) -> str | None:
    parent = payload.fields.get("parent")
    key = parent.get("key") if isinstance(parent, dict) else None
    return key if isinstance(key, str) else None


def _has_way(edit: IssueEdit) -> bool:
    """Tell whether its transitions are those that it has now: another type may have others."""
    return edit.payload.status is not None and "issuetype" not in edit.payload.fields


async def _absent(session: Session, parents: set[str]) -> set[str]:
    """Find out which parents Jira does not have; those that were pulled need not be asked for."""
    if not parents:
        return set()
    known = await session.in_thread(session.state.known)
    asked = sorted(parents.difference(each.key for each in known.values()))
    absent: set[str] = set()
    for some in chunks(asked, PAGE):
        answer = await session.jira.bulk_fetch(some, fields=["summary"])
        for key in answer.missing:
            # Of one that was moved the answer has the new key; alone it can be no other's.
            alone = answer.renamed and await session.jira.bulk_fetch([key], fields=["summary"])
            if not (alone and alone.renamed):
                absent.add(key)
    return absent


class _Ways:
    """Asks for the transitions of issues, several at once."""

    def __init__(self, session: Session, edits: Iterable[IssueEdit]) -> None:
        self._session = session
        self._waiting = deque(edits)
        self._found: dict[str, Transition | NoTransition | JiraError] = {}

    async def find(self) -> Mapping[str, Transition | NoTransition | JiraError]:
        """Give the way of each issue by its key, or why there is none."""
        if not self._waiting:
            return self._found
        self._session.progress.say("Asking which statuses can be reached...")
        failure: TicketrError | None = None
        try:
            async with trio.open_nursery() as nursery:
                for _ in range(min(CONCURRENCY, len(self._waiting))):
                    nursery.start_soon(self._find_some)
        except* TicketrError as group:
            failure = first_error(group)
        if failure is not None:
            raise failure
        return self._found

    async def _find_some(self) -> None:
        while self._waiting:
            edit = self._waiting.popleft()
            assert edit.payload.status is not None
            try:
                way = await find_transition(self._session.jira, edit.key, edit.payload.status)
            except AuthenticationFailed:  # nor will it take another
                raise
            except (JiraError, NoTransition) as error:
                self._found[edit.key] = error
            else:
                self._found[edit.key] = way
