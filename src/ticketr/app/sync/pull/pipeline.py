"""Fetches the issues of a plan and writes each family as soon as it is complete.

Several fetchers send families to a task that renders them, and it sends texts to the task that writes
files. A fetcher asks for its next page while the one before waits to be rendered. There it stops, so
the fetchers wait for a slow disk and memory stays flat.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import trio

from ticketr._errors import TicketrError
from ticketr.app.jira import BulkFetched, Issue
from ticketr.app.jira.adf import load_conversions, simple_markdown
from ticketr.app.sync.compare.mapping import estimate_cost_and_convert_simple, subtask_ids
from ticketr.app.sync.concurrency import (
    BULK_FETCH_SIZE,
    CHECKPOINTS_IN_EACH_PAUSE,
    CONCURRENT_REQUESTS,
    FILES_PER_THREAD_VISIT,
    MAX_INLINE_COST,
    chunks,
    split_by_limits,
)
from ticketr.app.sync.errors import error_to_report
from ticketr.app.sync.notes import Code, Note, issue_not_returned_reason
from ticketr.app.sync.pull.fetch_plan import (
    FamilyCollector,
    FetchedFamily,
    FetchPlan,
    location_by_either_key,
    misplaced_or_unreadable_note,
)
from ticketr.app.sync.workspace.store import TicketLocation
from ticketr.app.sync.writing.recording import WriteOutcome
from ticketr.app.sync.writing.rendering import (
    RenderedFamily,
    add_attachment_media_ids,
    add_missing_comments,
    render_family,
)
from ticketr.app.tickets import InvalidKey, UnwritableTicket

if TYPE_CHECKING:
    from ticketr.app.sync.pull.tally import PullTally
    from ticketr.app.sync.session import Session
    from ticketr.app.sync.state.state import KnownIssue
    from ticketr.app.sync.writing.writer import FamilyWriter

#: The end of the reason for an issue that the next pull fetches again.
_NEXT_PULL_ASKS = "the next pull asks for it again"
_NOT_RETURNED_REASON = (
    "the query finds it, but Jira does not give it: it was deleted a moment ago, or you may no "
    f"longer see it; {_NEXT_PULL_ASKS}"
)


class PullPipeline:
    """Fetches the issues of a plan, renders families and writes their files, concurrently.

    Args:
        session: The workspace and the site.
        writer: Writes families.
        plan: What to fetch.
        known: What the state knows, by ID.
        key_locations: The location of each key.
        tally: Counts what was written.
    """

    def __init__(
        self,
        session: Session,
        writer: FamilyWriter,
        plan: FetchPlan,
        known: Mapping[str, KnownIssue],
        key_locations: dict[str, TicketLocation],
        tally: PullTally,
    ) -> None:
        self._session = session
        self._writer = writer
        self._locations = key_locations
        self._known = known
        # The IDs that the state has in each ticket; some may be in another ticket by now.
        self._recorded: dict[str, set[str]] = {}
        for issue in known.values():
            self._recorded.setdefault(issue.head_id, set()).add(issue.id)
        self._tally = tally
        self._unwritten: dict[str, RenderedFamily] = {}
        self._failed: dict[str, str] = {}  # what Jira could not give, and why
        self._in_thread = session.in_thread
        self._has_conversions = False
        self._is_stopped = False  # a thread that writes is to end early
        self._cost = 0  # done on Trio's thread since other tasks had their turns
        standalone = {key for key, at in key_locations.items() if at.top_level_key == key}
        # Those whose tickets are here take their sub-tasks in, whatever the query finds.
        heads = {
            issue.id
            for issue in known.values()
            if issue.id == issue.head_id and issue.key in standalone
        }
        # An issue that was moved since is a ticket of its own too, though by another key.
        standalone |= {issue.id for issue in known.values() if issue.key in standalone}
        self._families = FamilyCollector(
            plan.wanted_ids, present=heads.union(plan.found_ids), standalone=standalone
        )

    async def run(self) -> None:
        """Fetch and write everything.

        Raises:
            JiraError: A request failed for good; what was written before stays.
            FileFailed: A file could not be written; what was written before stays.

        Cancellation:
            Takes effect at once, or after a short visit to a worker thread.
        """
        failure: BaseException | None = None
        try:
            async with trio.open_nursery() as nursery:
                to_render, fetched = trio.open_memory_channel[list["FetchedFamily"]](
                    CONCURRENT_REQUESTS
                )
                to_write, rendered = trio.open_memory_channel[list["RenderedFamily"]](0)
                with to_render:
                    for _ in range(CONCURRENT_REQUESTS):
                        nursery.start_soon(self._fetch, to_render.clone())
                nursery.start_soon(self._render_all, fetched, to_write)
                await self._write_all(rendered)
        except* TicketrError as group:
            failure = error_to_report(group)
        except* trio.BrokenResourceError:
            if failure is None:  # else the task that stopped reading has failed
                raise
        if failure is not None:
            raise failure

    async def _fetch(self, to_render: trio.MemorySendChannel[list[FetchedFamily]]) -> None:
        session = self._session
        with to_render:
            while batch := self._families.next_batch(BULK_FETCH_SIZE):
                answer = await session.jira.bulk_fetch(
                    batch, fields=session.file_fields.requested_ids, partly=True
                )
                if session.file_fields.has_comments:
                    answer = await add_missing_comments(session.jira, answer, batch)
                if answer.failed or answer.missing:
                    await self._note_absent(answer)
                issues = await add_attachment_media_ids(
                    session.jira, session.state, self._in_thread, answer.issues
                )
                whole = self._families.add_answer(batch, issues)
                await to_render.send(whole)

    async def _note_absent(self, answer: BulkFetched) -> None:
        """Note what Jira did not give; the next pull asks for it again if the query still finds it."""
        ids = (*answer.failed, *answer.missing)
        await self._in_thread(self._session.state.mark_stale, ids)
        self._failed.update(answer.failed)
        for issue_id, words in answer.failed.items():
            reason = f"{issue_not_returned_reason(words)}; {_NEXT_PULL_ASKS}"
            self._tally.fail(self._make_note(issue_id, reason, Code.REQUEST_FAILED))
        missing = (
            self._make_note(text, _NOT_RETURNED_REASON, Code.NOT_FOUND) for text in answer.missing
        )
        self._tally.exclude_not_returned(answer.missing, missing)

    def _make_note(self, issue_id: str, reason: str, code: Code) -> Note:
        known = self._known.get(issue_id)
        key = known.key if known else issue_id
        location = self._locations.get(key)
        return Note(key, location.path if location else "", reason, code)

    async def _render_all(
        self,
        fetched: trio.MemoryReceiveChannel[list[FetchedFamily]],
        to_write: trio.MemorySendChannel[list[RenderedFamily]],
    ) -> None:
        """Render the texts of families while others are written to files."""
        try:
            with fetched, to_write:
                async for families in fetched:
                    for chunk in chunks(families, FILES_PER_THREAD_VISIT):
                        ready: list[RenderedFamily] = []
                        for family in chunk:
                            ready += await self._add_known_and_render(family)
                        for portion in split_by_limits(ready, lambda one: len(one.content.text)):
                            await to_write.send(portion)
        except BaseException:
            self._is_stopped = True
            raise

    async def _write_all(self, rendered: trio.MemoryReceiveChannel[list[RenderedFamily]]) -> None:
        with rendered:
            async for ready in rendered:
                outcomes, error = await self._in_thread(
                    self._writer.write, ready, lambda: self._is_stopped
                )
                self._tally.add(outcomes)
                written = [
                    (result.family.content.ticket, result.path)
                    for result in outcomes
                    if result.outcome in {WriteOutcome.NEW, WriteOutcome.UPDATED}
                ]
                if written:
                    self._session.job.on_written(written)
                for result in outcomes:
                    head = result.family.head.id
                    ids = (issue.id for issue in result.family.issues)
                    self._recorded.setdefault(head, set()).update(ids)
                    # Unless more of the same family is on its way already.
                    if self._unwritten.get(head) is result.family:
                        del self._unwritten[head]
                self._session.progress.report(
                    "Pulling tickets",
                    len(self._tally.outcomes_by_id),
                    len(self._tally.found_and_returned_ids),
                )
                if error is not None:
                    raise error

    async def _add_known_and_render(self, family: FetchedFamily) -> list[RenderedFamily]:
        """Complete a family with its known members and render its text."""
        members = dict(family.issues)
        stale: set[str] = set()
        # A late part joins the rest, which may be on its way to disk or there already.
        if unwritten := self._unwritten.get(family.head_id):
            stale.update(unwritten.newer_in_jira_ids - members.keys())
            for issue in unwritten.issues:
                members.setdefault(issue.id, issue)
        if self._recorded.get(family.head_id, set()) - members.keys():
            fresh = members.get(family.head_id)
            for row in await self._in_thread(self._session.state.rows_of, family.head_id):
                issue = row.issue
                if issue.id in members:
                    continue
                # A deleted one whose lines were removed from the file must not come back.
                may_exist = fresh is None or issue.id in subtask_ids(fresh)
                if not may_exist and issue.key not in self._locations:
                    continue
                members[issue.id] = issue
                if row.is_stale:
                    stale.add(issue.id)
        head = members.pop(family.head_id, None)
        if head is None and (words := self._failed.get(family.head_id)):
            await self._postpone(
                members,
                f"its parent is not here: {issue_not_returned_reason(words)}; {_NEXT_PULL_ASKS}",
            )
            return []
        if head is None:  # the parent is gone, so each sub-task is a ticket
            return [
                rendered_family
                for one in members.values()
                for rendered_family in await self._render_or_note_failure(one, (), stale)
            ]
        notes = {
            issue.id: note
            for issue in (head, *members.values())
            if (note := misplaced_or_unreadable_note(head, issue, self._locations, self._known))
        }
        for issue_id, note in notes.items():
            # A ticket with an issue in a file that cannot be read cannot be written.
            if issue_id == head.id or note.code is Code.BROKEN:
                await self._in_thread(self._session.state.mark_stale, (head.id, *members))
                self._tally.add_kept(note, (head.id, *members))
                return []
        for issue_id, note in notes.items():
            self._tally.add_kept(note, (issue_id,))
        subtasks = [member for member in members.values() if member.id not in notes]
        return await self._render_or_note_failure(head, subtasks, stale)

    async def _postpone(self, issues: Mapping[str, Issue], reason: str) -> None:
        """Report issues that the next pull fetches again."""
        await self._in_thread(self._session.state.mark_stale, issues)
        for issue in issues.values():
            location = location_by_either_key(issue, self._locations, self._known)
            note = Note(issue.key, location.path if location else "", reason, Code.REQUEST_FAILED)
            self._tally.fail(note)

    async def _render_or_note_failure(
        self, head: Issue, subtasks: Sequence[Issue], stale: Iterable[str]
    ) -> list[RenderedFamily]:
        """Render a family's text; an empty list if Jira's answer cannot be a ticket."""
        location = location_by_either_key(head, self._locations, self._known)
        path = location.path if location else None
        issues = (head, *subtasks)
        cost, ready, others = estimate_cost_and_convert_simple(issues, MAX_INLINE_COST)
        write = partial(
            render_family,
            head,
            subtasks,
            self._session.file_fields,
            path=path,
            stale=stale,
            ready=ready,
        )
        is_short = cost <= MAX_INLINE_COST
        if (
            is_short
            and not self._has_conversions
            and any(simple_markdown(document) is None for document in others)
        ):
            await self._in_thread(load_conversions, abandon_on_cancel=True)
            self._has_conversions = True
        self._cost += cost
        if self._cost > MAX_INLINE_COST:
            self._cost = cost if is_short else 0
            for _ in range(CHECKPOINTS_IN_EACH_PAUSE):
                await trio.lowlevel.checkpoint()
        try:
            if is_short:
                family = write()
            else:
                family = await self._in_thread(write, abandon_on_cancel=True)
        except (InvalidKey, UnwritableTicket) as error:  # a server may say anything
            self._tally.fail(Note(head.key, path or "", str(error), Code.BAD_VALUE))
            return []
        self._unwritten[head.id] = family
        return [family]
