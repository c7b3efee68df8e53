"""Sends one call of Jira's REST API: rate limits, retries, and the JSON or the error of its answer.

What a site tells without a login, its kind and its cloud ID, is read here too.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit
from weakref import WeakValueDictionary

import trio

from ticketr._version import __version__
from ticketr.app.jira import errors, rate_limits
from ticketr.app.jira.credentials import (
    API_GATEWAY_HOST,
    REDACTED_TEXT,
    Credentials,
    normalise_site,
)
from ticketr.app.jira.json_text import MAX_VALUES, RunInThread, TooManyValues, read_json
from ticketr.app.jira.models import objects_in, text_of
from ticketr.app.jira.retry import BUSY_5XX_STATUSES, RetryPolicy, wait_reason
from ticketr.app.jira.transport import make_transport
from ticketr.app.jira.transport.base import Request, RequestBodySource, Response, Transport

#: The path of the cloud ID, below the site's address.
TENANT_INFO_PATH = "_edge/tenant_info"
#: The path of the server's information, in the version of the API that every kind of site has.
SERVER_INFO_PATH = "rest/api/2/serverInfo"

_CLOUD_ID_PATTERN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


async def ask_cloud_id(site: str, *, transport: Transport | None = None) -> str:
    """Return the cloud ID of a Cloud site.

    No login is needed, so none is sent. The answer becomes part of an address that a token is sent
    to, so it must have the exact form of such an ID.

    Args:
        site: The site's address.
        transport: The HTTP adapter; opened and closed here. The default uses httpx.

    Returns:
        The ID, as `gateway_site` takes it.

    Raises:
        BadSetting: The site's address cannot be used, or is plain http to another machine, so that
            the answer could be forged.
        Rejected: The site has none, since it is not a Cloud site.
        Redirected: It sends elsewhere.
        BadAnswer: The answer is no cloud ID.
        JiraError: The request failed.
    """
    site = normalise_site(site)
    async with transport or await load_default_transport() as opened:
        answer = await _get_without_login(f"{site}/{TENANT_INFO_PATH}", opened)
    cloud_id = answer.object().get("cloudId")
    if not isinstance(cloud_id, str) or not _CLOUD_ID_PATTERN.fullmatch(cloud_id):
        raise answer.unusable("no cloud ID")
    return cloud_id.lower()


async def check_cloud(site: str, *, transport: Transport | None = None) -> None:
    """Ask a site whether it is one that ticketr works with; no login is sent.

    Args:
        site: The site's address.
        transport: The HTTP adapter; opened and closed here. The default uses httpx.

    Raises:
        BadSetting: The site's address cannot be used, or is plain http to another machine, so that
            the answer could be forged.
        NotCloud: It is a Jira Data Center.
        NoJira: No Jira answers at this address.
        Rejected: It tells nothing without a login.
        Redirected: It sends elsewhere.
        JiraError: The request failed.

    Cancellation:
        Takes effect at once, inside the request too.
    """
    site = normalise_site(site)
    async with transport or await load_default_transport() as opened:
        await _check_kind(site, opened)


async def _check_kind(site: str, opened: Transport) -> None:
    """Do what `check_cloud` does, for an address in its normal form and an open adapter."""
    try:
        answer = (await _get_without_login(f"{site}/{SERVER_INFO_PATH}", opened)).object()
    except (errors.NotFound, errors.BadAnswer):
        raise errors.NoJira(site) from None
    kind, version = text_of(answer.get("deploymentType")), text_of(answer.get("version"))
    if not (kind or version or answer.get("baseUrl")):
        raise errors.NoJira(site)
    if kind not in {"Cloud", ""}:
        raise errors.NotCloud(site, version)


async def load_default_transport() -> Transport:
    """Return a transport by the default HTTP package, which is imported first."""
    # In a thread, since importing the HTTP package takes a tenth of a second.
    return await trio.to_thread.run_sync(make_transport)


async def _get_without_login(url: str, opened: Transport) -> JsonResponse:
    headers = {"accept": "application/json", "user-agent": f"ticketr/{__version__}"}
    response = await opened.send(Request("GET", url, headers))
    if not 200 <= response.status < 300:
        raise _error_of(response, redact=str)
    return await JsonResponse.read(response)


T = TypeVar("T")

_SINGLE_MESSAGE_KEYS = ("message", "error_description", "error", "errorMessage")
# Why a login was refused; the value is for one that waits for the answer to a captcha.
_LOGIN_REASON, _BLOCKED = "x-seraph-loginreason", "AUTHENTICATION_DENIED"
_MAX_ERROR_BYTES = 256 * 1024
# How much of a server's text is read: far more than an error shows.
_MAX_READ_MESSAGE_CHARACTERS = 8000
_MAX_FIELD_ERRORS = 20


@dataclass(frozen=True, slots=True)
class JsonResponse:
    """A successful answer, as JSON.

    Attributes:
        response: The answer as it came.
        json: Its JSON value; None if it may be empty and is, or was not to be read.
    """

    response: Response
    json: Any

    @classmethod
    async def read(
        cls, response: Response, in_thread: RunInThread = trio.to_thread.run_sync
    ) -> JsonResponse:
        """Read an answer with a status of 200 to 299.

        Args:
            response: The answer.
            in_thread: Runs blocking work on a worker thread.

        Raises:
            BadAnswer: It is not JSON, or not all of it.

        Cancellation:
            Takes effect at once while a long answer is read; a short one has no checkpoint.
        """
        problem = _why_no_json(response)
        if problem:
            raise errors.BadAnswer(response.requested_url, problem, transient=True)
        try:
            return cls(response, await read_json(response.body, in_thread))
        except TooManyValues:
            problem = f"more than {MAX_VALUES} values"
            raise errors.BadAnswer(response.requested_url, problem, too_large=True) from None
        except RecursionError:
            raise errors.BadAnswer(response.requested_url, "JSON nested too deeply") from None
        except json.JSONDecodeError as error:
            cut = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated")
            problem = "JSON that stops in the middle" if cut else "broken JSON"
            raise errors.BadAnswer(
                response.requested_url, f"{problem}, at character {error.pos}", transient=True
            ) from None
        except ValueError:  # no UTF-8, or a number of thousands of digits
            raise errors.BadAnswer(response.requested_url, "broken JSON", transient=True) from None

    def object(self) -> Mapping[str, Any]:
        """Return the answer's JSON object."""
        if not isinstance(self.json, Mapping):
            raise self.unusable("no JSON object")
        return self.json

    def array(self, key: str = "", *, raise_above: float = math.inf) -> Iterator[Mapping[str, Any]]:
        """Return the objects of the answer's list, or of its list under a key.

        Args:
            key: The key; empty if the answer itself is the list.
            raise_above: How many objects were asked for; an answer with more is an error.
        """
        value = self.object().get(key) if key else self.json
        if not isinstance(value, list):
            raise self.unusable(f"no list of {key}" if key else "no list")
        if len(value) > raise_above:
            raise self.unusable(f"more than the {raise_above} {key} that were asked for")
        return objects_in(value)

    def read_record(self, read: Callable[[Mapping[str, Any]], T | None], lacking: str) -> T:
        """Read the record that the answer is.

        Args:
            read: Reads it; returns None if it lacks its essential value.
            lacking: What is wrong with the answer then.
        """
        record = read(self.object())
        if record is None:
            raise self.unusable(lacking)
        return record

    def unusable(self, problem: str) -> errors.BadAnswer:
        """Make the error for JSON of a wrong shape."""
        return errors.BadAnswer(self.response.requested_url, problem)


