"""The jobs that find the issues for a bulk change, and that change many issues at once.

No file changes. The next pull brings the changes.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import trio

from ticketr.app import jira
from ticketr.app.sync.compare.diff import Change
from ticketr.app.sync.compare.mapping import field_text, issue_type_id, subtask_ids
from ticketr.app.sync.concurrency import (
    BULK_FETCH_SIZE,
    MAX_JIRA_WRITE_TRIES,
    chunks,
    is_short_rate_limit,
)
from ticketr.app.sync.errors import AbsentIssues, BadQuery, OutcomeUnknown, add_field_names
from ticketr.app.sync.file_edits import FieldSetting
from ticketr.app.sync.jobs.bulk_change import (
    BulkChange,
    BulkIssue,
    make_bulk_field_ids_and_values,
    use_line_names,
)
from ticketr.app.sync.jobs.syncing import count_tickets, session_reporting_end
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.push.metadata import FieldMetadata, IssueChanges, fetch_metadata
from ticketr.app.sync.push.outbox import may_have_arrived
from ticketr.app.sync.push.transitions import no_transition_error
from ticketr.app.sync.push.values import BadValue, find_allowed_value
from ticketr.app.sync.queries import open_site_client
from ticketr.app.sync.session import Session, SessionJob, SessionOptions
from ticketr.text import clean

if TYPE_CHECKING:
    from ticketr import JobContext


#: The fields that a `BulkIssue` is read from.
BULK_ISSUE_FIELDS = ("summary", "status", "issuetype", "subtasks", "parent")


@dataclass(kw_only=True)
class FindIssuesJob(SessionJob):
    """A job that finds the issues for a bulk change.

    Attributes:
        search_jql: A query in JQL; empty to look for ``keys``.
        keys: The keys of the issues.

    Cancellation:
        Takes effect at once.
    """

    action_name = "Find issues"

    search_jql: str = ""
    keys: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The job's name in lists."""
        return f"{self.action_name} {'by query' if self.search_jql else 'by key'}"

    async def execute(self, context: JobContext) -> tuple[BulkIssue, ...]:
        """Run the job; the queue calls this.

        Raises:
            BadQuery: Jira does not understand the query.
            AbsentIssues: Jira does not have one of the keys.
            JiraError: A request failed.
        """
        async with session_reporting_end(self, context, lambda: "nothing was changed") as session:
            ids: Sequence[str] = tuple(self.keys)
            if self.search_jql:
                try:
                    ids = await session.jira.search_ids(self.search_jql)
                except jira.BadRequest as error:
                    raise BadQuery(error.detail or str(error)) from error

            def report(count: int) -> None:
                session.progress.report("Finding tickets", count, len(ids))

            are_named = not self.search_jql
            issues = await _fetch_issues(session.jira, ids, are_named=are_named, report=report)
        session.progress.report(f"Found {count_tickets(len(issues))}", len(issues), len(issues))
        return issues


async def fetch_bulk_issues(options: SessionOptions, keys: Sequence[str]) -> tuple[BulkIssue, ...]:
    """Return issues by their keys, without a job: the workspace is not locked.

    Args:
        options: The options of the workspace's jobs.
        keys: The keys of the issues.

    Raises:
        AbsentIssues: Jira does not have one of the keys.
        JiraError: A request failed.

    Cancellation:
        Ends the request at once.
    """
    async with open_site_client(options) as client:
        return await _fetch_issues(client, keys, are_named=True)


async def _fetch_issues(
    client: jira.JiraClient,
    ids: Sequence[str],
    *,
    are_named: bool,
    report: Callable[[int], None] = lambda _: None,
) -> tuple[BulkIssue, ...]:
    """Fetch issues; raise `AbsentIssues` if Jira lacks one that was named."""
    issues: list[BulkIssue] = []
    for chunk in chunks(ids, BULK_FETCH_SIZE):
        answer = await client.bulk_fetch(chunk, fields=BULK_ISSUE_FIELDS)
        absent = ", ".join(map(clean, (*answer.missing, *answer.failed)))
        if absent and are_named:
            raise AbsentIssues(f"Jira does not have {absent}, or you may not see it")
        issues += map(read_bulk_issue, answer.issues)
        report(len(issues))
    return tuple(issues)


