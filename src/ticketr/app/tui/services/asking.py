"""Asks Jira while a screen waits for the answer: for statuses, and which issues a query finds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import trio

from ticketr import TicketrError
from ticketr.app import sync
from ticketr.app.jira import AuthenticationFailed
from ticketr.app.tui import messages
from ticketr.app.tui.effects import Call, call_in
from ticketr.app.tui.jobs_state import LOGIN_REFUSED
from ticketr.app.tui.services.context import Services
from ticketr.text import clean

#: Seconds to wait for the statuses that issues can take, and for a search.
STATUS_WAIT, SEARCH_WAIT = 5.0, 30.0


async def ask_statuses(services: Services, name: str, keys: tuple[str, ...]) -> None:
    """Ask Jira for the statuses that issues can take, and send them; an error is sent, too.

    Cancellation:
        Ends the request at once, as `stop_asking` does.
    """
    read = services.workspaces[name].read_statuses

    async def ask() -> dict[str, tuple[str, ...]]:
        return {key: await read(key) for key in keys}

    await _ask_jira(services, call_in(name, ask_statuses, keys), ask, STATUS_WAIT)


async def ask_values(services: Services, name: str, asked: tuple[str, str]) -> None:
    """Ask Jira for the values that a field of an issue can have, and send them; an error is sent, too.

    Args:
        services: What the services have in common.
        name: The name of the workspace.
        asked: The key of the issue, and the name of the field in files.

    Cancellation:
        Ends the request at once, as `stop_asking` does.
    """
    key, field = asked
    workspace = services.workspaces[name]

    async def ask() -> tuple[tuple[str, ...], bool]:
        column = await services.in_thread(_column, workspace.store, field)
        return await workspace.read_values(key, column)

    await _ask_jira(services, call_in(name, ask_values, asked), ask, STATUS_WAIT)


def _column(store: sync.Store, field: str) -> str:
    """Return the ID of a field that files hold; its name if it is not known."""
    with sync.read_state(store) as state:
        return state.site_record.columns().get(field, field)


async def ask_keys(services: Services, name: str, jql: str) -> None:
    """Ask Jira which issues a query finds, and send their keys; an error is sent, too.

    Cancellation:
        Ends the request at once, as `stop_asking` does.
    """
    workspace = services.workspaces[name]

    async def ask() -> tuple[int, frozenset[str]]:
        ids = await workspace.search(jql)
        return len(ids), await services.in_thread(_keys_of, workspace.store, ids)

    await _ask_jira(services, call_in(name, ask_keys, jql), ask, SEARCH_WAIT)


async def ask_issues(services: Services, name: str, keys: tuple[str, ...]) -> None:
    """Ask Jira for issues that are to be changed, and send them; an error is sent, too.

    Cancellation:
        Ends the request at once, as `stop_asking` does.
    """
    find = services.workspaces[name].find_issues

    asked = call_in(name, ask_issues, keys)
    await _ask_jira(services, asked, partial(find, keys), SEARCH_WAIT)


async def ask_author(services: Services, name: str, key: str, issue: str, updated: str) -> None:
    """Ask Jira who changed its side of a conflict, and send it; send nothing without an answer.

    Args:
        services: What the services have in common.
        name: The name of the workspace.
        key: The key of the ticket in conflict.
        issue: The key of the issue that was changed last.
        updated: When that was, as Jira writes it.

    Cancellation:
        Ends the request at once.
    """
    read = services.workspaces[name].read_last_change
    with trio.move_on_after(STATUS_WAIT), suppress(TicketrError):
        change = await read(issue, updated)
        if change and change.author:
            asked = call_in(name, ask_author, key, issue, updated)
            services.send(messages.Answered(asked, (change.author, change.at)))


def stop_asking(services: Services, name: str) -> None:
    """Cancel a request; nothing is sent."""
    scope = services.asking.pop(name, None)
    if scope is not None:
        scope.cancel()


async def _ask_jira(
    services: Services, asked: Call, ask: Callable[[], Awaitable[object]], seconds: float
) -> None:
    """Ask Jira, for a limited number of seconds, and send the answer, or why it did not come.

    Send nothing after `stop_asking`, or if another request of the workspace has begun.
    """
    name = asked.workspace
    answer = messages.Answered(asked, problem=f"it has not answered for {seconds:.0f} s")
    with trio.move_on_after(seconds) as scope:
        services.asking[name] = scope
        try:
            answer = messages.Answered(asked, await ask())
        except TicketrError as error:
            words = str(error)
            if type(error) is AuthenticationFailed:
                words = f"{LOGIN_REFUSED}; log in again by the palette"
            answer = messages.Answered(asked, problem=clean(words))
    if services.asking.get(name) is scope:
        del services.asking[name]
        services.send(answer)


def _keys_of(store: sync.Store, ids: tuple[str, ...]) -> frozenset[str]:
    with sync.read_state(store) as state:
        return sync.keys_of(state, ids)
