"""Routes for what issues choose from: issue types, statuses, priorities and resolutions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.paging import make_page
from jira_sandbox.api.payload import read_list
from jira_sandbox.data import catalogue
from jira_sandbox.data.kit import types_of
from jira_sandbox.data.workflow import statuses
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.model import IssueType, Project, Resolution, Status

_CATEGORY_NAMES: Final = {"new": "TODO", "indeterminate": "IN_PROGRESS", "done": "DONE"}


class ConstantRoutes(RouteGroup):
    """The routes for these records in one version of the interface."""

    async def issue_types(self, request: Request) -> list[JsonObject]:
        """List the issue types of all projects."""
        describe = self._records(request).issue_type
        return [describe(kind) for kind in self._types()]

    async def issue_type(self, request: Request) -> JsonObject:
        """Describe an issue type."""
        kind = _find(self._types(), request.path_params["id"], "issue type")
        return self._records(request).issue_type(kind)

    async def project_issue_types(self, request: Request) -> list[JsonObject]:
        """List the issue types of a project, optionally those of one level."""
        project = self._project(request.query_params.get("projectId", ""))
        level = request.query_params.get("level")
        describe = self._records(request).issue_type
        found = [kind for kind in types_of(project) if level in {None, str(kind.level)}]
        return [describe(kind) for kind in found]

    async def priorities(self, request: Request) -> list[JsonObject]:
        """List the priorities."""
        describe = self._records(request).priority
        return [describe(each) for each in catalogue.PRIORITIES]

    async def priority(self, request: Request) -> JsonObject:
        """Describe a priority."""
        priority = _find(catalogue.PRIORITIES, request.path_params["id"], "priority")
        return self._records(request).priority(priority)

    async def search_priorities(self, request: Request) -> JsonObject:
        """Find priorities, page by page."""
        found = _selected(request, catalogue.PRIORITIES, "priorityName")
        describe = self._records(request).priority
        return make_page(request, found, describe)

    async def resolutions(self, request: Request) -> list[JsonObject]:
        """List the resolutions."""
        describe = self._records(request).resolution
        return [describe(each) for each in catalogue.RESOLUTIONS]

    async def resolution(self, request: Request) -> JsonObject:
        """Describe a resolution."""
        found = _find(catalogue.RESOLUTIONS, request.path_params["id"], "resolution")
        return self._records(request).resolution(found)

    async def search_resolutions(self, request: Request) -> JsonObject:
        """Find resolutions, page by page."""
        found = _selected(request, catalogue.RESOLUTIONS)

        def describe(resolution: Resolution) -> JsonObject:
            is_default = resolution == catalogue.RESOLUTIONS[0]
            return {**self._records(request).resolution(resolution), "default": is_default}

        return make_page(request, found, describe)

    async def statuses(self, request: Request) -> list[JsonObject]:
        """List the statuses of all workflows."""
        describe = self._records(request).status
        return [describe(status) for status in self._statuses()]

    async def status(self, request: Request) -> JsonObject:
        """Describe a status by its ID or name."""
        wanted = request.path_params["id_or_name"]
        describe = self._records(request).status
        for status in self._statuses():
            if wanted in {str(status.id), status.name}:
                return describe(status)
        raise RequestRefused(404, f"The status '{wanted[:100]}' does not exist.")

    async def statuses_by_id(self, request: Request) -> list[JsonObject]:
        """Read statuses by their IDs."""
        wanted = set(read_list(request.query_params, "id"))
        found = [status for status in self._statuses() if str(status.id) in wanted]
        return [_short_status(status) for status in found]

    async def search_statuses(self, request: Request) -> JsonObject:
        """Find statuses by project, category and name, page by page."""
        query = request.query_params
        project, category = query.get("projectId"), query.get("statusCategory")
        text = query.get("searchString", "").lower()
        found = [
            status
            for status in self._statuses()
            if (project is None or str(status.project) == project)
            and category in {None, _CATEGORY_NAMES[status.category.key]}
            and text in status.name.lower()
        ]
        return make_page(request, found, _short_status, default=200)

    async def categories(self, request: Request) -> list[JsonObject]:
        """List the categories of statuses."""
        return [self._records(request).category(category) for category in catalogue.CATEGORIES]

    async def category(self, request: Request) -> JsonObject:
        """Describe a category of statuses by its ID or key."""
        wanted = request.path_params["id_or_key"]
        for category in catalogue.CATEGORIES:
            if wanted in {str(category.id), category.key}:
                return self._records(request).category(category)
        raise RequestRefused(404, f"The status category '{wanted[:100]}' does not exist.")

    def _types(self) -> tuple[IssueType, ...]:
        every = (kind for project in self._site.projects for kind in types_of(project))
        return tuple(dict.fromkeys(every))

    def _statuses(self) -> tuple[Status, ...]:
        every = (status for project in self._site.projects for status in statuses(project))
        return tuple(dict.fromkeys(every))

    def _project(self, wanted: str) -> Project:
        project = self._site.project(wanted)
        if project is None:
            raise RequestRefused(404, f"No project could be found with id '{wanted[:100]}'.")
        return project


def _find(records: Iterable[Any], wanted: str, what: str) -> Any:
    for record in records:
        if str(record.id) == wanted:
            return record
    raise RequestRefused(404, f"The {what} with id '{wanted[:100]}' does not exist.")


def _selected(request: Request, records: Iterable[Any], name: str = "") -> Sequence[Any]:
    """Return the records with the given IDs, and with a text in their names."""
    wanted = set(read_list(request.query_params, "id"))
    text = request.query_params.get(name, "").lower()
    return [
        record
        for record in records
        if (not wanted or str(record.id) in wanted) and text in record.name.lower()
    ]


def _short_status(status: Status) -> JsonObject:
    scope: JsonObject = {"type": "GLOBAL"}
    if status.project is not None:
        scope = {"type": "PROJECT", "project": {"id": str(status.project)}}
    return {
        "id": str(status.id),
        "name": status.name,
        "description": status.description,
        "statusCategory": _CATEGORY_NAMES[status.category.key],
        "scope": scope,
    }
