"""The project that a request names, and what its components and versions have alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.input_errors import InvalidInput
from jira_sandbox.data.catalogue import DEMO
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.data.model import Project
    from jira_sandbox.data.store import SiteStore

#: The project that is named for a component or a version that several projects have.
ALL_PROJECTS_ID: Final = DEMO.id
_LONGEST_NAME: Final = 255


def find_project(site: SiteStore, request: Request) -> Project:
    """Return the project in the path ``project/{id_or_key}``.

    Raises:
        RequestRefused: It does not exist.
    """
    wanted: str = request.path_params["id_or_key"]
    project = site.project_by_any_key(wanted)
    if project is None:
        kind = "id" if wanted.isdigit() else "key"
        raise RequestRefused(404, f"No project could be found with {kind} '{wanted}'.")
    return project


def project_of(site: SiteStore, body: dict[str, Any]) -> Project | None:
    """Return the project that a body names by ``projectId`` or ``project``, its key."""
    name = body.get("projectId") or body.get("project")
    return site.project(str(name)) if isinstance(name, (str, int)) else None


def read_name_and_description(body: dict[str, Any], problem: str) -> dict[str, Any]:
    """Return the name and the description of a component or a version, as far as a body has them.

    Args:
        body: The body of a request.
        problem: What is said of an invalid name.

    Raises:
        InvalidInput: The name is not text, empty or too long.
    """
    values: dict[str, Any] = {}
    if "name" in body:
        name = body["name"]
        if not isinstance(name, str) or not 0 < len(name.strip()) <= _LONGEST_NAME:
            raise InvalidInput({"name": problem})
        values["name"] = name.strip()
    if "description" in body:
        values["description"] = str(body["description"] or "")
    return values
