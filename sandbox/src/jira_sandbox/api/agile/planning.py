"""Routes for epics, ranks and estimates of issues in the agile interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jira_sandbox.api.agile.agile_issues import AgileIssues, rank_issues, read_issues
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.issues import require_issue
from jira_sandbox.api.payload import read_object
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.issue import Issue


class PlanningRoutes(RouteGroup):
    """The routes for epics, ranks and estimates."""

    async def issue(self, request: Request) -> JsonObject:
        """Read an issue with its sprint and epic."""
        issue = require_issue(self._site, request)
        return AgileIssues(self._interface, request).describe(issue)

    async def epic(self, request: Request) -> JsonObject:
        """Describe an epic."""
        return self._records(request).epic(self._epic(request))

    async def epic_issues(self, request: Request) -> JsonObject:
        """List the issues of an epic."""
        found = self._site.children(self._epic(request))
        return AgileIssues(self._interface, request).page(found)

    async def move_to_epic(self, request: Request) -> None:
        """Give issues an epic, or take it away."""
        body = await read_object(request)
        wanted = request.path_params["id_or_key"]
        epic = None if wanted == "none" else self._epic(request)
        issues = read_issues(self._site, body)
        if any(issue.type.level != 0 for issue in issues):
            raise RequestRefused(400, "Only standard issues belong to epics.")
        if epic is not None and any(issue.project != epic.project for issue in issues):
            raise RequestRefused(400, "The issues do not belong to the project of the epic.")
        for issue in issues:
            self._site.edit(issue.key, parent=None if epic is None else epic.id)

    async def rank(self, request: Request) -> None:
        """Move issues before or after another one."""
        body = await read_object(request)
        if not body.keys() & {"rankBeforeIssue", "rankAfterIssue"}:
            raise RequestRefused(400, "One of 'rankBeforeIssue' and 'rankAfterIssue' is needed.")
        rank_issues(self._site, read_issues(self._site, body), body)

    async def estimation(self, request: Request) -> JsonObject:
        """Read the estimate of an issue."""
        issue = require_issue(self._site, request)
        return _estimate(issue)

    async def estimate(self, request: Request) -> JsonObject:
        """Write the estimate of an issue."""
        body = await read_object(request)
        issue = require_issue(self._site, request)
        try:
            points = None if body.get("value") in (None, "") else float(body["value"])
        except (TypeError, ValueError):
            raise RequestRefused(400, "'value' is not a number.") from None
        if issue.project.team_managed:
            rest = {key: value for key, value in issue.values.items() if key != _estimate_id(issue)}
            added = {} if points is None else {_estimate_id(issue): points}
            issue = self._site.edit(issue.key, values={**rest, **added})
        else:
            issue = self._site.edit(issue.key, story_points=points)
        return _estimate(issue)

    def _epic(self, request: Request) -> Issue:
        epic = require_issue(self._site, request)
        if epic.type.level != 1:
            raise RequestRefused(404, "The requested issue is not an epic.")
        return epic


def _estimate_id(issue: Issue) -> str:
    return "customfield_10028" if issue.project.team_managed else "customfield_10016"


def _estimate(issue: Issue) -> dict[str, Any]:
    field = _estimate_id(issue)
    points = issue.values.get(field) if issue.project.team_managed else issue.story_points
    return {"fieldId": field, "value": points}
