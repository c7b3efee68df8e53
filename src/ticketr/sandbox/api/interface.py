"""What the routes of one version share: the site, its views, and how answers are made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from ticketr.sandbox.api.quirks import Quirks
from ticketr.sandbox.api.views import View, to_json
from ticketr.sandbox.jql.search import Searcher

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from ticketr.sandbox.data.site import Site

_KEPT_VIEWS: Final = 4
CONTENT_TYPE: Final = "application/json;charset=UTF-8"
"""As Jira writes it."""


class Interface:
    """One version of the REST interface.

    Args:
        site: The site that is served.
        version: ``"3"`` or ``"2"``.
        odd: Whether answers hold what the documentation does not promise.
    """

    def __init__(self, site: Site, version: str, *, odd: bool) -> None:
        self.site = site
        self.version = version
        self.searcher = Searcher(site)
        self._odd = odd
        self._views: dict[str, View] = {}

    def view(self, request: Request) -> View:
        """Find the view whose links begin as the request's own address does."""
        host = request.headers.get("host") or "localhost"
        base = f"{request.url.scheme}://{host}"
        view = self._views.get(base)
        if view is None:
            while len(self._views) >= _KEPT_VIEWS:
                del self._views[next(iter(self._views))]
            view = self._views[base] = View(self.site, base, self.version)
        return view

    def answer(self, value: Any, status: int = 200) -> Response:
        """Answer with a value that is not JSON yet."""
        return self.answer_text(to_json(value), status)

    def answer_text(self, text: str, status: int = 200) -> Response:
        """Answer with JSON text."""
        if self._odd:
            text = to_json(Quirks().add_to(json.loads(text)))
        return json_response(text, status)


def no_content() -> Response:
    """Answer that it is done, without another word."""
    return Response(status_code=204)


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
    """Make an error answer of Jira's shape."""
    body = {"errorMessages": messages, "errors": errors or {}}
    return json_response(to_json(body), status, headers)
