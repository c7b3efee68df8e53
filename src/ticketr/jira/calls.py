"""One call of Jira's interface: send it, be patient, read its JSON."""

from __future__ import annotations

import json
import math
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import trio

from ticketr._version import __version__
from ticketr.jira.answers import Answer, raise_for_status
from ticketr.jira.credentials import normalise_site
from ticketr.jira.errors import JiraError, RateLimited, ServerError
from ticketr.jira.limits import RetryRule
from ticketr.jira.transport.base import Request, Response

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from ticketr.jira.credentials import Credentials
    from ticketr.jira.transport.base import Transport


@dataclass(frozen=True, slots=True)
class Call:
    """One call, however often it is sent.

    Attributes:
        method: ``"GET"`` or another.
        endpoint: The path without its data; a site limits each endpoint and method by itself.
        url: The address, without query.
        query: What belongs behind it.
        body: What to send, as JSON.
        repeatable: Whether it may be sent again without knowing what became of it.
    """

    method: str
    endpoint: str
    url: str
    query: Mapping[str, str | int] | None = None
    body: bytes | None = None
    repeatable: bool = True


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
        self._writing: dict[str, trio.Lock] = {}

    async def get(
        self, endpoint: str, *steps: str, query: Mapping[str, str | int] | None = None
    ) -> Answer:
        """Ask for something.

        Args:
            endpoint: The path, with ``{}`` for each step of it that is data.
            steps: Those steps.
            query: What to ask about, if it belongs behind the path.
        """
        call = Call("GET", endpoint, self.address(endpoint, *steps), query=query)
        return await self._read(call)

    async def ask(self, endpoint: str, question: object) -> Answer:
        """Ask a question that does not fit an address, by POST; it must not change anything."""
        call = Call("POST", endpoint, self.address(endpoint), body=json.dumps(question).encode())
        return await self._read(call)

    async def write(
        self,
        method: str,
        endpoint: str,
        *steps: str,
        issue: str | None,
        body: object = None,
        query: Mapping[str, str | int] | None = None,
        repeatable: bool = False,
        empty: bool = True,
    ) -> Answer:
        """Change something; one change of an issue at a time.

        Cancelled, or after an error that `is_unsure`, the change may have happened all the same.

        Args:
            method: ``"POST"``, ``"PUT"`` or ``"DELETE"``.
            endpoint: The path, with ``{}`` for each step of it that is data.
            steps: Those steps.
            issue: The key or ID of the issue that is changed, if there is one yet.
            body: What to send.
            query: Options that belong behind the path.
            repeatable: Whether doing it twice comes to the same as doing it once. Else it is
                sent again only when it is certain that it was not carried out.
            empty: Whether the answer may hold nothing.
        """
        call = Call(
            method,
            endpoint,
            self.address(endpoint, *steps),
            query=query,
            body=None if body is None else json.dumps(body).encode(),
            repeatable=repeatable,
        )
        async with self._one_at_a_time(issue):
            return Answer.read(await self._send(call), empty=empty)

    def address(self, endpoint: str, *steps: str) -> str:
        """Give the address of an endpoint."""
        return f"{self._base}/{endpoint.format(*map(_one_step, steps))}"

    @asynccontextmanager
    async def _one_at_a_time(self, issue: str | None) -> AsyncGenerator[None]:
        if issue is None:
            yield
            return
        lock = self._writing.setdefault(issue, trio.Lock())
        try:
            async with lock:
                yield
        finally:
            if not lock.statistics().tasks_waiting and not lock.locked():
                self._writing.pop(issue, None)

    async def _read(self, call: Call) -> Answer:
        answer = Answer.read(await self._send(call))
        await trio.lowlevel.checkpoint()  # reading a large answer takes its time
        return answer

    async def _send(self, call: Call) -> Response:
        url = f"{call.url}?{urlencode(call.query)}" if call.query else call.url
        request = Request(call.method, url, self._headers(call), call.body)
        async with self._slots:
            return await self._answer(request, call)

    def _headers(self, call: Call) -> dict[str, str]:
        return {
            "accept": "application/json",
            "user-agent": f"ticketr/{__version__}",
            "authorization": self._credentials.authorization(call.url),
            **({} if call.body is None else {"content-type": "application/json"}),
        }

    async def _answer(self, request: Request, call: Call) -> Response:
        """Send a request until it is answered well or patience ends."""
        kind = f"{call.method} {call.endpoint}"
        attempt = 1
        while True:
            # Another request of this kind may have been asked to wait.
            await trio.sleep_until(self._not_before.get(kind, -math.inf))
            try:
                response = await self._transport.send(request)
                self._reached = True
                raise_for_status(response, self._credentials.redact)
            except JiraError as error:
                delay = self._delay(error, attempt, kind, repeatable=call.repeatable)
                if delay is None:
                    raise
            else:
                return response
            await trio.sleep(delay)
            attempt += 1

    def _delay(
        self, error: JiraError, attempt: int, kind: str, *, repeatable: bool
    ) -> float | None:
        """Decide how long to wait before asking again; None to give up."""
        delay = self._retry.delay(
            error, attempt, reached=self._reached, chance=self._chance, repeatable=repeatable
        )
        if delay is None:
            return None
        if isinstance(error, RateLimited | ServerError):
            start = trio.current_time() + delay
            self._not_before[kind] = max(start, self._not_before.get(kind, start))
        if self._on_wait is not None:
            self._on_wait(delay, str(error))
        return delay


class Part:
    """A part of the client: some of the questions that a caller can ask."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller


def _one_step(text: str) -> str:
    """Quote a text so that it is one step of a path, and only that."""
    return quote(text, safe="").replace(".", "%2E")
