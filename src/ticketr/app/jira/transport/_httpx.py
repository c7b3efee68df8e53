"""The transport that uses httpx.

Three choices need a reason:

- The pool has no limit of its own. A cancel between "connected" and "first byte sent" leaves a
  connection in httpcore's pool that is never used; with a limit, a few of those would make every
  later request wait for ever. The client limits how many requests run at once.
- The bound on silence is a scope around the exchange, moved on by each piece of the answer: a
  large page over a slow line may take its time, up to a bound of its own; a silent server may not.
- This machine is never asked through a proxy, or plain http with a token would go to the proxy.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import import_module
from typing import Any, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import trio

from ticketr.app.jira.errors import ConnectFailed, ConnectionLost, TlsFailed
from ticketr.app.jira.transport import _exchange
from ticketr.app.jira.transport._lean_httpx import (
    TlsContextOrProblem,
    hide_module,
    httpx,
    read_certificates,
)
from ticketr.app.jira.transport.base import (
    CLOSE_TIMEOUT,
    Request,
    Response,
    TransportLimitsAndTls,
)

_LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
_LOOPBACK_URL_PATTERNS = tuple(
    f"all://{f'[{host}]' if ':' in host else host}" for host in _LOOPBACK_HOSTS
)


@dataclass(kw_only=True, eq=False, repr=False)
class HttpxTransport(TransportLimitsAndTls):
    """Speaks HTTP/1.1 with httpx.

    Proxies and ``SSL_CERT_FILE`` come from the environment, as users of other tools expect.

    Attributes:
        app: An ASGI application to call instead of using the network, in tests.
    """

    app: Any = None

    async def __aenter__(self) -> Self:
        """Open for use."""
        if self.app is None:
            self._certificates = await read_certificates(self.verify)
            # In a thread, since the first one imports much.
            self._client = await trio.to_thread.run_sync(self._make_client)
        else:  # it is called without a connection, and so without certificates
            self._certificates = TlsContextOrProblem()
            self._client = self._make_client()
        await self._client.__aenter__()
        return self

    def _make_client(self) -> httpx.AsyncClient:
        # Imports the half of httpx that connects; it takes a moment.
        if "httpcore" not in sys.modules:
            with hide_module("h2"), hide_module("anyio"):
                import_module("httpcore")
        app = self.app
        return httpx.AsyncClient(
            headers={"accept-encoding": "gzip"},
            transport=None if app is None else httpx.ASGITransport(app, raise_app_exceptions=False),
            mounts=dict.fromkeys(_LOOPBACK_URL_PATTERNS),
            verify=self._certificates.context,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
            timeout=httpx.Timeout(None, connect=self.connect_timeout),
        )

    async def __aexit__(self, *exc: object) -> None:
        """Close every connection."""
        with trio.move_on_after(CLOSE_TIMEOUT, shield=True):
            await self._client.aclose()

    async def send(self, request: Request) -> Response:
        """Send one request and read the whole answer; see `Transport.send`."""
        if self._certificates.problem and request.url.lower().startswith("https:"):
            raise TlsFailed(request.url, self._certificates.problem)
        if self._client.is_closed:
            raise ConnectionLost(request.url, _exchange.CLOSED_REASON)
        collector = _exchange.TimedBodyBuffer(request, self)
        opened: list[Any] = []  # the connections of this request alone

        async def keep_opened(event: str, info: dict[str, Any]) -> None:
            if event == "connection.connect_tcp.complete":
                opened.append(info["return_value"])

        try:
            with collector.scope as scope:
                try:
                    built = self._build_request(request, collector, keep_opened)
                    async with aclosing(await self._client.send(built, stream=True)) as answer:
                        async for piece in answer.aiter_raw():
                            collector.add_piece(piece)
                            if collector.problem:
                                # Leaving the loop would leave half-run generators to the collector,
                                # too late to close a connection. Cancelled, they all end now.
                                scope.cancel()
                except BaseException:
                    # Cancelled in the TLS handshake, httpcore leaves a connection to the collector.
                    with trio.move_on_after(CLOSE_TIMEOUT, shield=True):
                        for connection in opened:
                            await connection.aclose()
                    raise
        except (httpx.TransportError, httpx.InvalidURL, UnicodeError) as error:
            # Without a chain: h11 quotes a header that it refuses, and the token is a header.
            raise _jira_error(request.url, error) from None
        if collector.problem or not scope.cancelled_caught:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return await collector.make_unpacked_response(answer.status_code, headers)
        raise collector.timeout_error()

    def _build_request(
        self, request: Request, collector: _exchange.TimedBodyBuffer, trace: Callable[..., object]
    ) -> httpx.Request:
        """Make httpx's form of a request; httpcore calls back at each event of its connection."""
        built = self._client.build_request(
            request.method,
            request.url,
            headers=dict(request.headers),
            content=request.body,
            extensions={"trace": trace},
        )
        pieces = None if request.source is None else request.source.body_pieces()
        built.stream = _RequestBody(collector, request.body, pieces)
        return built


@dataclass(eq=False, repr=False)
class _RequestBody(AsyncIterator[bytes], httpx.AsyncByteStream):
    """The body of one request; if it is sent in pieces, each restarts the timeout of silence.

    That of httpx is a generator, which would be left to the collector, half-run, when a request
    is cancelled while it is sent.

    Attributes:
        collector: Times the exchange that it belongs to.
        unsent_body: What is still to be sent in one piece; None also after that.
        unsent_pieces: What is still to be sent in pieces; then there is no other body.
    """

    collector: _exchange.TimedBodyBuffer
    unsent_body: bytes | None
    unsent_pieces: AsyncIterator[bytes] | None

    async def __anext__(self) -> bytes:
        if self.unsent_pieces is not None:
            self.collector.restart_timeout()
            return await anext(self.unsent_pieces)
        body, self.unsent_body = self.unsent_body, None
        if body is None:
            raise StopAsyncIteration
        return body


def _jira_error(
    url: str, error: httpx.TransportError | httpx.InvalidURL | UnicodeError
) -> ConnectFailed | ConnectionLost | TlsFailed:
    """Make ticketr's error of one of httpx."""
    match error:
        case httpx.ConnectTimeout():
            return ConnectFailed(url, _exchange.CONNECT_TIMEOUT_REASON, _proxy_of(url))
        case httpx.ConnectError() | httpx.ProxyError():
            return _exchange.connect_error(url, error, _proxy_of(url))
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return ConnectFailed(url, _exchange.BAD_ADDRESS_REASON)
        case UnicodeError():
            return _exchange.host_or_header_encoding_error(url, error)
        case httpx.LocalProtocolError():
            return ConnectionLost(url, _exchange.NOT_SENDABLE_REASON)
        case httpx.RemoteProtocolError():
            return ConnectionLost(url, _exchange.protocol_problem(error))
        case _:
            return ConnectionLost(url, _exchange.CLOSED_REASON)


def _proxy_of(url: str) -> str:
    """Return the proxy of the environment that a request goes through; empty without one."""
    parts = urlsplit(url)
    if proxy_bypass(parts.netloc) or parts.hostname in _LOOPBACK_HOSTS:
        return ""
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all", "")
