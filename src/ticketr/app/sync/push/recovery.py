"""Finds new issues whose answer was lost, and new issues whose key is not in a file.

Jira has no idempotent create. So each new issue has a random marker in its properties, and the
state records each request before it is sent. Later, the issue is found by its marker among the keys
that follow the highest key before the push. They are fetched by key, since the search index lags.

If Jira created an issue more than `SessionJob.lost_request_life_seconds` seconds after the request, it
would be created twice. Jira's gateway times out long before that.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ticketr._errors import TicketrError
from ticketr.app.jira import Issue
from ticketr.app.sync.compare.diff import CorePart, issues_by_key
from ticketr.app.sync.compare.mapping import LINK_FIELD
from ticketr.app.sync.compare.sent import from_json
from ticketr.app.sync.concurrency import BULK_FETCH_SIZE, FILES_PER_THREAD_VISIT, chunks
from ticketr.app.sync.edits.drafts import EQUAL, SAME_TITLE, DraftMatcher, read_draft_without_tasks
from ticketr.app.sync.edits.local_changes import find_parent_draft, with_parent_key
from ticketr.app.sync.edits.survey import find_files, visit_files
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.push.outbox import MARKER_PROPERTY, wait_out_lost_requests
from ticketr.app.sync.push.transitions import status_of
from ticketr.app.sync.queries import OVERLAP_MINUTES, unordered_jql_or_project_query
from ticketr.app.sync.state.journal import Creation
from ticketr.app.sync.state.state import IssueRow, MergeBase, State
from ticketr.app.sync.workspace.editor import FileEditor
from ticketr.app.sync.workspace.files import attempt_change
from ticketr.app.tickets import Ticket, TicketFile, parse, render_ticket, rewrite

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session
    from ticketr.app.sync.workspace.store import Store


async def write_key_and_record(
    session: Session,
    editor: FileEditor,
    creation: Creation,
    name: str,
    *,
    status: str | None,
    drafts: Collection[Ticket],
) -> bool | TicketrError:
    """Write the key of a new issue into its draft's file, and the issue into the state.

    The drafts that name it as their parent get the key, too. The file is synced to disk.

    Args:
        session: The workspace.
        editor: Writes the file.
        creation: The new issue.
        name: The file that may hold its draft, relative to the workspace.
        status: The status of the issue. If it is None, the caller must call `record_as_base` once
            the status is known.
        drafts: The drafts of other issues, see `DraftMatcher`.

    Returns:
        Whether the draft or the key is in that file, or why the file cannot be changed.

    Cancellation:
        Takes effect before the write alone.
    """
    matcher = DraftMatcher(creation, drafts)

    def change(file: TicketFile) -> TicketFile | None:
        if matcher.is_new_key_in(file.tickets):
            return file
        match = matcher.add_key(file.tickets)
        if match is None:
            return None
        draft = file.tickets[match[0]]
        below = {
            at: with_parent_key(ticket, creation.key)
            for at, ticket in enumerate(file.tickets)
            if find_parent_draft(ticket, file.tickets) is draft
        }
        return rewrite(file, {**below, match[0]: match[1]})

    def write() -> bool:
        is_written = editor.try_change_durably(name, change)
        if is_written and status is not None:
            record_as_base(session.state, creation, name, status)
        return is_written

    return await session.in_thread(attempt_change, write)


def unwritten_key_note(creation: Creation, path: str, problem: TicketrError) -> Note:
    """Note a new issue whose key cannot be written into its draft's file."""
    reason = f"it was created, but its key is not in its file: {problem}; the next run tries again"
    return Note(creation.key, path, reason, Code.BROKEN)


def record_as_base(state: State, creation: Creation, path: str, status: str) -> None:
    """Record the draft that was sent as the base, so that Jira's additions are not a conflict.

    Args:
        state: The workspace's state.
        creation: A new issue whose key is in its file.
        path: The file, relative to the workspace.
        status: The issue's status in Jira. If the draft has another one, that is an edit.
    """
    draft = read_draft_without_tasks(creation)
    fields = dict(draft.fields)
    if fields.pop("Status", None) and status:
        fields["Status"] = status
    parts = from_json(creation.parts)
    # Pictures of files are text until the issue exists.
    described = next((part.text for part in parts if part.part is CorePart.DESCRIPTION), None)
    if described is not None:
        draft = replace(draft, description=described)
    later = {part.part for part in parts if part.field_id == LINK_FIELD}
    fields = {name: text for name, text in fields.items() if name not in later}
    # Its comments, links and pictures are sent once it exists.
    issue = replace(draft, key=creation.key, fields=fields, comments=())
    row = IssueRow(Issue(creation.id, creation.key, {}), is_stale=True)
    with state.batch():
        if creation.parent is None:
            state.record(creation.id, MergeBase(path, render_ticket(issue)), [row], seen=0.0)
        elif texts := state.base_by_head_key(creation.parent):
            head, base = texts
            (parent,) = parse(base.jira_text).tickets
            if creation.key not in issues_by_key(parent):
                parent = replace(parent, tasks=(*parent.tasks, issue))
            rows = [*(IssueRow(known, is_stale=True) for known in state.issues_of(head)), row]
            state.record(head, MergeBase(base.path, render_ticket(parent)), rows, seen=0.0)
        state.sent.put(creation.key, parts)
        state.creations.mark_in_file_and_purge_old(replace(creation, path=path), now=time.time())


