"""Fetches complete tickets by ID or key, and writes them into their files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING

from ticketr._errors import TicketrError
from ticketr.app.jira import Issue
from ticketr.app.sync.compare.mapping import Columns, is_subtask, parent_id
from ticketr.app.sync.concurrency import (
    PAGE,
    chunks,
    compute_all,
    map_in_tasks,
    portions,
)
from ticketr.app.sync.notes import Code, Note, moved_away, not_given
from ticketr.app.sync.workspace.store import LocalTicket
from ticketr.app.sync.writing.rendering import RenderedFamily, fetch_whole, render_family
from ticketr.app.sync.writing.writer import FamilyResult, FamilyWriter
from ticketr.app.tickets import InvalidKey, InvalidTicket

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Why a ticket could not be fetched.

    Attributes:
        reason: The reason in words.
        code: The reason for scripts.
    """

    reason: str
    code: Code


_NO_LONGER_THERE = Unavailable("Jira no longer has it, or you may no longer see it", Code.MISSING)
_NEVER_THERE = Unavailable("Jira does not have it, or you may not see it", Code.MISSING)


@dataclass(frozen=True, slots=True)
class _Fetched:
    """The answer to a bulk fetch.

    Attributes:
        issues: Each issue, by its ID and by its key.
        failed: Why an issue could not be fetched, by its ID or key.
        renamed: The new keys of moved issues, by their old keys.
    """

    issues: Mapping[str, Issue]
    failed: Mapping[str, str]
    renamed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Request:
    """A ticket to fetch, by IDs, or by keys if it was never pulled into this workspace.

    Attributes:
        head: The ID or key of its head.
        members: The ID or key of each of its issues, its head included.
        path: Its file, relative to the workspace.
        added_keys: Keys of other issues that may be its sub-tasks in Jira.
    """

    head: str
    members: Sequence[str]
    path: str
    added_keys: Sequence[str] = ()

    @property
    def names(self) -> Sequence[str]:
        """The IDs and keys of all issues to fetch."""
        return (*self.members, *self.added_keys)

    def unavailable(self, fetched: _Fetched, otherwise: Unavailable) -> Unavailable | None:
        """Return why the whole ticket could not be fetched; None if it was fetched."""
        for name in self.names:
            if words := fetched.failed.get(name):
                return Unavailable(f"{not_given(words)}; try again later", Code.UNREACHED)
        if self.head in fetched.renamed:
            return Unavailable(moved_away(self.head, fetched.renamed), Code.MOVED)
        return None if self.head in fetched.issues else otherwise

    def issues_in(self, answers: Mapping[str, Issue]) -> list[Issue]:
        """Return its issues, the head first; an empty list if Jira does not have the head."""
        if self.head not in answers:
            return []
        issues = [answers[text] for text in (self.head, *self.members) if text in answers]
        issues += (
            issue
            for issue in map(answers.get, self.added_keys)
            if issue is not None and is_subtask(issue) and parent_id(issue) == self.head
        )
        return list({issue.id: issue for issue in issues}.values())


async def fetch_families(
    session: Session,
    heads: Mapping[str, str],
    added_keys: Mapping[str, Sequence[str]],
    *,
    keep_lost: bool = False,
) -> dict[str, RenderedFamily | Unavailable]:
    """Fetch tickets and render them.

    Args:
        session: The workspace and the site.
        heads: Each ticket's file, relative to the workspace, by its head's ID.
        added_keys: Keys that were added to a ticket's file since the last sync, by its head's ID.
            Issues that are its sub-tasks in Jira are fetched with it.
        keep_lost: Whether sub-tasks that Jira no longer has keep their lines in the file.

    Returns:
        Each ticket, or why it could not be fetched, by its head's ID.
    """
    state = session.state

    def look(chunk: Sequence[str]) -> list[_Request]:
        """Read the issues of the tickets at the last sync, and the texts of their descriptions."""
        members = state.members(chunk)
        return [
            _Request(head, members[head], heads[head], added_keys.get(head, ())) for head in chunk
        ]

    wanted: list[_Request] = []
    for chunk in chunks(list(heads), PAGE):
        wanted += await session.in_thread(look, chunk)
    read = partial(_read, session, otherwise=_NO_LONGER_THERE, keep_lost=keep_lost)
    families: dict[str, RenderedFamily | Unavailable] = {}
    for some in await map_in_tasks(read, _batches(wanted)):
        families |= some
    return families


