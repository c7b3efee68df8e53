"""What both adapters need for one exchange: its timeouts, its body and its errors."""

from __future__ import annotations

import os
import socket
import ssl
import zlib
from collections.abc import Iterator, Mapping

import trio

from ticketr.app.jira.errors import (
    SERVER_WITHOUT_TLS_REASON,
    BadAnswer,
    ConnectFailed,
    ConnectionLost,
    NoAnswer,
    TlsFailed,
)
from ticketr.app.jira.transport.base import (
    MIN_UPLOAD_BYTE_RATE,
    Request,
    Response,
    TransportLimitsAndTls,
)

#: The most bytes that are unpacked between two checkpoints, and the most that they are unpacked from:
#: a compressed body may hold megabytes that unpack to nothing.
MAX_UNPACKED_BYTES_PER_STEP = 256 * 1024
MAX_PACKED_BYTES_PER_STEP = 64 * 1024

_GZIP_OR_ZLIB_WBITS = 47  # what zlib.decompressobj takes for "see which of the two it is"
_DECODABLE_COMPRESSIONS = frozenset({"gzip", "x-gzip", "deflate"})


class TimedBodyBuffer:
    """The timeouts of one exchange, and the collected body of its answer.

    The timeouts are of silence, which each piece restarts, and of the whole.

    No method raises before `make_unpacked_response`, so that the connection is left in order. Nothing is
    unpacked before it either: unpacking has checkpoints, and a cancellation between two pieces would
    leave httpx's generators unfinished.

    Args:
        request: What is sent.
        settings: The adapter's settings.

    Attributes:
        scope: The scope that the exchange runs in.
        problem: Why the rest need not be read; empty if nothing is wrong.
    """

    def __init__(self, request: Request, settings: TransportLimitsAndTls) -> None:
        self.problem = ""
        self.scope = trio.CancelScope()
        self._url = request.url
        self._settings = settings
        sending = 0.0 if request.source is None else request.source.body_size / MIN_UPLOAD_BYTE_RATE
        self._whole = settings.total_timeout + sending
        self._latest = trio.current_time() + self._whole
        self._size = 0
        self._pieces: list[bytes] = []
        self.restart_timeout()

    def restart_timeout(self) -> None:
        """Restart the timeout of silence, as each sent or received piece does."""
        self.scope.deadline = min(
            trio.current_time() + self._settings.silence_timeout, self._latest
        )

    def add_piece(self, piece: bytes) -> None:
        """Take the next piece of the answer's body as it came."""
        self.restart_timeout()
        self._size += len(piece)
        self._pieces.append(piece)
        if self._size > self._settings.max_body_bytes:
            self.problem = f"more than {self._settings.max_body_bytes} bytes"
            self._pieces.clear()

    async def make_unpacked_response(self, status: int, headers: Mapping[str, str]) -> Response:
        """Return the whole answer.

        One compression was requested. Nested ones, as in a decompression bomb, are refused.

        Args:
            status: The HTTP status.
            headers: Their names in lower case.

        Raises:
            BadAnswer: The body was too large, or could not be decompressed.

        Cancellation:
            Takes effect after each `MAX_UNPACKED_BYTES_PER_STEP` that is unpacked, and each
            `MAX_PACKED_BYTES_PER_STEP` that is read for it; a smaller body has no checkpoint.
        """
        codings = [text.strip() for text in headers.get("content-encoding", "").lower().split(",")]
        compressions = [coding for coding in codings if coding not in {"", "identity"}]
        if len(compressions) > 1 or not _DECODABLE_COMPRESSIONS.issuperset(compressions):
            self.problem = "a compression that was not asked for"
        if compressions and self._size and not self.problem:
            self._pieces = await self._unpack_whole_body(b"".join(self._pieces))
        if self.problem:
            too_large = self._size > self._settings.max_body_bytes
            raise BadAnswer(self._url, self.problem, transient=not too_large, too_large=too_large)
        return Response(status, headers, b"".join(self._pieces), self._url)

    async def _unpack_whole_body(self, packed: bytes) -> list[bytes]:
        """Decompress a body; note a problem if that fails, or it is too large."""
        self._size = taken = 0
        unpacked: list[bytes] = []
        compression = zlib.decompressobj(_GZIP_OR_ZLIB_WBITS)
        try:
            while not compression.eof:
                piece = compression.unconsumed_tail
                if not piece:
                    piece = packed[taken : taken + MAX_PACKED_BYTES_PER_STEP]
                    taken += len(piece)
                portion = compression.decompress(piece, MAX_UNPACKED_BYTES_PER_STEP)
                self._size += len(portion)
                if self._size > self._settings.max_body_bytes:
                    self.problem = f"more than {self._settings.max_body_bytes} bytes"
                    return []
                if not piece and not portion and not compression.eof:
                    self.problem = "its compression ends in the middle"
                    return []
                unpacked.append(portion)
                if (
                    len(piece) == MAX_PACKED_BYTES_PER_STEP
                    or len(portion) == MAX_UNPACKED_BYTES_PER_STEP
                ):
                    await trio.lowlevel.checkpoint()
        except zlib.error:
            self.problem = "its compression is broken"
        if compression.unused_data or taken < len(packed):  # something else follows
            self.problem = "its compression is broken"
        return unpacked

    def timeout_error(self) -> NoAnswer:
        """Make the error for an exchange that was cut off."""
        if self.scope.deadline >= self._latest:
            return NoAnswer(self._url, self._whole, has_answer_begun=True)
        return NoAnswer(self._url, self._settings.silence_timeout)


BAD_ADDRESS_REASON = "the address cannot be used"
CLOSED_REASON = "connection closed"
CONNECT_TIMEOUT_REASON = "no answer to connecting"
NOT_SENDABLE_REASON = "the request was not sendable"
#: OpenSSL's names for an answer that is not TLS.
_NO_TLS_REASONS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})


def connect_error(url: str, error: Exception, proxy: str = "") -> ConnectFailed | TlsFailed:
    """Make the error for a connection that could not be made.

    Args:
        url: The requested URL.
        error: The error of the HTTP package.
        proxy: The proxy that was asked to connect; empty without one.
    """
    words = ""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            text = cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else ""
            reason = SERVER_WITHOUT_TLS_REASON if cause.reason in _NO_TLS_REASONS else cause.reason
            return TlsFailed(url, text or reason or "TLS failed")
        if isinstance(cause, OSError) and not words:
            words = cause.strerror or ""
            if cause.errno and not isinstance(cause, socket.gaierror):
                words = os.strerror(cause.errno)  # without the address that Trio puts before it
    return ConnectFailed(url, words or str(error), proxy)


def protocol_problem(error: Exception) -> str:
    """Say what is wrong with an answer, without what h11 quotes from it."""
    text = str(error)
    return CLOSED_REASON if "ConnectionClosed" in text else text.partition(":")[0]


def host_or_header_encoding_error(url: str, error: UnicodeError) -> ConnectFailed | ConnectionLost:
    """Make the error for a text that cannot be written as bytes: a host's name, or a header."""
    if getattr(error, "encoding", "idna") == "idna":
        return ConnectFailed(url, BAD_ADDRESS_REASON)
    return ConnectionLost(url, NOT_SENDABLE_REASON)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what led to it, the members of groups before the groups' own text."""
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _causes(member)
    following = error.__cause__ or error.__context__
    if following is not None:
        yield from _causes(following)
    yield error