def _error_of(response: Response, redact: Callable[[str], str]) -> errors.JiraError:
    """Return the error that the status of an answer stands for, if it is no success."""
    status, url = response.status, response.requested_url
    if status < 400:
        location = _redacted_start(response.headers.get("location", ""), redact)
        return errors.Redirected(url, location)
    messages, field_errors, is_from_jira = _error_texts_and_is_from_jira(response, redact)
    if status >= 500:
        wait = rate_limits.retry_after(response.headers)
        return errors.ServerError(url, status, "; ".join(messages), wait)
    if status == 429:
        wait = rate_limits.seconds_to_wait(response.headers)
        reason = _redacted_start(rate_limits.reason_of(response.headers), redact)
        return errors.RateLimited(url, status, messages, field_errors, wait, reason)
    kind = errors.REJECTION_BY_STATUS.get(status, errors.Rejected)
    if status in {401, 403} and response.headers.get(_LOGIN_REASON, "") == _BLOCKED:
        kind = errors.LoginBlocked
    wait = rate_limits.retry_after(response.headers)
    return kind(url, status, messages, field_errors, wait, is_from_jira)


def _why_no_json(response: Response) -> str:
    start = response.body[:64].lstrip().lower()
    if not start:
        return "an empty answer"
    if start.startswith(b"<") or "text/html" in response.headers.get("content-type", "").lower():
        return "a web page instead of JSON"
    return ""


