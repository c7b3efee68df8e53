"""Find the project that a request names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ticketr.sandbox.data.catalogue import DEMO
from ticketr.sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from ticketr.sandbox.data.model import Project
    from ticketr.sandbox.data.store import SiteStore

#: The project that is named for a component or a version that several projects have.
ALL_PROJECTS_ID: Final = DEMO.id


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
