"""The transport that is made of httpx.

Three choices need a reason:

- The pool has no limit of its own. A cancel between "connected" and "first byte sent" leaves a
  connection in httpcore's pool that nobody will ever use; with a limit, a few of those would make
  every later request wait for ever. The client limits how many requests run at once.
- The bound on silence is a scope around the exchange, moved on by each piece of the answer: a
  large page over a slow line may take its time, a silent server may not.
- This machine is never asked through a proxy, or plain http with a token would go to the proxy.
"""

from __future__ import annotations

import os
import socket
import ssl
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Self

import httpx
import trio

from ticketr.jira.errors import ConnectFailed, ConnectionLost, NoAnswer, TlsFailed
from ticketr.jira.transport._body import Body
from ticketr.jira.transport.base import Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

CONNECT_WITHIN = 10.0
ANSWER_WITHIN = 30.0
_CLOSE_WITHIN = 1.0
LARGEST_BODY = 64 * 1024 * 1024
_LOOPBACK = ("all://localhost", "all://127.0.0.1", "all://[::1]")


class HttpxTransport:
    """Speaks HTTP/1.1 with httpx.

    Proxies and ``SSL_CERT_FILE`` come from the environment, as users of other tools expect.

    Args:
        app: An ASGI application to call instead of using the network, in tests.
        answer_within: The longest silence, in seconds, between two pieces of an answer.
        connect_within: The longest wait, in seconds, for a connection.
        largest_body: The largest answer, in bytes, decompressed.
        verify: What to check certificates against; the default is what httpx brings.
    """

    def __init__(
        self,
        *,
        app: Any = None,
        answer_within: float = ANSWER_WITHIN,
        connect_within: float = CONNECT_WITHIN,
        largest_body: int = LARGEST_BODY,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self._answer_within = answer_within
        self._connect_within = connect_within
        self._largest_body = largest_body
        self._app = app
        self._verify = verify

    async def __aenter__(self) -> Self:
        """Open for use."""
        verify = self._verify
        if verify is None and self._app is not None:
            verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and is not asked
        if verify is None:
            # In a thread, for reading all the certificates takes long enough to be felt.
            verify = await trio.to_thread.run_sync(httpx.create_ssl_context, abandon_on_cancel=True)
        self._client = self._make_client(verify)
        await self._client.__aenter__()
        return self

    def _make_client(self, verify: ssl.SSLContext) -> httpx.AsyncClient:
        app = self._app
        return httpx.AsyncClient(
            headers={"accept-encoding": "gzip"},
            transport=None if app is None else httpx.ASGITransport(app, raise_app_exceptions=False),
            mounts=dict.fromkeys(_LOOPBACK),
            verify=verify,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
            timeout=httpx.Timeout(None, connect=self._connect_within),
        )

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every connection."""
        with trio.move_on_after(_CLOSE_WITHIN, shield=True):
            await self._client.__aexit__(exc_type, exc_value, traceback)

    async def send(self, request: Request) -> Response:
        """Send one request and read the whole answer; see `Transport.send`."""
        body = Body(self._largest_body)
        with trio.move_on_after(self._answer_within) as scope, _converted(request.url):
            async with self._client.stream(
                request.method,
                request.url,
                headers=dict(request.headers),
                content=request.body,
            ) as answer:
                body.begin(answer.headers.get("content-encoding", ""))
                async for piece in answer.aiter_raw():
                    scope.deadline = trio.current_time() + self._answer_within
                    body.feed(piece)
                    if body.problem:
                        # Leaving the loop would leave half-run generators to the collector,
                        # which is too late to close a connection. Cancelled, they all end now.
                        scope.cancel()
        if body.problem or not scope.cancelled_caught:
            return Response(
                status=answer.status_code,
                headers={name.lower(): value for name, value in answer.headers.items()},
                body=body.end(request.url),
                url=request.url,
            )
        raise NoAnswer(request.url, self._answer_within)


@contextmanager
def _converted(url: str) -> Iterator[None]:
    """Turn what httpx raises into errors of ours.

    Without a chain: h11 puts a header that it refuses into its message, and the token is a header.
    """
    try:
        yield
    except httpx.ConnectTimeout:
        raise ConnectFailed(url, "no answer to connecting") from None
    except (httpx.ConnectError, httpx.ProxyError) as error:
        raise _not_connected(url, error) from None
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise ConnectionLost(url, _reason(error)) from None


def _not_connected(url: str, error: Exception) -> ConnectFailed | TlsFailed:
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            text = cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else ""
            return TlsFailed(url, text or cause.reason or "TLS failed")
    reasons = (_os_words(cause) for cause in causes if isinstance(cause, OSError))
    return ConnectFailed(url, next(filter(None, reasons), str(error)))


def _os_words(error: OSError) -> str:
    """Say what the system said, without the address that Trio puts before it."""
    if isinstance(error, socket.gaierror) or not error.errno:
        return error.strerror or ""
    return os.strerror(error.errno)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what led to it, the members of groups before the groups' own text."""
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _causes(member)
    following = error.__cause__ or error.__context__
    if following is not None:
        yield from _causes(following)
    yield error


def _reason(error: Exception) -> str:
    match error:
        case httpx.LocalProtocolError():
            return "the request was not sendable"
        case httpx.RemoteProtocolError():
            return str(error)
        case _:
            return "connection closed"
