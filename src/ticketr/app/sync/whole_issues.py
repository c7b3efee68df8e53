"""Fetches issues with all that files hold of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ticketr.app.jira import BadAnswer, BadRequest, NotFound
from ticketr.app.sync.compare.comments import COMMENT_FIELD, are_incomplete, comments_field

if TYPE_CHECKING:
    from ticketr.app.jira import BulkFetched, Issue, JiraClient
    from ticketr.app.sync.compare.mapping import Columns


async def fetch_whole(jira: JiraClient, columns: Columns, ids: Sequence[str]) -> BulkFetched:
    """Fetch issues in one request, and in further ones the comments that it leaves out.

    Args:
        jira: The site.
        columns: What files hold.
        ids: The IDs or keys of the issues, as many as one bulk fetch may have.

    Returns:
        The issues. One whose comments Jira does not give is among those that failed.

    Raises:
        JiraError: A request failed for a reason that is not about one issue.

    Cancellation:
        Takes effect at once.
    """
    answer = await jira.bulk_fetch(ids, fields=columns.requested, partly=True)
    if not columns.comments:
        return answer
    issues: list[Issue] = []
    failed = dict(answer.failed)
    for issue in answer.issues:
        try:
            issues.append(await _with_all_comments(jira, issue))
        except (BadAnswer, BadRequest, NotFound) as error:
            failed[issue.id if issue.id in ids else issue.key] = str(error)
    return replace(answer, issues=tuple(issues), failed=failed)


async def _with_all_comments(jira: JiraClient, issue: Issue) -> Issue:
    if not are_incomplete(issue.fields):
        return issue
    comments = comments_field(await jira.comments(issue.id))
    return replace(issue, fields={**issue.fields, COMMENT_FIELD: comments})
