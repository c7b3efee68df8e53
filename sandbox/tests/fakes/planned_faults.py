"""Faults at planned requests, and a transport in this process that can break."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ticketr.app.jira.errors import ConnectionLost
from ticketr.app.jira.transport._httpx import HttpxTransport
from jira_sandbox import Fault, FaultSource

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ticketr.app.jira.transport import Request, Response

_broken = ContextVar("_broken", default=False)


class PlannedFaults(FaultSource):
    """Gives each matching request the next fault of a plan; after the last, no request fails.

    Args:
        plan: The faults in order; None lets a request through.
        method: Only requests with this method are counted.
        path: Only requests whose path contains this text are counted.
    """

    def __init__(
        self,
        *plan: Fault | None,
        method: str = "",
        path: str = "",
        hang_for: float = 60.0,
        retry_within: int = 2,
    ) -> None:
        self.left = list(plan)
        self.hang_for = hang_for
        self.retry_within = retry_within
        self._method = method
        self._path = path

    def draw(self, method: str, path: str, body: bytes) -> Fault | None:
        fits = self._method in {"", method} and self._path in path
        return self.left.pop(0) if fits and self.left else None


class Wire(HttpxTransport):
    """The client's transport to an app in this process; a reset by the app breaks the connection.

    `httpx.ASGITransport` would return a short response or a 500 instead.
    """

    def __init__(self, app: ASGIApp, **options: Any) -> None:
        super().__init__(app=_noticing(app), **options)

    async def send(self, request: Request) -> Response:
        _broken.set(False)
        answer = await super().send(request)
        if _broken.get():
            raise ConnectionLost(request.url, "connection closed")
        return answer


def _noticing(app: ASGIApp) -> ASGIApp:
    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except ConnectionResetError:
            _broken.set(True)
            raise

    return call
