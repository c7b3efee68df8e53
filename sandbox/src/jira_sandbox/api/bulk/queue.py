"""Carry bulk operations on, a few issues with each request that the site gets.

Jira works in the background. The sandbox does a fixed number of steps before each request, so
that a program sees progress, and tests see the same progress each time. A stored site goes on
where a killed sandbox stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.input_errors import InvalidInput
from jira_sandbox.api.issue_input import read_edit
from jira_sandbox.api.moving import move_issue
from jira_sandbox.api.transitions import perform_transition
from jira_sandbox.data.workflow import transitions_from
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.site import Site
    from jira_sandbox.data.task import Task

#: The number of issues that a task handles before each request.
STEPS: Final = 100


class TaskMiddleware:
    """ASGI middleware that carries the tasks of a site on before each request."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Do some steps, then pass the request on."""
        for task in self._site.registry.tasks():
            if not task.is_over:
                advance(self._site, task)
        await self._app(scope, receive, send)


def advance(site: Site, task: Task) -> None:
    """Do the next steps of a task."""
    for number, given in task.steps[task.done : task.done + STEPS]:
        errors = _do(site, task.action, number, given)
        failed = {**(task.failed or {}), **({str(number): errors} if errors else {})}
        task = replace(task, done=task.done + 1, failed=failed, updated=site.millis())
        site.put_task(task)


def _do(site: Site, action: str, number: int, given: Any) -> list[str]:
    """Do one step, and return its error messages."""
    issue = site.get(number)
    if issue is None:  # deleted with its parent, or by another request
        return [] if action == "delete" else ["The issue no longer exists."]
    try:
        _ACTIONS[action](site, issue, given)
    except InvalidInput as error:
        return [*error.messages, *error.errors.values()]
    except RequestRefused as error:
        return [error.message]
    return []


def _edit(site: Site, issue: Issue, body: Any) -> None:
    status = body.get("status")
    if status is not None:
        _change_status(site, issue, status)
        issue = site.existing(issue.key)
    if body["fields"] or body["update"]:
        values, actions = read_edit(site, "3", issue, body)
        site.edit(issue.key, **values)
        actions.perform(site, issue.key)


def _change_status(site: Site, issue: Issue, status: str) -> None:
    for transition in transitions_from(issue):
        if str(transition.to.id) == status:
            site.transition(issue.key, transition.to)
            return
    raise RequestRefused(400, "No transition leads to the status.")


def _transition(site: Site, issue: Issue, transition: Any) -> None:
    perform_transition(site, "3", issue, {"transition": {"id": transition}})


def _delete(site: Site, issue: Issue, _: Any) -> None:
    site.delete(issue.key)


def _watch(site: Site, issue: Issue, _: Any) -> None:
    if site.user not in issue.watching:
        site.touch(issue, watchers=(*issue.watching, site.user))


def _unwatch(site: Site, issue: Issue, _: Any) -> None:
    site.touch(issue, watchers=tuple(user for user in issue.watching if user != site.user))


_ACTIONS: Final[Mapping[str, Callable[[Site, Issue, Any], None]]] = {
    "edit": _edit,
    "transition": _transition,
    "delete": _delete,
    "move": move_issue,
    "watch": _watch,
    "unwatch": _unwatch,
}
