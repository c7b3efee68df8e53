"""Fetches complete tickets: to compare local changes with them, or to write them into their files.

The comparison finds out which of the local changes may be sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from ticketr._errors import TicketrError
from ticketr.app.jira import Issue
from ticketr.app.sync import concurrency
from ticketr.app.sync.compare.diff import Change, is_markdown, issues_by_key
from ticketr.app.sync.compare.grafting import find_files_without_media_id
from ticketr.app.sync.compare.mapping import Columns, is_subtask, parent_id
from ticketr.app.sync.compare.sent import (
    SentComment,
    SentValue,
    add_arrived_values_to_base,
    number_sent_comments,
)
from ticketr.app.sync.compare.wording import keep_wording_of_base
from ticketr.app.sync.edits.local_changes import TicketChanges, new_jira_changes, unsent_edits
from ticketr.app.sync.notes import (
    Code,
    Note,
    conflict_reason,
    issue_not_returned_reason,
    moved_reason,
)
from ticketr.app.sync.push.outbox import find_arrived_and_forget_lost
from ticketr.app.sync.state.state import State
from ticketr.app.sync.workspace.store import LocalTicket
from ticketr.app.sync.writing.rendering import (
    RenderedFamily,
    add_attachment_media_ids,
    add_missing_comments,
    render_family,
)
from ticketr.app.sync.writing.writer import FamilyResult, FamilyWriter
from ticketr.app.tickets import InvalidKey, UnwritableTicket

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session


@dataclass(frozen=True, slots=True)
class TicketToFetch:
    """A ticket to fetch.

    Attributes:
        head_id_or_key: The ID of its head, or the key if it was never pulled into this workspace.
        key: The key of its head.
        path: Its file, relative to the workspace.
        added_task_keys: Keys that were added to its file since the last sync. Issues that
            are its sub-tasks in Jira are fetched with it.
        ids_or_keys: The ID or key of each of its issues; empty for those of the last sync.
    """

    head_id_or_key: str
    key: str
    path: str
    added_task_keys: Sequence[str] = ()
    ids_or_keys: Sequence[str] = ()

    @classmethod
    def of(cls, change: TicketChanges) -> TicketToFetch:
        """Return what to fetch for a ticket with a local change, which is no draft."""
        assert change.head_id is not None
        return cls(change.head_id, change.key_or_title, change.local.path, change.added_task_keys)

    @property
    def ids_and_keys_to_fetch(self) -> Sequence[str]:
        """The IDs and keys of all issues to fetch."""
        return (*self.ids_or_keys, *self.added_task_keys)

    def note(self, reason: str, code: Code) -> Note:
        """Return a note that says why it could not be fetched."""
        return Note(self.key, self.path, reason, code)

    def issues_in(self, answers: Mapping[str, Issue]) -> list[Issue]:
        """Return its issues, the head first."""
        names = (self.head_id_or_key, *self.ids_or_keys)
        issues = [answers[name] for name in names if name in answers]
        issues += (
            issue
            for issue in map(answers.get, self.added_task_keys)
            if issue is not None and is_subtask(issue) and parent_id(issue) == self.head_id_or_key
        )
        return list({issue.id: issue for issue in issues}.values())


async def fetch_and_write(
    session: Session, requests: Iterable[TicketToFetch], *, seen: float
) -> tuple[list[FamilyResult], list[Note]]:
    """Fetch tickets and write them into their files and the state.

    Args:
        session: The workspace and the site.
        requests: The tickets.
        seen: The time by Jira's clock before the call, in seconds since the epoch.

    Returns:
        The result for each ticket that was fetched, and a note on each other ticket.

    Cancellation:
        Takes effect at once, or after a running write. Written tickets stay.
    """
    now = (await _fetch(session, requests, keep_lost_subtasks=True)).values()
    families = [family for family in now if not isinstance(family, Note)]
    writer = FamilyWriter(
        session.store,
        session.state,
        seen=seen,
        prefer=session.job.prefer,
        is_prefer_from_folder=session.job.is_prefer_from_folder,
    )
    outcomes: list[FamilyResult] = []
    for portion in concurrency.split_by_limits(families, lambda family: len(family.content.text)):
        async with session.disk_lock:
            written, error = await session.in_thread(writer.write, portion)
        outcomes += written
        if error is not None:
            raise error
    return outcomes, [note for note in now if isinstance(note, Note)]


async def record_never_pulled(
    session: Session, never_pulled: Sequence[LocalTicket], *, seen: float
) -> tuple[list[FamilyResult], list[Note]]:
    """Record tickets with keys that were never pulled into this workspace.

    A ticket that is equal to Jira's becomes its base. If they differ, it is a conflict.

    Returns:
        As `fetch_and_write`.

    Cancellation:
        As for `fetch_and_write`. The next run fetches only the rest.
    """
    outcomes: list[FamilyResult] = []
    absent: list[Note] = []
    requests: list[TicketToFetch] = []
    for local in never_pulled:
        key = local.ticket.key or ""
        requests.append(TicketToFetch(key, key, local.path, ids_or_keys=tuple(local.ticket.keys())))
    done, total = 0, sum(len(request.ids_or_keys) for request in requests)
    for batch in _batches(requests):
        session.progress.report(f"Comparing with Jira: {done}/{total} tickets")
        written, notes = await fetch_and_write(session, batch, seen=seen)
        outcomes += written
        absent += notes
        done += sum(len(request.ids_or_keys) for request in batch)
    return outcomes, absent


async def _fetch(
    session: Session, requests: Iterable[TicketToFetch], *, keep_lost_subtasks: bool = False
) -> dict[str, RenderedFamily | Note]:
    """Fetch tickets and render them.

    Args:
        session: The workspace and the site.
        requests: The tickets.
        keep_lost_subtasks: Whether sub-tasks that Jira no longer has keep their lines in the file.

    Returns:
        Each ticket, or why it could not be fetched, by its head.
    """
    wanted = list(requests)
    members = {request.head_id_or_key: request.ids_or_keys for request in wanted}
    unknown = [head for head in members if not members[head]]
    for heads in concurrency.chunks(unknown, concurrency.BULK_FETCH_SIZE):
        members |= await session.in_thread(session.state.issue_ids_by_head_id, heads)
    wanted = [replace(request, ids_or_keys=members[request.head_id_or_key]) for request in wanted]
    fetch = partial(_fetch_batch, session, keep_lost_subtasks=keep_lost_subtasks)
    families: dict[str, RenderedFamily | Note] = {}
    for some in await concurrency.map_in_tasks(fetch, _batches(wanted)):
        families |= some
    return families


def _batches(requests: Iterable[TicketToFetch]) -> Iterator[list[TicketToFetch]]:
    """Yield groups of tickets whose issues fit into one bulk fetch."""
    page = concurrency.BULK_FETCH_SIZE
    return concurrency.split_by_limits(
        requests, lambda request: len(request.ids_and_keys_to_fetch), page, max_length=page
    )


async def _fetch_batch(
    session: Session, batch: Sequence[TicketToFetch], *, keep_lost_subtasks: bool
) -> dict[str, RenderedFamily | Note]:
    """Fetch and render some tickets, as `_fetch` does."""
    issues: dict[str, Issue] = {}  # by ID, and by key
    failed: dict[str, str] = {}  # why an issue could not be fetched, by ID or key
    renamed: dict[str, str] = {}  # the new keys of moved issues, by their old keys
    names = [name for request in batch for name in request.ids_and_keys_to_fetch]
    for chunk in concurrency.chunks(names, concurrency.BULK_FETCH_SIZE):
        answer = await session.jira.bulk_fetch(
            chunk, fields=session.file_fields.requested_ids, partly=True
        )
        if session.file_fields.has_comments:
            answer = await add_missing_comments(session.jira, answer, chunk)
        place = session.jira, session.state, session.in_thread
        for issue in await add_attachment_media_ids(*place, answer.issues):
            issues[issue.id] = issues[issue.key] = issue
        failed.update(answer.failed)
        if answer.renamed:
            moved = await session.jira.find_renamed(answer, fields=["summary"])
            renamed |= {key: issue.key for key, issue in moved.items()}
    lost: dict[str, list[Issue]] = {}
    for request in batch if keep_lost_subtasks else ():
        head = request.head_id_or_key
        if head in issues and any(name not in issues for name in request.ids_or_keys):
            own = request.issues_in(issues)
            lost[head] = await session.in_thread(_lost_subtasks_in_file, session, request, own)
    renders = [
        partial(
            _render,
            request,
            issues,
            lost.get(request.head_id_or_key, ()),
            columns=session.file_fields,
            failed=failed,
            renamed=renamed,
        )
        for request in batch
    ]
    families = await concurrency.compute_in_batches(session.in_thread, renders)
    return {request.head_id_or_key: family for request, family in zip(batch, families, strict=True)}


def _lost_subtasks_in_file(
    session: Session, request: TicketToFetch, issues: Sequence[Issue]
) -> list[Issue]:
    """Return sub-tasks that are in the file but no longer in Jira."""
    there = {name for issue in issues for name in (issue.id, issue.key)}
    known = session.state.issues_of(request.head_id_or_key)
    lost = [issue for issue in known if not there & {issue.id, issue.key}]
    try:
        tickets = session.store.read_tickets(request.path)
    except TicketrError:  # the file was broken since a moment ago, and is not written
        return lost
    here = set(chain.from_iterable(ticket.keys() for ticket in tickets))
    return [issue for issue in lost if issue.key in here]


def _render(
    request: TicketToFetch,
    issues: Mapping[str, Issue],
    lost: Sequence[Issue],
    *,
    columns: Columns,
    failed: Mapping[str, str],
    renamed: Mapping[str, str],
) -> RenderedFamily | Note:
    """Render a ticket; return a note if it was not fetched, or cannot be a ticket.

    Args:
        request: The ticket.
        issues: The fetched issues, by ID and by key.
        lost: Sub-tasks that Jira no longer has, and that stay in the file.
        columns: What files hold.
        failed: Why an issue could not be fetched, by its ID or key.
        renamed: The new keys of moved issues, by their old keys.
    """
    if words := next(filter(None, map(failed.get, request.ids_and_keys_to_fetch)), ""):
        return request.note(
            f"{issue_not_returned_reason(words)}; try again later", Code.REQUEST_FAILED
        )
    if request.head_id_or_key in renamed:
        return request.note(moved_reason(request.head_id_or_key, renamed), Code.MOVED)
    if request.head_id_or_key in issues:
        head, *others = *request.issues_in(issues), *lost
        with suppress(InvalidKey, UnwritableTicket):  # Jira's answer cannot be a ticket
            return render_family(head, others, columns, path=request.path)
    return request.note("Jira does not have it, or you may not see it", Code.NOT_FOUND)


class PushAction(Enum):
    """What a push does with the changes of a ticket, once they were compared with Jira."""

    SEND = "it sends them"
    ALREADY_IN_JIRA = "Jira has them already"
    MERGE_FIRST = "Jira's changes are merged into the file first"
    HOLD_BACK = "it leaves them, since the ticket has changed in Jira"
    FAIL = "it cannot send them"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The comparison of one local change with Jira.

    Attributes:
        local_change: The change in its file.
        action: What the push does with it.
        unsent_part_notes: Why a part of it is not sent, or all of it.
        edits_to_send: The edits that Jira does not have yet, by key.
        issues: Each issue as Jira has it, by key.
        section_field_ids: The ID of each field with a section of its own, by its name.
    """

    local_change: TicketChanges
    action: PushAction
    unsent_part_notes: tuple[Note, ...] = ()
    edits_to_send: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    issues: Mapping[str, Issue] = field(default_factory=dict)
    section_field_ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _TicketInState:
    """What the state has of a ticket.

    Attributes:
        issues: Its issues at the last sync.
        maybe_sent_values_by_key: Values that Jira may have since, by the keys of the issues.
        clashes: The parts that a pull has found changed on both sides.
    """

    issues: Sequence[Issue]
    maybe_sent_values_by_key: Mapping[str, Sequence[SentValue]]
    clashes: Sequence[str]


