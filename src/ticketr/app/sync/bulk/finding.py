"""The job that finds the issues for a bulk change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ticketr.app.jira import BadRequest, BulkFetched, Issue
from ticketr.app.sync.asking import ask_jira
from ticketr.app.sync.compare.mapping import field_text, subtask_ids
from ticketr.app.sync.concurrency import PAGE
from ticketr.app.sync.errors import AbsentIssues, BadQuery
from ticketr.app.sync.jobs.bulk_change import BulkIssue, count_of_tickets
from ticketr.app.sync.jobs.syncing import reporting_session
from ticketr.app.sync.session_job import SessionJob, SessionOptions
from ticketr.app.sync.threads import chunks

if TYPE_CHECKING:
    from ticketr import JobContext

#: The fields that a `BulkIssue` is read from.
FIELDS = ("summary", "status", "issuetype", "subtasks", "parent")


@dataclass(kw_only=True)
class FindIssuesJob(SessionJob):
    """A job that finds the issues for a bulk change.

    Attributes:
        query: A query in JQL; empty to look for ``keys``.
        keys: The keys of the issues.

    Cancellation:
        Takes effect at once.
    """

    verb = "Find issues"

    query: str = ""
    keys: Sequence[str] = ()

    @property
    def _subject(self) -> str:
        return "by query" if self.query else "by key"

    async def execute(self, context: JobContext) -> tuple[BulkIssue, ...]:
        """Run the job; the queue calls this.

        Raises:
            BadQuery: Jira does not understand the query.
            AbsentIssues: Jira does not have one of the keys.
            JiraError: A request failed.
        """
        async with reporting_session(self, context, lambda: "nothing was changed") as session:
            ids: Sequence[str] = tuple(self.keys)
            if self.query:
                try:
                    ids = (await session.jira.search_ids(self.query)).ids
                except BadRequest as error:
                    raise BadQuery(error.detail or str(error)) from error
            issues: list[BulkIssue] = []
            for chunk in chunks(ids, PAGE):
                answer = await session.jira.bulk_fetch(chunk, fields=FIELDS)
                if not self.query:
                    _refuse_absent(answer)
                issues += map(read_issue, answer.issues)
                session.progress.move(len(issues), len(ids), "Finding tickets")
        session.progress.move(len(issues), len(issues), f"Found {count_of_tickets(len(issues))}")
        return tuple(issues)


async def find_issues(options: SessionOptions, keys: Sequence[str]) -> tuple[BulkIssue, ...]:
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
    async with ask_jira(options) as jira:
        issues: list[BulkIssue] = []
        for chunk in chunks(keys, PAGE):
            answer = await jira.bulk_fetch(chunk, fields=FIELDS)
            _refuse_absent(answer)
            issues += map(read_issue, answer.issues)
    return tuple(issues)


def _refuse_absent(answer: BulkFetched) -> None:
    """Refuse to go on without some of the issues that were named."""
    if absent := [*answer.missing, *answer.failed]:
        raise AbsentIssues(tuple(absent))


def read_issue(issue: Issue) -> BulkIssue:
    """Read what a bulk change needs of an issue, which has at least the fields `FIELDS`."""
    kind, parent = issue.fields.get("issuetype"), issue.fields.get("parent")
    return BulkIssue(
        id=issue.id,
        key=issue.key,
        title=field_text(issue.fields.get("summary")),
        status=field_text(issue.fields.get("status")),
        type_id=str(kind.get("id", "")) if isinstance(kind, dict) else "",
        subtasks=subtask_ids(issue),
        parent=str(parent.get("key", "")) if isinstance(parent, dict) else "",
    )
