"""The ways into a site: its own address, and Atlassian's gateway to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ticketr.sandbox.api.interface import json_response
from ticketr.sandbox.api.views import to_json

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

CLOUD_ID: Final = "5b1c7d3e-0f4a-4c62-9e8d-7a21b6c0d94f"
"""By which the gateway knows this site; every sandbox has the same."""

_TENANT_INFO: Final = "/_edge/tenant_info"
_GATEWAY: Final = f"/ex/jira/{CLOUD_ID}"


class GatewayRouter:
    """An ASGI application that leads to the right door of a site.

    Atlassian's gateway is another machine; here it is another path.

    Args:
        site: What is behind the site's own address.
        gateway: What is behind the gateway; it sees the paths that the site has.
    """

    def __init__(self, site: ASGIApp, gateway: ASGIApp) -> None:
        self._site = site
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lead a request in; the cloud ID is told to anybody."""
        path = scope.get("path", "")
        if path == _TENANT_INFO and scope["method"] == "GET":
            await json_response(to_json({"cloudId": CLOUD_ID}))(scope, receive, send)
        elif path.startswith(f"{_GATEWAY}/"):
            inner = path.removeprefix(_GATEWAY)
            raw = scope["raw_path"].removeprefix(_GATEWAY.encode())
            await self._gateway({**scope, "path": inner, "raw_path": raw}, receive, send)
        else:
            await self._site(scope, receive, send)