async def compare_with_jira(
    session: Session, local_changes: Sequence[TicketChanges], *, merging: bool
) -> list[Comparison]:
    """Compare local changes with what Jira has now.

    See `Push.run` for ``merging``.

    Returns:
        One comparison for each change, in the same order.
    """
    by_head = {change.head_id: change for change in local_changes if change.head_id is not None}
    known: dict[str, _TicketInState] = {}
    for heads in concurrency.chunks(list(by_head), concurrency.FILES_PER_THREAD_VISIT):
        known |= await session.in_thread(_read_known_tickets, session.state, heads)
    requests = [
        replace(TicketToFetch.of(change), ids_or_keys=[issue.id for issue in known[head].issues])
        for head, change in by_head.items()
    ]
    comparisons: dict[str, Comparison] = {}
    ready: dict[str, RenderedFamily] = {}
    for head, family in (await _fetch(session, requests)).items():
        change = by_head[head]
        if isinstance(family, Note):
            comparisons[head] = Comparison(change, PushAction.FAIL, (family,))
            continue
        issues = family.issues
        # The media IDs of attachments that edited texts show by their names. After an interrupted
        # push, also a text that is as at the last sync may be an edit: Jira may have another.
        parts = (edit.part for edits in change.edits.values() for edit in edits)
        if known[head].maybe_sent_values_by_key or any(map(is_markdown, parts)):
            place = session.jira, session.state, session.in_thread
            if names := find_files_without_media_id(change.local.ticket, issues):
                issues = tuple(await add_attachment_media_ids(*place, issues, names))
        ready[head] = replace(family, issues=issues)
    comments: list[SentComment] = []
    if session.file_fields.has_comments:
        present = [issue for family in ready.values() for issue in family.issues]
        comments = await find_arrived_and_forget_lost(session, present)
    compares = [
        partial(_compare_change, by_head[head], family, known[head], comments, merging=merging)
        for head, family in ready.items()
    ]
    # A cancellation does not wait for a comparison, which takes a second for the longest texts.
    compared = await concurrency.compute_in_batches(session.in_thread, compares)
    comparisons.update(zip(ready, compared, strict=True))
    # The user is advised to pull. But closing a sprint or renaming a person does not change the
    # issue's `updated`, so without this mark the pull would not fetch it.
    stale = [
        issue.id
        for comparison in comparisons.values()
        for issue in comparison.issues.values()
        if comparison.action is PushAction.HOLD_BACK
    ]
    if stale:
        await session.in_thread(session.state.mark_stale, stale)
    return [
        Comparison(local_change, PushAction.SEND)
        if local_change.head_id is None
        else comparisons[local_change.head_id]
        for local_change in local_changes
    ]


