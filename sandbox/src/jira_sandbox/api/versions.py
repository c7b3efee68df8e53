"""Routes for the versions, which are releases, of projects."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from jira_sandbox.api.input_errors import InvalidInput, InvalidValue
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.paging import make_page
from jira_sandbox.api.payload import INVALID, read_list, read_object
from jira_sandbox.api.projects import (
    ALL_PROJECTS_ID,
    find_project,
    project_of,
    read_name_and_description,
)
from jira_sandbox.api.values import parse_date
from jira_sandbox.data.model import Version
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.issue import Issue

_DATES: Final = {"releaseDate": "release_date", "startDate": "start_date"}
_FLAGS: Final = ("released", "archived")


class VersionRoutes(RouteGroup):
    """The routes for versions in one version of the interface."""

    async def list_all(self, request: Request) -> list[JsonObject]:
        """List the versions of a project."""
        project = find_project(self._site, request)
        versions = self._site.registry.versions(project)
        return [self._records(request).version(each, project) for each in versions]

    async def list_page(self, request: Request) -> JsonObject:
        """Find versions of a project, page by page."""
        site, query = self._site, request.query_params
        project = find_project(site, request)
        records = self._records(request)
        text, states = query.get("query", "").lower(), read_list(query, "status")
        found = [
            each
            for each in site.registry.versions(project)
            if text in each.name.lower() and (not states or _state(each) in states)
        ]
        return make_page(request, found, lambda version: records.version(version, project))

    async def add(self, request: Request) -> Response:
        """Add a version to a project."""
        body = await read_object(request)
        project = project_of(self._site, body)
        if project is None:
            raise InvalidInput({"project": "The project must be specified."})
        values = {"released": False, "release_date": None, **_read_values(body)}
        if "name" not in values:
            raise InvalidInput({"name": "You must specify a valid version name."})
        if any(each.name == values["name"] for each in self._site.registry.versions(project)):
            raise InvalidInput({"name": "A version with this name already exists in this project."})
        version = Version(self._site.next_record(), project_id=project.id, **values)
        self._site.put_record(version)
        return self._interface.answer(self._describe(request, version), 201)

    async def get(self, request: Request) -> JsonObject:
        """Describe a version."""
        return self._describe(request, self._find_in_path(request))

    async def edit(self, request: Request) -> JsonObject:
        """Change a version."""
        body = await read_object(request)
        changed = replace(self._find_in_path(request), **_read_values(body))
        self._site.put_record(changed)
        return self._describe(request, changed)

    async def delete(self, request: Request) -> None:
        """Delete a version, and put another one in its place in issues if one is given."""
        query = request.query_params
        self._replace(
            self._find_in_path(request),
            query.get("moveFixIssuesTo"),
            query.get("moveAffectedIssuesTo"),
        )

    async def remove_and_swap(self, request: Request) -> None:
        """Do the same as `delete`, with a body."""
        body = await read_object(request)
        fixed, affected = body.get("moveFixIssuesTo"), body.get("moveAffectedIssuesTo")
        self._replace(
            self._find_in_path(request),
            None if fixed is None else str(fixed),
            None if affected is None else str(affected),
        )

    async def merge(self, request: Request) -> None:
        """Delete a version and put another one in its place in all issues."""
        instead = request.path_params["other"]
        self._replace(self._find_in_path(request), instead, instead)

    async def counts(self, request: Request) -> JsonObject:
        """Count the issues that a version fixes and affects."""
        version = self._find_in_path(request)
        return {
            "self": self._address(request, version),
            "issuesFixedCount": len(self._fixed(version)),
            "issuesAffectedCount": sum(
                version.id in issue.values.get("versions", ()) for issue in self._site
            ),
            "issueCountWithCustomFieldsShowingVersion": 0,
            "customFieldUsage": [],
        }

    async def unresolved(self, request: Request) -> JsonObject:
        """Count the issues of a version, and those that are not resolved."""
        version = self._find_in_path(request)
        issues = self._fixed(version)
        return {
            "self": self._address(request, version),
            "issuesCount": len(issues),
            "issuesUnresolvedCount": sum(issue.resolved is None for issue in issues),
        }

    def _replace(self, version: Version, fixed: str | None, affected: str | None) -> None:
        instead = None if fixed is None else self._find(fixed)
        other = None if affected is None else self._find(affected)
        for issue in list(self._site):
            numbers = issue.values.get("versions", ())
            if version.id in numbers:
                others = [number for number in numbers if number != version.id]
                others += [other.id] if other is not None and other.id not in others else []
                self._site.edit(issue.key, values={**issue.values, "versions": others})
        self._site.remove_record(version, instead)

    def _fixed(self, version: Version) -> list[Issue]:
        return [issue for issue in self._site if version in issue.fix_versions]

    def _describe(self, request: Request, version: Version) -> JsonObject:
        project = self._site.project(str(version.project_id or ALL_PROJECTS_ID))
        return self._records(request).version(version, project)

    def _address(self, request: Request, version: Version) -> str:
        return f"{self._records(request).api}/version/{version.id}"

    def _find_in_path(self, request: Request) -> Version:
        return self._find(request.path_params["id"])

    def _find(self, wanted: str) -> Version:
        for version in self._site.registry.versions():
            if str(version.id) == wanted:
                return version
        raise RequestRefused(404, f"Could not find version for id '{wanted[:100]}'.")


def _state(version: Version) -> str:
    return "archived" if version.archived else "released" if version.released else "unreleased"


def _read_values(body: JsonObject) -> dict[str, Any]:
    values = read_name_and_description(body, "You must specify a valid version name.")
    for flag in _FLAGS:
        if flag in body:
            if not isinstance(body[flag], bool):
                raise RequestRefused(400, INVALID)
            values[flag] = body[flag]
    for name, attribute in _DATES.items():
        if name in body:
            try:
                values[attribute] = parse_date(body[name])
            except InvalidValue as error:
                raise InvalidInput({name: error.text}) from error
    return values
