"""ASGI middleware that injects faults."""

from __future__ import annotations

import errno
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

import trio
from starlette.datastructures import MutableHeaders

from jira_sandbox.faults.responses import fault_response
from jira_sandbox.faults.source import FaultKind

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from jira_sandbox.faults.source import Fault, FaultSource

#: An ASGI extension: a server that supports it resets the connection at such a message.
RESET_CONNECTION: Final = "jira_sandbox.reset_connection"
_MOST_BUFFERED: Final = 2_000_000


class FaultMiddleware:
    """ASGI middleware that makes requests fail.

    Under a server without the extension `RESET_CONNECTION`, the application raises
    `ConnectionResetError` instead of resetting the connection.

    Args:
        app: The application that answers the requests.
        faults: Draws the fault of each request.
        now: Returns the time by the site's clock.
    """

    def __init__(self, app: ASGIApp, faults: FaultSource, now: Callable[[], datetime]) -> None:
        self._app = app
        self._faults = faults
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with a fault if one is drawn."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = _BufferedRequest(receive)
        body = await request.read()
        path = scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        fault = self._faults.draw(scope["method"], f"{path}?{query}", body)
        if fault is None:
            await self._app(scope, request.replay, send)
            return
        answer = _BufferedResponse()
        if fault.carried_out:
            await self._app(scope, request.replay, answer.send)
        await self._inject(fault, answer, scope, request.replay, send)

    async def _inject(
        self, fault: Fault, answer: _BufferedResponse, scope: Scope, receive: Receive, send: Send
    ) -> None:
        match fault.kind:
            case FaultKind.RESET if answer.half:
                await answer.begin(send)
                await send(_part(answer.body[: answer.half], more=True))
                await _reset_connection(scope, send)
            case FaultKind.CUT if answer.half:
                await answer.begin(send, length=answer.half)
                await send(_part(answer.body[: answer.half], more=False))
            case FaultKind.DROP | FaultKind.LOST | FaultKind.RESET | FaultKind.CUT:
                # RESET and CUT get here if the body is empty.
                await _reset_connection(scope, send)
            case FaultKind.HANG:
                with trio.move_on_after(self._faults.hang_for):
                    await _wait_for_disconnect(receive)
                    return
                await _reset_connection(scope, send)
            case _:
                response = fault_response(
                    fault,
                    method=scope["method"],
                    path=scope["path"],
                    now=self._now(),
                    retry_within=self._faults.retry_within,
                )
                await response(scope, receive, send)


class _BufferedRequest:
    """A request whose body is read early and passed on afterwards."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[Message] = []

    async def read(self) -> bytes:
        """Read the body, or the beginning of a huge one."""
        body = b""
        more = True
        while more and len(body) <= _MOST_BUFFERED:
            message = await self._receive()
            self._messages.append(message)
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self._messages.reverse()
        return body

    async def replay(self) -> Message:
        """Receive the next message, buffered ones first; the application's `receive`."""
        await trio.lowlevel.checkpoint()
        return self._messages.pop() if self._messages else await self._receive()


class _BufferedResponse:
    """A response that is buffered instead of sent."""

    def __init__(self) -> None:
        self._start: Message = {}
        self.body = b""

    async def send(self, message: Message) -> None:
        """Buffer a message; the application's `send`."""
        await trio.lowlevel.checkpoint()
        if message["type"] == "http.response.start":
            self._start = message
        else:
            self.body += message.get("body", b"")

    @property
    def half(self) -> int:
        """The length of half the body."""
        return len(self.body) // 2

    async def begin(self, send: Send, *, length: int | None = None) -> None:
        """Send the head, with another content length if one is given."""
        if length is not None:
            MutableHeaders(scope=self._start)["content-length"] = str(length)
        await send(self._start)


def _part(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _reset_connection(scope: Scope, send: Send) -> None:
    if RESET_CONNECTION in scope.get("extensions", {}):
        await send({"type": RESET_CONNECTION})
        return
    await trio.lowlevel.checkpoint()
    raise ConnectionResetError(errno.ECONNRESET, "the sandbox broke the connection off")
