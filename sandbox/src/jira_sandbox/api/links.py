"""Routes for links between issues, and for the kinds of links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from jira_sandbox.api.input_errors import InvalidInput
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.link_input import find_link_type, find_linked
from jira_sandbox.api.part_input import add_comment, read_comment
from jira_sandbox.api.payload import read_body
from jira_sandbox.data.catalogue import LINK_TYPES
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.payload import JsonType
    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.parts import Link

_BODY_TYPES: Final[Mapping[str, JsonType]] = {
    "comment": dict,
    "inwardIssue": dict,
    "outwardIssue": dict,
    "type": dict,
}


class LinkRoutes(RouteGroup):
    """The routes for links in one version of the interface."""

    async def list_types(self, request: Request) -> JsonObject:
        """List the kinds of links."""
        describe = self._interface.view(request).parts.link_type
        return {"issueLinkTypes": [describe(kind) for kind in LINK_TYPES]}

    async def get_type(self, request: Request) -> JsonObject:
        """Describe a kind of link."""
        kind = find_link_type({"id": request.path_params["id"]})
        return self._interface.view(request).parts.link_type(kind)

    async def add(self, request: Request) -> Response:
        """Link two issues; the inward one is that which, for example, blocks the other."""
        body = await read_body(request, _BODY_TYPES)
        kind = find_link_type(body.get("type"))
        source = find_linked(self._site, body.get("inwardIssue"))
        target = find_linked(self._site, body.get("outwardIssue"))
        if source.id == target.id:
            raise InvalidInput({}, ["You cannot link an issue to itself."])
        given = body.get("comment")
        comment = read_comment(self._interface.context(target), given) if given else None
        self._site.link(kind, source, target)
        if comment is not None:
            add_comment(self._site, find_linked(self._site, {"id": target.id}), comment)
        return Response(status_code=201)

    async def get(self, request: Request) -> Response:
        """Describe a link with both of its issues."""
        return self._interface.answer_text(
            self._interface.view(request).link_in_full(self._find_in_path(request))
        )

    async def delete(self, request: Request) -> None:
        """Remove a link."""
        self._site.unlink(self._find_in_path(request))

    def _find_in_path(self, request: Request) -> Link:
        wanted = request.path_params["id"]
        for issue in self._site:
            for link in issue.links:
                if str(link.id) == wanted:
                    return link
        raise RequestRefused(404, f"No issue link with id '{wanted[:50]}' exists.")
