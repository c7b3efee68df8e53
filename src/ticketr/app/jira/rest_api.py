"""Sends one call of Jira's REST API: rate limits, retries, and the JSON of its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar
from urllib.parse import quote

import trio

from ticketr._version import __version__
from ticketr.app.jira.credentials import Credentials, is_gateway, normalise_site
from ticketr.app.jira.errors import (
    BadAnswer,
    JiraError,
    NoJira,
    NotCloud,
    RateLimited,
    Redirected,
    ServerError,
)
from ticketr.app.jira.json_response import JsonResponse, raise_for_status
from ticketr.app.jira.json_text import write_json
from ticketr.app.jira.rate_limits import (
    Backoff,
    Call,
    LimitScope,
    PerIssueLock,
    RateLimiter,
    is_near,
    retry_after,
    scope_of,
)
from ticketr.app.jira.retry import BUSY, SLOW_DOWN, RetryPolicy, why
from ticketr.app.jira.silence import Silence
from ticketr.app.jira.transport.base import BodySource, Request, Response, Transport

T = TypeVar("T")


class RestApi:
    """Sends the requests of a client, within the site's rate limits.

    Args:
        api: The version of the REST API. The other arguments are those of `open_jira`.

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
        retry: RetryPolicy | None,
        on_wait: Callable[[float, str], None] | None,
        chance: Callable[[], float],
    ) -> None:
        self.site = normalise_site(site, allow_http=allow_http)
        self._base = f"{self.site}/rest/api/{api}"
        credentials.authorization(self._base)  # refuses another site's token before all else
        self._credentials = credentials
        self._transport = transport
        self._limiter = RateLimiter(max_concurrency, on_wait)
        self._retry = RetryPolicy() if retry is None else retry
        self._chance = chance
        self._reached = self._known = False
        self._write_lock = PerIssueLock()
        self.silence = Silence()

    async def get(
        self, endpoint: str, *steps: str, query: Mapping[str, str | int] | None = None
    ) -> JsonResponse:
        """Send a GET request.

        Args:
            endpoint: The path, with ``{}`` for each segment that is data.
            steps: Those segments.
            query: The query parameters.
        """
        call = Call("GET", endpoint, self.address(endpoint, *steps), query=query)
        return await self._send_and_yield(call)

    async def ask(self, endpoint: str, question: object) -> JsonResponse:
        """Send a POST request that only reads; its query is too long for an address."""
        body = await write_json(question)
        call = Call("POST", endpoint, self.address(endpoint), body=body)
        return await self._send_and_yield(call)

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
    ) -> JsonResponse:
        """Send a request that changes something; changes of one issue run one at a time.

        After a cancellation, or an error that `may_have_happened`, the change may have happened.

        Args:
            method: ``"POST"``, ``"PUT"`` or ``"DELETE"``.
            endpoint: The path, with ``{}`` for each segment that is data.
            steps: Those segments.
            issue: The key or ID of the issue that is changed, if it exists yet. Writes by its key
                and writes by its ID are not recognised as writes of one issue.
            body: The JSON value to send.
            query: The query parameters.
            repeatable: Whether the change has the same result when it is made twice. Else it is
                sent again only when it is certain that it was not carried out, and not after a
                rate limit refused it; the caller first looks whether it was carried out.
            empty: Whether the answer may hold nothing.
        """
        issue = None if issue is None else issue.upper()
        call = Call(
            method,
            endpoint,
            self.address(endpoint, *steps),
            query=query,
            body=None if body is None else await write_json(body),
            issue=issue,
            repeatable=repeatable,
        )
        async with self._write_lock.hold(issue):
            return await self._send(call, empty=empty)

    async def upload(
        self,
        endpoint: str,
        *steps: str,
        issue: str,
        source: BodySource,
        headers: Mapping[str, str],
    ) -> JsonResponse:
        """Send a body in pieces, once; the answer's JSON is returned.

        Args:
            endpoint: The path, with ``{}`` for each segment that is data.
            steps: Those segments.
            issue: The key or ID of the issue that is changed.
            source: The body.
            headers: Its headers, its kind among them.
        """
        call = Call(
            "POST",
            endpoint,
            self.address(endpoint, *steps),
            source=source,
            issue=issue.upper(),
            repeatable=False,
            headers={**headers, "content-length": str(source.size)},
        )
        async with self._write_lock.hold(issue.upper()):
            return await self._send(call)

    async def download(
        self, endpoint: str, *steps: str, query: Mapping[str, str | int], headers: Mapping[str, str]
    ) -> Response:
        """Send a GET request whose answer may be anything; it is returned as it came."""
        usual = {"accept": "*/*", "accept-encoding": "identity"}
        call = Call(
            "GET",
            endpoint,
            self.address(endpoint, *steps),
            query=query,
            headers={**usual, **headers},
        )
        return await self._exchange(call, _as_it_came)

    async def why_not_served(self) -> NotCloud | NoJira | None:
        """Ask the site what it is, without a login, after it has refused a request.

        Behind Atlassian's gateway there are only sites of Jira Cloud.

        Returns:
            Why ticketr does not work with it; None if it does, or if that is unknown.
        """
        if self._known or is_gateway(self.site):
            return None
        from ticketr.app.jira.tenant import check_kind  # noqa: PLC0415 - only after a refusal

        try:
            await check_kind(self.site, self._transport)
        except (NotCloud, NoJira) as reason:
            return reason
        except JiraError:  # what the site is stays unknown
            return None
        return None

    def redact(self, text: str) -> str:
        """Remove the token from a server's text."""
        return self._credentials.redact(text)

    def address(self, endpoint: str, *steps: str) -> str:
        """Return the URL of an endpoint."""
        return f"{self._base}/{endpoint.format(*map(_quote_segment, steps))}"

    async def _send_and_yield(self, call: Call) -> JsonResponse:
        """Send a call, and pass a checkpoint, as reading a large answer takes long."""
        answer = await self._send(call)
        await trio.lowlevel.checkpoint()
        return answer

    def _headers(self, call: Call) -> dict[str, str]:
        return {
            "accept": "application/json",
            "user-agent": f"ticketr/{__version__}",
            "authorization": self._credentials.authorization(call.address),
            **({} if call.body is None else {"content-type": "application/json"}),
            **call.headers,
        }

    async def _send(self, call: Call, *, empty: bool = False) -> JsonResponse:
        """Send a call; note that the site has answered as Jira does."""
        answer = await self._exchange(call, partial(JsonResponse.read, empty=empty))
        self._known = self._known or answer.json is not None
        return answer

    async def _exchange(self, call: Call, read: Callable[[Response], Awaitable[T]]) -> T:
        """Send a call until it succeeds or the retry policy gives up; ``read`` reads its answer."""
        request = Request(call.method, call.url, self._headers(call), call.body, call.source)
        backoff: Backoff | None = None
        attempts = 1
        with self._limiter.slot(call) as slot:
            while True:
                try:
                    async with slot.attempt(backoff):
                        with self.silence.waiting():
                            response = await self._transport.send(request)
                        self._reached = True
                        raise_for_status(response, self._credentials.redact)
                    answer = await read(response)
                except JiraError as error:
                    backoff = self._back_off(error, call, attempts)
                    if backoff is None:
                        if self._known and isinstance(error, BadAnswer | Redirected):
                            raise replace(error, known=True) from None
                        raise
                    attempts += 1
                else:
                    if not is_near(response.headers):
                        slot.count_success()
                    self._back_off_if_used_up(response, call)
                    return answer

    def _back_off(self, error: JiraError, call: Call, attempts: int) -> Backoff | None:
        """Return the wait before the next attempt, None to give up; let other calls wait too."""
        delay = self._retry.delay(
            error,
            attempts,
            reached=self._reached,
            known=self._known,
            chance=self._chance,
            repeatable=call.repeatable,
        )
        if delay is None:
            return None
        backoff = Backoff(trio.current_time() + delay, why(error))
        if isinstance(error, RateLimited):
            self._limiter.back_off(call, scope_of(error.reason), backoff)
            if not call.repeatable:  # a gateway may refuse what Jira carries out
                return None
        elif isinstance(error, ServerError) and error.status in BUSY:  # a 500 concerns one request
            self._limiter.back_off(call, LimitScope.ENDPOINT, backoff)
        return backoff

    def _back_off_if_used_up(self, response: Response, call: Call) -> None:
        """Let all requests wait if a success says that the site's limit is used up."""
        seconds = retry_after(response.headers)
        if is_near(response.headers) and seconds and seconds <= self._retry.longest:
            backoff = Backoff(trio.current_time() + seconds, SLOW_DOWN)
            self._limiter.back_off(call, LimitScope.SITE, backoff)


class Endpoints:
    """The base of a group of the client's methods."""

    def __init__(self, api: RestApi) -> None:
        self._api = api


async def _as_it_came(response: Response) -> Response:
    await trio.lowlevel.checkpoint()
    return response


def _quote_segment(text: str) -> str:
    """Quote a text as exactly one segment of a path."""
    return quote(text, safe="").replace(".", "%2E")
