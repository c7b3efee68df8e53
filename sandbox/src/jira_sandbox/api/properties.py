"""Routes that read and write the properties of an issue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from jira_sandbox.api.entity_properties import check_property
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.issues import require_issue
from jira_sandbox.api.payload import read_json
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.issue import Issue


class PropertyRoutes(RouteGroup):
    """The routes for issue properties in one version of the interface."""

    async def list_all(self, request: Request) -> JsonObject:
        """List the keys of the properties."""
        issue = require_issue(self._site, request)
        here = f"{self._records(request).api}/issue/{issue.id}/properties"
        keys = [{"self": f"{here}/{key}", "key": key} for key in sorted(issue.properties)]
        return {"keys": keys}

    async def get(self, request: Request) -> JsonObject:
        """Read a property."""
        issue, key = self._find_in_path(request)
        return {"key": key, "value": issue.properties[key]}

    async def put(self, request: Request) -> Response:
        """Write a property."""
        value = await read_json(request)
        issue, key = require_issue(self._site, request), request.path_params["key"]
        check_property(key, value)
        self._site.set_property(issue.key, key, value)
        return self._interface.answer({}, 200 if key in issue.properties else 201)

    async def remove(self, request: Request) -> None:
        """Remove a property."""
        issue, key = self._find_in_path(request)
        self._site.remove_property(issue.key, key)

    def _find_in_path(self, request: Request) -> tuple[Issue, str]:
        issue, key = require_issue(self._site, request), request.path_params["key"]
        if key not in issue.properties:
            raise RequestRefused(404, f"The property {key} does not exist.")
        return issue, key
