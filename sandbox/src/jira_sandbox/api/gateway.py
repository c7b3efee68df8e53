"""Route requests by address: to the site itself, or through Atlassian's gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jira_sandbox.api.interface import json_response
from jira_sandbox.api.views import to_json

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

#: The ID of the site at the gateway; the same for every sandbox.
CLOUD_ID: Final = "5b1c7d3e-0f4a-4c62-9e8d-7a21b6c0d94f"

_TENANT_INFO: Final = "/_edge/tenant_info"
_GATEWAY: Final = f"/ex/jira/{CLOUD_ID}"


class GatewayRouter:
    """ASGI application that passes requests on to the site or to the gateway.

    Atlassian's gateway is another host; here it is another path.

    Args:
        site: The application at the site's own address.
        gateway: The application behind the gateway; it gets paths without the gateway's prefix.
    """

    def __init__(self, site: ASGIApp, gateway: ASGIApp) -> None:
        self._site = site
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; answer with the cloud ID, which needs no credentials."""
        path = scope.get("path", "")
        if path == _TENANT_INFO and scope["method"] == "GET":
            await json_response(to_json({"cloudId": CLOUD_ID}))(scope, receive, send)
        elif path.startswith(f"{_GATEWAY}/"):
            inner = path.removeprefix(_GATEWAY)
            raw = scope["raw_path"].removeprefix(_GATEWAY.encode())
            await self._gateway({**scope, "path": inner, "raw_path": raw}, receive, send)
        else:
            await self._site(scope, receive, send)
