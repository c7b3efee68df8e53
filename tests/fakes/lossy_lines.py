"""A line to the server that loses answers, or goes silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import trio

if TYPE_CHECKING:
    from types import TracebackType


class LossyLine:
    """A proxy on a port of this machine.

    Attributes:
        lost: How many answers were lost.
    """

    def __init__(self, url: str) -> None:
        self._socket = url.removeprefix("unix://")
        self._nursery_manager = trio.open_nursery()
        self._port = 0
        self._countdown = -1
        self._is_silent = False
        self._speaks = trio.Event()
        self.lost = 0

    @property
    def url(self) -> str:
        return f"valkey://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        self._nursery = await self._nursery_manager.__aenter__()
        listeners: list[trio.SocketListener] = await self._nursery.start(
            trio.serve_tcp, self._serve, 0
        )
        self._port = listeners[0].socket.getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        self._nursery.cancel_scope.cancel()
        return await self._nursery_manager.__aexit__(kind, error, trace)

    def lose(self, number: int) -> None:
        """Lose the n-th answer from now on, from 0, and cut its line."""
        self._countdown = number

    def be_silent(self) -> None:
        """Carry nothing any more, and cut nothing."""
        self._is_silent, self._speaks = True, trio.Event()

    def speak(self) -> None:
        """Carry everything again."""
        self._is_silent = False
        self._speaks.set()

    async def _serve(self, client: trio.SocketStream) -> None:
        try:
            async with (
                client,
                await trio.open_unix_socket(self._socket) as server,
                trio.open_nursery() as nursery,
            ):
                nursery.start_soon(self._carry, client, server, nursery.cancel_scope, False)
                nursery.start_soon(self._carry, server, client, nursery.cancel_scope, True)
        except (OSError, trio.BrokenResourceError):
            pass

    async def _carry(
        self,
        source: trio.SocketStream,
        target: trio.SocketStream,
        scope: trio.CancelScope,
        is_answer: bool,
    ) -> None:
        try:
            while data := await source.receive_some(65536):
                if self._is_silent:
                    await self._speaks.wait()
                if is_answer:
                    self._countdown -= 1
                    if self._countdown == -1:
                        self.lost += 1
                        break
                await target.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        scope.cancel()
