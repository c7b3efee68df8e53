"""Assemble the web application: both versions of the interface and the middleware."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response

from jira_sandbox.api.bulk.queue import TaskMiddleware
from jira_sandbox.api.gateway import GatewayRouter
from jira_sandbox.api.input_errors import InvalidInput
from jira_sandbox.api.interface import Interface, error_response
from jira_sandbox.api.latency import LatencyMiddleware
from jira_sandbox.api.router import make_routes
from jira_sandbox.auth import EMAIL, SCOPED_TOKEN, TOKEN, BasicAuth
from jira_sandbox.errors import JqlError, RequestRefused
from jira_sandbox.faults.middleware import FaultMiddleware

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from jira_sandbox.data.site import Site
    from jira_sandbox.faults.source import FaultSource

VERSIONS: Final = ("3", "2")
_UNAUTHORIZED: Final = "Client must be authenticated to access this resource."


def create_app(
    site: Site, *, latency: float = 0.0, odd: bool = False, faults: FaultSource | None = None
) -> ASGIApp:
    """Return the web application of a site.

    It runs under Trio, behind a server or in a client with ``httpx.ASGITransport``.

    Args:
        site: The site to serve.
        latency: Seconds to wait before each response.
        odd: Whether responses contain unknown keys and nulls, as those of a real site do.
        faults: The faults to inject; None injects none.
    """
    if not 0 <= latency < math.inf:
        raise ValueError(f"the latency cannot be {latency} seconds")
    handlers = _ErrorHandlers()
    refusal = error_response(401, _UNAUTHORIZED, headers={"www-authenticate": 'Basic realm="Jira"'})
    interfaces = {version: Interface(site, version, odd=odd) for version in VERSIONS}
    app = Starlette(
        routes=make_routes(interfaces),
        exception_handlers={
            RequestRefused: handlers.refused,
            InvalidInput: handlers.invalid,
            JqlError: handlers.bad_query,
            HTTPException: handlers.no_such_route,
        },
    )
    app.router.redirect_slashes = False
    router = GatewayRouter(
        BasicAuth(app, {EMAIL: TOKEN}, refusal), BasicAuth(app, {EMAIL: SCOPED_TOKEN}, refusal)
    )
    # Outside of Starlette, which would turn a ConnectionResetError into a response with 500.
    working = TaskMiddleware(router, site)
    inner = working if faults is None else FaultMiddleware(working, faults, site.now)
    return LatencyMiddleware(inner, site, latency)


class _ErrorHandlers:
    """Starlette's exception handlers; async, since Starlette runs plain functions in threads."""

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
