"""A line to a server that can be cut: bytes go nowhere, and no end learns of it.

As a process of its own, so that any program can use it: ``python -m fakes.cut_lines ADDRESS PORT``
prints the port of its own. SIGUSR1 cuts the lines, SIGUSR2 mends them, and SIGHUP closes them.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import trio

SIGNALS = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP)


class CutLine:
    """The process."""

    def __init__(self, address: str, port: int) -> None:
        program = [sys.executable, "-m", "fakes.cut_lines", address, str(port)]
        self._process = subprocess.Popen(
            program, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def cut(self) -> None:
        self._process.send_signal(signal.SIGUSR1)

    def mend(self) -> None:
        self._process.send_signal(signal.SIGUSR2)

    def drop(self) -> None:
        """Close all connections, as a restarted router does."""
        self._process.send_signal(signal.SIGHUP)

    def close(self) -> None:
        with self._process:
            self._process.kill()


class Gate:
    """Carries bytes while it is open."""

    def __init__(self, address: str, port: int) -> None:
        self._address, self._port = address, port
        self.opened = trio.Event()
        self.opened.set()
        self._scopes: set[trio.CancelScope] = set()

    def drop(self) -> None:
        """Close all connections."""
        for scope in self._scopes:
            scope.cancel()

    async def serve(self, client: trio.SocketStream) -> None:
        """Carry one connection."""
        await self.opened.wait()
        async with client:
            try:
                server = await trio.open_tcp_stream(self._address, self._port)
            except OSError:
                return
            async with server, trio.open_nursery() as nursery:
                scope = nursery.cancel_scope
                self._scopes.add(scope)
                nursery.start_soon(self._carry, client, server, scope)
                nursery.start_soon(self._carry, server, client, scope)
            self._scopes.discard(scope)

    async def _carry(
        self, source: trio.SocketStream, target: trio.SocketStream, scope: trio.CancelScope
    ) -> None:
        try:
            while data := await source.receive_some(65536):
                await self.opened.wait()
                await target.send_all(data)
            await self.opened.wait()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            await self.opened.wait()
        scope.cancel()


async def main(address: str, port: int) -> None:
    gate = Gate(address, port)
    with trio.open_signal_receiver(*SIGNALS) as signals:
        async with trio.open_nursery() as nursery:
            listeners: list[trio.SocketListener] = await nursery.start(
                trio.serve_tcp, gate.serve, 0
            )
            sys.stdout.write(f"{listeners[0].socket.getsockname()[1]}\n")
            sys.stdout.flush()
            async for number in signals:
                if number == signal.SIGUSR1:
                    gate.opened = trio.Event()
                elif number == signal.SIGHUP:
                    gate.drop()
                else:
                    gate.opened.set()


if __name__ == "__main__":
    trio.run(main, sys.argv[1], int(sys.argv[2]))