def _error_texts_and_is_from_jira(
    response: Response, redact: Callable[[str], str]
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...], bool]:
    """Return a server's messages, its messages about fields, and whether they have Jira's form."""
    if _why_no_json(response) or len(response.body) > _MAX_ERROR_BYTES:
        return (), (), False
    try:
        answer = json.loads(response.body)
    except (ValueError, RecursionError):
        return (_redacted_start(response.body.decode("utf-8", "replace"), redact),), (), False
    if not isinstance(answer, dict):
        return (), (), False
    listed = answer.get("errorMessages")
    messages = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
    if not messages:
        messages = [one for key in _SINGLE_MESSAGE_KEYS if isinstance(one := answer.get(key), str)][
            :1
        ]
    fields = answer.get("errors")
    pairs = fields.items() if isinstance(fields, dict) else ()
    kept = [(k, v) for k, v in pairs if isinstance(v, str)][:_MAX_FIELD_ERRORS]
    field_errors = tuple((_redacted_start(k, redact), _redacted_start(v, redact)) for k, v in kept)
    is_from_jira = bool(messages or field_errors) and not {"errorMessages", "errors"}.isdisjoint(
        answer
    )
    return tuple(_redacted_start(one, redact) for one in messages[:5]), field_errors, is_from_jira


def _redacted_start(text: str, redact: Callable[[str], str]) -> str:
    """Remove secrets from the beginning of a server's text, which an error shows."""
    start = text[:_MAX_READ_MESSAGE_CHARACTERS]
    shown = redact(start)
    if shown == start or start == text:
        return shown
    # The cut may have gone through a secret, and what is hidden makes room for what follows.
    return f"{shown.partition(REDACTED_TEXT)[0]}{REDACTED_TEXT}"


