"""Puts the site together: both versions of the interface, the lock and the delay."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from ticketr.sandbox.api.createmeta import CreateMetaRoutes
from ticketr.sandbox.api.gateway import GatewayRouter
from ticketr.sandbox.api.input_errors import InvalidInput
from ticketr.sandbox.api.interface import Interface, error_response
from ticketr.sandbox.api.issues import IssueRoutes
from ticketr.sandbox.api.latency import LatencyMiddleware
from ticketr.sandbox.api.properties import PropertyRoutes
from ticketr.sandbox.api.search import SearchRoutes
from ticketr.sandbox.api.site_info import SiteInfoRoutes
from ticketr.sandbox.api.transitions import TransitionRoutes
from ticketr.sandbox.api.users import UserRoutes
from ticketr.sandbox.api.writes import WriteRoutes
from ticketr.sandbox.auth import EMAIL, SCOPED_TOKEN, TOKEN, BasicAuth
from ticketr.sandbox.errors import JqlError, RequestRefused
from ticketr.sandbox.faults.middleware import FaultMiddleware

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route
    from starlette.types import ASGIApp

    from ticketr.sandbox.data.site import Site
    from ticketr.sandbox.faults.source import FaultSource

VERSIONS: Final = ("3", "2")
_GROUPS: Final = (
    SiteInfoRoutes,
    SearchRoutes,
    CreateMetaRoutes,
    IssueRoutes,
    WriteRoutes,
    TransitionRoutes,
    PropertyRoutes,
    UserRoutes,
)
"""Those whose paths are words come before those whose paths are keys."""
_UNAUTHORIZED: Final = "Client must be authenticated to access this resource."


def create_app(
    site: Site, *, latency: float = 0.0, odd: bool = False, faults: FaultSource | None = None
) -> ASGIApp:
    """Make the web application of a site.

    It runs behind a server, or inside a client by ``httpx.ASGITransport``; either way under
    Trio.

    Args:
        site: The site to serve.
        latency: Seconds to wait before each answer.
        odd: Whether answers hold unknown keys and nulls, as those of a real site do.
        faults: What goes wrong; nothing if it is left out.
    """
    if not 0 <= latency < math.inf:
        raise ValueError(f"the latency cannot be {latency} seconds")
    complaints = _Complaints()
    refusal = error_response(401, _UNAUTHORIZED, headers={"www-authenticate": 'Basic realm="Jira"'})
    interfaces = [Interface(site, version, odd=odd) for version in VERSIONS]
    routes = [route for interface in interfaces for route in _routes(interface)]
    app = Starlette(
        routes=[*routes, SiteInfoRoutes(interfaces[0]).session_route()],
        exception_handlers={
            RequestRefused: complaints.refused,
            InvalidInput: complaints.invalid,
            JqlError: complaints.bad_query,
            HTTPException: complaints.no_such_route,
        },
    )
    app.router.redirect_slashes = False
    router = GatewayRouter(
        BasicAuth(app, {EMAIL: TOKEN}, refusal), BasicAuth(app, {EMAIL: SCOPED_TOKEN}, refusal)
    )
    # Outside of Starlette, whose last resort would answer 500 for a connection that breaks.
    inner = router if faults is None else FaultMiddleware(router, faults, site.now)
    return LatencyMiddleware(inner, site, latency)


def _routes(interface: Interface) -> list[Route]:
    return [
        route
        for group in _GROUPS
        for route in group(interface).routes(f"/rest/api/{interface.version}")
    ]


class _Complaints:
    """Answers to what went wrong. Starlette would run plain functions in threads."""

    async def refused(self, _request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestRefused)
        return error_response(error.status, error.message)

    async def invalid(self, _request: Request, error: Exception) -> Response:
        assert isinstance(error, InvalidInput)
        return error_response(error.status, *error.messages, errors=error.errors)

    async def bad_query(self, _request: Request, error: Exception) -> Response:
        assert isinstance(error, JqlError)
        return error_response(400, error.message)

    async def no_such_route(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        headers = dict(error.headers) if error.headers else None
        message = f"The sandbox has no {request.method} {request.url.path}."
        return error_response(error.status_code, message, headers=headers)
