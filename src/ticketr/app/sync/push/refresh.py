"""Fetches complete tickets by ID or key, and writes them into their files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING

from ticketr._errors import TicketrError
from ticketr.app.jira import Issue
from ticketr.app.jira.adf import load_conversions
from ticketr.app.sync.compare.mapping import Columns, KnownText, is_subtask, parent_id, weight_of
from ticketr.app.sync.concurrency import MAX_INLINE_WORK, PAGE, chunks, compute, portions
from ticketr.app.sync.notes import Code, Note, moved_away, not_given
from ticketr.app.sync.state.state import State
from ticketr.app.sync.workspace.store import LocalTicket
from ticketr.app.sync.writing.rendering import RenderedFamily, known_texts, render_family
from ticketr.app.sync.writing.whole_issues import fetch_whole
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
        known: The texts of descriptions at the last sync, by the IDs of their issues.
    """

    head: str
    members: Sequence[str]
    path: str
    added_keys: Sequence[str] = ()
    known: Mapping[str, KnownText] = field(default_factory=dict)

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

    def is_converted(self, answers: Mapping[str, Issue], columns: Columns) -> bool:
        """Return whether texts of its issues have to be converted."""
        issues = self.issues_in(answers)
        if columns.comments or columns.texts:
            return bool(issues)
        known = self.known
        return not all(issue.id in known and known[issue.id].is_of(issue) for issue in issues)


async def fetch_families(
    session: Session,
    heads: Mapping[str, str],
    added_keys: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> dict[str, RenderedFamily | Unavailable]:
    """Fetch tickets.

    Args:
        session: The workspace and the site.
        heads: Each ticket's file, relative to the workspace, by its head's ID.
        added_keys: Keys that were added to a ticket's file since the last sync, by its head's ID.
            Issues that are its sub-tasks in Jira are fetched with it.

    Returns:
        Each ticket, or why it could not be fetched, by its head's ID.
    """
    return await _read(session, await _requests(session, heads, added_keys))


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
        heads: Each ticket's file, relative to the workspace, by its head's ID.
        added_keys: See `fetch_families`.
        seen: The time by Jira's clock before the call, in seconds since the epoch.

    Returns:
        The result for each ticket that was fetched, and why the others were not, by their heads'
        IDs.

    Cancellation:
        Takes effect at once, or after a running write. Written tickets stay.
    """
    now = await _read(session, await _requests(session, heads, added_keys), keep_lost=True)
    absent = {head: family for head, family in now.items() if isinstance(family, Unavailable)}
    return await _write(session, _writer(session, seen), now), absent


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
    writer = _writer(session, seen)
    outcomes: list[FamilyResult] = []
    absent: list[Note] = []
    paths = {ticket.ticket.key: ticket.path for ticket in never_pulled}
    wanted = [
        _Request(ticket.ticket.key or "", tuple(ticket.ticket.keys()), ticket.path)
        for ticket in never_pulled
    ]
    done, total = 0, sum(len(request.members) for request in wanted)
    for batch in _batches(wanted):
        session.progress.say(f"Comparing with Jira: {done}/{total} tickets")
        now = await _read(session, batch, otherwise=_NEVER_THERE)
        outcomes += await _write(session, writer, now)
        absent += (
            Note(key, paths[key], family.reason, family.code)
            for key, family in now.items()
            if isinstance(family, Unavailable)
        )
        done += sum(len(request.members) for request in batch)
    return outcomes, absent


async def _requests(
    session: Session, heads: Mapping[str, str], added_keys: Mapping[str, Sequence[str]]
) -> list[_Request]:
    """Return requests for some tickets with the issues that they had at the last sync."""
    wanted: list[_Request] = []
    for chunk in chunks(list(heads), PAGE):
        members, known = await session.in_thread(_last_sync, session.state, chunk)
        wanted += (
            _Request(text, members[text], heads[text], added_keys.get(text, ()), known[text])
            for text in chunk
        )
    return wanted


def _last_sync(
    state: State, heads: Sequence[str]
) -> tuple[dict[str, list[str]], dict[str, dict[str, KnownText]]]:
    """Read the IDs of the issues in some tickets, and the texts of their descriptions."""
    return state.members(heads), {head: known_texts(state, head) for head in heads}


async def _read(
    session: Session,
    wanted: Iterable[_Request],
    *,
    keep_lost: bool = False,
    otherwise: Unavailable = _NO_LONGER_THERE,
) -> dict[str, RenderedFamily | Unavailable]:
    """Fetch and render tickets; return each, or why it is unavailable, by its head's ID or key.

    With ``keep_lost``, sub-tasks that Jira no longer has keep their lines in the file.
    """
    families: dict[str, RenderedFamily | Unavailable] = {}
    for batch in _batches(wanted):
        answers = await _fetch(session, [name for request in batch for name in request.names])
        if any(request.is_converted(answers.issues, session.columns) for request in batch):
            await session.in_thread(load_conversions, abandon_on_cancel=True)
        for request in batch:
            if absent := request.unavailable(answers, otherwise):
                families[request.head] = absent
                continue
            issues = request.issues_in(answers.issues)
            if keep_lost:
                issues += await _lost_subtasks(session, request, issues)
            families[request.head] = await _render(session, request, issues) or otherwise
    return families


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


async def _render(
    session: Session, wanted: _Request, issues: Sequence[Issue]
) -> RenderedFamily | None:
    """Render a ticket's text; return None if Jira's answer cannot be a ticket."""
    write = partial(
        render_family, issues[0], issues[1:], session.columns, path=wanted.path, known=wanted.known
    )
    try:
        return await compute(session.in_thread, weight_of(issues, MAX_INLINE_WORK), write)
    except (InvalidKey, InvalidTicket):
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
    """Write the tickets that were fetched into their files and the state."""
    outcomes: list[FamilyResult] = []
    ready = (family for family in now.values() if not isinstance(family, Unavailable))
    for portion in portions(ready, lambda family: len(family.text.text)):
        async with session.disk:
            written, error = await session.in_thread(writer.write, portion)
        outcomes += written
        if error is not None:
            raise error
    return outcomes
