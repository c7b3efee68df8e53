"""Connections that close all of their streams.

coredis leaves the streams of a failed connection open, and Python warns of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coredis.connection import TCPConnection, UnixDomainSocketConnection

if TYPE_CHECKING:
    from coredis.connection import BaseConnection


class ClosingTcpConnection(TCPConnection):
    """A connection by TCP."""

    async def run(self, **options: Any) -> None:
        """Connect, and stay connected."""
        try:
            await super().run(**options)
        finally:
            _close_streams(self)


class ClosingSocketConnection(UnixDomainSocketConnection):
    """A connection by a socket file."""

    async def run(self, **options: Any) -> None:
        """Connect, and stay connected."""
        try:
            await super().run(**options)
        finally:
            _close_streams(self)


def _close_streams(connection: BaseConnection) -> None:
    for name in ("_push_message_buffer", "_streamed_message_buffer", "_write_buffer"):
        for end in ("in", "out"):
            getattr(connection, f"{name}_{end}").close()
