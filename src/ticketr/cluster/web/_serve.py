"""Serve the pages with Hypercorn's Trio worker."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, cast

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState

from ticketr.cluster._errors import ClusterMisconfigured
from ticketr.cluster.web._login import Token, TokenGate
from ticketr.cluster.web._pages import Pages
from ticketr.jira.credentials import is_loopback

if TYPE_CHECKING:
    from ticketr.cluster.web._pages import JobSource

_LONGEST_REQUEST_HEAD: Final = 32 * 1024


def read_bind(text: str, *, allow_plaintext: bool) -> tuple[str, int]:
    """Return the host and the port of ``HOST:PORT``.

    Args:
        text: What the user wrote.
        allow_plaintext: Whether other machines may be served.

    Raises:
        ClusterMisconfigured: It has another form, or is not this machine alone.
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or int(port) > 65_535:
        raise ClusterMisconfigured(f"--bind {text}", "write HOST:PORT, such as 127.0.0.1:8000")
    if not allow_plaintext and not is_loopback(host):
        raise ClusterMisconfigured(
            f"--bind {text}",
            "without TLS, everybody on the way can read the token: keep to 127.0.0.1 and use a"
            " tunnel or a proxy with TLS, or allow plain text (--allow-plaintext)",
        )
    return host, int(port)


async def listen(host: str, port: int) -> trio.SocketListener:
    """Listen on an address.

    Args:
        host: The host's name or address.
        port: The port; 0 for any free one.

    Raises:
        ClusterMisconfigured: It cannot be listened on.
    """
    try:
        listeners = await trio.open_tcp_listeners(port, host=host)
    except OSError as error:
        raise ClusterMisconfigured(
            f"{host}:{port}", f"it cannot be listened on: {error.strerror}"
        ) from None
    for listener in listeners[1:]:
        listener.socket.close()
    return listeners[0]


def address_of(listener: trio.SocketListener) -> str:
    """Return the URL that a listener is reached at."""
    host, port = listener.socket.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(listener: trio.SocketListener, source: JobSource, queue: str, token: Token) -> None:
    """Serve the pages of a queue until cancelled.

    Args:
        listener: Where to serve; it is closed at the end.
        source: Where the jobs are.
        queue: The queue's name.
        token: What opens the pages.

    Cancellation:
        Closes all connections at once.
    """
    pages = Pages(source, queue)
    await _accept(TokenGate(pages.app(), token, pages.login), listener)


async def _accept(app: TokenGate, listener: trio.SocketListener) -> None:
    # Hypercorn's own ``serve`` waits for clients that do not read, whoever cancels it.
    config, context = _config(), WorkerContext(None)
    wrapped = ASGIWrapper(cast("Any", app))  # Starlette and Hypercorn annotate ASGI differently
    streams: set[trio.SocketStream] = set()

    async def serve_connection(stream: trio.SocketStream) -> None:
        streams.add(stream)
        try:
            # It is annotated for TLS, but accepts plain streams, too.
            await TCPServer(wrapped, config, context, ConnectionState({}), cast("Any", stream))
        finally:
            streams.discard(stream)

    async with trio.open_nursery() as connections:
        try:
            await trio.serve_listeners(serve_connection, [listener], handler_nursery=connections)
        finally:
            for stream in streams:
                stream.socket.close()


def _config() -> Config:
    config = Config()
    config.errorlog = logging.getLogger("ticketr.cluster")
    config.include_server_header = False
    config.h11_max_incomplete_size = _LONGEST_REQUEST_HEAD
    return config
