"""Serves a site on a real socket, with Hypercorn's Trio worker.

Hypercorn's own ``serve`` waits for clients that do not read, shielded from cancellation. So
the listening and the connections are ours, and a cancel closes them at once; Hypercorn
speaks the protocol on each.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import struct
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any, Final, cast

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState

from ticketr.sandbox.api.app import create_app
from ticketr.sandbox.data.catalogue import DEMO_USER
from ticketr.sandbox.data.storage import SiteFile
from ticketr.sandbox.errors import CannotListen
from ticketr.sandbox.faults.middleware import RESET_CONNECTION
from ticketr.sandbox.opening import open_site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ticketr.sandbox.data.model import User
    from ticketr.sandbox.faults.source import FaultSource

_KEEP_ALIVE: Final = 75.0
_LONGEST_REQUEST_HEAD: Final = 128 * 1024
_PORT: Final = "port"
"""What a site's file calls its port."""


def _config() -> Config:
    config = Config()
    config.errorlog = logging.getLogger("ticketr.sandbox")
    config.include_date_header = False  # every answer has the site's own date
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
        app: What `create_app` made.
        host: The address to listen on.
        port: The port to listen on; 0 takes any free one.
        task_status: Told the base URL once connections are accepted.

    Raises:
        CannotListen: The address cannot be bound.
    """
    listeners = await _listen(host, port)
    task_status.started(_address(listeners))
    await _accept(app, listeners)


async def _accept(app: ASGIApp, listeners: list[trio.SocketListener]) -> None:
    config, context = _config(), WorkerContext(None)
    streams: set[trio.SocketStream] = set()

    async def speak(stream: trio.SocketStream) -> None:
        streams.add(stream)
        # The two libraries describe ASGI differently.
        wrapped = ASGIWrapper(cast("Any", _Breakable(app, stream)))
        try:
            # It is annotated for TLS, and takes both.
            tls = cast("trio.SSLStream[trio.SocketStream]", stream)
            await TCPServer(wrapped, config, context, ConnectionState({}), tls)
        finally:
            streams.discard(stream)

    async with trio.open_nursery() as connections:
        try:
            await trio.serve_listeners(speak, listeners, handler_nursery=connections)
        finally:
            # A send to a client that does not read is shielded; closing the socket ends it.
            for stream in streams:
                stream.socket.close()


class _Breakable:
    """An application that may ask for its connection to be reset.

    Args:
        app: The application.
        stream: The connection.
    """

    def __init__(self, app: ASGIApp, stream: trio.SocketStream) -> None:
        self._app = app
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_or_break(message: Message) -> None:
            if message["type"] == RESET_CONNECTION:
                self._reset()
            else:
                await send(message)

        extensions = {**scope.get("extensions", {}), RESET_CONNECTION: {}}
        await self._app({**scope, "extensions": extensions}, receive, send_or_break)

    def _reset(self) -> None:
        """Close so that the other side's system speaks of a reset, whatever is in the buffers."""
        if self._stream.socket.fileno() >= 0:
            at_once = struct.pack("ii", 1, 0)
            self._stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            self._stream.socket.close()


async def _listen(host: str, port: int) -> list[trio.SocketListener]:
    try:
        listeners = await trio.open_tcp_listeners(port, host=host)
    except (OSError, OverflowError) as error:
        raise CannotListen(host, port, getattr(error, "strerror", None) or str(error)) from error
    if port == 0:
        # A name with several addresses got another free port for each; only one is announced.
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
    data: Path | None = None,
    user: User = DEMO_USER,
    latency: float = 0.0,
    search_lag: float = 0.0,
    odd: bool = False,
    faults: FaultSource | None = None,
    exit_with_stdin: bool = False,
    announce: Callable[[str], None],
) -> None:
    """Serve a site until SIGINT or SIGTERM comes, or the caller is cancelled.

    Args:
        host: The address to listen on.
        port: The port to listen on; 0 takes any free one. None takes the one that the site in
            ``data`` had before, so that its address stays the same, else any free one.
        tickets: How many issues the project ``DEMO`` of a new site has.
        seed: Which of the many possible sites a new one is.
        data: The file that keeps the site; without one it is gone at the end.
        user: Whose eyes the site is seen through.
        latency: Seconds to wait before each answer.
        search_lag: Seconds that searches are behind.
        odd: Whether answers hold unknown keys and nulls.
        faults: What goes wrong; nothing if it is left out.
        exit_with_stdin: Whether to end when standard input does, so that a child process
            never outlives the parent that holds the other end of the pipe.
        announce: Given one line with the address, once connections are accepted.

    Raises:
        CannotListen: The address cannot be bound.
        DataFailed: The file cannot be read or written.
        OtherSeed: The site in the file was begun with other numbers than those given.
    """
    with (
        trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals,
        nullcontext() if data is None else SiteFile(data, [user]) as file,
    ):
        site = open_site(file, tickets=tickets, seed=seed, user=user, search_lag=search_lag)
        app = create_app(site, latency=latency, odd=odd, faults=faults)
        listeners = await _listen_as_before(host, port, file)
        try:
            if file is not None:
                file.remember(_PORT, str(listeners[0].socket.getsockname()[1]))
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
    await _wait_for_end(0)
    scope.cancel()


async def _listen_as_before(
    host: str, port: int | None, file: SiteFile | None
) -> list[trio.SocketListener]:
    """Listen where somebody says, else where the site in the file was before."""
    before = file.about(_PORT) if file else None
    try:
        return await _listen(host, int(before or 0) if port is None else port)
    except CannotListen as error:
        if file is None or before is None or port is not None:
            raise
        raise CannotListen(host, error.port, error.reason, str(file.path)) from None


async def _wait_for_end(descriptor: int) -> None:
    """Wait until a pipe or terminal has no more to say; what it says is thrown away.

    What cannot be waited for, a file or nothing at all, counts as ended.
    """
    with suppress(OSError):
        await trio.lowlevel.wait_readable(descriptor)
        while os.read(descriptor, 4096):
            await trio.lowlevel.wait_readable(descriptor)
