"""Routes for the roles in projects, and for what the user may do: everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.payload import read_list
from jira_sandbox.api.projects import find_project
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.model import Project

_ROLES: Final = {
    10002: ("Administrators", "People who set a project up."),
    10003: ("Developers", "People who work on a project."),
    10004: ("Users", "People who look at a project."),
}
_PERMISSIONS: Final = {
    "ADD_COMMENTS": "Add Comments",
    "ASSIGN_ISSUES": "Assign Issues",
    "BROWSE_PROJECTS": "Browse Projects",
    "BULK_CHANGE": "Bulk Change",
    "CREATE_ATTACHMENTS": "Create Attachments",
    "CREATE_ISSUES": "Create Issues",
    "DELETE_ISSUES": "Delete Issues",
    "EDIT_ISSUES": "Edit Issues",
    "EDIT_OWN_COMMENTS": "Edit Own Comments",
    "LINK_ISSUES": "Link Issues",
    "MANAGE_SPRINTS_PERMISSION": "Manage Sprints",
    "MOVE_ISSUES": "Move Issues",
    "SCHEDULE_ISSUES": "Schedule Issues",
    "TRANSITION_ISSUES": "Transition Issues",
    "WORK_ON_ISSUES": "Work On Issues",
}
_GLOBAL_PERMISSIONS: Final = ("BULK_CHANGE",)


class RoleRoutes(RouteGroup):
    """The routes for roles and permissions in one version of the interface."""

    async def list_all(self, request: Request) -> list[JsonObject]:
        """List the roles that every project has."""
        return [self._describe(request, number) for number in _ROLES]

    async def get(self, request: Request) -> JsonObject:
        """Describe a role."""
        return self._describe(request, _find_in_path(request))

    async def of_project(self, request: Request) -> JsonObject:
        """List the addresses of a project's roles by their names."""
        project = find_project(self._site, request)
        api = self._records(request).api
        return {
            name: f"{api}/project/{project.id}/role/{number}"
            for number, (name, _) in _ROLES.items()
        }

    async def in_project(self, request: Request) -> JsonObject:
        """Describe a role of a project with the people in it."""
        project = find_project(self._site, request)
        return self._describe(request, _find_in_path(request), project)

    async def permissions(self, request: Request) -> JsonObject:
        """Tell which of the permissions that the query names the user has."""
        wanted = read_list(request.query_params, "permissions")
        if not wanted:
            raise RequestRefused(400, "The 'permissions' query parameter is required.")
        if unknown := [name for name in wanted if name not in _PERMISSIONS]:
            raise RequestRefused(400, f"Unrecognized permission '{unknown[0][:50]}'.")
        return {"permissions": {name: _permission(name) for name in wanted}}

    def _describe(
        self, request: Request, number: int, project: Project | None = None
    ) -> JsonObject:
        api = self._records(request).api
        name, description = _ROLES[number]
        path = f"role/{number}" if project is None else f"project/{project.id}/role/{number}"
        described: JsonObject = {
            "self": f"{api}/{path}",
            "name": name,
            "id": number,
            "description": description,
        }
        if project is not None:
            described["actors"] = [
                {
                    "id": 10240 + place,
                    "displayName": user.name,
                    "type": "atlassian-user-role-actor",
                    "actorUser": {"accountId": user.account_id},
                }
                for place, user in enumerate(self._site.users)
            ]
        return described


def _permission(name: str) -> JsonObject:
    return {
        "id": str(10 + list(_PERMISSIONS).index(name)),
        "key": name,
        "name": _PERMISSIONS[name],
        "type": "GLOBAL" if name in _GLOBAL_PERMISSIONS else "PROJECT",
        "description": "",
        "havePermission": True,
    }


def _find_in_path(request: Request) -> int:
    wanted = request.path_params["role_id"]
    for number in _ROLES:
        if str(number) == wanted:
            return number
    raise RequestRefused(404, f"The role with id '{wanted[:50]}' does not exist.")
