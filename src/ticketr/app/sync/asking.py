"""Asks Jira single questions without a job: the workspace is not locked.

A cancellation ends a request at once; none of them changes anything in Jira.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from ticketr.app.jira import BadRequest, JiraClient, LastChange, open_jira
from ticketr.app.sync.errors import BadQuery

if TYPE_CHECKING:
    from ticketr.app.sync.session_job import SessionOptions
    from ticketr.app.sync.state.state import State


def ask_jira(options: SessionOptions) -> AbstractAsyncContextManager[JiraClient]:
    """Open a client for the site of a workspace."""
    transport, browse = options.get("transport"), options.get("browse")
    return open_jira(options["credentials"], transport=transport, browse=browse)


async def search_ids(options: SessionOptions, jql: str) -> tuple[str, ...]:
    """Return the IDs of the issues that a query finds.

    Args:
        options: The options of the workspace's jobs.
        jql: The query.

    Raises:
        BadQuery: Jira does not understand the query.
        JiraError: The request failed.
    """
    async with ask_jira(options) as jira:
        try:
            result = await jira.search_ids(jql)
        except BadRequest as error:
            raise BadQuery(error.detail or str(error)) from error
    return tuple(result.ids)


def keys_of(state: State, ids: Collection[str]) -> frozenset[str]:
    """Return the keys of issues, as far as the last sync has recorded them. Synchronous.

    Args:
        state: The state of the workspace.
        ids: The IDs of issues.
    """
    known = state.known()
    return frozenset(known[text].key for text in ids if text in known)


async def read_statuses(options: SessionOptions, key: str) -> tuple[str, ...]:
    """Return the statuses that one transition of an issue leads to, in Jira's order.

    Args:
        options: The options of the workspace's jobs.
        key: The issue's key.

    Raises:
        JiraError: The request failed.
    """
    async with ask_jira(options) as jira:
        transitions = await jira.transitions(key)
    return tuple(dict.fromkeys(transition.to for transition in transitions if transition.to))


async def read_last_change(options: SessionOptions, key: str, until: str) -> LastChange | None:
    """Return the last change of an issue that its history names, up to a moment.

    Args:
        options: The options of the workspace's jobs.
        key: The issue's key.
        until: The moment, as Jira writes it; with another text, the newest change.

    Raises:
        JiraError: The request failed.
    """
    async with ask_jira(options) as jira:
        return await jira.last_change(key, until)
