"""An issue's estimates and the time spent on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jira_sandbox.api.durations import write_duration

if TYPE_CHECKING:
    from jira_sandbox.data.issue import Issue


def time_tracking(issue: Issue) -> dict[str, Any]:
    """Return the value of the field ``timetracking``; what is not known is left out."""
    known = {
        "originalEstimate": issue.original_estimate,
        "remainingEstimate": issue.remaining_estimate,
        "timeSpent": issue.seconds_spent,
    }
    described: dict[str, Any] = {}
    for name, seconds in known.items():
        if seconds is not None:
            described |= {name: write_duration(seconds), f"{name}Seconds": seconds}
    return described


def progress(issue: Issue) -> dict[str, int]:
    """Return the value of the field ``progress``."""
    spent = issue.seconds_spent or 0
    total = spent + (issue.remaining_estimate or 0)
    described = {"progress": spent, "total": total}
    return {**described, "percent": spent * 100 // total} if total else described


def work_ratio(issue: Issue) -> int:
    """Return the value of the field ``workratio``: percent of the original estimate, or -1."""
    estimate = issue.original_estimate
    return (issue.seconds_spent or 0) * 100 // estimate if estimate else -1
