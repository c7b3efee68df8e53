"""Ports for servers that start later, or start again, at a port that is known before."""

from __future__ import annotations

import itertools
import os
import socket

PORTS_OF_A_PROCESS = 64
_numbers = itertools.count()


def free_port() -> int:
    """Return a free port of the loopback that the system gives to nobody else.

    It lies below the range from which the system takes ports for connections and for port 0. One of
    that range may be taken before the server listens, and a client that connects to it while nobody
    listens may reach itself. Each process of the tests has ports of its own.
    """
    while True:
        own = os.getpid() % 350 * PORTS_OF_A_PROCESS
        port = 10_000 + own + next(_numbers) % PORTS_OF_A_PROCESS
        with socket.socket() as attempt:
            try:
                attempt.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
