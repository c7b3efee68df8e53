"""Asks Jira who changed an issue last; a pull asks for no history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.jira import open_jira

if TYPE_CHECKING:
    from ticketr.jira import LastChange
    from ticketr.sync.session import SessionOptions


async def read_last_change(options: SessionOptions, key: str, until: str) -> LastChange | None:
    """Return the last change of an issue that its history names, up to a moment.

    Args:
        options: The options of the workspace's jobs.
        key: The issue's key.
        until: The moment, as Jira writes it; with another text, the newest change.

    Raises:
        JiraError: The request failed.

    Cancellation:
        Ends the request at once.
    """
    async with open_jira(
        options["credentials"], transport=options.get("transport"), browse=options.get("browse")
    ) as jira:
        return await jira.last_change(key, until)
