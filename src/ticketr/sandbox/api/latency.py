"""What every answer has in common: it takes a while, and it tells the time."""

from __future__ import annotations

from datetime import UTC
from email.utils import format_datetime
from typing import TYPE_CHECKING

import trio
from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ticketr.sandbox.data.site import Site


class LatencyMiddleware:
    """ASGI middleware that waits before each answer and adds the ``Date`` header.

    The date is the site's own, not the computer's: a client has to go by Jira's clock.

    Args:
        app: What is behind the door.
        site: Whose clock it is.
        latency: How many seconds to wait.
    """

    def __init__(self, app: ASGIApp, site: Site, latency: float) -> None:
        self._app = app
        self._site = site
        self._latency = latency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then let the request in."""
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
