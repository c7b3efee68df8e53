"""Make Starlette's routes of the tables of routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router

from jira_sandbox.api.routes import AGILE, OTHER, PLATFORM

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from jira_sandbox.api.interface import Interface, RouteGroup
    from jira_sandbox.api.routes import Table

_TABLES: Final[Mapping[str, Table]] = {"platform": PLATFORM, "agile": AGILE, "other": OTHER}
#: Where a request carries the version of the interface that it is for.
_VERSION: Final = "jira_sandbox.version"


def make_routes(interfaces: Mapping[str, Interface]) -> list[BaseRoute]:
    """Return all routes.

    Args:
        interfaces: The interfaces of the versions ``"2"`` and ``"3"``.
    """
    old, agile = _Version("platform", interfaces["2"]), _Version("agile", interfaces["2"])
    return [
        Mount("/rest/api/3", _Version("platform", interfaces["3"])),
        Mount("/rest/api/2", old),
        Mount("/rest/api/latest", old),
        Mount("/rest/agile/1.0", agile),
        Mount("/rest/agile/latest", agile),
        Mount("", _Version("other", interfaces["3"])),
    ]


class _Version:
    """ASGI application of a table of routes in one version of the interface."""

    def __init__(self, table: str, interface: Interface) -> None:
        self._table = table
        self.interface = interface
        self.groups = {kind: kind(interface) for kind in _TABLES[table]}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to its route."""
        await _router(self._table)({**scope, _VERSION: self}, receive, send)


@cache
def _router(table: str) -> Router:
    """Return the router of a table, which all sites share, since it takes milliseconds to make."""
    rows = [
        (path, method, _endpoint(route, kind))
        for kind, listed in _TABLES[table].items()
        for method, path, route in listed
    ]
    rows.sort(key=lambda row: [part.startswith("{") for part in row[0].split("/")])
    routes = [Route(f"/{path}", endpoint, methods=[method]) for path, method, endpoint in rows]
    return Router(routes, redirect_slashes=False)


def _endpoint(
    route: Callable[[Any, Request], Awaitable[Any]], kind: type[RouteGroup]
) -> Callable[[Request], Awaitable[Response]]:
    """Return a function that answers with what a route returns."""

    async def endpoint(request: Request) -> Response:
        version: _Version = request.scope[_VERSION]
        answer = await route(version.groups[kind], request)
        if isinstance(answer, Response):
            return answer
        return Response(status_code=204) if answer is None else version.interface.answer(answer)

    return endpoint