#: How many consecutive pages without any issue end the search for the next keys. Deleted issues
#: leave gaps.
MAX_EMPTY_PAGES = 10


async def recover_created_keys(
    session: Session, on_recovered: Callable[[str], object], on_failed: Callable[[Note], object]
) -> None:
    """Find the issues of an interrupted run and write their keys into the files.

    So are recent keys that are in no file now, so that no draft is created twice: an editor may have
    saved an old copy of the draft, or git may have checked it out.

    Args:
        session: The workspace and the site.
        on_recovered: Gets each key that was written.
        on_failed: Gets a note on each key that could not be written into its file.

    Cancellation:
        Takes effect at once; the next run finds the rest.
    """
    requests = await session.in_thread(session.state.creations.read_in_no_file)
    while True:  # a sub-task is found once its ticket has its key again
        await _find_created_and_write_keys(session, requests, on_recovered, on_failed)
        requests = await _reopen_creations_in_no_file(session)
        if not requests:
            return


async def _find_created_and_write_keys(
    session: Session,
    requests: Sequence[Creation],
    on_recovered: Callable[[str], object],
    on_failed: Callable[[Note], object],
) -> None:
    """Find out which requested issues exist, and write their keys into the files."""
    drafts = frozenset(map(read_draft_without_tasks, requests))
    creations = await find_created_when_sure(session, [one for one in requests if not one.key])
    existing: list[Creation] = []
    for request in requests:
        creation = request if request.key else creations.get(request.marker)
        if creation is None:  # it was certainly not created
            await session.in_thread(session.state.creations.forget, request)
        else:
            existing.append(creation)
    for chunk in chunks(existing, BULK_FETCH_SIZE):
        session.progress.report("Writing the keys of new tickets...")
        ids = [creation.id for creation in chunk]
        answer = await session.jira.bulk_fetch(ids, fields=["status"])
        issues = {issue.id: issue for issue in answer.issues}  # without those that were deleted
        for creation in chunk:
            issue = issues.get(creation.id)
            outcome = await _find_draft_and_write_key(session, creation, issue, drafts)
            if isinstance(outcome, TicketrError):
                on_failed(unwritten_key_note(creation, creation.path, outcome))
            elif outcome:
                on_recovered(creation.key)


async def find_created_when_sure(
    session: Session, requests: Sequence[Creation], *, since_trio_time: float | None = None
) -> dict[str, Creation]:
    """Find out which requested issues exist, once that is certain.

    Args:
        session: The workspace and the site.
        requests: The requests.
        since_trio_time: See `wait_out_lost_requests`.

    Returns:
        The requests whose issues exist, by their markers, with IDs and keys. The state holds them.

    Raises:
        JiraError: A request failed, so the answer is unknown.

    Cancellation:
        Takes effect at once, also during the wait for a late request.
    """
    if requests:
        more = f" and {len(requests) - 1} more" if len(requests) > 1 else ""
        verb = "were" if more else "was"
        what = f'finding out whether "{requests[0].title}"{more} {verb} created'
        await wait_out_lost_requests(session, requests, what, since_trio_time=since_trio_time)
    creations: dict[str, Creation] = {}
    for project in dict.fromkeys(creation.project for creation in requests):
        own = [creation for creation in requests if creation.project == project]
        creations |= await _find_existing_by_marker(session, own)
    if creations:
        await session.in_thread(session.state.creations.put, *creations.values())
    return creations


