"""Serve a site on a real socket with Hypercorn's Trio worker.

Hypercorn's own ``serve`` waits, shielded from cancellation, for clients that do not read.
Therefore this module accepts the connections itself and closes them when it is cancelled;
Hypercorn handles HTTP on each.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState

from jira_sandbox.api.app import create_app
from jira_sandbox.data.catalogue import DEMO_USER
from jira_sandbox.data.storage import SiteFile
from jira_sandbox.errors import CannotListen
from jira_sandbox.faults.middleware import RESET_CONNECTION
from jira_sandbox.opening import open_site

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from jira_sandbox.data.model import User
    from jira_sandbox.faults.source import FaultSource

_KEEP_ALIVE: Final = 75.0
_LONGEST_REQUEST_HEAD: Final = 128 * 1024
#: The name of the port in a site's file.
_PORT: Final = "port"


def _config() -> Config:
    config = Config()
    config.errorlog = logging.getLogger("jira_sandbox")
    config.include_date_header = False  # LatencyMiddleware adds the site's own date
    config.include_server_header = False
    config.keep_alive_timeout = _KEEP_ALIVE
    config.keep_alive_max_requests = 1_000_000
    config.h11_max_incomplete_size = _LONGEST_REQUEST_HEAD
    return config


async def serve(
    app: ASGIApp,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve an application until cancelled.

    Args:
        app: The result of `create_app`.
        host: The address to listen on.
        port: The port to listen on; 0 takes any free one.
        task_status: Receives the base URL once connections are accepted.

    Cancellation:
        Closes all connections at once.

    Raises:
        CannotListen: The address cannot be bound.
    """
    listeners = await _listen(host, port)
    task_status.started(_address(listeners))
    await _accept(app, listeners)


async def _accept(app: ASGIApp, listeners: list[trio.SocketListener]) -> None:
    config, context = _config(), WorkerContext(None)
    streams: set[trio.SocketStream] = set()

    async def serve_connection(stream: trio.SocketStream) -> None:
        streams.add(stream)
        # Starlette and Hypercorn annotate ASGI differently.
        wrapped = ASGIWrapper(cast("Any", _ResettableApp(app, stream)))
        try:
            # TCPServer is annotated for TLS, but accepts plain streams, too.
            tls = cast("trio.SSLStream[trio.SocketStream]", stream)
            await TCPServer(wrapped, config, context, ConnectionState({}), tls)
        finally:
            streams.discard(stream)

    async with trio.open_nursery() as connections:
        try:
            await trio.serve_listeners(serve_connection, listeners, handler_nursery=connections)
        finally:
            # Hypercorn shields a send to a client that does not read; closing the socket ends it.
            for stream in streams:
                stream.socket.close()


class _ResettableApp:
    """ASGI middleware that resets the connection at a `RESET_CONNECTION` message."""

    def __init__(self, app: ASGIApp, stream: trio.SocketStream) -> None:
        self._app = app
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_or_reset(message: Message) -> None:
            if message["type"] == RESET_CONNECTION:
                self._reset()
            else:
                await send(message)

        extensions = {**scope.get("extensions", {}), RESET_CONNECTION: {}}
        await self._app({**scope, "extensions": extensions}, receive, send_or_reset)

    def _reset(self) -> None:
        """Close the connection with a TCP reset."""
        if self._stream.socket.fileno() >= 0:
            no_linger = struct.pack("ii", 1, 0)
            self._stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
            self._stream.socket.close()


async def _listen(host: str, port: int) -> list[trio.SocketListener]:
    try:
        listeners = await trio.open_tcp_listeners(port, host=host)
    except (OSError, OverflowError) as error:
        raise CannotListen(host, port, getattr(error, "strerror", None) or str(error)) from error
    if port == 0:
        # Each address of the host name got another free port; announce and keep only one.
        for listener in listeners[1:]:
            listener.socket.close()
        del listeners[1:]
    return listeners


def _address(listeners: list[trio.SocketListener]) -> str:
    host, port = listeners[0].socket.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def run(
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    tickets: int | None = None,
    seed: int | None = None,
    all_fields: bool = False,
    data: Path | None = None,
    user: User = DEMO_USER,
    latency: float = 0.0,
    search_lag: float = 0.0,
    odd: bool = False,
    faults: FaultSource | None = None,
    exit_with_stdin: bool = False,
    announce: Callable[[str], None],
) -> None:
    """Serve a site until SIGINT, SIGTERM or cancellation.

    Args:
        host: The address to listen on.
        port: The port to listen on; 0 takes any free one. None takes the port stored in
            ``data``, so that the site's address stays the same, else any free one.
        tickets: The number of issues in a new site.
        seed: The seed from which a new site is generated.
        all_fields: Whether a new site also has the projects whose issues have fields of every
            type.
        data: The file that stores the site; None keeps it in memory.
        user: The user who is signed in.
        latency: Seconds to wait before each response.
        search_lag: How many seconds search results lag behind the issues.
        odd: Whether responses contain unknown keys and nulls.
        faults: The faults to inject; None injects none.
        exit_with_stdin: Whether to end at the end of standard input, so that a child process
            does not outlive the parent that holds the other end of the pipe.
        announce: Called with a line that holds the address, once connections are accepted.

    Raises:
        CannotListen: The address cannot be bound.
        DataFailed: The file cannot be read or written.
        OtherSeed: The site in the file was generated with another `tickets` or `seed`.
    """
    with (
        trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals,
        nullcontext() if data is None else SiteFile(data, [user]) as file,
    ):
        site = open_site(
            file,
            tickets=tickets,
            seed=seed,
            all_fields=all_fields,
            user=user,
            search_lag=search_lag,
        )
        app = create_app(site, latency=latency, odd=odd, faults=faults)
        listeners = await _listen_on_known_port(host, port, file)
        try:
            if file is not None:
                file.write_fact(_PORT, str(listeners[0].socket.getsockname()[1]))
            announce(f"listening on {_address(listeners)}")
        except BaseException:
            for listener in listeners:
                listener.socket.close()
            raise
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_on_signal, signals, nursery.cancel_scope)
            if exit_with_stdin:
                nursery.start_soon(_cancel_with_stdin, nursery.cancel_scope)
            await _accept(app, listeners)


async def _cancel_on_signal(signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
    await anext(signals)
    scope.cancel()


async def _cancel_with_stdin(scope: trio.CancelScope) -> None:
    await _wait_for_eof(0)
    scope.cancel()


async def _listen_on_known_port(
    host: str, port: int | None, file: SiteFile | None
) -> list[trio.SocketListener]:
    """Listen on the given port, else on the port stored in the file, else on any free one."""
    before = file.read_fact(_PORT) if file else None
    try:
        return await _listen(host, int(before or 0) if port is None else port)
    except CannotListen as error:
        if file is None or before is None or port is not None:
            raise
        raise CannotListen(host, error.port, error.reason, str(file.path)) from None


async def _wait_for_eof(descriptor: int) -> None:
    """Read and discard the input of a pipe or terminal until it ends.

    Return at once for a regular file or a closed descriptor, which cannot be waited for.
    """
    with suppress(OSError):
        await trio.lowlevel.wait_readable(descriptor)
        while os.read(descriptor, 4096):
            await trio.lowlevel.wait_readable(descriptor)
