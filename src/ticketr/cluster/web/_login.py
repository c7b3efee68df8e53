"""Who may see the pages: those who send the token, or have logged in with it."""

from __future__ import annotations

import hmac
import secrets
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from ticketr.cluster._errors import ClusterMisconfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

VARIABLE: Final = "TICKETR_CLUSTER_WEB_TOKEN"
LOGIN: Final = "/login"
LOGOUT: Final = "/logout"
ASSETS: Final = "/assets/"
_SHORTEST: Final = 16
_LONGEST_FORM: Final = 4096
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src"
    " 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class Token:
    """What opens the pages.

    It is in no repr and in no cookie.

    Attributes:
        value: The text.
    """

    value: str = field(repr=False)

    @property
    def cookie(self) -> str:
        """The name of the cookie: pages on other ports of a host have another one."""
        return f"ticketr_{self._derived('cookie')[:8]}"

    @property
    def session(self) -> str:
        """The value of the cookie of those who have logged in."""
        return self._derived("session")

    def is_value(self, text: str) -> bool:
        """Return whether a text is the token; takes the same time for each wrong one."""
        return hmac.compare_digest(text.encode(), self.value.encode())

    def is_session(self, text: str) -> bool:
        """Return whether a text is the value of the cookie."""
        return hmac.compare_digest(text.encode(), self.session.encode())

    def _derived(self, purpose: str) -> str:
        text = f"ticketr.cluster pages {purpose}"
        return hmac.digest(self.value.encode(), text.encode(), "sha256").hex()


def read_token(environ: Mapping[str, str]) -> tuple[Token, bool]:
    """Return the token of ``TICKETR_CLUSTER_WEB_TOKEN``, else a new one.

    Returns:
        The token, and whether it is new.

    Raises:
        ClusterMisconfigured: It is shorter than 16 characters.
    """
    given = environ.get(VARIABLE, "")
    if not given:
        return Token(secrets.token_urlsafe(24)), True
    if len(given) < _SHORTEST:
        raise ClusterMisconfigured(VARIABLE, f"a token has at least {_SHORTEST} characters")
    return Token(given), False


class TokenGate:
    """An ASGI application that gives a request to the pages only if it has the token."""

    def __init__(self, app: ASGIApp, token: Token, login_page: Callable[[str], Response]) -> None:
        """Keep the parts.

        Args:
            app: The pages.
            token: The token.
            login_page: Returns the page that asks for the token, with a message.
        """
        self._app = app
        self._token = token
        self._login_page = login_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # a socket of the web that is not accepted is closed

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        answer = await self._answer(Request(scope, receive))
        await answer(scope, receive, send_with_headers)

    async def _answer(self, request: Request) -> ASGIApp:
        path = request.url.path
        if path == LOGIN:
            return await self._log_in(request)
        if path.startswith(ASSETS) or self._is_allowed(request):
            return self._log_out() if path == LOGOUT else self._app
        wants_page = request.method == "GET" and "hx-request" not in request.headers
        if wants_page and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(LOGIN, status_code=303)
        return PlainTextResponse(
            "Send the token: Authorization: Bearer TOKEN\n",
            status_code=401,
            headers={"WWW-Authenticate": "Bearer"},
        )

    def _is_allowed(self, request: Request) -> bool:
        scheme, _, value = Headers(scope=request.scope).get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._token.is_value(value.strip())
        return self._token.is_session(request.cookies.get(self._token.cookie, ""))

    async def _log_in(self, request: Request) -> Response:
        if request.method != "POST":
            return self._login_page("")
        body = b""
        async with aclosing(request.stream()) as parts:
            async for part in parts:
                body += part
                if len(body) > _LONGEST_FORM:
                    return PlainTextResponse("too long\n", status_code=413)
        given = parse_qs(body.decode(errors="replace")).get("token", [""])[0]
        if not self._token.is_value(given.strip()):
            page = self._login_page("This is not the token.")
            page.status_code = 401
            return page
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(
            self._token.cookie,
            self._token.session,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    def _log_out(self) -> Response:
        answer = RedirectResponse(LOGIN, status_code=303)
        answer.delete_cookie(self._token.cookie, httponly=True, samesite="strict")
        return answer
