"""Transports that lose requests or answers, or let things happen, where a test wants it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import trio
from fakes.pulls import URL, Recorder

from ticketr.jira import ConnectionLost
from ticketr.jira.transport import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable


class Lossy(Recorder):
    """Loses what `lose` says: ``"request"`` before the site has it, ``"answer"`` after.

    Args:
        app: the sandbox's application.
        lose: given the method and the path of each request.
        before: given the same, before the site has it; may do something.
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
    """Lose the first request of a kind and no other."""
    left = [what]

    def lose(asked: str, at: str) -> str | None:
        return left.pop() if left and (asked, at) == (method, path) else None

    return lose


class Meanwhile(Recorder):
    """Lets something happen when the site has answered, and the client does not know yet.

    Args:
        app: the sandbox's application.
        method: of the request that is waited for, the first of its kind.
        path: of the same.
        happens: what happens.
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


class Late(Recorder):
    """Loses the first create, which the site carries out all the same, but late.

    Args:
        app: the sandbox's application.
        site: the site behind it.
        delay: how many seconds the request is under way.
        refused: how many seconds the site asks to wait before, once.
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
        """Do what is due by now; before every other request, so nobody can tell."""
        if self.held is not None and trio.current_time() >= self.due:
            self.due = math.inf
            await super().send(self.held)


class Detached(Recorder):
    """Carries requests out to their end, as a real site does, though whoever asked has gone.

    Args:
        app: the sandbox's application.
        nursery: where the requests live.
    """

    def __init__(self, app: object, nursery: trio.Nursery) -> None:
        super().__init__(app)
        self._nursery = nursery

    async def __aexit__(self, *_: object) -> None:
        """Stay open for what is still under way; there is nothing to close."""

    async def send(self, request: Request) -> Response:
        answers: list[Response] = []
        arrived = trio.Event()

        async def carry_out() -> None:
            answers.append(await super(Detached, self).send(request))
            arrived.set()

        self._nursery.start_soon(carry_out)
        await arrived.wait()
        return answers[0]
