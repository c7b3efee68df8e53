"""The protocol of an HTTP transport, with its requests and responses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from ticketr._errors import TicketrError
from ticketr.app.jira.errors import clean_line

if TYPE_CHECKING:
    import ssl


class AsksMissing(TicketrError):
    """Raised when asks was chosen and cannot be used here."""

    def __init__(self, reason: str) -> None:
        self.reason = clean_line(reason)
        super().__init__(self.reason)

    def __str__(self) -> str:
        return (
            f"asks cannot be used ({self.reason}): in a clone of ticketr, "
            "uv pip install '.[asks]' brings it with the anyio that today's Trio needs; "
            "or use httpx, which is there already"
        )


#: The longest that closing may take, in seconds, even when all is cancelled.
CLOSE_TIMEOUT = 1.0
#: The slowest that a large body may be sent, in bytes in a second.
MIN_UPLOAD_BYTE_RATE = 10_000


class RequestBodySource(Protocol):
    """A request's body that is sent in pieces, so that it is never whole in memory."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its own headers, its kind among them."""
        ...

    @property
    def body_size(self) -> int:
        """How many bytes all pieces have together."""
        ...

    def body_pieces(self) -> AsyncIterator[bytes]:
        """Return an iterator over the pieces, from the first one on; it needs no closing."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    Attributes:
        method: ``"GET"`` or another.
        url: The whole address, query included.
        headers: What to send; never shown, since the token is among it.
        body: What to send after the headers, if anything.
        source: The body, if it is sent in pieces; the headers tell its size.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    source: RequestBodySource | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """One complete HTTP answer.

    Attributes:
        status: The HTTP status.
        headers: Their names in lower case; a repeated one is joined by commas.
        body: Decompressed and complete.
        requested_url: As it was requested; no redirect is followed.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    requested_url: str


@dataclass(kw_only=True, eq=False, repr=False)
class TransportLimitsAndTls:
    """The timeouts, the largest answer and the TLS context that every adapter has.

    Attributes:
        silence_timeout: The longest silence, in seconds, between two pieces of an answer.
        total_timeout: The longest that one answer may take, in seconds, however steadily its pieces
            come.
        connect_timeout: The longest wait, in seconds, for a connection.
        max_body_bytes: The largest answer, in bytes, decompressed: by default ten times the largest
            that Jira gives, of 5,000 IDs or of a hundred issues with long descriptions.
        verify: What to check certificates against; the default is those that certifi brings, or
            those that ``SSL_CERT_FILE`` or ``SSL_CERT_DIR`` names.
    """

    silence_timeout: float = 30.0
    total_timeout: float = 300.0
    connect_timeout: float = 10.0
    max_body_bytes: int = 16 * 1024 * 1024
    verify: ssl.SSLContext | None = None


class Transport(Protocol):
    """Sends requests over connections that it keeps and closes.

    An adapter follows no redirect, verifies certificates, stores no cookie and raises only the
    connection errors of `ticketr.app.jira.errors`, never those of the package that it is made of.
    """

    async def __aenter__(self) -> Self:
        """Open for use."""
        ...

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every connection, at once and even when cancelled."""
        ...

    async def send(self, request: Request) -> Response:
        """Send one request and read the whole answer.

        When the scope around it is cancelled, in whatever step, it ends at once; a connection
        with an unfinished exchange is closed and never used again.

        Raises:
            ConnectFailed: No connection could be made.
            TlsFailed: The certificate was not accepted.
            ConnectionLost: The connection broke before the answer was complete.
            NoAnswer: The other side was silent for too long, or its answer did not end.
            BadAnswer: The answer is no HTTP, is too large or cannot be decompressed.
        """
        ...
