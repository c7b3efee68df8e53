"""Transports that lose, delay, answer or change requests, or change the site at a given moment.

A pattern stands for some requests by their method and path: ``"POST issue/*/comment"``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatch
from typing import Any

import trio
from fakes.pulls import URL, Bench, Recorder

from jira_sandbox import create_app
from ticketr.app.jira.errors import ConnectionLost
from ticketr.app.jira.transport import Request, Response


class Lossy(Recorder):
    """Loses what `lose` returns: ``"request"`` before the site gets it, or ``"answer"`` after.

    Args:
        app: The sandbox's application.
        lose: Is called with the method and the path of each request.
        before: Is called with the same before the site gets the request.
    """

    def __init__(
        self,
        app: object,
        lose: Callable[[str, str], str | None],
        *,
        before: Callable[[str, str], object] = lambda *_: None,
    ) -> None:
        super().__init__(app)
        self._lose = lose
        self._before = before

    async def send(self, request: Request) -> Response:
        path = request.url.removeprefix(f"{URL}/rest/api/3/")
        self._before(request.method, path)
        what = self._lose(request.method, path)
        if what == "request":
            raise ConnectionLost(request.url, "the cable was pulled")
        response = await super().send(request)
        if what == "answer":
            raise ConnectionLost(request.url, "the cable was pulled")
        return response


def once(method: str, path: str, what: str) -> Callable[[str, str], str | None]:
    """Lose the first request of a kind, and no other."""
    left = [what]

    def lose(asked: str, at: str) -> str | None:
        return left.pop() if left and (asked, at) == (method, path) else None

    return lose


class Meanwhile(Recorder):
    """Calls a function after the site has answered and before the client gets the answer.

    Args:
        app: The sandbox's application.
        method: The method of the request to wait for; the first match counts.
        path: Its path.
        happens: The function to call.
    """

    def __init__(self, app: object, method: str, path: str, happens: Callable[[], object]) -> None:
        super().__init__(app)
        self._awaited: tuple[str, str] | None = (method, path)
        self._happens = happens

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        path = request.url.removeprefix(f"{URL}/rest/api/3/")
        if self._awaited == (request.method, path):
            self._awaited = None
            self._happens()
        return response


def fits(request: Request, pattern: str) -> bool:
    path = request.url.removeprefix(f"{URL}/rest/api/3/").partition("?")[0]
    return fnmatch(f"{request.method} {path}", pattern)


class CutOff(Recorder):
    """Cancels a scope when the site has taken a request and its answer is still under way.

    Args:
        app: The sandbox's application.
        pattern: Stands for the requests.
        scope: The scope to cancel.
        after: At which of these requests.
        taken: Whether the site gets the request.
    """

    def __init__(
        self,
        app: object,
        pattern: str,
        scope: trio.CancelScope,
        *,
        after: int = 1,
        taken: bool = True,
    ) -> None:
        super().__init__(app)
        self._pattern, self._scope, self._left, self._taken = pattern, scope, after, taken

    async def send(self, request: Request) -> Response:
        self._left -= fits(request, self._pattern)
        if not self._left and not self._taken:
            self._scope.cancel()
            await trio.lowlevel.checkpoint()
        response = await super().send(request)
        if not self._left:
            self._scope.cancel()
            await trio.lowlevel.checkpoint()
        return response


async def cut_off(
    bench: Bench, pattern: str, *, after: int = 1, taken: bool = True, **options: Any
) -> None:
    """Push, and cancel it when the site has taken a request and the push does not know."""
    with trio.CancelScope() as scope:
        app = create_app(bench.site)
        cutting = CutOff(app, pattern, scope, after=after, taken=taken)
        await bench.push(transport=cutting, **options)
    assert scope.cancelled_caught


class Answering(Recorder):
    """Answers some requests itself.

    Args:
        bench: The site.
        pattern: Stands for the requests.
        status: The status of the answer; 0 for a lost connection.
        body: Its body: bytes, or else a value for JSON.
        headers: Its headers.
        times: How many requests are answered so.
        taken: Whether the site carries them out first.

    Attributes:
        seen: How many requests fitted the pattern.
    """

    def __init__(
        self,
        bench: Bench,
        pattern: str,
        status: int,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        times: float = math.inf,
        taken: bool = False,
    ) -> None:
        super().__init__(create_app(bench.site))
        content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        self._answer = status, headers or {}, content
        self._pattern, self._times, self._taken = pattern, times, taken
        self.seen = 0

    async def send(self, request: Request) -> Response:
        self.seen += fits(request, self._pattern)
        if self.seen > self._times or not fits(request, self._pattern):
            return await super().send(request)
        if self._taken:
            await super().send(request)
        if not self._answer[0]:
            raise ConnectionLost(request.url, "the cable was pulled")
        return Response(*self._answer, request.url)


class Changed(Recorder):
    """Changes the answers to some requests on their way.

    Args:
        bench: The site.
        pattern: Stands for the requests.
        change: Is called with the value of the JSON of each answer, and changes it.
    """

    def __init__(self, bench: Bench, pattern: str, change: Callable[[Any], object]) -> None:
        super().__init__(create_app(bench.site, latency=bench.latency))
        self._pattern, self._change = pattern, change

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        if not fits(request, self._pattern):
            return response
        answer = json.loads(response.body)
        self._change(answer)
        return replace(response, body=json.dumps(answer).encode())


class Late(Recorder):
    """Loses the first create; the site carries it out later.

    Args:
        app: The sandbox's application.
        delay: The seconds until the site carries the request out.
        refused: The seconds of a 429 that the site answers once before; 0 for none.
    """

    def __init__(self, app: object, *, delay: float, refused: float = 0.0) -> None:
        super().__init__(app)
        self._delay = delay
        self._refused = refused
        self.held: Request | None = None
        self.due = math.inf

    async def send(self, request: Request) -> Response:
        if request.method != "POST" or not request.url.endswith("/issue"):
            await self._carry_out()
            return await super().send(request)
        if self._refused:
            wait, self._refused = self._refused, 0.0
            return Response(429, {"retry-after": f"{wait:g}"}, b"{}", request.url)
        if self.held is None:
            self.held, self.due = request, trio.current_time() + self._delay
            raise ConnectionLost(request.url, "the cable was pulled")
        return await super().send(request)

    async def _carry_out(self) -> None:
        """Carry out what is due; called before each other request, so the delay is exact."""
        if self.held is not None and trio.current_time() >= self.due:
            self.due = math.inf
            await super().send(self.held)


class Detached(Recorder):
    """Carries requests out completely, as a real site does, even if the client has disconnected.

    Args:
        app: The sandbox's application.
        nursery: The nursery that the requests run in.
    """

    def __init__(self, app: object, nursery: trio.Nursery) -> None:
        super().__init__(app)
        self._nursery = nursery

    async def __aexit__(self, *_: object) -> None:
        """Stay open for the running requests; there is nothing to close."""

    async def send(self, request: Request) -> Response:
        answers: list[Response] = []
        arrived = trio.Event()

        async def carry_out() -> None:
            answers.append(await super(Detached, self).send(request))
            arrived.set()

        self._nursery.start_soon(carry_out)
        await arrived.wait()
        return answers[0]