class RestApi:
    """Sends the requests of a client, within the site's rate limits.

    The arguments are those of `open_jira`.

    Raises:
        BadSetting: The site's address cannot be used, or is plain http to another machine.
    """

    def __init__(
        self,
        credentials: Credentials,
        transport: Transport,
        *,
        max_concurrency: int,
        retry: RetryPolicy,
        on_wait: Callable[[float, str], None],
        log: Callable[..., None],
        in_thread: RunInThread,
    ) -> None:
        self._log = log
        self._in_thread = in_thread
        self.site = normalise_site(credentials.site)
        self._credentials = credentials
        self._transport = transport
        self._limiter = rate_limits.RateLimiter(max_concurrency, on_wait)
        self._retry = retry
        self._has_answered = self._has_answered_as_jira = False
        self.date: str | None = None
        # A lock for each issue, while a change of it is sent or waits to be.
        self._locks = WeakValueDictionary[str, trio.Lock]()
        # When each request was sent that waits for its answer, and when the last one was answered.
        self._sent: dict[rate_limits.Slot, float] = {}
        self._answered = 0.0

    @property
    def unanswered_since(self) -> float | None:
        """Since when requests wait and none was answered, by Trio's clock; None if none waits.

        The time of sending counts, not that of a wait for a rate limit.
        """
        if not self._sent:
            return None
        return max(self._answered, next(iter(self._sent.values())))

    async def get(
        self, endpoint: str, *path_segments: str, query: Mapping[str, str | int] | None = None
    ) -> JsonResponse:
        """Send a GET request.

        Args:
            endpoint: The path, with ``{}`` for each segment that is data.
            path_segments: Those segments.
            query: The query parameters.
        """
        call = self._make_call("GET", endpoint, *path_segments, query=query)
        return await self._send_with_retries(call)

    async def read_by_post(self, endpoint: str, question: object) -> JsonResponse:
        """Send a POST request that only reads; its query is too long for an address."""
        return await self._send_with_retries(self._make_call("POST", endpoint, body=question))

    async def write(
        self,
        method: str,
        endpoint: str,
        *path_segments: str,
        issue: str | None,
        body: object = None,
        source: RequestBodySource | None = None,
        repeatable: bool = False,
        may_be_empty: bool = True,
    ) -> JsonResponse:
        """Send a request that changes something; changes of one issue run one at a time.

        After a cancellation, or an error that `may_have_happened`, the change may have happened.

        Args:
            method: ``"POST"``, ``"PUT"`` or ``"DELETE"``.
            endpoint: The path, with ``{}`` for each segment that is data.
            path_segments: Those segments.
            issue: The key or ID of the issue that is changed, if it exists yet. Writes by its key
                and writes by its ID are not recognised as writes of one issue.
            body: The JSON value to send.
            source: The body, if it is sent in pieces, with its own headers.
            repeatable: Whether the change has the same result when it is made twice. Else it is
                sent again only when it is certain that it was not carried out, and not after a
                rate limit refused it; the caller first looks whether it was carried out.
            may_be_empty: Whether the answer may hold nothing, as the answers to most writes do.
        """
        issue = (issue or "").upper()
        call = self._make_call(method, endpoint, *path_segments, body=body, source=source)
        call = replace(call, issue=issue, repeatable=repeatable)
        lock = self._locks.setdefault(issue, trio.Lock()) if issue else trio.Lock()
        async with lock:
            return await self._send_with_retries(call, may_be_empty=may_be_empty)

    async def get_any_content(
        self,
        endpoint: str,
        *path_segments: str,
        query: Mapping[str, str | int],
        headers: Mapping[str, str],
    ) -> Response:
        """Send a GET request whose answer may be anything; it is returned as it came."""
        headers = {"accept": "*/*", "accept-encoding": "identity", **headers}
        call = self._make_call("GET", endpoint, *path_segments, query=query, headers=headers)
        return (await self._send_with_retries(call, is_json=False)).response

    async def why_not_served(self) -> errors.NotCloud | errors.NoJira | None:
        """Ask the site what it is, without a login, after it has refused a request.

        Behind Atlassian's gateway there are only sites of Jira Cloud.

        Returns:
            Why ticketr does not work with it; None if it does, or if that is unknown.
        """
        if self._has_answered_as_jira or urlsplit(self.site).hostname == API_GATEWAY_HOST:
            return None
        try:
            await _check_kind(self.site, self._transport)
        except errors.JiraError as error:  # after another one, what the site is stays unknown
            return error if isinstance(error, errors.NotCloud | errors.NoJira) else None
        return None

    def redact(self, text: str) -> str:
        """Remove the token from a server's text."""
        return self._credentials.redact(text)

    def address(self, endpoint: str, *path_segments: str) -> str:
        """Return the URL of an endpoint; what follows it is one segment of the path each."""
        segments = [quote(segment, safe="").replace(".", "%2E") for segment in path_segments]
        # Version 3 is Cloud's, with rich text as ADF.
        return f"{self.site}/rest/api/3/{endpoint.format(*segments)}"

    def _make_call(
        self,
        method: str,
        endpoint: str,
        *path_segments: str,
        query: Mapping[str, str | int] | None = None,
        body: object = None,
        source: RequestBodySource | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> rate_limits.ApiCall:
        """Make a call of an endpoint; headers replace the usual ones."""
        url = self.address(endpoint, *path_segments)
        usual = {
            "accept": "application/json",
            "user-agent": f"ticketr/{__version__}",
            "authorization": self._credentials.checked_authorization(url),
        }
        content = None
        if source is not None:
            usual |= {**source.headers, "content-length": str(source.body_size)}
        elif body is not None:
            usual["content-type"] = "application/json"
            content = json.dumps(body).encode()
        if query:
            url = f"{url}?{urlencode(query)}"
        request = Request(method, url, usual | {**headers}, content, source)
        return rate_limits.ApiCall(request, f"{method} {endpoint}")

    async def _send_with_retries(
        self, call: rate_limits.ApiCall, *, may_be_empty: bool = False, is_json: bool = True
    ) -> JsonResponse:
        """Send a call until it succeeds or the retry policy gives up.

        Args:
            call: The call.
            may_be_empty: Whether the answer may hold nothing.
            is_json: Whether it holds JSON.
        """
        backoff: rate_limits.BackoffEnd | None = None
        attempts = 1
        with closing(rate_limits.Slot(self._limiter, call)) as slot:
            while True:
                try:
                    async with slot.attempt(backoff):
                        response = await self._send_and_log(call, slot, attempts)
                        self._has_answered = True
                        if not 200 <= response.status < 300:
                            raise _error_of(response, self._credentials.redact)
                    answer = JsonResponse(response, None)
                    if is_json and (response.body.strip() or not may_be_empty):
                        answer = await JsonResponse.read(response, self._in_thread)
                except errors.JiraError as error:
                    backoff = self._back_off_or_give_up(error, call, attempts)
                    if backoff is None:
                        if self._has_answered_as_jira and isinstance(
                            error, errors.BadAnswer | errors.Redirected
                        ):
                            raise replace(error, has_answered_as_jira_before=True) from None
                        raise
                    attempts += 1
                else:
                    self.date = response.headers.get("date")
                    slot.count_success_or_pause_site(response.headers)
                    self._has_answered_as_jira |= answer.json is not None
                    return answer

    async def _send_and_log(
        self, call: rate_limits.ApiCall, slot: rate_limits.Slot, attempt: int
    ) -> Response:
        """Send the request of a call, and log what became of it."""
        sent, outcome = trio.current_time(), "cancelled"
        self._sent[slot] = sent
        try:
            response = await self._transport.send(call.request)
            outcome = str(response.status)
        except Exception as error:
            outcome = type(error).__name__
            raise
        else:
            return response
        finally:
            del self._sent[slot]
            self._answered = trio.current_time()
            milliseconds = round((self._answered - sent) * 1000)
            again = f", attempt {attempt}" if attempt > 1 else ""
            self._log("%s %s %d ms%s", call.method_and_endpoint, outcome, milliseconds, again)

    def _back_off_or_give_up(
        self, error: errors.JiraError, call: rate_limits.ApiCall, attempts: int
    ) -> rate_limits.BackoffEnd | None:
        """Return the wait before the next attempt, None to give up; let other calls wait too."""
        delay = self._retry.delay(
            error,
            attempts,
            has_answered=self._has_answered,
            has_answered_as_jira=self._has_answered_as_jira,
            repeatable=call.repeatable,
        )
        if delay is None:
            return None
        backoff = rate_limits.BackoffEnd(trio.current_time() + delay, wait_reason(error))
        if isinstance(error, errors.RateLimited):
            self._limiter.back_off(rate_limits.issue_site_or_endpoint(call, error.reason), backoff)
            if not call.repeatable:  # a gateway may refuse what Jira carries out
                return None
        elif isinstance(error, errors.ServerError) and error.status in BUSY_5XX_STATUSES:
            # A 500 would concern one request alone.
            self._limiter.back_off(call.method_and_endpoint, backoff)
        return backoff


@dataclass(frozen=True, eq=False)
class Endpoints:
    """The base of a group of the client's methods."""

    _api: RestApi