async def _find_existing_by_marker(
    session: Session, requests: Sequence[Creation]
) -> dict[str, Creation]:
    """Search one project for requested issues by their markers.

    Returns:
        The requests whose issues exist, by their markers; the other issues certainly do not exist.
    """
    project = requests[0].project
    missing = {creation.marker: creation for creation in requests}
    found: dict[str, Creation] = {}

    async def read(ids: Sequence[str]) -> bool:
        """Fetch some issues and check their markers; return whether any issue exists."""
        answer = await session.jira.bulk_fetch(
            ids, fields=["summary"], properties=[MARKER_PROPERTY]
        )
        issues = (*answer.issues, *answer.renamed)  # a moved issue has another key
        for issue in issues:
            marker = issue.properties.get(MARKER_PROPERTY)
            if isinstance(marker, str) and marker in missing:
                found[marker] = missing.pop(marker).answered(issue.id, issue.key)
        return bool(issues)

    number, empty = min(creation.after for creation in requests), 0
    while missing and empty < MAX_EMPTY_PAGES:
        keys = [f"{project}-{number + step}" for step in range(1, BULK_FETCH_SIZE + 1)]
        empty = 0 if await read(keys) else empty + 1
        number += BULK_FETCH_SIZE
    if missing:  # the newest issues, in case the keys have a wider gap
        sent = min(creation.sent for creation in requests)
        minutes = max(0, math.ceil((time.time() - sent) / 60)) + OVERLAP_MINUTES
        query = f"{unordered_jql_or_project_query(project, None)} AND created >= -{minutes}m ORDER BY key DESC"
        for chunk in chunks(await session.jira.search_ids(query), BULK_FETCH_SIZE):
            if missing:
                await read(chunk)
    return found


async def _find_draft_and_write_key(
    session: Session, creation: Creation, issue: Issue | None, drafts: Collection[Ticket]
) -> bool | TicketrError:
    """Write a key into its draft, wherever that is; say whether the draft was found.

    Without an ``issue``, it was deleted, and the draft remains a draft.
    """
    name: str | None = None
    if issue is not None:
        creation = creation.answered(issue.id, issue.key)  # its key may have changed
        name, hidden = await _find_file_and_unreadable(session, creation, drafts)
        if creation.path in hidden or (name is None and hidden):
            return False  # the draft may be in a file that cannot be read
    if issue is None or name is None:  # the draft is gone: the next pull brings the issue
        await session.in_thread(session.state.creations.forget, creation)
        return False
    status = status_of(issue)
    return await write_key_and_record(
        session, FileEditor(session.store), creation, name, status=status, drafts=drafts
    )


async def _find_file_and_unreadable(
    session: Session, creation: Creation, drafts: Collection[Ticket]
) -> tuple[str | None, set[str]]:
    """Find the file with the key, or else with the draft; also return files that cannot be read."""
    matcher, store = DraftMatcher(creation, drafts), session.store
    pairs: list[tuple[float, str]] = []
    hidden: set[str] = set()

    def look(names: Iterable[str]) -> None:
        for name in names:
            try:
                tickets = store.read_tickets(name)
            except TicketrError:  # the survey of the files reports it
                hidden.add(name)
                continue
            is_own = name == creation.path
            score = 2 * EQUAL if matcher.is_new_key_in(tickets) else matcher.best_scored(tickets)[0]
            if is_own and score >= EQUAL:
                score += 2 * EQUAL
            if score >= SAME_TITLE or (is_own and score):
                pairs.append((score, name))

    await visit_files(session.in_thread, find_files(store), look)
    return max(pairs, key=lambda pair: pair[0], default=(0.0, None))[1], hidden


async def _reopen_creations_in_no_file(session: Session) -> list[Creation]:
    """Return the issues whose recent keys are in no file now; they count as unfinished from now on."""
    by_path: dict[str, list[Creation]] = {}
    for creation in await session.in_thread(session.state.creations.recently_written):
        by_path.setdefault(creation.path, []).append(creation)
    lost = [
        replace(creation, settled=0.0)
        for chunk in chunks([*by_path.items()], FILES_PER_THREAD_VISIT)
        for creation in await session.in_thread(_select_where_file_lost_key, session.store, chunk)
    ]
    if lost:
        survey = await session.survey(refuse_drafts_that_lost_keys=False)
        keys = {*survey.locations, *survey.locations_of_unread_keys}
        lost = [creation for creation in lost if creation.key not in keys]
        await session.in_thread(session.state.creations.put, *lost)
    return lost


def _select_where_file_lost_key(
    store: Store, by_path: Iterable[tuple[str, Iterable[Creation]]]
) -> list[Creation]:
    """Return the issues whose unchanged drafts are in their files without their keys."""
    lost: list[Creation] = []
    for path, creations in by_path:
        try:
            tickets = store.read_tickets(path)
        except TicketrError:  # the file is gone or cannot be read
            continue
        if all(issue.key for ticket in tickets for issue in (ticket, *ticket.tasks)):
            continue
        for creation in creations:
            matcher = DraftMatcher(creation)
            if not matcher.is_new_key_in(tickets) and matcher.best_scored(tickets)[0] >= EQUAL:
                lost.append(creation)
    return lost
