"""Routes for the worklogs of an issue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.issues import require_issue
from jira_sandbox.api.part_input import add_worklog, edit_worklogs, read_worklog
from jira_sandbox.api.payload import read_body, read_integer, read_list, read_object, read_page
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.parts import Worklog

_MOST_LISTED: Final = 1000
_MISSING: Final = "Cannot find worklog with id: '{}'."
_NOT_YOURS: Final = "You do not have permission to {} worklog with id '{}'."


class WorklogRoutes(RouteGroup):
    """The routes for worklogs in one version of the interface."""

    async def list_all(self, request: Request) -> JsonObject:
        """List the worklogs of an issue, the earliest first, page by page."""
        issue, query = require_issue(self._site, request), request.query_params
        after = read_integer(query, "startedAfter", -1)
        before = read_integer(query, "startedBefore", 2**62)
        found = [worklog for worklog in issue.worklogs if after <= worklog.started < before]
        page = read_page(query, default=5000)
        return {
            "startAt": page.start,
            "maxResults": page.size,
            "total": len(found),
            "worklogs": [self._describe(request, issue, each) for each in page.of(found)],
        }

    async def add(self, request: Request) -> Response:
        """Add a worklog."""
        body = await read_object(request)
        issue = require_issue(self._site, request)
        values = read_worklog(self._interface.context(issue), body)
        worklog = add_worklog(self._site, issue, values, request.query_params)
        return self._interface.answer(self._describe(request, issue, worklog), 201)

    async def get(self, request: Request) -> JsonObject:
        """Read a worklog."""
        return self._describe(request, *self._find_in_path(request))

    async def edit(self, request: Request) -> JsonObject:
        """Change a worklog."""
        body = await read_object(request)
        issue, worklog = self._find_in_path(request, "edit")
        values = read_worklog(self._interface.context(issue), body, is_new=False)
        time = max(self._site.millis(), worklog.updated + 1)
        changed = replace(worklog, **values, editor=self._site.user, updated=time)
        all_of_them = tuple(changed if each.id == changed.id else each for each in issue.worklogs)
        difference = changed.seconds - worklog.seconds
        edit_worklogs(self._site, issue, all_of_them, difference, request.query_params)
        return self._describe(request, issue, changed)

    async def delete(self, request: Request) -> None:
        """Delete a worklog."""
        issue, worklog = self._find_in_path(request, "delete")
        others = tuple(other for other in issue.worklogs if other.id != worklog.id)
        edit_worklogs(self._site, issue, others, -worklog.seconds, request.query_params)

    async def list_by_ids(self, request: Request) -> list[JsonObject]:
        """Read the worklogs with the given IDs, of any issues."""
        body = await read_body(request, {"ids": (int,)})
        wanted = set(body.get("ids", ()))
        if len(wanted) > _MOST_LISTED:
            raise RequestRefused(400, f"At most {_MOST_LISTED} worklogs can be read at once.")
        return [
            self._describe(request, issue, worklog)
            for issue in self._site
            for worklog in issue.worklogs
            if worklog.id in wanted
        ]

    def _describe(self, request: Request, issue: Issue, worklog: Worklog) -> dict[str, Any]:
        expand = read_list(request.query_params, "expand")
        return self._interface.view(request).parts.worklog(issue, worklog, expand)

    def _find_in_path(self, request: Request, action: str = "") -> tuple[Issue, Worklog]:
        """Return the worklog in the path; one of another user allows no action."""
        issue = require_issue(self._site, request)
        wanted = request.path_params["worklog_id"]
        for worklog in issue.worklogs:
            if str(worklog.id) != wanted:
                continue
            if action and worklog.author.account_id != self._site.user.account_id:
                raise RequestRefused(400, _NOT_YOURS.format(action, wanted))
            return issue, worklog
        raise RequestRefused(404, _MISSING.format(wanted[:50]))
