"""What the routes of one version share: the site, its views, and the making of responses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from jira_sandbox.api.quirks import Quirks
from jira_sandbox.api.selection import FieldCatalogue
from jira_sandbox.api.values import ValueContext
from jira_sandbox.api.views import View, to_json
from jira_sandbox.jql.search import Searcher

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import Records
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.site import Site

_MOST_VIEWS: Final = 4
#: The content type in Jira's spelling.
CONTENT_TYPE: Final = "application/json;charset=UTF-8"


class Interface:
    """One version of the REST interface.

    Args:
        site: The site to serve.
        version: ``"3"`` or ``"2"``.
        odd: Whether responses contain unknown keys and nulls.

    Attributes:
        site: The site.
        version: The version.
        searcher: Runs queries.
        fields: The site's fields.
    """

    def __init__(self, site: Site, version: str, *, odd: bool) -> None:
        self.site = site
        self.version = version
        self.searcher = Searcher(site)
        self.fields = FieldCatalogue(site.projects)
        self._odd = odd
        self._views: dict[str, View] = {}

    def view(self, request: Request) -> View:
        """Return the view whose links have the same base address as the request."""
        host = request.headers.get("host") or "localhost"
        base = f"{request.url.scheme}://{host}"
        view = self._views.get(base)
        if view is None:
            while len(self._views) >= _MOST_VIEWS:
                del self._views[next(iter(self._views))]
            view = self._views[base] = View(self.site, base, self.version)
        return view

    def context(self, issue: Issue) -> ValueContext:
        """Return the context in which values for an issue are read."""
        return ValueContext(self.site, self.version, issue.project, issue.type, issue)

    def answer(self, value: Any, status: int = 200) -> Response:
        """Make a response that holds a value as JSON."""
        return self.answer_text(to_json(value), status)

    def answer_text(self, text: str, status: int = 200) -> Response:
        """Make a response of JSON text."""
        if self._odd:
            text = to_json(Quirks().apply(json.loads(text)))
        return json_response(text, status)


class RouteGroup:
    """The base of a group of routes in one version of the interface.

    A route returns JSON, or None for an empty response with status 204, or any other response.
    """

    def __init__(self, interface: Interface) -> None:
        self._interface = interface
        self._site = interface.site

    def _records(self, request: Request) -> Records:
        return self._interface.view(request).records


def json_response(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Make a response of JSON text."""
    return Response(
        text.encode("utf-8", "surrogatepass"),
        status,
        {"content-type": CONTENT_TYPE, **(headers or {})},
    )


def error_response(
    status: int,
    *messages: str,
    errors: Mapping[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Make an error response of Jira's shape."""
    body = {"errorMessages": messages, "errors": errors or {}}
    return json_response(to_json(body), status, headers)
