"""Asks Jira which issues a query finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.jira import BadRequest, open_jira
from ticketr.sync.errors import BadQuery

if TYPE_CHECKING:
    from collections.abc import Collection

    from ticketr.sync.session import SessionOptions
    from ticketr.sync.state.state import State


async def search_ids(options: SessionOptions, jql: str) -> tuple[str, ...]:
    """Return the IDs of the issues that a query finds.

    Args:
        options: The options of the workspace's jobs.
        jql: The query.

    Raises:
        BadQuery: Jira does not understand the query.
        JiraError: The request failed.

    Cancellation:
        Ends the request at once.
    """
    async with open_jira(
        options["credentials"], transport=options.get("transport"), browse=options.get("browse")
    ) as jira:
        try:
            found = await jira.search_ids(jql)
        except BadRequest as error:
            raise BadQuery(error.detail or str(error)) from error
    return tuple(found.ids)


def keys_of(state: State, ids: Collection[str]) -> frozenset[str]:
    """Return the keys of those issues that the last sync knows. Synchronous.

    Args:
        state: The state of the workspace.
        ids: The IDs of issues.
    """
    known = state.known()
    return frozenset(known[each].key for each in ids if each in known)
