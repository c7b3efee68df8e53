"""Ports for servers that start later, or start again, at a port that is known before."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterable, Iterator
from functools import cache

PORTS_OF_A_PROCESS = 64
#: Below the range from which the system takes ports for connections and for port 0.
FIRST_PORTS = range(10_000, 32_000, PORTS_OF_A_PROCESS)


def free_port() -> int:
    """Return a free port of the loopback that neither the system nor this gives to another process.

    One of the system's range may be taken before the server listens, and a client that connects to
    it while nobody listens may reach itself.
    """
    _, ports = _own_ports()
    with _bind_first(ports) as attempt:
        return _port_of(attempt)


@cache
def _own_ports() -> tuple[socket.socket, Iterator[int]]:
    """Take ports for this process, which keeps the first of them bound until it ends."""
    kept = _bind_first(FIRST_PORTS)
    first = _port_of(kept)
    return kept, itertools.cycle(range(first + 1, first + PORTS_OF_A_PROCESS))


def _bind_first(ports: Iterable[int]) -> socket.socket:
    """Bind a socket to the first port that is free."""
    for port in ports:
        attempt = socket.socket()
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            attempt.close()
        else:
            return attempt
    raise OSError("no port is free")


def _port_of(bound: socket.socket) -> int:
    port: int = bound.getsockname()[1]
    return port