def _read_known_tickets(state: State, head_ids: Iterable[str]) -> dict[str, _TicketInState]:
    """Read what is known of some tickets, by the IDs of their heads."""
    clashes = {conflict.head_id: conflict.clashes for conflict in state.conflicts.all()}
    return {
        head_id: _TicketInState(
            state.issues_of(head_id), state.sent.values_by_key(head_id), clashes.get(head_id, ())
        )
        for head_id in head_ids
    }


def _compare_change(
    change: TicketChanges,
    family: RenderedFamily,
    known: _TicketInState,
    sent_comments: Sequence[SentComment],
    *,
    merging: bool,
) -> Comparison:
    """Compare the local change of one ticket with Jira.

    Args:
        change: The change.
        family: The ticket as Jira has it now.
        known: What the state has of it.
        sent_comments: The new comments that Jira has already.
        merging: See `Push.run`.
    """
    assert change.base is not None
    base, here = change.base, change.local.ticket
    remote, sections = family.content.ticket, family.content.section_names_and_ids
    if sent_comments:
        base, here = number_sent_comments(base, here, sent_comments, remote)
    # An interrupted push may have sent values, or created an issue that was never read.
    if known.maybe_sent_values_by_key or not all(issue.fields for issue in known.issues):
        base, here = add_arrived_values_to_base(
            base, here, remote, family.issues, known.maybe_sent_values_by_key, earlier=known.issues
        )
    if base is not change.base:  # an interrupted push has sent some edits
        change = change.recompute_edits(base, here)
    assert change.base is not None
    keys = {issue.id: issue.key for issue in family.issues}
    issues = {issue.key: issue for issue in family.issues}
    renamed = {
        issue.key: now
        for issue in known.issues
        if (now := keys.get(issue.id, issue.key)) != issue.key
    }
    if change.key_or_title in renamed:
        reason = moved_reason(change.key_or_title, renamed)
        note = Note(change.key_or_title, change.local.path, reason, Code.MOVED)
        return Comparison(change, PushAction.FAIL, (note,))
    theirs: Mapping[str, tuple[Change, ...]] = {}
    if remote != change.base:
        remote = keep_wording_of_base(
            remote,
            family.issues,
            base=change.base,
            earlier=known.issues,
            sections=sections,
        )
        theirs = new_jira_changes(change.base, here, remote)
    if theirs:
        if merging and not known.clashes:
            return Comparison(change, PushAction.MERGE_FIRST)
        note = _changed_in_jira_note(change, theirs, known.clashes)
        return Comparison(change, PushAction.HOLD_BACK, (note,), issues=issues)
    there = issues_by_key(remote)
    absent = [key for key in (*change.added_task_keys, *change.edits) if key not in there]
    edits = {
        key: left
        for key, changes in change.edits.items()
        if key in there and (left := unsent_edits(changes, there[key]))
    }
    notes = tuple(_not_subtask_in_jira_note(key, change, renamed) for key in absent)
    action = PushAction.SEND if edits or change.new_tasks or absent else PushAction.ALREADY_IN_JIRA
    return Comparison(change, action, notes, edits, issues, dict(sections))


def _not_subtask_in_jira_note(key: str, change: TicketChanges, renamed: Mapping[str, str]) -> Note:
    """Return a note that says why an issue is not a sub-task of this ticket in Jira."""
    if key in renamed:
        return Note(key, change.local.path, moved_reason(key, renamed), Code.MOVED)
    parent = change.key_or_title
    reason = (
        f"Jira does not have it as a sub-task of {parent}; move it back in the files, or in Jira "
        f"by ticketr bulk {key} --move {parent}"
    )
    return Note(key, change.local.path, reason, Code.OTHER_PARENT)


def _changed_in_jira_note(
    change: TicketChanges, theirs: Mapping[str, Sequence[Change]], clashes: Sequence[str]
) -> Note:
    """Return a note that says what to do about a ticket that has changed in Jira."""
    if known := ", ".join(clashes):
        reason = conflict_reason(change.key_or_title, known)
        return Note(change.key_or_title, change.local.path, reason, Code.CONFLICT)
    what = ", ".join(
        f"{key}: {remote_change.name}" for key in theirs for remote_change in theirs[key]
    )
    reason = f"changed in Jira since the last pull ({what}); pull first, or sync"
    return Note(change.key_or_title, change.local.path, reason, Code.CHANGED_IN_JIRA)
