"""The transport that uses asks.

It behaves as the httpx transport, with one difference that users can see: asks knows no proxies, so
it connects to every site directly, even if the environment names a proxy.

asks 3.0 breaks some promises of a transport, so this module does the following itself:

- asks repeats a request once if its connection breaks, even a create, and hides the connection. So
  `AsksConnectionPool.exchange` replaces `Session.request`.
- asks decodes and quotes the path again, so a quoted ``..`` would lead to another path.
- asks keeps the last of repeated headers. It raises an error for a header that is not UTF-8, a
  cookie without ``=``, an interim answer and a body that ends with its connection.
- asks collects and decompresses a body without any limit.
- asks reuses a connection that the other side has closed, and does not close used connections.

One difference to httpx remains: asks refuses the head of an answer that comes in pieces and is
longer than 16 KiB, where httpx takes 100 KiB. Jira's heads have about 4 KiB.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, Self
from urllib.parse import quote, urlsplit

import anyio
import anyio.abc
import asks
import h11
import trio
from asks import response_objects
from asks.request_object import RequestProcessor

from ticketr.app.jira.errors import ConnectFailed, ConnectionLost, TlsFailed
from ticketr.app.jira.transport import _exchange
from ticketr.app.jira.transport._lean_httpx import read_certificates
from ticketr.app.jira.transport.base import (
    CLOSE_TIMEOUT,
    AsksMissing,
    Request,
    Response,
    TransportLimitsAndTls,
)

#: How long an idle connection is kept, in seconds; as httpx does.
KEEP_IDLE_SECONDS = 5.0

_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"  # and letters, digits and _.- as everywhere


def _is_reusable(connection: Any) -> bool:
    """Return whether an idle connection may be used again.

    Bytes from the other side mean that it has closed the connection.
    """
    if trio.current_time() - connection.idle_since > KEEP_IDLE_SECONDS:
        return False
    raw = connection.extra(anyio.abc.SocketAttribute.raw_socket)  # noqa: S610 - not Django's
    try:
        raw.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


class AsksConnectionPool(asks.Session):  # type: ignore[misc]  # asks has no types
    """Opens connections, keeps the idle ones and closes them all.

    A connection is anyio's stream, with the attributes that asks sets and reads.
    """

    def __init__(self, ssl_context: ssl.SSLContext) -> None:
        super().__init__(ssl_context=ssl_context)
        self._closed = False
        self._open: set[Any] = set()

    async def take_or_open_connection(self, place: str) -> Any:
        """Return an idle connection, or open one if none is idle.

        Args:
            place: The scheme, host and port of the other side.
        """
        while (idle := self._checkout_connection(place)) is not None:
            if _is_reusable(idle):
                return idle
            await self._close_connection(idle)
        connection, connection.port = await self._connect(place)
        connection.host = place  # asks finds idle connections by it
        if self._closed:
            await connection.aclose()
            raise anyio.ClosedResourceError
        self._open.add(connection)
        return connection

    async def exchange(
        self,
        connection: Any,
        request: Request,
        collector: _exchange.TimedBodyBuffer,
    ) -> AsksExchange:
        """Send a request and read its answer.

        Args:
            connection: From `take_or_open_connection`. It is kept if all is well and closed if not, whatever
                ends this.
            request: What to send.
            collector: Takes the body of the answer.
        """
        answer = AsksExchange(self, connection, request, collector)
        try:
            await answer.make_request()
        finally:
            if answer.complete and not self._closed:
                connection.idle_since = trio.current_time()
                self._conn_pool.appendleft(connection)
            else:
                with trio.move_on_after(CLOSE_TIMEOUT, shield=True):
                    await self._close_connection(connection)
        return answer

    async def close_all(self) -> None:
        """Close every connection, used ones too."""
        self._closed = True
        for connection in tuple(self._open):
            await self._close_connection(connection)

    async def _close_connection(self, connection: Any) -> None:
        self._open.discard(connection)
        await connection.aclose()


class AsksExchange(RequestProcessor):  # type: ignore[misc]  # asks has no types
    """One request and its answer, over one connection.

    Attributes:
        complete: Whether both sides have sent all, so that the connection can be used again.
        status: The HTTP status of the answer.
        fields: The headers of the answer, their names in lower case.
    """

    def __init__(
        self,
        session: AsksConnectionPool,
        connection: Any,
        request: Request,
        collector: _exchange.TimedBodyBuffer,
    ) -> None:
        headers = {
            "Accept-Encoding": "gzip",
            **request.headers,
            "Host": urlsplit(request.url).netloc.rpartition("@")[2],
            "Connection": "keep-alive",  # asks asks to close it, if not told otherwise
        }
        super().__init__(
            session,
            request.method,
            request.url,
            connection.port,
            sock=connection,
            headers=headers,
            data=request.body,
            encoding="utf-8",
            follow_redirects=False,
        )
        self.complete = False
        self.status = 0
        self.fields: dict[str, str] = {}
        self._collector = collector
        self._source = request.source

    def _build_path(self) -> None:
        """Keep the address as it is; quote only characters that no address may hold."""
        parts = urlsplit(self.uri)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        self.path = quote(target, safe=_URL_CHARACTERS)
        self.req_url = self.uri

    async def _send(self, *whole: Any) -> None:
        """Send the request; ignore a broken connection, since the answer may have come already."""
        try:
            if self._source is None:
                await super()._send(*whole)
            else:
                head, h11_connection = whole[0], whole[-1]
                await self.sock.send(h11_connection.send(head))
                async for piece in self._source.body_pieces():
                    self._collector.restart_timeout()
                    await self.sock.send(h11_connection.send(h11.Data(data=piece)))
                if rest := h11_connection.send(h11.EndOfMessage()):
                    await self.sock.send(rest)
        except anyio.BrokenResourceError:
            await trio.lowlevel.checkpoint()

    async def _catch_response(self, h11_connection: h11.Connection) -> response_objects.Response:
        """Read the answer; return an empty one, since asks would act on redirects and cookies."""
        head = await self._recv_event(h11_connection)
        while isinstance(head, h11.InformationalResponse):
            head = await self._recv_event(h11_connection)
        self.status = head.status_code
        self.fields = _joined_headers(head.headers)
        await self._read_body(h11_connection)
        self.streaming = True  # asks leaves the connection alone then
        return response_objects.Response(
            "utf-8", "1.1", self.status, "", {}, b"", self.method, self.uri
        )

    async def _read_body(self, h11_connection: h11.Connection) -> None:
        while isinstance(event := await self._recv_event(h11_connection), h11.Data):
            self._collector.add_piece(bytes(event.data))
            if self._collector.problem:
                return
            await trio.lowlevel.checkpoint()  # one read may bring thousands of tiny pieces
        states = {h11_connection.our_state, h11_connection.their_state}
        trailing, closed = h11_connection.trailing_data
        self.complete = states == {h11.DONE} and not trailing and not closed


def _joined_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name = raw_name.decode("ascii").lower()
        try:
            value = raw_value.decode()
        except UnicodeDecodeError:
            value = raw_value.decode("latin-1")
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields


class AsksTransport(TransportLimitsAndTls):
    """Speaks HTTP/1.1 with asks.

    ``SSL_CERT_FILE`` comes from the environment, as users of other tools expect; proxies do not.
    """

    async def __aenter__(self) -> Self:
        """Open for use.

        Raises:
            AsksMissing: The anyio that is installed does not run on this Trio.
        """
        try:
            anyio.current_time()  # loads anyio's half that runs on Trio, which anyio 3 cannot
        except (ImportError, AttributeError) as error:
            reason = f"anyio {version('anyio')} does not run on Trio {trio.__version__}"
            raise AsksMissing(reason) from error
        self._certificates = await read_certificates(self.verify)
        self._session = AsksConnectionPool(self._certificates.context)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close every connection."""
        with trio.move_on_after(CLOSE_TIMEOUT, shield=True):
            await self._session.close_all()

    async def send(self, request: Request) -> Response:
        """Send one request and read the whole answer; see `Transport.send`."""
        if self._certificates.problem and request.url.lower().startswith("https:"):
            raise TlsFailed(request.url, self._certificates.problem)
        collector = _exchange.TimedBodyBuffer(request, self)
        with collector.scope, _convert_errors(request.url):
            connection = await self._take_connection(request.url)
            answer = await self._session.exchange(connection, request, collector)
            return await collector.make_unpacked_response(answer.status, answer.fields)
        raise collector.timeout_error()

    async def _take_connection(self, url: str) -> Any:
        place = _origin_of(url)
        with trio.move_on_after(self.connect_timeout), _convert_connect_errors(url):
            return await self._session.take_or_open_connection(place)
        raise ConnectFailed(url, _exchange.CONNECT_TIMEOUT_REASON)


