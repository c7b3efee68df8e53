"""Pull: from Jira's answers to files.

A search gives the IDs of all issues of the query. The pull fetches issues that the state does not
have or that have changed since, a hundred in each request, several requests at once. It writes each
family as soon as it is complete. A cancelled pull keeps what it wrote; the next one fetches the rest.

Tickets that a user names are fetched even if they have not changed, and no others. What the state knows
of other issues stays, so the next pull searches for changes since the same moment as before.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from ticketr.app.jira import BadRequest, Issue, NotFound
from ticketr.app.sync.compare.mapping import is_subtask, parent_id, subtask_ids
from ticketr.app.sync.concurrency import BULK_FETCH_SIZE, chunks
from ticketr.app.sync.errors import UnknownTicket, suggest_or_list
from ticketr.app.sync.notes import Code, Note, issue_not_returned_reason
from ticketr.app.sync.pull.fetch_plan import FetchPlan, change_search_start_time, make_fetch_plan
from ticketr.app.sync.queries import changed_since, unordered_jql_or_project_query
from ticketr.app.sync.workspace.store import TicketLocation, read_go_hashes
from ticketr.app.tickets import Ticket, is_key, render_ticket

if TYPE_CHECKING:
    from ticketr.app.sync.pull.pipeline import PullPipeline
    from ticketr.app.sync.pull.tally import PullTally
    from ticketr.app.sync.session import Session
    from ticketr.app.sync.state.state import KnownIssue


_FAMILY_FIELDS = ("subtasks", "parent", "issuetype")


async def pull_named(
    session: Session,
    keys: Collection[str],
    key_locations: dict[str, TicketLocation],
    tally: PullTally,
) -> None:
    """Bring named tickets into the workspace, whatever the query finds.

    A ticket comes with its sub-tasks, and a sub-task with the ticket in whose file it is.

    Args:
        session: The workspace and the site.
        keys: The keys of the tickets.
        key_locations: The location of each key in the workspace.
        tally: Counts issues as soon as they are written; gets a note for each key that Jira does
            not have.

    Raises:
        UnknownTicket: One of the keys is malformed.

    Cancellation:
        As for `pull`.
    """
    known = await session.in_thread(session.state.known_issues_by_id)
    ids = {issue.key: issue.id for issue in known.values()}
    for key in keys:
        if not is_key(key):
            raise UnknownTicket(key, (*key_locations, *ids))
    if not known:  # of a new workspace; else the next pull has to see which fields are new
        columns = session.file_fields.names_and_ids_in_files
        await session.in_thread(session.state.site_record.save_columns_and_mark_stale, columns)
    now = session.jira.last_answer_site_time()
    session.progress.report(f"Asking for {len(keys)} ticket{'' if len(keys) == 1 else 's'}...")
    relatives = _RelativeFinder(session, known, key_locations, tally)
    wanted = await relatives.find_ids_in_same_tickets({ids.get(key, key): key for key in keys})
    tally.begin(wanted, (), known_ids=known)
    plan = FetchPlan(wanted, wanted, ())
    load = partial(_load_pipeline, session, plan, known, key_locations, tally, now)
    await (await session.in_thread(load)).run()


@dataclass(frozen=True, slots=True)
class _RelativeFinder:
    """Finds all issues that are in the same tickets as some issues."""

    session: Session
    known_by_id: Mapping[str, KnownIssue]
    key_locations: Mapping[str, TicketLocation]
    tally: PullTally

    async def find_ids_in_same_tickets(self, keys: Mapping[str, str]) -> tuple[str, ...]:
        """Find the complete tickets of some issues; return the IDs of all issues in them.

        Args:
            keys: The key of each issue for messages, by the ID or key to ask Jira for.
        """
        issues = await self._fetch_with_family_fields(keys)
        present = {"", *(issue.id for issue in issues)}
        parents = {self._subtask_head_id_or_empty(issue) for issue in issues} - present
        parent_keys = {parent: self.known_by_id[parent].key for parent in sorted(parents)}
        issues += await self._fetch_with_family_fields(parent_keys)
        members: dict[str, list[str]] = {}
        for known_issue in self.known_by_id.values():
            members.setdefault(known_issue.head_id, []).append(known_issue.id)
        families = ((issue.id, *subtask_ids(issue), *members.get(issue.id, ())) for issue in issues)
        return tuple(dict.fromkeys(chain.from_iterable(families)))

    def _subtask_head_id_or_empty(self, issue: Issue) -> str:
        """Return the ID of the ticket in which a sub-task is; empty for any other issue."""
        location = self.key_locations.get(issue.key)
        stands_alone = location is not None and location.top_level_key == issue.key
        parent = parent_id(issue) if is_subtask(issue) and not stands_alone else None
        return parent if parent is not None and parent in self.known_by_id else ""

    async def _fetch_with_family_fields(self, keys: Mapping[str, str]) -> list[Issue]:
        """Fetch issues with the fields that name their relatives; note those that Jira omits.

        Args:
            keys: See `find_ids_in_same_tickets`.
        """
        issues: list[Issue] = []
        for chunk in chunks(list(keys), BULK_FETCH_SIZE):
            answer = await self.session.jira.bulk_fetch(chunk, fields=_FAMILY_FIELDS, partly=True)
            renamed = await self.session.jira.find_renamed(answer, fields=_FAMILY_FIELDS)
            issues += (*answer.issues, *renamed.values())
            for name, words in answer.failed.items():
                self._note_failure(
                    keys[name], issue_not_returned_reason(words), Code.REQUEST_FAILED
                )
            for name in answer.missing:
                if name not in renamed:
                    known = {issue.key for issue in self.known_by_id.values()} - {*keys.values()}
                    hint = f"; {suggest_or_list(keys[name], known)}" if known else ""
                    reason = f"Jira does not have it, or you may not see it{hint}"
                    self._note_failure(keys[name], reason, Code.NOT_FOUND)
        return issues

    def _note_failure(self, key: str, reason: str, code: Code) -> None:
        location = self.key_locations.get(key)
        self.tally.fail(Note(key, location.path if location else "", reason, code))


async def pull(
    session: Session,
    key_locations: dict[str, TicketLocation],
    tally: PullTally,
    *,
    full: bool = False,
    prune: bool = False,
) -> None:
    """Bring everything that the query finds into the workspace.

    Args:
        session: The workspace and the site.
        key_locations: The location of each key in the workspace.
        tally: Counts issues as soon as they are written.
        full: Fetch every issue again, even those that have not changed.
        prune: Move unedited files of issues that Jira no longer has into ticketr's own folder.

    Cancellation:
        Takes effect at once, inside a running request too. What was written stays and is complete.
    """
    record = session.state.site_record
    refetched = await session.in_thread(
        record.save_columns_and_mark_stale, session.file_fields.names_and_ids_in_files
    )
    known = await session.in_thread(session.state.known_issues_by_id)
    plan, now = await _make_plan(session, known, key_locations, full=full)
    tally.begin(plan.found_ids, set(plan.found_ids).difference(plan.wanted_ids), known_ids=known)
    why = "; the list of fields has changed, so all are fetched" if refetched else ""
    count = len(plan.found_ids)
    words = f"Found {count} ticket{'' if count == 1 else 's'}{why}"
    session.progress.report(words, len(tally.outcomes_by_id), len(tally.found_and_returned_ids))
    if plan.wanted_ids:
        load = partial(_load_pipeline, session, plan, known, key_locations, tally, now)
        await (await session.in_thread(load)).run()
    await session.in_thread(
        _record_seen_and_forget_gone, session, plan.found_ids, now, known, key_locations
    )
    if plan.not_in_query:
        from ticketr.app.sync.pull.missing import note_or_prune  # noqa: PLC0415 - few pulls need it

        await note_or_prune(session, plan.not_in_query, key_locations, tally, now=now, prune=prune)
    if not (tally.broken_file_notes or tally.failed_by_key):
        await session.in_thread(partial(record.note_complete_pull, at=time.time()))


def _load_pipeline(
    session: Session,
    plan: FetchPlan,
    known: Mapping[str, KnownIssue],
    key_locations: dict[str, TicketLocation],
    tally: PullTally,
    seen: float,
) -> PullPipeline:
    """Return the pipeline of a pull that began at ``seen`` by Jira's clock.

    A pull without news does not need the modules of the pipeline. To import them takes a moment, so
    this belongs on a worker thread.
    """
    from ticketr.app.emoji import emoji_named  # noqa: PLC0415 - not before
    from ticketr.app.sync.pull.pipeline import PullPipeline  # noqa: PLC0415 - the same
    from ticketr.app.sync.writing.writer import FamilyWriter  # noqa: PLC0415 - the same

    # The first rendering in a process does more than the others, so one is done here.
    text = "## Part\n\n\\# text\n\n```\ncode\n```"
    render_ticket(Ticket("Title", "AB-1", text, {"Status": "Open"}, ("one",)))
    emoji_named("")  # reads the table
    writer = FamilyWriter(
        session.store,
        session.state,
        seen=seen,
        prefer=session.job.prefer,
        is_prefer_from_folder=session.job.is_prefer_from_folder,
        go_hashes=read_go_hashes(session.store.root),
    )
    return PullPipeline(session, writer, plan, known, key_locations, tally)


def _record_seen_and_forget_gone(
    session: Session,
    ids: Collection[str],
    seen: float,
    known: Mapping[str, KnownIssue],
    key_locations: Mapping[str, TicketLocation],
) -> None:
    """Record that the query found issues at ``seen``.

    Of a whole project, tickets that are in no file and no longer in the project are forgotten.
    """
    session.state.record_up_to_date(ids, seen=seen)
    if session.job.jql is not None:
        return
    present = set(ids)
    remaining_heads = {
        issue.head_id
        for issue in known.values()
        if issue.id in present or issue.key in key_locations
    }
    keys = {issue.key for issue in known.values()}
    # A user may have replaced the old key of a moved issue by the new one.
    unknown = {location.path for key, location in key_locations.items() if key not in keys}
    for issue in known.values():
        of_project = issue.key.startswith(f"{session.job.project}-")
        if of_project and issue.id == issue.head_id and issue.id not in remaining_heads:
            base = session.state.base(issue.id)
            if base is None or base.path not in unknown:
                session.state.forget(issue.id)


async def _make_plan(
    session: Session,
    known: Mapping[str, KnownIssue],
    key_locations: Mapping[str, TicketLocation],
    *,
    full: bool,
) -> tuple[FetchPlan, float]:
    """Ask what the query finds and what has changed; plan what to fetch.

    Returns:
        The plan, and the time before the search by Jira's clock, in seconds since the epoch.
    """
    job = session.job
    project = job.project if job.jql is None else None
    what = f"project {job.project}" if job.jql is None else "Jira"
    session.progress.report(f"Querying {what}...")
    query = unordered_jql_or_project_query(job.project, job.jql)
    now = session.jira.last_answer_site_time()
    try:
        ids = await session.jira.search_ids(f"{query} ORDER BY key ASC")
    except (BadRequest, NotFound):
        await session.raise_if_project_is_cause()  # noqa: ASYNC120 - a cancellation wins
        raise
    since = None
    if known and not full:
        since = await session.in_thread(change_search_start_time, ids, known, key_locations)
    if since is None:
        changed = ids
    else:
        query = changed_since(query, seen=since, now=session.jira.last_answer_site_time())
        changed = await session.jira.search_ids(query)
    make = partial(make_fetch_plan, ids, changed, known, key_locations, project=project)
    return await session.in_thread(make), now
