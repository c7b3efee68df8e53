"""The transport that uses asks.

It behaves as the httpx transport, with one difference that users can see: asks knows no proxies, so
it connects to every site directly, even if the environment names a proxy.

`ticketr.app.jira.transport._asks_session` documents which parts of asks are used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Self
from urllib.parse import urlsplit

import anyio
import h11
import trio

from ticketr.app.jira.errors import ConnectFailed, ConnectionLost, TlsFailed
from ticketr.app.jira.transport import _reasons
from ticketr.app.jira.transport._asks_session import AsksSession, Connection
from ticketr.app.jira.transport._body import ResponseBody
from ticketr.app.jira.transport._certificates import read_certificates
from ticketr.app.jira.transport._timeouts import ExchangeTimeout
from ticketr.app.jira.transport.base import (
    CLOSE_WITHIN,
    AsksMissing,
    Request,
    Response,
    TransportSettings,
)


class AsksTransport(TransportSettings):
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
        self._session = AsksSession(self._certificates.context)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close every connection."""
        with trio.move_on_after(CLOSE_WITHIN, shield=True):
            await self._session.close()

    async def send(self, request: Request) -> Response:
        """Send one request and read the whole answer; see `Transport.send`."""
        self._certificates.check(request.url)
        body = ResponseBody(self.largest_body)
        wait = ExchangeTimeout(self.answer_within, request.limit_from(self.whole_within))
        with wait.scope, _converted(request.url):
            connection = await self._connect(request.url)
            answer = await self._session.exchange(connection, request, body, wait.move_on)
            return Response(
                status=answer.status,
                headers=answer.fields,
                body=await body.end(request.url),
                url=request.url,
            )
        raise wait.error(request.url)

    async def _connect(self, url: str) -> Connection:
        place = _place(url)
        with trio.move_on_after(self.connect_within), _connecting(url):
            return await self._session.connection(place)
        raise ConnectFailed(url, _reasons.NOT_CONNECTED)


def _place(url: str) -> str:
    """Return the scheme, host and port of an address."""
    try:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return f"{parts.scheme}://{parts.netloc}"
    except ValueError:  # no port, or no address of version 6
        pass
    raise ConnectFailed(url, _reasons.BAD_ADDRESS)


@contextmanager
def _connecting(url: str) -> Iterator[None]:
    """Convert the errors of asks while it connects to ticketr's."""
    try:
        yield
    except anyio.EndOfStream:
        raise TlsFailed(url, _reasons.CLOSED) from None
    except (OSError, anyio.BrokenResourceError) as error:
        raise _reasons.not_connected(url, error) from None


@contextmanager
def _converted(url: str) -> Iterator[None]:
    """Convert the errors of asks in an exchange to ticketr's.

    Without a chain: h11 puts a header that it refuses into its message, and the token is a header.
    """
    try:
        yield
    except UnicodeError as error:
        raise _reasons.not_encoded(url, error) from None
    except h11.LocalProtocolError:
        raise ConnectionLost(url, _reasons.NOT_SENDABLE) from None
    except h11.RemoteProtocolError as error:
        raise ConnectionLost(url, _reasons.no_http(error)) from None
    except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        raise ConnectionLost(url, _reasons.CLOSED) from None
