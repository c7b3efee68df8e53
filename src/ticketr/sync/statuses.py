"""Asks Jira for the statuses that an issue can take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.jira import open_jira

if TYPE_CHECKING:
    from ticketr.sync.session import SessionOptions


async def read_statuses(options: SessionOptions, key: str) -> tuple[str, ...]:
    """Return the statuses that one transition of an issue leads to, in Jira's order.

    Args:
        options: The options of the workspace's jobs.
        key: The issue's key.

    Raises:
        JiraError: The request failed.

    Cancellation:
        Ends the request at once; it changes nothing in Jira.
    """
    async with open_jira(
        options["credentials"], transport=options.get("transport"), browse=options.get("browse")
    ) as jira:
        found = await jira.transitions(key)
    return tuple(dict.fromkeys(each.to for each in found if each.to))
