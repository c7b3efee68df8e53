"""Asks Jira while a screen waits for the answer: for statuses, and which issues a query finds.

A request ends at once when it is cancelled, as by `stop_asking`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import trio

from ticketr import TicketrError
from ticketr.app import sync
from ticketr.app.config import expand_aliases
from ticketr.app.jira import AuthenticationFailed
from ticketr.app.tui.jobs_state import LOGIN_REFUSED_MESSAGE
from ticketr.app.tui.services.context import CallFailed, Services

T = TypeVar("T")

#: Seconds to wait for the statuses that issues can take, and for a search.
STATUS_WAIT, SEARCH_WAIT = 5.0, 30.0


async def ask_statuses(
    services: Services, name: str, keys: tuple[str, ...]
) -> dict[str, tuple[str, ...]] | None:
    """Ask Jira for the statuses that issues can take."""
    workspace = services.workspaces[name]

    async def ask() -> dict[str, tuple[str, ...]]:
        return {key: await workspace.ask_jira(sync.read_next_statuses, key) for key in keys}

    return await _ask_jira_or_none_if_stopped(services, name, ask, STATUS_WAIT)


async def ask_allowed_values_and_if_all(
    services: Services, name: str, issue_field: tuple[str, str]
) -> tuple[tuple[str, ...], bool] | None:
    """Ask Jira for the values that a field of an issue can have, and whether these are all.

    Args:
        services: What the services have in common.
        name: The name of the workspace.
        issue_field: The key of the issue, and the name of the field in files.
    """
    key, field = issue_field
    workspace = services.workspaces[name]

    async def ask() -> tuple[tuple[str, ...], bool]:
        # The name of a field that is not known may be its ID.
        column = await services.read(
            name, lambda _, state: state.site_record.ids_of_fields_in_files().get(field, field)
        )
        values: tuple[tuple[str, ...], bool] = await workspace.ask_jira(
            sync.read_allowed_values_and_if_all, key, column
        )
        return values

    return await _ask_jira_or_none_if_stopped(services, name, ask, STATUS_WAIT)


async def ask_match_count_and_local_keys(
    services: Services, name: str, jql: str
) -> tuple[int, frozenset[str]] | None:
    """Return how many issues a query finds in Jira, and which of them have files here."""
    workspace = services.workspaces[name]

    async def ask() -> tuple[int, frozenset[str]]:
        query = expand_aliases("jql", jql, workspace.query_by_alias)
        ids = await workspace.ask_jira(sync.search_ids, query)
        return len(ids), await services.read(name, lambda _, state: sync.keys_of(state, ids))

    return await _ask_jira_or_none_if_stopped(services, name, ask, SEARCH_WAIT)


async def ask_bulk_issues(
    services: Services, name: str, keys: tuple[str, ...]
) -> tuple[sync.BulkIssue, ...] | None:
    """Ask Jira for issues that are to be changed; None after `stop_asking`."""
    workspace = services.workspaces[name]
    return await _ask_jira_or_none_if_stopped(
        services, name, lambda: workspace.ask_jira(sync.fetch_bulk_issues, keys), SEARCH_WAIT
    )


async def ask_conflict_author(
    services: Services, name: str, key: str, updated: str
) -> tuple[str, str] | None:
    """Return who changed Jira's side of a conflict, and when; None if Jira does not answer.

    Args:
        services: What the services have in common.
        name: The name of the workspace.
        key: The key of the issue in the conflict that was changed last.
        updated: When that was, as Jira writes it.
    """
    with trio.move_on_after(STATUS_WAIT), suppress(TicketrError):
        change = await services.workspaces[name].ask_jira(sync.read_last_change, key, updated)
        if change and change.author_name:
            return change.author_name, change.changed_at
    return None


def stop_asking(services: Services, name: str) -> None:
    """Cancel a request; it is not answered."""
    services.cancel_request(name)


async def _ask_jira_or_none_if_stopped(
    services: Services, name: str, ask: Callable[[], Awaitable[T]], seconds: float
) -> T | None:
    """Ask Jira, for a limited number of seconds; return None after `stop_asking`.

    Raises:
        CallFailed: Jira has not answered, or refused the login.
        TicketrError: There is no answer for another reason.
    """
    with trio.move_on_after(seconds):
        try:
            return await services.run_latest(name, ask)
        except AuthenticationFailed as error:
            if type(error) is not AuthenticationFailed:
                raise
            raise CallFailed(f"{LOGIN_REFUSED_MESSAGE}; log in again by the palette") from error
    raise CallFailed(f"it has not answered for {seconds:.0f} s")
