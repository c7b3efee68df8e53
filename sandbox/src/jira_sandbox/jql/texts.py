"""The texts of an issue, in lower case, that ``~`` searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jira_sandbox.data.extra_fields import BY_ID
from jira_sandbox.data.history import words_of

if TYPE_CHECKING:
    from jira_sandbox.data.issue import Issue


def _lower(document: Any) -> str:
    return words_of(document).lower()


def description_texts(issue: Issue) -> tuple[str, ...]:
    """Return the description."""
    return () if issue.description is None else (_lower(issue.description),)


def comment_texts(issue: Issue) -> tuple[str, ...]:
    """Return the comments."""
    return tuple(_lower(comment.body) for comment in issue.comments)


def every_text(issue: Issue) -> tuple[str, ...]:
    """Return the summary, the description, the comments, and the fields that hold text."""
    fields = (
        _lower(value) if isinstance(value, dict) else str(value).lower()
        for name, value in issue.values.items()
        if BY_ID[name].kind in {"textarea", "textfield"}
    )
    return (issue.summary.lower(), *description_texts(issue), *comment_texts(issue), *fields)
