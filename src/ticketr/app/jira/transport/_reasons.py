"""Converts errors of the HTTP packages to ticketr's, for both adapters."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator

from ticketr.app.jira.errors import NO_TLS, ConnectFailed, ConnectionLost, TlsFailed

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
