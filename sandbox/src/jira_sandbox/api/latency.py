"""Delay responses and add the ``Date`` header."""

from __future__ import annotations

from datetime import UTC
from email.utils import format_datetime
from typing import TYPE_CHECKING

import trio
from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from jira_sandbox.data.site import Site


class LatencyMiddleware:
    """ASGI middleware that waits before each response and adds the ``Date`` header.

    Args:
        app: The application that answers the requests.
        site: The site whose clock gives the date.
        latency: Seconds to wait.
    """

    def __init__(self, app: ASGIApp, site: Site, latency: float) -> None:
        self._app = app
        self._site = site
        self._latency = latency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_date(message: Message) -> None:
            if message["type"] == "http.response.start":
                now = self._site.now().astimezone(UTC)
                MutableHeaders(scope=message)["date"] = format_datetime(now, usegmt=True)
            await send(message)

        await trio.sleep(self._latency)
        await self._app(scope, receive, send_with_date)
