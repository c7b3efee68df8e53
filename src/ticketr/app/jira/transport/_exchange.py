"""What both adapters need for one exchange: its timeouts, its body and its errors."""

from __future__ import annotations

import os
import socket
import ssl
import zlib
from collections.abc import Iterator
from typing import Any

import trio

from ticketr.app.jira.errors import (
    NO_TLS,
    BadAnswer,
    ConnectFailed,
    ConnectionLost,
    NoAnswer,
    TlsFailed,
)

#: About how many bytes are unpacked between two checkpoints.
PORTION = 256 * 1024

_STEP = 8 * 1024
_GZIP_OR_ZLIB = 47  # what zlib.decompressobj takes for "see which of the two it is"
_COMPRESSIONS = frozenset({"gzip", "x-gzip", "deflate"})


class ResponseBody:
    """Collects the pieces of an answer, and unpacks them once all are there.

    No method raises before `end`, so that the connection is left in order. Nothing is unpacked
    before `end` either: unpacking has checkpoints, and a cancellation between two pieces would leave
    httpx's generators unfinished.

    Args:
        largest: The largest body, in bytes, as it comes and decompressed.

    Attributes:
        problem: Why the rest need not be read; empty if nothing is wrong.
    """

    def __init__(self, largest: int) -> None:
        self.problem = ""
        self._largest = largest
        self._size = 0
        self._pieces: list[bytes] = []
        self._is_packed = False

    def begin(self, encoding: str) -> None:
        """Take the answer's ``Content-Encoding``, a list.

        One compression was requested. Nested ones, as in a decompression bomb, are refused.
        """
        codings = (text.strip().lower() for text in encoding.split(","))
        compressions = [coding for coding in codings if coding not in {"", "identity"}]
        self._is_packed = bool(compressions)
        if len(compressions) > 1 or not _COMPRESSIONS.issuperset(compressions):
            self.problem = "a compression that was not asked for"

    def feed(self, piece: bytes) -> None:
        """Take the next piece as it came."""
        self._size += len(piece)
        self._pieces.append(piece)
        if self._size > self._largest:
            self.problem = f"more than {self._largest} bytes"
            self._pieces.clear()

    async def end(self, url: str) -> bytes:
        """Return the whole body.

        Raises:
            BadAnswer: It was too large, or could not be decompressed.

        Cancellation:
            Takes effect after each `PORTION` or so that is unpacked; a smaller body has no checkpoint.
        """
        if self._is_packed and not self.problem and self._size:
            self._pieces = await self._unpack(b"".join(self._pieces))
        if self.problem:
            too_large = self._size > self._largest
            raise BadAnswer(url, self.problem, transient=not too_large, too_large=too_large)
        return b"".join(self._pieces)

    async def _unpack(self, packed: bytes) -> list[bytes]:
        """Decompress a body; note a problem if that fails, or it is too large."""
        self._size = work = 0
        unpacked: list[bytes] = []
        compression = zlib.decompressobj(_GZIP_OR_ZLIB)
        try:
            for portion in _portions(compression, packed):
                self._size += len(portion)
                if self._size > self._largest:
                    self.problem = f"more than {self._largest} bytes"
                    return []
                unpacked.append(portion)
                work += _STEP + len(portion)
                if work >= PORTION:
                    work = 0
                    await trio.lowlevel.checkpoint()
        except zlib.error:
            self.problem = "its compression is broken"
        if not compression.eof:
            self.problem = self.problem or "its compression ends in the middle"
        return unpacked


def _portions(compression: Any, packed: bytes) -> Iterator[bytes]:
    """Yield what a body unpacks to, at most `PORTION` bytes in one.

    Raises:
        zlib.error: It is neither gzip nor zlib, or something else follows it.
    """
    # What is left over is copied at each step, so it has to be short.
    for start in range(0, len(packed), _STEP):
        rest, is_full = packed[start : start + _STEP], False
        while rest or is_full:
            if compression.eof:
                raise zlib.error("something else follows")
            portion = compression.decompress(rest, PORTION)
            yield portion
            rest = compression.unconsumed_tail or compression.unused_data
            is_full = len(portion) == PORTION and not compression.eof


class ExchangeTimeout:
    """The timeouts of one exchange: of silence, which each piece restarts, and of the whole.

    Args:
        silence: The longest silence, in seconds, between two pieces.
        whole: The longest that the whole answer may take, in seconds.

    Attributes:
        scope: The scope that the exchange runs in.
    """

    def __init__(self, silence: float, whole: float) -> None:
        self._silence = silence
        self._whole = whole
        self._latest = trio.current_time() + whole
        self.scope = trio.CancelScope()
        self.move_on()

    def move_on(self) -> None:
        """Restart the timeout of silence, as each received piece does."""
        self.scope.deadline = min(trio.current_time() + self._silence, self._latest)

    def error(self, url: str) -> NoAnswer:
        """Make the error for an exchange that was cut off."""
        if self.scope.deadline >= self._latest:
            return NoAnswer(url, self._whole, begun=True)
        return NoAnswer(url, self._silence)


BAD_ADDRESS = "the address cannot be used"
CLOSED = "connection closed"
NOT_CONNECTED = "no answer to connecting"
NOT_SENDABLE = "the request was not sendable"
#: OpenSSL's names for an answer that is not TLS.
_NO_TLS_REASONS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})


def not_connected(url: str, error: Exception, proxy: str = "") -> ConnectFailed | TlsFailed:
    """Make the error for a connection that could not be made.

    Args:
        url: The requested URL.
        error: The error of the HTTP package.
        proxy: The proxy that was asked to connect; empty without one.
    """
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            text = cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else ""
            reason = NO_TLS if cause.reason in _NO_TLS_REASONS else cause.reason
            return TlsFailed(url, text or reason or "TLS failed")
    reasons = (_os_words(cause) for cause in causes if isinstance(cause, OSError))
    return ConnectFailed(url, next(filter(None, reasons), str(error)), proxy)


def no_http(error: Exception) -> str:
    """Say what is wrong with an answer, without what h11 quotes from it."""
    text = str(error)
    return CLOSED if "ConnectionClosed" in text else text.partition(":")[0]


def not_encoded(url: str, error: UnicodeError) -> ConnectFailed | ConnectionLost:
    """Make the error for a text that cannot be written as bytes: a host's name, or a header."""
    if getattr(error, "encoding", "idna") == "idna":
        return ConnectFailed(url, BAD_ADDRESS)
    return ConnectionLost(url, NOT_SENDABLE)


def _os_words(error: OSError) -> str:
    """Return the system's message, without the address that Trio puts before it."""
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
