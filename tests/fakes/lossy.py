"""A transport that loses requests or answers where a test wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.pulls import URL, Recorder

from ticketr.jira import ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketr.jira.transport import Request, Response


class Lossy(Recorder):
    """Loses what `lose` says: ``"request"`` before the site has it, ``"answer"`` after.

    Args:
        app: the sandbox's application.
        lose: given the method and the path of each request.
    """

    def __init__(self, app: object, lose: Callable[[str, str], str | None]) -> None:
        super().__init__(app)
        self._lose = lose

    async def send(self, request: Request) -> Response:
        path = request.url.removeprefix(f"{URL}/rest/api/3/")
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
