"""A server on a real socket that follows a script of answers, or hangs at a given point."""

from __future__ import annotations

import json
import socket
import ssl
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import trio

from ticketr.app.jira.transport import Request, Response, Transport

CERTIFICATES = Path(__file__).parent / "jira_tls"
"""What its make.sh makes: an authority of the tests' own, and what it signed."""

Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]
Answer = Callable[[Stream], Awaitable[None]]


@dataclass
class Connection:
    """The requests of one connection."""

    requests: list[bytes] = field(default_factory=list)
    closed: trio.Event = field(default_factory=trio.Event)


class RawSite:
    """A site with scripted answers; the last one is repeated.

    Attributes:
        url: The address that it listens on.
        connections: Every connection, in order.
        answered: Set whenever an answer is sent.
    """

    def __init__(self, url: str, answers: tuple[Answer, ...]) -> None:
        self.url = url
        self.connections: list[Connection] = []
        self._answers = list(answers)
        self._asked = trio.Condition()
        self._closed = trio.Condition()
        self.requests = 0

    async def wait_for_requests(self, count: int) -> None:
        """Wait until that many requests have arrived completely."""
        async with self._asked:
            while self.requests < count:
                await self._asked.wait()

    async def wait_until_left(self) -> None:
        """Wait until every connection is closed."""
        await trio.lowlevel.checkpoint()
        for connection in self.connections:
            await connection.closed.wait()

    async def wait_for_one(self) -> None:
        """Wait until all connections but one are closed."""
        await trio.lowlevel.checkpoint()
        async with self._closed:
            while sum(not connection.closed.is_set() for connection in self.connections) > 1:
                await self._closed.wait()

    async def serve(self, stream: Stream) -> None:
        connection = Connection()
        self.connections.append(connection)
        try:
            while request := await _read_request(stream):
                connection.requests.append(request)
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                async with self._asked:
                    self.requests += 1
                    self._asked.notify_all()
                await answer(stream)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            connection.closed.set()
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)
                async with self._closed:
                    self._closed.notify_all()


@asynccontextmanager
async def raw_site(*answers: Answer, certificate: str = "") -> AsyncGenerator[RawSite]:
    """Listen on a free port of this machine, with TLS if a certificate is named."""
    async with trio.open_nursery() as nursery:
        (plain,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = plain.socket.getsockname()[1]
        listener: trio.SocketListener | trio.SSLListener[trio.SocketStream] = plain
        if certificate:
            listener = trio.SSLListener(plain, server_context(certificate))
        site = RawSite(f"{'https' if certificate else 'http'}://127.0.0.1:{port}", answers)
        await nursery.start(trio.serve_listeners, site.serve, [listener])
        yield site
        nursery.cancel_scope.cancel()


class MuteSite:
    """A site that accepts a connection and sends nothing, and reads only on demand.

    Attributes:
        port: The port that it listens on.
        connected: Set by the first connection.
        reads: Set it to let the site read until the other side closes.
        closed: Set when the other side has closed.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.connected = trio.Event()
        self.reads = trio.Event()
        self.closed = trio.Event()

    async def serve(self, stream: trio.SocketStream) -> None:
        self.connected.set()
        await self.reads.wait()
        with suppress(trio.BrokenResourceError):
            while await stream.receive_some(65536):
                pass
        self.closed.set()


@asynccontextmanager
async def mute_site() -> AsyncGenerator[MuteSite]:
    """Listen on a free port and send nothing."""
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        site = MuteSite(listener.socket.getsockname()[1])
        await nursery.start(trio.serve_listeners, site.serve, [listener])
        yield site
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def deaf_site() -> AsyncGenerator[str]:
    """Listen without accepting a connection, with a full backlog."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        await trio.sleep(0.05)
        try:
            yield f"http://127.0.0.1:{address[1]}"
        finally:
            for filler in fillers:
                filler.close()


def reply(
    body: object = b"",
    *,
    status: int = 200,
    kind: str = "application/json",
    headers: tuple[str, ...] = (),
) -> Answer:
    """Send a complete answer; a body that is not bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def answer(stream: Stream) -> None:
        head = (
            f"HTTP/1.1 {status} Whatever\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(content)}\r\n" + "".join(f"{line}\r\n" for line in headers)
        )
        await stream.send_all(f"{head}\r\n".encode() + content)

    return answer


async def silence(stream: Stream) -> None:
    """Send nothing until the other side closes."""
    await stream.receive_some(1)


async def half_head(stream: Stream) -> None:
    """Send a part of the headers, then nothing."""
    await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Type: applica")
    await stream.receive_some(1)


async def half_body(stream: Stream) -> None:
    """Send a part of the body, then nothing."""
    await stream.send_all(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"issues": [')
    await stream.receive_some(1)


async def hang_up(stream: Stream) -> None:
    """Close without an answer."""
    await stream.aclose()


async def hang_up_in_body(stream: Stream) -> None:
    """Send a part of the body, and close."""
    await stream.send_all(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"issues": [')
    await stream.aclose()


async def reset(stream: Stream) -> None:
    """Reset the connection."""
    assert isinstance(stream, trio.SocketStream)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await trio.aclose_forcefully(stream)


def say(words: bytes) -> Answer:
    """Send some bytes, and close."""

    async def answer(stream: Stream) -> None:
        await stream.send_all(words)
        await stream.aclose()

    return answer


async def _read_request(stream: Stream) -> bytes:
    received = some = bytes(await stream.receive_some(65536))
    while some and b"\r\n\r\n" not in received:
        some = bytes(await stream.receive_some(65536))
        received += some
    if not some:
        return b""
    head, _, body = received.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while some and len(body) < length:
        some = bytes(await stream.receive_some(65536))
        body += some
    if len(body) < length:
        return b""
    return head + b"\r\n\r\n" + body


def server_context(certificate: str) -> ssl.SSLContext:
    """Return a TLS context with one of the certificates."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATES / f"{certificate}.pem", CERTIFICATES / "key.pem")
    return context


def authority() -> ssl.SSLContext:
    """Return a TLS context that trusts only the tests' authority."""
    return ssl.create_default_context(cafile=CERTIFICATES / "ca.pem")


async def get(url: str, transport: Transport) -> Response:
    """Send one request on a new transport."""
    async with transport as opened:
        with trio.fail_after(60):
            return await opened.send(Request("GET", url))
