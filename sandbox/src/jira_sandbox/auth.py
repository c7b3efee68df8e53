"""HTTP basic authentication with an e-mail address and an API token."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

EMAIL: Final = "demo@example.com"
TOKEN: Final = "demo"  # noqa: S105 - valid for the sandbox only

#: Only the gateway accepts it, like Atlassian's API tokens with scopes.
SCOPED_TOKEN: Final = "demo-with-scopes"  # noqa: S105 - valid for the sandbox only

#: What Jira answers without a login.
_PUBLIC: Final = "/serverInfo"
#: Addresses that hold a token, so that a login does not matter.
_BY_TOKEN: Final = re.compile(r"/file/[^/]+/binary")


def is_known(authorization: str | None, users: Mapping[str, str]) -> bool:
    """Return whether an ``Authorization`` header holds a user's e-mail address and token."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        return False
    email, _, token = decoded.partition(b":")
    expected = users.get(email.decode("utf-8", "replace").lower())
    return expected is not None and hmac.compare_digest(token, expected.encode())


class BasicAuth:
    """ASGI middleware that passes on the requests of known users, and what Jira tells anybody."""

    def __init__(self, app: ASGIApp, users: Mapping[str, str], refusal: Response) -> None:
        self._app = app
        self._users = users
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on or refuse it."""
        if scope["type"] == "http":
            authorization = Headers(scope=scope).get("authorization")
            is_public = authorization is None and scope["path"].endswith(_PUBLIC)
            is_public = is_public or _BY_TOKEN.fullmatch(scope["path"]) is not None
            if not is_public and not is_known(authorization, self._users):
                await self._refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)
