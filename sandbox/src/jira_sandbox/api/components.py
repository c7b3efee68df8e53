"""Routes for the components of projects."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from jira_sandbox.api.input_errors import InvalidInput, InvalidValue
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.paging import make_page
from jira_sandbox.api.payload import read_object
from jira_sandbox.api.projects import (
    ALL_PROJECTS_ID,
    find_project,
    project_of,
    read_name_and_description,
)
from jira_sandbox.api.values import ValueContext, read_user
from jira_sandbox.data import catalogue
from jira_sandbox.data.model import Component
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.model import User


class ComponentRoutes(RouteGroup):
    """The routes for components in one version of the interface."""

    async def list_all(self, request: Request) -> list[JsonObject]:
        """List the components of a project."""
        project = find_project(self._site, request)
        components = self._site.registry.components(project)
        return [self._records(request).component(each, project) for each in components]

    async def list_page(self, request: Request) -> JsonObject:
        """List the components of a project with their numbers of issues, page by page."""
        site = self._site
        project = find_project(site, request)
        records = self._records(request)
        text = request.query_params.get("query", "").lower()
        found = [each for each in site.registry.components(project) if text in each.name.lower()]

        def describe(component: Component) -> JsonObject:
            return {**records.component(component, project), "issueCount": self._count(component)}

        return make_page(request, found, describe)

    async def add(self, request: Request) -> Response:
        """Add a component to a project."""
        body = await read_object(request)
        project = project_of(self._site, body)
        if project is None:
            raise InvalidInput({"project": "The project must be specified."})
        values = self._read_values(body)
        if "name" not in values:
            raise InvalidInput({"name": "The component name must be specified."})
        if any(each.name == values["name"] for each in self._site.registry.components(project)):
            raise InvalidInput(
                {"name": f"A component with the name {values['name']} already exists."}
            )
        component = Component(self._site.next_record(), project_id=project.id, **values)
        self._site.put_record(component)
        return self._interface.answer(self._describe(request, component), 201)

    async def get(self, request: Request) -> JsonObject:
        """Describe a component."""
        return self._describe(request, self._find_in_path(request))

    async def edit(self, request: Request) -> JsonObject:
        """Change a component."""
        body = await read_object(request)
        changed = replace(self._find_in_path(request), **self._read_values(body))
        self._site.put_record(changed)
        return self._describe(request, changed)

    async def delete(self, request: Request) -> None:
        """Delete a component, and move its issues to another one if one is given."""
        component = self._find_in_path(request)
        wanted = request.query_params.get("moveIssuesTo")
        instead = None if wanted is None else self._find(wanted)
        self._site.remove_record(component, instead)

    async def count(self, request: Request) -> JsonObject:
        """Count the issues of a component."""
        component = self._find_in_path(request)
        address = f"{self._records(request).api}/component/{component.id}"
        return {"self": address, "issueCount": self._count(component)}

    def _count(self, component: Component) -> int:
        return sum(component in issue.components for issue in self._site)

    def _describe(self, request: Request, component: Component) -> JsonObject:
        project = self._site.project(str(component.project_id or ALL_PROJECTS_ID))
        return self._records(request).component(component, project)

    def _find_in_path(self, request: Request) -> Component:
        return self._find(request.path_params["id"])

    def _find(self, wanted: str) -> Component:
        for component in self._site.registry.components():
            if str(component.id) == wanted:
                return component
        raise RequestRefused(404, f"The component with id {wanted[:100]} does not exist.")

    def _read_values(self, body: JsonObject) -> dict[str, Any]:
        values = read_name_and_description(body, "The component name is missing or too long.")
        if "leadAccountId" in body:
            values["lead"] = self._lead(body["leadAccountId"])
        return values

    def _lead(self, account: Any) -> User | None:
        context = ValueContext(
            self._site, self._interface.version, catalogue.DEMO, catalogue.TASK, None
        )
        try:
            return read_user(context, {"accountId": account})
        except InvalidValue as error:
            raise InvalidInput({"leadAccountId": error.text}) from error
