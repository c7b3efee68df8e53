"""Routes for metadata: a project's issue types, and the fields to create and edit issues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.field_metadata import FieldDescriber
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.issues import require_issue
from jira_sandbox.api.payload import read_integer
from jira_sandbox.data.kit import types_of
from jira_sandbox.data.workflow import statuses
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.model import IssueType, Project

_DEFAULT_PAGE: Final = 50
_BIGGEST_PAGE: Final = 200


class CreateMetaRoutes(RouteGroup):
    """The routes for create metadata in one version of the interface."""

    async def types(self, request: Request) -> JsonObject:
        """List the issue types of a project."""
        project = self._project(request)
        types = [self._records(request).issue_type(kind) for kind in types_of(project)]
        return _page(request, "issueTypes", types)

    async def fields(self, request: Request) -> JsonObject:
        """List the fields with which an issue of a type can be created."""
        project = self._project(request)
        kind = _issue_type(project, request.path_params["type_id"])
        fields = FieldDescriber(self._records(request), self._site, project).create_screen(kind)
        return _page(request, "fields", fields)

    async def statuses(self, request: Request) -> list[JsonObject]:
        """List the statuses of each of a project's issue types."""
        project = self._project(request, missing=404)
        records = self._records(request)
        known = [records.status(status) for status in statuses(project)]
        return [
            {
                "self": f"{records.api}/issuetype/{kind.id}",
                "id": str(kind.id),
                "name": kind.name,
                "subtask": kind.subtask,
                "statuses": known,
            }
            for kind in types_of(project)
        ]

    async def edit_fields(self, request: Request) -> JsonObject:
        """Describe the fields with which an issue can be edited."""
        issue = require_issue(self._site, request)
        describer = FieldDescriber(self._records(request), self._site, issue.project)
        return {"fields": describer.edit_screen(issue)}

    def _project(self, request: Request, *, missing: int = 400) -> Project:
        wanted = request.path_params["project"]
        project = self._site.project(wanted)
        if project is None:
            raise RequestRefused(missing, f"No project could be found with id or key '{wanted}'.")
        return project


def _issue_type(project: Project, wanted: str) -> IssueType:
    for kind in types_of(project):
        if str(kind.id) == wanted:
            return kind
    raise RequestRefused(400, f"The issue type with id '{wanted}' does not exist in this project.")


def _page(request: Request, name: str, entries: list[JsonObject]) -> dict[str, Any]:
    query = request.query_params
    start = read_integer(query, "startAt", 0)
    size = read_integer(query, "maxResults", _DEFAULT_PAGE)
    if size > _BIGGEST_PAGE:
        raise RequestRefused(
            400, f"Parameter 'maxResults' must not exceed the limit '{_BIGGEST_PAGE}'"
        )
    if start < 0 or size < 1:
        raise RequestRefused(400, "'startAt' and 'maxResults' must not be negative.")
    page = entries[start : start + size]
    return {"startAt": start, "maxResults": size, "total": len(entries), name: page}
