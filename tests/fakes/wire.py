"""The client's transport to an app in this process, which can break."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from ticketr.app.jira.errors import ConnectionLost
from ticketr.app.jira.transport import Request, Response
from ticketr.app.jira.transport._httpx import HttpxTransport

_broken = ContextVar("_broken", default=False)


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