async def refresh(
    session: Session,
    heads: Mapping[str, str],
    *,
    seen: float,
    added_keys: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> tuple[list[FamilyResult], dict[str, Unavailable]]:
    """Fetch tickets and write them into their files and the state.

    Args:
        session: The workspace and the site.
        heads: See `fetch_families`.
        added_keys: See `fetch_families`.
        seen: The time by Jira's clock before the call, in seconds since the epoch.

    Returns:
        The result for each ticket that was fetched, and why the others were not, by their heads'
        IDs.

    Cancellation:
        Takes effect at once, or after a running write. Written tickets stay.
    """
    now = await fetch_families(session, heads, added_keys, keep_lost=True)
    absent = {head: family for head, family in now.items() if isinstance(family, Unavailable)}
    return await _write(session, now, seen), absent


async def adopt(
    session: Session, never_pulled: Sequence[LocalTicket], *, seen: float
) -> tuple[list[FamilyResult], list[Note]]:
    """Record tickets with keys that were never pulled into this workspace.

    A ticket that is equal to Jira's becomes its base. If they differ, it is a conflict.

    Returns:
        The result for each ticket that was fetched, and a note on each other ticket.

    Cancellation:
        As for `refresh`. The next run fetches only the rest.
    """
    outcomes: list[FamilyResult] = []
    absent: list[Note] = []
    wanted = [
        _Request(local.ticket.key or "", tuple(local.ticket.keys()), local.path)
        for local in never_pulled
    ]
    done, total = 0, sum(len(request.members) for request in wanted)
    for batch in _batches(wanted):
        session.progress.say(f"Comparing with Jira: {done}/{total} tickets")
        now = await _read(session, batch, _NEVER_THERE)
        outcomes += await _write(session, now, seen)
        for request in batch:
            family = now[request.head]
            if isinstance(family, Unavailable):
                absent.append(Note(request.head, request.path, family.reason, family.code))
        done += sum(len(request.members) for request in batch)
    return outcomes, absent


async def _read(
    session: Session, batch: Sequence[_Request], otherwise: Unavailable, *, keep_lost: bool = False
) -> dict[str, RenderedFamily | Unavailable]:
    """Fetch and render some tickets; return each, or why it is unavailable, by its head's ID or key.

    Args:
        session: The workspace and the site.
        batch: The tickets.
        otherwise: What to return of a ticket that Jira does not have.
        keep_lost: See `fetch_families`.
    """
    families: dict[str, RenderedFamily | Unavailable] = {}
    answers = await _fetch(session, [name for request in batch for name in request.names])
    renders: dict[str, Callable[[], RenderedFamily | Unavailable]] = {}
    for request in batch:
        if absent := request.unavailable(answers, otherwise):
            families[request.head] = absent
            continue
        issues = request.issues_in(answers.issues)
        if keep_lost:
            issues += await _lost_subtasks(session, request, issues)
        renders[request.head] = partial(_render, session.columns, request.path, issues, otherwise)
    rendered = await compute_all(session.in_thread, list(renders.values()))
    return families | dict(zip(renders, rendered, strict=True))


def _render(
    columns: Columns, path: str, issues: Sequence[Issue], otherwise: Unavailable
) -> RenderedFamily | Unavailable:
    """Render a ticket; return ``otherwise`` where Jira's answer cannot be a ticket."""
    head, *others = issues
    try:
        return render_family(head, others, columns, path=path)
    except (InvalidKey, InvalidTicket):
        return otherwise


def _batches(wanted: Iterable[_Request]) -> Iterator[list[_Request]]:
    """Yield groups of tickets whose issues fit into one bulk fetch."""
    batch: list[_Request] = []
    size = 0
    for request in wanted:
        if batch and size + len(request.names) > PAGE:
            yield batch
            batch, size = [], 0
        batch.append(request)
        size += len(request.names)
    if batch:
        yield batch


async def _fetch(session: Session, names: Sequence[str]) -> _Fetched:
    """Fetch issues by ID or by key."""
    issues: dict[str, Issue] = {}
    failed: dict[str, str] = {}
    renamed: dict[str, str] = {}
    for chunk in chunks(names, PAGE):
        answer = await fetch_whole(session.jira, session.columns, chunk)
        for issue in await session.picture_files.add(answer.issues):
            issues[issue.id] = issues[issue.key] = issue
        failed.update(answer.failed)
        for key in answer.missing if answer.renamed else ():
            # An answer to one key alone shows which issue had that key.
            alone = await session.jira.bulk_fetch([key], fields=["summary"])
            renamed.update((key, issue.key) for issue in alone.renamed)
    return _Fetched(issues, failed, renamed)


async def _lost_subtasks(
    session: Session, wanted: _Request, issues: Sequence[Issue]
) -> list[Issue]:
    """Return sub-tasks that are in the file but no longer in Jira; only a prune removes them."""
    there = {name for issue in issues for name in (issue.id, issue.key)}
    if not issues or there.issuperset(wanted.members):
        return []

    def look() -> list[Issue]:
        known = session.state.issues_of(wanted.head)
        lost = [issue for issue in known if not there & {issue.id, issue.key}]
        try:
            tickets = session.store.tickets(wanted.path)
        except TicketrError:  # the file was broken since a moment ago, and is not written
            return lost
        here = set(chain.from_iterable(ticket.keys() for ticket in tickets))
        return [issue for issue in lost if issue.key in here]

    return await session.in_thread(look)


async def _write(
    session: Session, now: Mapping[str, RenderedFamily | Unavailable], seen: float
) -> list[FamilyResult]:
    """Write the tickets that were fetched into their files and the state."""
    writer = FamilyWriter(
        session.store,
        session.state,
        seen=seen,
        prefer=session.job.prefer,
        prefer_from_file=session.job.prefer_from_file,
    )
    outcomes: list[FamilyResult] = []
    ready = (family for family in now.values() if not isinstance(family, Unavailable))
    for portion in portions(ready, lambda family: len(family.text.text)):
        async with session.disk:
            written, error = await session.in_thread(writer.write, portion)
        outcomes += written
        if error is not None:
            raise error
    return outcomes
