"""Who may come in: HTTP basic authentication with an e-mail address and a token."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

EMAIL: Final = "demo@example.com"
TOKEN: Final = "demo"  # noqa: S105 - it opens nothing but the sandbox

SCOPED_TOKEN: Final = "demo-with-scopes"  # noqa: S105 - nor does this one
"""As Atlassian's tokens with scopes, it is taken at the gateway alone."""


def is_known(authorization: str | None, users: Mapping[str, str]) -> bool:
    """Tell whether the value of an ``Authorization`` header is that of a user.

    Args:
        authorization: The header's value.
        users: The token of each e-mail address.
    """
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
    """ASGI middleware that lets only known users through.

    Args:
        app: What is behind the door.
        users: The token of each e-mail address.
        refusal: What everybody else gets.
    """

    def __init__(self, app: ASGIApp, users: Mapping[str, str], refusal: Response) -> None:
        self._app = app
        self._users = users
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it here."""
        if scope["type"] == "http":
            authorization = Headers(scope=scope).get("authorization")
            if not is_known(authorization, self._users):
                await self._refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)
