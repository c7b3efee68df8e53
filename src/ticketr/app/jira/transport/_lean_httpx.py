"""Imports httpx without its command line, HTTP/2 and anyio; reads the trusted certificates.

httpx imports the command line with the library, if what it needs is installed: rich and pygments.
They would take a third of the time in which a command starts. In the same way it imports h2, if the
sandbox is installed, and anyio; the transport speaks HTTP/1.1, under Trio.
"""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import trio

__all__ = ["TlsContextOrProblem", "hide_module", "httpx", "read_certificates"]


@contextmanager
def hide_module(name: str) -> Iterator[None]:
    """Let the import of a module that is not loaded fail, as where it is not installed."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = cast("Any", None)
    try:
        yield
    finally:
        del sys.modules[name]


if "httpx" in sys.modules:
    import httpx
else:
    with hide_module("httpx._main"):
        import httpx


@dataclass(frozen=True)
class TlsContextOrProblem:
    """The TLS context with the trusted certificates, or why they could not be read.

    Attributes:
        context: The TLS context for the HTTP package; the default accepts no certificate.
        problem: Why the certificates could not be read; empty if they were. An https address is
            refused then, but a site on this machine may need none.
    """

    context: ssl.SSLContext = field(default_factory=lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    problem: str = ""


async def read_certificates(given: ssl.SSLContext | None) -> TlsContextOrProblem:
    """Return the given certificates, else read certifi's or those that the environment names.

    httpx does the same. asks would read the system's certificates for each connection, and block
    all other tasks while it does.
    """
    if given is not None:
        return TlsContextOrProblem(given)
    try:
        # In a thread, since reading all the certificates takes tens of milliseconds.
        return TlsContextOrProblem(
            await trio.to_thread.run_sync(httpx.create_ssl_context, abandon_on_cancel=True)
        )
    except OSError as error:
        place = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR") or "certifi's"
        return TlsContextOrProblem(problem=f"no certificates in {place}, {error.strerror or error}")
