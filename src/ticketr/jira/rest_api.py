"""One call of Jira's interface: send it, be patient, read its JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import trio

from ticketr._version import __version__
from ticketr.jira.answers import Answer, raise_for_status
from ticketr.jira.call import Call
from ticketr.jira.concurrency import PerIssueLock
from ticketr.jira.credentials import normalise_site
from ticketr.jira.errors import BadAnswer, JiraError, RateLimited, Redirected, ServerError
from ticketr.jira.json_writer import write_json
from ticketr.jira.rate_limit_headers import LimitScope, is_near, retry_after, scope_of
from ticketr.jira.rate_limiter import Hold, RateLimiter
from ticketr.jira.retry import BUSY, SLOW_DOWN, RetryPolicy, why
from ticketr.jira.transport.base import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ticketr.jira.credentials import Credentials
    from ticketr.jira.transport.base import Response, Transport


class RestApi:
    """Sends the requests of a client at the pace that the site bears.

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
        body = await write_json(question)
        call = Call("POST", endpoint, self.address(endpoint), body=body)
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
        once: bool = False,
        empty: bool = True,
    ) -> Answer:
        """Change something; one change of an issue at a time.

        Cancelled, or after an error that `may_have_happened`, the change may have happened all the same.

        Args:
            method: ``"POST"``, ``"PUT"`` or ``"DELETE"``.
            endpoint: The path, with ``{}`` for each step of it that is data.
            steps: Those steps.
            issue: The key or ID of the issue that is changed, if there is one yet. Writes that
                name the same issue in two ways are not known to be of one issue.
            body: What to send.
            query: Options that belong behind the path.
            repeatable: Whether doing it twice comes to the same as doing it once. Else it is
                sent again only when it is certain that it was not carried out.
            once: Whether no answer is certain enough for that.
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
            once=once,
        )
        async with self._write_lock.hold(issue):
            return await self._send(call, empty=empty)

    def redact(self, text: str) -> str:
        """Take the token out of a server's words."""
        return self._credentials.redact(text)

    def address(self, endpoint: str, *steps: str) -> str:
        """Return the address of an endpoint."""
        return f"{self._base}/{endpoint.format(*map(_one_step, steps))}"

    async def _read(self, call: Call) -> Answer:
        answer = await self._send(call)
        await trio.lowlevel.checkpoint()  # reading a large answer takes its time
        return answer

    def _headers(self, call: Call) -> dict[str, str]:
        return {
            "accept": "application/json",
            "user-agent": f"ticketr/{__version__}",
            "authorization": self._credentials.authorization(call.address),
            **({} if call.body is None else {"content-type": "application/json"}),
        }

    async def _send(self, call: Call, *, empty: bool = False) -> Answer:
        """Send a call until it is answered well or patience ends."""
        request = Request(call.method, call.url, self._headers(call), call.body)
        pause: Hold | None = None
        attempt = 1
        with self._limiter.slot(call) as slot:
            while True:
                try:
                    async with slot.turn(pause):
                        response = await self._transport.send(request)
                        self._reached = True
                        raise_for_status(response, self._credentials.redact)
                    answer = await Answer.read(response, empty=empty)
                except JiraError as error:
                    pause = self._pause(error, call, attempt)
                    if pause is None:
                        if self._known and isinstance(error, BadAnswer | Redirected):
                            raise error.of_known_site() from None
                        raise
                    attempt += 1
                else:
                    self._known = self._known or answer.json is not None
                    if not is_near(response.headers):
                        slot.went_well()
                    self._heed(response, call)
                    return answer

    def _pause(self, error: JiraError, call: Call, attempt: int) -> Hold | None:
        """Decide until when to wait before asking again; None to give up."""
        delay = self._retry.delay(
            error,
            attempt,
            reached=self._reached,
            known=self._known,
            chance=self._chance,
            repeatable=call.repeatable,
        )
        if delay is None:
            return None
        pause = Hold(trio.current_time() + delay, why(error))
        if isinstance(error, RateLimited):
            self._limiter.hold(call, scope_of(error.reason), pause)
            if call.once:
                return None
        elif isinstance(error, ServerError) and error.status in BUSY:  # 500 is of one request
            self._limiter.hold(call, LimitScope.ENDPOINT, pause)
        return pause

    def _heed(self, response: Response, call: Call) -> None:
        """Wait after a good answer of a Data Center site that says it has no tokens left."""
        wish = retry_after(response.headers)
        if is_near(response.headers) and wish and wish <= self._retry.longest:
            self._limiter.hold(call, LimitScope.SITE, Hold(trio.current_time() + wish, SLOW_DOWN))


class Endpoints:
    """A part of the client: some of the questions that a caller can ask."""

    def __init__(self, api: RestApi) -> None:
        self._api = api


def _one_step(text: str) -> str:
    """Quote a text so that it is one step of a path, and only that."""
    return quote(text, safe="").replace(".", "%2E")