def _origin_of(url: str) -> str:
    """Return the scheme, host and port of an address."""
    try:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return f"{parts.scheme}://{parts.netloc}"
    except ValueError:  # no port, or no address of version 6
        pass
    raise ConnectFailed(url, _exchange.BAD_ADDRESS_REASON)


@contextmanager
def _convert_connect_errors(url: str) -> Iterator[None]:
    """Convert the errors of asks while it connects to ticketr's."""
    try:
        yield
    except anyio.EndOfStream:
        raise TlsFailed(url, _exchange.CLOSED_REASON) from None
    except (OSError, anyio.BrokenResourceError) as error:
        raise _exchange.connect_error(url, error) from None


@contextmanager
def _convert_errors(url: str) -> Iterator[None]:
    """Convert the errors of asks in an exchange to ticketr's.

    Without a chain: h11 puts a header that it refuses into its message, and the token is a header.
    """
    try:
        yield
    except UnicodeError as error:
        raise _exchange.host_or_header_encoding_error(url, error) from None
    except h11.LocalProtocolError:
        raise ConnectionLost(url, _exchange.NOT_SENDABLE_REASON) from None
    except h11.RemoteProtocolError as error:
        raise ConnectionLost(url, _exchange.protocol_problem(error)) from None
    except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        raise ConnectionLost(url, _exchange.CLOSED_REASON) from None
