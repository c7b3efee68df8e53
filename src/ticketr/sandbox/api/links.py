"""Routes for links between issues, and for the kinds of links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from ticketr.sandbox.api.comments import add_comment
from ticketr.sandbox.api.input_errors import InvalidInput
from ticketr.sandbox.api.interface import RouteGroup, no_content
from ticketr.sandbox.api.issues import NO_ISSUE
from ticketr.sandbox.api.part_input import read_comment
from ticketr.sandbox.api.payload import read_body
from ticketr.sandbox.data.catalogue import LINK_TYPES
from ticketr.sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from ticketr.sandbox.api.payload import JsonType
    from ticketr.sandbox.data.issue import Issue
    from ticketr.sandbox.data.parts import Link, LinkType
    from ticketr.sandbox.data.site import Site

_BODY: Final[Mapping[str, JsonType]] = {
    "comment": dict,
    "inwardIssue": dict,
    "outwardIssue": dict,
    "type": dict,
}
_NO_TYPE: Final = "No issue link type with {} '{}' found."


def find_link_type(value: Any) -> LinkType:
    """Find a kind of link by the ID or the name in a JSON object.

    Raises:
        RequestRefused: There is none.
    """
    given = value if isinstance(value, dict) else {}
    for key in ("id", "name"):
        if given.get(key) is None:
            continue
        wanted = str(given[key])
        for kind in LINK_TYPES:
            if wanted.lower() == str(getattr(kind, key)).lower():
                return kind
        raise RequestRefused(404, _NO_TYPE.format(key, wanted[:100]))
    raise RequestRefused(400, "Specify a link type by its 'id' or 'name'.")


def find_linked(site: Site, value: Any) -> Issue:
    """Find an issue by the ID or the key in a JSON object.

    Raises:
        RequestRefused: There is none.
    """
    given = value if isinstance(value, dict) else {}
    name = given.get("key") or given.get("id")
    issue = site.find(str(name)) if isinstance(name, (str, int)) else None
    if issue is None:
        raise RequestRefused(404, NO_ISSUE)
    return issue


class LinkRoutes(RouteGroup):
    """The routes for links in one version of the interface."""

    async def list_types(self, request: Request) -> Response:
        """List the kinds of links."""
        describe = self._interface.view(request).parts.link_type
        return self._interface.answer({"issueLinkTypes": [describe(kind) for kind in LINK_TYPES]})

    async def get_type(self, request: Request) -> Response:
        """Describe a kind of link."""
        kind = find_link_type({"id": request.path_params["id"]})
        return self._interface.answer(self._interface.view(request).parts.link_type(kind))

    async def add(self, request: Request) -> Response:
        """Link two issues; the inward one is that which, for example, blocks the other."""
        site = self._interface.site
        body = await read_body(request, _BODY)
        kind = find_link_type(body.get("type"))
        source = find_linked(site, body.get("inwardIssue"))
        target = find_linked(site, body.get("outwardIssue"))
        if source.id == target.id:
            raise InvalidInput({}, ["You cannot link an issue to itself."])
        given = body.get("comment")
        comment = read_comment(self._interface, target, given) if given else None
        site.link(kind, source, target)
        if comment is not None:
            add_comment(site, find_linked(site, {"id": target.id}), comment)
        return Response(status_code=201)

    async def get(self, request: Request) -> Response:
        """Describe a link with both of its issues."""
        return self._interface.answer_text(
            self._interface.view(request).link_in_full(self._named(request))
        )

    async def delete(self, request: Request) -> Response:
        """Remove a link."""
        self._interface.site.unlink(self._named(request))
        return no_content()

    def _named(self, request: Request) -> Link:
        wanted = request.path_params["id"]
        for issue in self._interface.site:
            for link in issue.links:
                if str(link.id) == wanted:
                    return link
        raise RequestRefused(404, f"No issue link with id '{wanted[:50]}' exists.")
