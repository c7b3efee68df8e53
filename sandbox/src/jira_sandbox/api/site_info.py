"""Routes for the site itself: server info, the current user, fields and projects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.payload import read_integer, read_list
from jira_sandbox.api.projects import find_project
from jira_sandbox.api.records import timestamp
from jira_sandbox.data.model import to_millis
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.model import Project

_DEFAULT_PAGE: Final = 50
_MOST_PROJECTS: Final = 100


class SiteInfoRoutes(RouteGroup):
    """The site's routes in one version of the interface."""

    async def session(self, request: Request) -> JsonObject:
        """Answer older clients that check their credentials."""
        user = self._site.user
        return {
            "self": f"{self._records(request).api}/user?accountId={user.account_id}",
            "name": user.account_id,
            "loginInfo": {"loginCount": 1, "failedLoginCount": 0},
        }

    async def server_info(self, request: Request) -> JsonObject:
        """Describe the site."""
        return {
            "baseUrl": self._records(request).base,
            "version": "1001.0.0-SNAPSHOT",
            "versionNumbers": [1001, 0, 0],
            "deploymentType": "Cloud",
            "buildNumber": 100287,
            "buildDate": "2025-12-01T08:00:00.000+0000",
            "serverTime": timestamp(to_millis(self._site.now()), self._site.user),
            "scmInfo": "5a4d2c0b7e91f3d86a5c4b3e2d1f0a9b8c7d6e5f",
            "serverTitle": "Jira sandbox",
            "serverTimeZone": self._site.user.time_zone,
        }

    async def myself(self, request: Request) -> JsonObject:
        """Describe the user who is signed in."""
        return self._records(request).user(self._site.user, in_full=True)

    async def fields(self, _request: Request) -> list[JsonObject]:
        """List all fields."""
        return self._interface.fields.as_json()

    async def projects(self, request: Request) -> list[JsonObject]:
        """List all projects."""
        return self._listed(request, self._site.projects)

    async def project(self, request: Request) -> JsonObject:
        """Describe a project."""
        project = find_project(self._site, request)
        return self._records(request).project_in_full(project, self._site.registry)

    async def search_projects(self, request: Request) -> JsonObject:
        """Find projects, page by page."""
        query = request.query_params
        start = read_integer(query, "startAt", 0)
        size = read_integer(query, "maxResults", _DEFAULT_PAGE)
        if start < 0 or size < 1:
            raise RequestRefused(400, "'startAt' and 'maxResults' must not be negative.")
        size = min(size, _MOST_PROJECTS)
        found = self._matching(query.get("query", ""), read_list(query, "keys"))
        page = found[start : start + size]
        here = f"{self._records(request).api}/project/search?maxResults={size}"
        answer: dict[str, Any] = {
            "self": f"{here}&startAt={start}",
            "maxResults": size,
            "startAt": start,
            "total": len(found),
            "isLast": start + size >= len(found),
            "values": self._listed(request, page),
        }
        if not answer["isLast"]:
            answer["nextPage"] = f"{here}&startAt={start + size}"
        return answer

    def _matching(self, text: str, keys: list[str]) -> tuple[Project, ...]:
        return tuple(
            project
            for project in self._site.projects
            if text.lower() in f"{project.key}\n{project.name}".lower()
            and (not keys or project.key in keys)
        )

    def _listed(self, request: Request, projects: tuple[Project, ...]) -> list[dict[str, Any]]:
        return [self._records(request).project(project) for project in projects]