def read_bulk_issue(issue: jira.Issue) -> BulkIssue:
    """Read what a bulk change needs of an issue, which has at least the fields `BULK_ISSUE_FIELDS`."""
    parent = issue.fields.get("parent")
    return BulkIssue(
        id=issue.id,
        key=issue.key,
        title=field_text(issue.fields.get("summary")),
        status=field_text(issue.fields.get("status")),
        type_id=issue_type_id(issue.fields),
        subtask_ids=subtask_ids(issue),
        parent_key=str(parent.get("key", "")) if isinstance(parent, dict) else "",
    )


#: Seconds between two questions for the progress of a task: the first, and the most.
FIRST_WAIT_SECONDS, MAX_WAIT_SECONDS = 0.25, 4.0
#: Seconds for asking Jira to leave out the rest of a task when the job is cancelled.
CANCEL_REQUEST_TIMEOUT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What a bulk change did.

    Attributes:
        done: The keys of the issues that were changed.
        unneeded: The keys of the issues that needed no change; they were left alone.
        failed: A note on each issue that was not changed.
        unknown: The keys of issues that Jira may or may not change.
        unneeded_state: How those are that needed no change, such as ``"Done"`` or ``"under DEMO-1"``.
    """

    done: tuple[str, ...] = ()
    failed: tuple[Note, ...] = ()
    unknown: tuple[str, ...] = ()
    unneeded: tuple[str, ...] = ()
    unneeded_state: str = ""


@dataclass(kw_only=True)
class BulkJob(SessionJob):
    """A job that changes many issues in Jira, a hundred at a time.

    Attributes:
        issues: The issues.
        change: What is changed.

    Cancellation:
        Takes effect at once. Jira is asked to leave out the rest of those that it changes at the
        moment; `so_far` has them as unknown.
    """

    action_name = "Change"

    issues: Sequence[BulkIssue]
    change: BulkChange
    _id_by_changed_key: dict[str, str] = field(default_factory=dict, init=False, repr=False)
    _unneeded_state_by_key: dict[str, str] = field(default_factory=dict, init=False, repr=False)
    _failed: list[Note] = field(default_factory=list[Note], init=False, repr=False)
    _unconfirmed_by_id: dict[str, BulkIssue] = field(default_factory=dict, init=False, repr=False)
    # The IDs of issues that a refused request may have changed.
    _uncertain_ids: set[str] = field(default_factory=set[str], init=False, repr=False)

    @property
    def name(self) -> str:
        """The job's name in lists."""
        return f"{self.action_name} {count_tickets(len(self.issues))}"

    def so_far(self) -> BulkResult:
        """Return what it has done until now, also when it was cancelled or has failed."""
        known = {
            *self._id_by_changed_key,
            *self._unneeded_state_by_key,
            *(note.key for note in self._failed),
        }
        requested = [issue.key for issue in self._unconfirmed_by_id.values()]
        unknown = tuple(key for key in requested if key not in known)
        return BulkResult(
            tuple(self._id_by_changed_key),
            tuple(self._failed),
            unknown,
            unneeded=tuple(self._unneeded_state_by_key),
            unneeded_state=next(
                iter(self._unneeded_state_by_key.values()), self.change.words_after_already
            ),
        )

    async def execute(self, context: JobContext) -> BulkResult:
        """Run the job; the queue calls this.

        Raises:
            OutcomeUnknown: The answer to a change was lost; `so_far` has what was done.
            JiraError: A request failed; `so_far` has what was done.
        """
        async with session_reporting_end(self, context, self._done_so_far_words) as session:
            send = await self._prepare_sender(session)
            for issues in self._batches():
                await send(issues)
                self._report_progress(session)
        result = self.so_far()
        number = len(result.unneeded)
        same = f"{number} {'was' if number == 1 else 'were'} already {result.unneeded_state}"
        counts = [
            f"{self.change.participle.capitalize()} {count_tickets(len(result.done))}",
            *([same] if number else []),
            *([f"{len(result.failed)} failed"] if result.failed else []),
        ]
        session.progress.report(", ".join(counts))
        return result

    async def _note_done_and_return_rest(
        self, session: Session, issues: Sequence[BulkIssue]
    ) -> list[BulkIssue]:
        """Look at issues; note those that are as the change makes them, and return the others."""
        answer = await session.jira.bulk_fetch(
            [issue.id for issue in issues], fields=BULK_ISSUE_FIELDS
        )
        now = {issue.id: read_bulk_issue(issue) for issue in (*answer.issues, *answer.renamed)}
        status, remaining = self.change.status.casefold(), list[BulkIssue]()
        for issue in issues:
            if issue.id in answer.missing and self.change.delete:
                state = self.change.words_after_already
            elif status and issue.id in now and now[issue.id].status.casefold() == status:
                state = now[issue.id].status
            else:
                fresh = now.get(issue.id, issue)
                remaining.append(replace(issue, status=fresh.status))
                continue
            self._note_already_as_wanted(issue, state)
        return remaining

    def _note_already_as_wanted(self, issue: BulkIssue, state: str) -> None:
        """Note an issue that is as the change makes it, perhaps since a request that was refused."""
        if issue.id in self._uncertain_ids:
            self._id_by_changed_key[issue.key] = issue.id
        else:
            self._unneeded_state_by_key[issue.key] = state

    def _batches(self) -> tuple[Sequence[BulkIssue], ...]:
        """Return the issues in batches; a deletion begins with those that others would take along."""
        below = {name for issue in self.issues for name in issue.subtask_ids if self.change.delete}
        first = [issue for issue in self.issues if issue.id in below]
        rest = [issue for issue in self.issues if issue.id not in below]
        return (*chunks(first, BULK_FETCH_SIZE), *chunks(rest, BULK_FETCH_SIZE))

    def _done_so_far_words(self) -> str:
        result = self.so_far()
        words = f"{len(result.done)}/{len(self.issues)} tickets {self.change.participle}"
        return f"{words}, {len(result.unknown)} may be" if result.unknown else words

    def _report_progress(self, session: Session) -> None:
        over = len(self._id_by_changed_key) + len(self._unneeded_state_by_key) + len(self._failed)
        verb = "Deleting" if self.change.delete else "Changing"
        session.progress.report(f"{verb} tickets", over, len(self.issues))

    async def _prepare_sender(
        self, session: Session
    ) -> Callable[[Sequence[BulkIssue]], Awaitable[None]]:
        """Return what changes some issues, with what it needs of the site."""
        if self.change.delete:
            return lambda issues: self._run_as_task(session, issues, session.jira.start_bulk_delete)
        if self.change.status:
            return lambda issues: self._transition(session, issues)
        if self.change.parent_key:
            return lambda issues: self._set_parents_one_by_one(session, issues)
        settings = use_line_names(self.change.settings, session.file_fields.line_and_section_fields)
        changes = tuple(Change(setting.name, "", setting.text) for setting in settings)
        kinds = {(issue.project_key, issue.type_id) for issue in self.issues}
        edited = [IssueChanges(project, kind, changes) for project, kind in sorted(kinds)]
        metadata = await fetch_metadata(session, edited)
        return lambda issues: self._edit(session, metadata, settings, issues)

    async def _edit(
        self,
        session: Session,
        metadata: FieldMetadata,
        settings: tuple[FieldSetting, ...],
        issues: Sequence[BulkIssue],
    ) -> None:
        """Change the fields of some issues, those of a type in one task."""
        by_type: dict[tuple[str, str], list[BulkIssue]] = defaultdict(list)
        for issue in issues:
            by_type[issue.project_key, issue.type_id].append(issue)
        # Types whose values have the same IDs go together.
        groups: dict[str, tuple[tuple[str, ...], dict[str, object], list[BulkIssue]]] = {}
        for (project, kind), issues in by_type.items():
            try:
                specs = metadata.specs(project, kind)
                ids, values = make_bulk_field_ids_and_values(settings, specs, metadata.lookup)
            except BadValue as error:
                self._note_failed(issues, str(error), Code.BAD_VALUE)
                continue
            name = json.dumps([ids, values], sort_keys=True)
            groups.setdefault(name, (ids, values, []))[2].extend(issues)
        for ids, values, issues in groups.values():
            start = partial(session.jira.start_bulk_edit, fields=ids, values=values)
            await self._run_as_task(session, issues, start)

    async def _transition(self, session: Session, issues: Sequence[BulkIssue]) -> None:
        """Change the status of some issues; note those that have no transition to it."""
        left = await self._note_done_and_return_rest(session, issues)
        if not left:
            return
        known = await session.jira.transitions_by_key([issue.key for issue in left])
        chosen: dict[str, str] = {}
        for issue in left:
            transitions = {one.to_status: one.id for one in reversed(known.get(issue.key, ()))}
            statuses = (jira.AllowedValue("", name) for name in {issue.status, *transitions})
            status = find_allowed_value(self.change.status, statuses)
            if status is None:
                error = no_transition_error(self.change.status, known.get(issue.key, ()))
                self._note_failed([issue], str(error), Code.NO_TRANSITION)
            elif status.name == issue.status:
                self._note_already_as_wanted(issue, issue.status)
            else:
                chosen[issue.id] = transitions[status.name]

        def start(ids: Sequence[str]) -> Awaitable[str]:
            groups: dict[str, list[str]] = defaultdict(list)
            for issue_id in ids:
                groups[chosen[issue_id]].append(issue_id)
            return session.jira.start_bulk_transition(groups)

        if chosen:
            await self._run_as_task(session, [issue for issue in left if issue.id in chosen], start)

    async def _set_parents_one_by_one(self, session: Session, issues: Sequence[BulkIssue]) -> None:
        for issue in issues:
            if issue.parent_key == self.change.parent_key:
                self._unneeded_state_by_key[issue.key] = self.change.words_after_already
                continue
            self._unconfirmed_by_id[issue.id] = issue
            try:
                await session.jira.edit_issue(
                    issue.key, {"parent": {"key": self.change.parent_key}}
                )
            except jira.JiraError as error:
                self._note_refused_or_raise(
                    [issue], error, f"to move it under {self.change.parent_key}: "
                )
            else:
                self._id_by_changed_key[issue.key] = issue.id
            self._report_progress(session)

    async def _run_as_task(
        self,
        session: Session,
        issues: Sequence[BulkIssue],
        start: Callable[[Sequence[str]], Awaitable[str]],
    ) -> None:
        """Start a task, and wait for its end; note what Jira has done with each issue."""
        task, issues = await self._start_jira_task(session, issues, start)
        if not issues:
            return
        try:
            progress = await self._wait_for_jira(session, task, issues)
        except jira.JiraError as error:
            raise OutcomeUnknown(error.what_went_wrong) from error
        except trio.Cancelled:
            with trio.move_on_after(CANCEL_REQUEST_TIMEOUT_SECONDS, shield=True):
                with suppress(jira.JiraError):  # Jira refuses it if the task is over
                    await session.jira.cancel_task(task)
                with suppress(jira.JiraError):
                    self._note_outcomes(session, await session.jira.bulk_progress(task), issues)
            raise
        left = [
            issue for issue in issues if issue.id not in {*progress.changed_ids, *progress.failed}
        ]
        self._note_failed(left, f"Jira has left it out ({progress.status.lower()})", Code.NOT_FOUND)
        await self._recheck_failed(session, issues)

    async def _start_jira_task(
        self,
        session: Session,
        issues: Sequence[BulkIssue],
        start: Callable[[Sequence[str]], Awaitable[str]],
    ) -> tuple[str, Sequence[BulkIssue]]:
        """Start a task, again after a rate limit; note what Jira refuses.

        Jira may have carried out what a rate limit refused. So the issues are looked at before a
        status is changed, or they are deleted, a second time. New values of fields can be set twice.

        Returns:
            The task's ID, and the issues that it changes; none if there is no task.
        """
        remaining_tries = MAX_JIRA_WRITE_TRIES
        while issues:
            remaining_tries -= 1
            self._unconfirmed_by_id |= {issue.id: issue for issue in issues}
            try:
                return await start([issue.id for issue in issues]), issues
            except jira.RateLimited as error:
                if not remaining_tries or not is_short_rate_limit(error):
                    raise OutcomeUnknown(error.what_went_wrong) from error
            except jira.JiraError as error:
                self._note_refused_or_raise(issues, error)
                break
            self._uncertain_ids |= {issue.id for issue in issues}
            if self.change.status or self.change.delete:
                issues = await self._note_done_and_return_rest(session, issues)
        return "", ()

    async def _recheck_failed(self, session: Session, issues: Sequence[BulkIssue]) -> None:
        """Count no issue as failed that another request has changed, perhaps an earlier one of ours."""
        noted = {note.key for note in self._failed}
        failed = [issue for issue in issues if issue.key in noted]
        if failed and (self.change.status or self.change.delete):
            left = {issue.key for issue in await self._note_done_and_return_rest(session, failed)}
            settled = {issue.key for issue in failed} - left
            self._failed = [note for note in self._failed if note.key not in settled]

    async def _wait_for_jira(
        self, session: Session, task: str, issues: Sequence[BulkIssue]
    ) -> jira.BulkProgress:
        wait = FIRST_WAIT_SECONDS
        while True:
            progress = await session.jira.bulk_progress(task)
            self._note_outcomes(session, progress, issues)
            self._report_progress(session)
            if progress.is_over:
                return progress
            await trio.sleep(wait)
            wait = min(2 * wait, MAX_WAIT_SECONDS)

    def _note_outcomes(
        self, session: Session, progress: jira.BulkProgress, issues: Sequence[BulkIssue]
    ) -> None:
        """Note what a task has done, and what it could not do."""
        noted = {note.key for note in self._failed}
        self._id_by_changed_key |= {
            issue.key: issue.id for issue in issues if issue.id in progress.changed_ids
        }
        for issue in issues:
            if issue.id in progress.failed and issue.key not in noted:
                reason = add_field_names(
                    progress.failed[issue.id], session.file_fields.line_names_and_ids
                )
                self._note_failed([issue], reason, Code.REFUSED_BY_JIRA)

    def _note_refused_or_raise(
        self, issues: Sequence[BulkIssue], error: jira.JiraError, change: str = ""
    ) -> None:
        """Note that Jira has refused to change some issues, or raise the error of a request.

        Args:
            issues: The issues.
            error: Jira's answer.
            change: The change, as the beginning of the note.

        Raises:
            OutcomeUnknown: It is not known what Jira does.
            JiraError: The next request would fail, too.
        """
        if may_have_arrived(error):
            raise OutcomeUnknown(error.what_went_wrong) from error
        for issue in issues:
            del self._unconfirmed_by_id[issue.id]
        if isinstance(error, jira.AuthenticationFailed) or not isinstance(error, jira.Rejected):
            raise error
        self._note_failed(issues, f"{change}{error}", Code.REFUSED_BY_JIRA)

    def _note_failed(self, issues: Sequence[BulkIssue], reason: str, code: Code) -> None:
        self._failed += (Note(issue.key, "", reason, code) for issue in issues)
