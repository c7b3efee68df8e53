"""Routes for links from an issue to something on another site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from jira_sandbox.api.input_errors import InvalidInput
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.issues import require_issue
from jira_sandbox.api.payload import read_object
from jira_sandbox.data.parts import RemoteLink
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.issue import Issue

_LINK_KEYS: Final = ("globalId", "application", "relationship", "object")


class RemoteLinkRoutes(RouteGroup):
    """The routes for remote links in one version of the interface."""

    async def list_all(self, request: Request) -> JsonObject | list[JsonObject]:
        """List the links of an issue, or describe the one with a global ID."""
        issue = require_issue(self._site, request)
        wanted = request.query_params.get("globalId")
        if wanted is None:
            return [self._describe(request, issue, link) for link in issue.remote_links]
        for link in issue.remote_links:
            if link.global_id == wanted:
                return self._describe(request, issue, link)
        raise RequestRefused(404, "No remote link with this global ID exists.")

    async def add(self, request: Request) -> Response:
        """Add a link, or replace the one with the same global ID."""
        details = _read_link(await read_object(request))
        issue = require_issue(self._site, request)
        known = next(
            (
                link
                for link in issue.remote_links
                if link.global_id is not None and link.global_id == details.get("globalId")
            ),
            None,
        )
        link = RemoteLink(self._site.next_part() if known is None else known.id, details)
        self._put(issue, link)
        described = self._describe(request, issue, link)
        identity = {"id": described["id"], "self": described["self"]}
        return self._interface.answer(identity, 201 if known is None else 200)

    async def get(self, request: Request) -> JsonObject:
        """Describe a link."""
        return self._describe(request, *self._find_in_path(request))

    async def edit(self, request: Request) -> None:
        """Replace a link."""
        details = _read_link(await read_object(request))
        issue, link = self._find_in_path(request)
        self._put(issue, RemoteLink(link.id, details))

    async def delete(self, request: Request) -> None:
        """Delete a link."""
        issue, link = self._find_in_path(request)
        self._remove(issue, link)

    async def delete_by_global_id(self, request: Request) -> None:
        """Delete the link with a global ID."""
        issue = require_issue(self._site, request)
        wanted = request.query_params.get("globalId")
        for link in issue.remote_links:
            if link.global_id == wanted:
                self._remove(issue, link)
                return
        raise RequestRefused(404, "No remote link with this global ID exists.")

    def _put(self, issue: Issue, link: RemoteLink) -> None:
        others = tuple(other for other in issue.remote_links if other.id != link.id)
        self._site.edit(issue.key, remote_links=(*others, link))

    def _remove(self, issue: Issue, link: RemoteLink) -> None:
        others = tuple(other for other in issue.remote_links if other.id != link.id)
        self._site.edit(issue.key, remote_links=others)

    def _find_in_path(self, request: Request) -> tuple[Issue, RemoteLink]:
        issue = require_issue(self._site, request)
        wanted = request.path_params["link_id"]
        for link in issue.remote_links:
            if str(link.id) == wanted:
                return issue, link
        raise RequestRefused(404, f"The remote link with id '{wanted[:50]}' does not exist.")

    def _describe(self, request: Request, issue: Issue, link: RemoteLink) -> JsonObject:
        api = self._records(request).api
        address = f"{api}/issue/{issue.key}/remotelink/{link.id}"
        return {"id": link.id, "self": address, **link.details}


def _read_link(body: JsonObject) -> dict[str, Any]:
    target = body.get("object")
    given = target if isinstance(target, dict) else {}
    missing = {name: f"'{name}' is required." for name in ("title", "url") if not given.get(name)}
    if missing:
        raise InvalidInput(missing)
    return {name: body[name] for name in _LINK_KEYS if body.get(name) is not None}
