"""Reads whole tickets as Jira has them now, past its search index, and writes them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING

from ticketr.sync.compare.mapping import is_subtask, parent_id, weight_of
from ticketr.sync.notes import Code, Note, moved_away, not_given
from ticketr.sync.session import PAGE
from ticketr.sync.threads import LIGHT, chunks, compute, portions
from ticketr.sync.writing.rendering import render_family
from ticketr.sync.writing.writer import FamilyWriter
from ticketr.tickets import InvalidKey, InvalidTicket

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ticketr.jira import Issue
    from ticketr.sync.session import Session
    from ticketr.sync.workspace.store import LocalTicket
    from ticketr.sync.writing.rendering import RenderedFamily
    from ticketr.sync.writing.writer import FamilyResult


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Why a ticket that was asked for is not there.

    Attributes:
        reason: In words.
        code: For scripts.
    """

    reason: str
    code: Code


_GONE = Unavailable("Jira has it no longer, or you may not see it any more", Code.MISSING)
_UNKNOWN = Unavailable("Jira does not have it, or you may not see it", Code.MISSING)


@dataclass(frozen=True, slots=True)
class _Answers:
    """What Jira gave, by ID and by key, and what it could not give."""

    issues: Mapping[str, Issue]
    failed: Mapping[str, str]
    renamed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A ticket that is to be read, with what its issues are asked for by.

    That is their IDs, or their keys where the ticket was never pulled into this workspace.

    Attributes:
        head: The head's.
        members: Every issue's, the head's too.
        path: Its file, relative to the workspace.
        added_keys: Keys of further sub-tasks, if Jira has them there.
    """

    head: str
    members: Sequence[str]
    path: str
    added_keys: Sequence[str] = ()

    @property
    def asked(self) -> Sequence[str]:
        """All that is asked for."""
        return (*self.members, *self.added_keys)

    def absent_in(self, answers: _Answers, otherwise: Unavailable) -> Unavailable | None:
        """Tell why it is not there as a whole; None where it is.

        Args:
            answers: What Jira gave.
            otherwise: What it is where Jira does not have its head.
        """
        for name in self.asked:
            if words := answers.failed.get(name):
                return Unavailable(f"{not_given(words)}; try again later", Code.UNREACHED)
        if self.head in answers.renamed:
            return Unavailable(moved_away(self.head, answers.renamed), Code.MOVED)
        return None if self.head in answers.issues else otherwise

    def found_in(self, answers: Mapping[str, Issue]) -> list[Issue]:
        """Choose its issues, the head first; none at all where Jira does not have that.

        Args:
            answers: What Jira gave, by ID and by key.
        """
        if self.head not in answers:
            return []
        found = [answers[each] for each in (self.head, *self.members) if each in answers]
        found += (
            issue
            for issue in map(answers.get, self.added_keys)
            if issue is not None and is_subtask(issue) and parent_id(issue) == self.head
        )
        return list({each.id: each for each in found}.values())


async def fetch_families(
    session: Session,
    heads: Mapping[str, str],
    added_keys: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> dict[str, RenderedFamily | Unavailable]:
    """Read tickets as Jira has them now.

    Args:
        session: The workspace and the site.
        heads: Each ticket's file, relative to the workspace, by its head's ID.
        added_keys: Keys that stand in a ticket's file though the last sync had them not there, by its
            head's ID; those that Jira has there belong to the ticket.

    Returns:
        Each ticket by its head's ID, or why Jira does not give it.
    """
    return await _read(session, await _known(session, heads, added_keys))


async def refresh(
    session: Session,
    heads: Mapping[str, str],
    *,
    seen: float,
    added_keys: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> tuple[list[FamilyResult], dict[str, Unavailable]]:
    """Bring tickets up to what Jira has now.

    Args:
        session: The workspace and the site.
        heads: Each ticket's file, relative to the workspace, by its head's ID.
        added_keys: As of `fetch_families`.
        seen: Jira's clock before this.

    Returns:
        What became of each ticket that Jira has, and why it does not give the others, by their
        heads' IDs.

    Cancellation:
        Takes effect at once, but for a visit to a worker thread. What was written stays.
    """
    now = await _read(session, await _known(session, heads, added_keys), keep_lost=True)
    absent = {head: family for head, family in now.items() if isinstance(family, Unavailable)}
    return await _write(session, _writer(session, seen), now), absent


async def adopt(
    session: Session, unknown: Sequence[LocalTicket], *, seen: float
) -> tuple[list[FamilyResult], list[Note]]:
    """Take in tickets with keys that were never pulled into this workspace.

    One that says what Jira says is simply known from now on; one that differs is a conflict.

    Args:
        session: The workspace and the site.
        unknown: The tickets.
        seen: Jira's clock before this.

    Returns:
        What became of each ticket that Jira has, and a note on each that it does not give.

    Cancellation:
        Takes effect at once, but for a visit to a worker thread. What was taken in by then is
        known, and the next time only the rest is asked for.
    """
    writer = _writer(session, seen)
    outcomes: list[FamilyResult] = []
    absent: list[Note] = []
    paths = {each.ticket.key: each.path for each in unknown}
    wanted = [
        _Wanted(each.ticket.key or "", tuple(each.ticket.keys()), each.path) for each in unknown
    ]
    done, total = 0, sum(len(each.members) for each in wanted)
    for batch in _batches(wanted):
        session.progress.say(f"Comparing with Jira: {done}/{total} tickets")
        now = await _read(session, batch, otherwise=_UNKNOWN)
        outcomes += await _write(session, writer, now)
        absent += (
            Note(key, paths[key], family.reason, family.code)
            for key, family in now.items()
            if isinstance(family, Unavailable)
        )
        done += sum(len(each.members) for each in batch)
    return outcomes, absent


async def _known(
    session: Session, heads: Mapping[str, str], added_keys: Mapping[str, Sequence[str]]
) -> list[_Wanted]:
    """Find out of which issues some tickets were made at the last sync."""
    wanted: list[_Wanted] = []
    for some in chunks(list(heads), PAGE):
        members = await session.in_thread(session.state.members, some)
        wanted += (
            _Wanted(each, members[each], heads[each], added_keys.get(each, ())) for each in some
        )
    return wanted


async def _read(
    session: Session,
    wanted: Iterable[_Wanted],
    *,
    keep_lost: bool = False,
    otherwise: Unavailable = _GONE,
) -> dict[str, RenderedFamily | Unavailable]:
    """Ask for tickets and write their texts.

    Args:
        session: The workspace and the site.
        wanted: The tickets.
        keep_lost: Whether sub-tasks that Jira has no longer stay where their lines stand.
        otherwise: What a ticket is that Jira does not have.

    Returns:
        Each by what its head was asked for by, or why Jira does not give it.
    """
    found: dict[str, RenderedFamily | Unavailable] = {}
    for batch in _batches(wanted):
        answers = await _ask(session, [name for each in batch for name in each.asked])
        for each in batch:
            if absent := each.absent_in(answers, otherwise):
                found[each.head] = absent
                continue
            issues = each.found_in(answers.issues)
            if keep_lost:
                issues += await _lost(session, each, issues)
            found[each.head] = await _prepared(session, each, issues) or otherwise
    return found


def _batches(wanted: Iterable[_Wanted]) -> Iterator[list[_Wanted]]:
    """Put tickets together whose issues fit into one request; a bigger one goes alone."""
    batch: list[_Wanted] = []
    size = 0
    for each in wanted:
        if batch and size + len(each.asked) > PAGE:
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += len(each.asked)
    if batch:
        yield batch


async def _ask(session: Session, names: Sequence[str]) -> _Answers:
    """Ask for issues by ID or by key; gives each that Jira has by both."""
    issues: dict[str, Issue] = {}
    failed: dict[str, str] = {}
    renamed: dict[str, str] = {}
    for some in chunks(names, PAGE):
        answer = await session.jira.bulk_fetch(some, fields=session.columns.requested, partly=True)
        for issue in answer.issues:
            issues[issue.id] = issues[issue.key] = issue
        failed.update(answer.failed)
        for key in answer.missing if answer.renamed else ():
            # Alone it can be no other's new key.
            alone = await session.jira.bulk_fetch([key], fields=["summary"])
            renamed.update((key, issue.key) for issue in alone.renamed)
    return _Answers(issues, failed, renamed)


async def _lost(session: Session, wanted: _Wanted, found: Sequence[Issue]) -> list[Issue]:
    """Find sub-tasks that Jira has no longer and whose lines stand here: only a prune takes them."""
    there = {name for each in found for name in (each.id, each.key)}
    if not found or there.issuperset(wanted.members):
        return []

    def look() -> list[Issue]:
        known = session.state.issues_of(wanted.head)
        lost = [each for each in known if not there & {each.id, each.key}]
        tickets = session.store.tickets(wanted.path)
        here = set(chain.from_iterable(ticket.keys() for ticket in tickets))
        return [each for each in lost if each.key in here]

    return await session.in_thread(look)


async def _prepared(
    session: Session, wanted: _Wanted, issues: Sequence[Issue]
) -> RenderedFamily | None:
    """Write a ticket's text; a checkpoint each, since that is real work."""
    write = partial(render_family, issues[0], issues[1:], session.columns, path=wanted.path)
    try:
        return await compute(session.in_thread, weight_of(issues, LIGHT), write)
    except (InvalidKey, InvalidTicket):  # a server may say anything
        return None


def _writer(session: Session, seen: float) -> FamilyWriter:
    return FamilyWriter(
        session.store,
        session.state,
        seen=seen,
        prefer=session.job.prefer,
        prefer_from_file=session.job.prefer_from_file,
    )


async def _write(
    session: Session, writer: FamilyWriter, now: Mapping[str, RenderedFamily | Unavailable]
) -> list[FamilyResult]:
    outcomes: list[FamilyResult] = []
    ready = (each for each in now.values() if not isinstance(each, Unavailable))
    for some in portions(ready, lambda each: len(each.text.text)):
        async with session.disk:
            written, error = await session.in_thread(writer.write, some)
        outcomes += written
        if error is not None:
            raise error
    return outcomes
