"""Make Starlette's routes of the tables of routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router

from jira_sandbox.api.routes import AGILE, OTHER, PLATFORM

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from jira_sandbox.api.interface import Interface, RouteGroup
    from jira_sandbox.api.routes import Table


def make_routes(interfaces: Mapping[str, Interface]) -> list[BaseRoute]:
    """Return all routes.

    Args:
        interfaces: The interfaces of the versions ``"2"`` and ``"3"``.
    """
    old, agile = _LazyRouter(PLATFORM, interfaces["2"]), _LazyRouter(AGILE, interfaces["2"])
    return [
        Mount("/rest/api/3", _LazyRouter(PLATFORM, interfaces["3"])),
        Mount("/rest/api/2", old),
        Mount("/rest/api/latest", old),
        Mount("/rest/agile/1.0", agile),
        Mount("/rest/agile/latest", agile),
        *_bind(OTHER, interfaces["3"]),
    ]


class _LazyRouter:
    """ASGI application that makes its routes at the first request; most tests need one version."""

    def __init__(self, table: Table, interface: Interface) -> None:
        self._table = table
        self._interface = interface
        self._router: Router | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to its route."""
        if self._router is None:
            routes = _bind(self._table, self._interface)
            self._router = Router(routes, redirect_slashes=False)
        await self._router(scope, receive, send)


def _bind(table: Table, interface: Interface) -> list[Route]:
    rows = [
        (path, method, _endpoint(route, group, interface))
        for kind, listed in table.items()
        for group in [kind(interface)]
        for method, path, route in listed
    ]
    rows.sort(key=lambda row: [part.startswith("{") for part in row[0].split("/")])
    return [Route(f"/{path}", endpoint, methods=[method]) for path, method, endpoint in rows]


def _endpoint(
    route: Callable[[Any, Request], Awaitable[Any]], group: RouteGroup, interface: Interface
) -> Callable[[Request], Awaitable[Response]]:
    """Return a function that answers with what a route returns."""

    async def endpoint(request: Request) -> Response:
        answer = await route(group, request)
        if isinstance(answer, Response):
            return answer
        return Response(status_code=204) if answer is None else interface.answer(answer)

    return endpoint
