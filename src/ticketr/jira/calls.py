"""One call of Jira's interface: send it, be patient, read its JSON."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import trio

from ticketr._version import __version__
from ticketr.jira.answers import raise_for_status, read_json
from ticketr.jira.credentials import normalise_site
from ticketr.jira.errors import BadAnswer, JiraError, RateLimited, ServerError
from ticketr.jira.limits import RetryRule
from ticketr.jira.transport.base import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketr.jira.credentials import Credentials
    from ticketr.jira.transport.base import Transport


class Caller:
    """Sends the requests of a client, no more than so many at once.

    A request that has to wait before it is repeated keeps its place: a site that is asked to
    slow down is not asked something else meanwhile.

    Args:
        credentials: Who is asking.
        transport: Who speaks HTTP.
        site: The site to ask.
        api: The version of its interface.
        allow_http: Whether plain http may leave this machine.
        max_concurrency: How many requests may run together.
        retry: How patient to be.
        on_wait: Told before each wait: the seconds, and why.
        chance: The source of chance for the waits.

    Raises:
        BadSite: The site's address cannot be used.
        InsecureSite: It is plain http to another machine.
        WrongSite: The token belongs to another site.
    """

    def __init__(
        self,
        credentials: Credentials,
        transport: Transport,
        *,
        site: str,
        api: str,
        allow_http: bool,
        max_concurrency: int,
        retry: RetryRule | None,
        on_wait: Callable[[float, str], None] | None,
        chance: Callable[[], float],
    ) -> None:
        self.site = normalise_site(site, allow_http=allow_http)
        self._base = f"{self.site}/rest/api/{api}"
        credentials.authorization(self._base)  # refuses another site's token before all else
        self._credentials = credentials
        self._transport = transport
        self._slots = trio.Semaphore(max_concurrency)
        self._retry = RetryRule() if retry is None else retry
        self._on_wait = on_wait
        self._chance = chance
        self._reached = False
        self._not_before: dict[str, float] = {}

    async def get(self, path: str) -> tuple[Response, Any]:
        """Ask for something; gives the answer and its JSON."""
        # A site limits each kind of request by itself; the rest of the path says which one.
        return await self._call("GET", path, path.partition("/")[0])

    async def post(self, path: str, body: object) -> tuple[Response, Any]:
        """Ask a question that does not fit an address; gives the answer and its JSON.

        It may be repeated, so it must not change anything.
        """
        return await self._call("POST", path, path, json.dumps(body).encode())

    def unusable(self, path: str, problem: str) -> BadAnswer:
        """Make the error for JSON of a wrong shape."""
        return BadAnswer(f"{self._base}/{path}", problem)

    async def _call(
        self, method: str, path: str, kind: str, body: bytes | None = None
    ) -> tuple[Response, Any]:
        url = f"{self._base}/{path}"
        request = Request(method, url, self._headers(url, body), body)
        async with self._slots:
            response = await self._answer(request, kind)
        answer = read_json(response)
        await trio.lowlevel.checkpoint()  # reading a large answer takes its time
        return response, answer

    def _headers(self, url: str, body: bytes | None) -> dict[str, str]:
        return {
            "accept": "application/json",
            "user-agent": f"ticketr/{__version__}",
            "authorization": self._credentials.authorization(url),
            **({} if body is None else {"content-type": "application/json"}),
        }

    async def _answer(self, request: Request, kind: str) -> Response:
        """Send a request until it is answered well or patience ends."""
        attempt = 1
        while True:
            # Another request of this kind may have been asked to wait.
            await trio.sleep_until(self._not_before.get(kind, -math.inf))
            try:
                response = await self._transport.send(request)
                self._reached = True
                raise_for_status(response, self._credentials.redact)
            except JiraError as error:
                delay = self._delay(error, attempt, kind)
                if delay is None:
                    raise
            else:
                return response
            await trio.sleep(delay)
            attempt += 1

    def _delay(self, error: JiraError, attempt: int, kind: str) -> float | None:
        """Decide how long to wait before asking again; None to give up."""
        delay = self._retry.delay(error, attempt, reached=self._reached, chance=self._chance)
        if delay is None:
            return None
        if isinstance(error, RateLimited | ServerError):
            start = trio.current_time() + delay
            self._not_before[kind] = max(start, self._not_before.get(kind, start))
        if self._on_wait is not None:
            self._on_wait(delay, str(error))
        return delay
