"""Reads whole tickets as Jira has them now, past its search index, and writes them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from ticketr.sync.mapping import is_subtask, parent_id
from ticketr.sync.session import PAGE
from ticketr.sync.threads import CHUNK, chunks
from ticketr.sync.writer import FamilyWriter, prepare
from ticketr.tickets import InvalidKey, InvalidTicket

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ticketr.jira import Issue
    from ticketr.sync.session import Session
    from ticketr.sync.store import LocalTicket
    from ticketr.sync.writer import Outcome, Prepared


async def families_now(
    session: Session,
    heads: Mapping[str, str],
    strays: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> dict[str, Prepared | None]:
    """Read tickets as Jira has them now.

    Args:
        session: the workspace and the site.
        heads: each ticket's file, relative to the workspace, by its head's ID.
        strays: keys that stand in a ticket's file though the last sync had them not there, by its
            head's ID; those that Jira has there belong to the ticket.

    Returns:
        Each ticket by its head's ID; None for one that Jira has no longer, or says strange
        things of.
    """
    found: dict[str, Prepared | None] = {}
    members = {
        head: [row.issue.id for row in await session.in_thread(session.state.rows_of, head)]
        for head in heads
    }
    asked = {head: [*ids, *strays.get(head, ())] for head, ids in members.items()}
    for batch in _batches(asked):
        answered: dict[str, Issue] = {}
        for some in chunks([each for head in batch for each in asked[head]], PAGE):
            answer = await session.jira.bulk_fetch(some, fields=session.columns.requested)
            answered.update((issue.id, issue) for issue in answer.issues)
        for head in batch:
            issues = {each: answered[each] for each in members[head] if each in answered}
            keys = strays.get(head, ())
            issues |= {
                each.id: each
                for each in answered.values()
                if each.key in keys and is_subtask(each) and parent_id(each) == head
            }
            found[head] = _prepared(session, head, tuple(issues.values()), heads[head])
    return found


def _batches(members: dict[str, list[str]]) -> Iterator[list[str]]:
    """Put tickets together whose issues fit into one request; a bigger one goes alone."""
    batch: list[str] = []
    size = 0
    for head, ids in members.items():
        if batch and size + len(ids) > PAGE:
            yield batch
            batch, size = [], 0
        batch.append(head)
        size += len(ids)
    if batch:
        yield batch


def _prepared(session: Session, head: str, issues: Sequence[Issue], path: str) -> Prepared | None:
    first = next((each for each in issues if each.id == head), None)
    if first is None:
        return None
    rest = [each for each in issues if each is not first]
    try:
        return prepare(first, rest, session.columns, path=path)
    except (InvalidKey, InvalidTicket):  # a server may say anything
        return None


async def refresh(
    session: Session,
    heads: Mapping[str, str],
    *,
    seen: float,
    strays: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[Outcome]:
    """Bring tickets up to what Jira has now.

    Args:
        session: the workspace and the site.
        heads: each ticket's file, relative to the workspace, by its head's ID.
        strays: as of `families_now`.
        seen: Jira's clock before this.

    Returns:
        What became of each ticket.
    """
    writer = FamilyWriter(session.store, session.state, seen=seen, prefer=session.job.prefer)
    now = await families_now(session, heads, strays)
    found = [await _with_lost(session, head, each) for head, each in now.items() if each]
    outcomes: list[Outcome] = []
    for some in chunks(found, CHUNK):
        async with session.disk:
            written, error = await session.in_thread(writer.write, some)
        outcomes += written
        if error is not None:
            raise error
    return outcomes


async def _with_lost(session: Session, head: str, family: Prepared) -> Prepared:
    """Keep sub-tasks that Jira has no longer where their lines stand: only a prune takes them."""
    there = {issue.id for issue in family.issues}
    rows = await session.in_thread(session.state.rows_of, head)
    lost = [row.issue for row in rows if row.issue.id not in there]
    if not lost or family.path is None:
        return family
    local = await session.in_thread(session.store.tickets, family.path)
    here = {key for ticket in local for key in ticket.keys()}  # noqa: SIM118
    kept = [issue for issue in lost if issue.key in here]
    whole = (*family.issues, *kept)
    return (kept and _prepared(session, head, whole, family.path)) or family


async def adopt(
    session: Session, unknown: Sequence[LocalTicket], *, seen: float
) -> tuple[list[Outcome], list[LocalTicket]]:
    """Take in tickets with keys that were never pulled into this workspace.

    One that says what Jira says is simply known from now on; one that differs is a conflict.

    Args:
        session: the workspace and the site.
        unknown: the tickets.
        seen: Jira's clock before this.

    Returns:
        What became of each ticket that Jira has, and those that it has not.
    """
    outcomes: list[Outcome] = []
    missing: list[LocalTicket] = []
    writer = FamilyWriter(session.store, session.state, seen=seen, prefer=session.job.prefer)
    for local in unknown:
        keys = list(local.ticket.keys())
        issues: list[Issue] = []
        for some in chunks(keys, PAGE):
            answer = await session.jira.bulk_fetch(some, fields=session.columns.requested)
            issues += answer.issues
        head = next((each.id for each in issues if each.key == local.ticket.key), None)
        family = head and _prepared(session, head, issues, local.path)
        if not family:
            missing.append(local)
            continue
        async with session.disk:
            written, error = await session.in_thread(writer.write, [family])
        outcomes += written
        if error is not None:
            raise error
    return outcomes, missing
