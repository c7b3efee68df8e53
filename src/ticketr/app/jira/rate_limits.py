"""Keeps the requests of a client within the rate limits of one site.

Jira has three limits, and names the one that was met. A burst limit concerns one endpoint with one
method; a limit of writes concerns one issue; a quota concerns the whole site. After a refusal, the
requests that the limit concerns back off. After a burst, half as many requests of its endpoint run
at the same time, and successes raise that number again, one by one. So the client finds the rate
that the site accepts, which no header states.

A refused request keeps its slot among the requests of its endpoint: a newer request in its place
could be refused as well, again and again. It releases its slot of the site, so that other
endpoints go on, and for the limit of an issue, which concerns no other issue, both slots.

``Retry-After`` has precedence over the other headers: ``X-RateLimit-Limit``, ``-Remaining``,
``-Reset`` and ``-NearLimit``, and with a refusal ``RateLimit-Reason``. While Jira tried them out
their names began with ``Beta-`` or ``X-Beta-``, and some answers lack some of them.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import trio

from ticketr.app.jira.errors import RateLimited
from ticketr.app.jira.models import read_http_date, read_time
from ticketr.app.jira.retry import MAX_REQUESTED_WAIT, SLOW_DOWN_REASON
from ticketr.app.jira.transport.base import Request


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call, whose request may be sent several times.

    Attributes:
        request: The request.
        method_and_endpoint: Its method and the path without its data, which a burst limit is counted
            for.
        issue: The key or ID of the issue that it changes, in upper case; empty if there is none.
        repeatable: Whether it may be sent again when the outcome of the last attempt is unknown, or
            a rate limit refused it: a gateway may refuse what Jira carries out.
    """

    request: Request
    method_and_endpoint: str
    issue: str = ""
    repeatable: bool = True


_X_OR_BETA_PREFIX = re.compile(r"^(?:x-|beta-)+")

#: What a limit of the whole site concerns.
WHOLE_SITE = "site"


def issue_site_or_endpoint(call: ApiCall, reason: str) -> str:
    """Return what a limit concerns that has refused a call.

    Args:
        call: The call.
        reason: The site's word for the limit, such as ``"jira-burst-based"``; it may be empty.

    Returns:
        The call's issue, or `WHOLE_SITE`, or the call's endpoint.
    """
    if "per-issue" in reason and call.issue:
        return call.issue
    return WHOLE_SITE if "quota" in reason else call.method_and_endpoint


def reason_of(headers: Mapping[str, str]) -> str:
    """Return the site's reason for a refusal; empty if the site does not say."""
    return _rate_limit_header(headers, "reason").strip('"').lower()


def seconds_to_wait(headers: Mapping[str, str]) -> float | None:
    """Return how long a site that refused a request asks to wait.

    Args:
        headers: The answer's headers, their names in lower case.

    Returns:
        What ``Retry-After`` says, else the seconds until the limit is lifted; None if it said
        neither.
    """
    seconds = retry_after(headers)
    if seconds is not None:
        return seconds
    until = read_time(_rate_limit_header(headers, "reset"))
    if until is None:
        return None
    seconds = (until - _date_or_now(headers)).total_seconds()
    return seconds if seconds > 0 else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how long a server asks to wait.

    Args:
        headers: The answer's headers, their names in lower case.

    Returns:
        Seconds, never negative; None if there is no such header, or no readable one.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        until = read_http_date(value)
        if until is None:
            return None
        seconds = (until - _date_or_now(headers)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _date_or_now(headers: Mapping[str, str]) -> datetime:
    return read_http_date(headers.get("date")) or datetime.now(UTC)


def _rate_limit_header(headers: Mapping[str, str], what: str) -> str:
    """Return a rate-limit header by the end of its name, with any of its prefixes."""
    wanted = f"ratelimit-{what}"
    texts = (value for name, value in headers.items() if _X_OR_BETA_PREFIX.sub("", name) == wanted)
    return next(texts, "").strip()


#: How many successes raise the limit by one.
GROW_AFTER_SUCCESSES = 20


@dataclass(eq=False)
class AdaptiveLimit:
    """A concurrency limit that a refusal halves and successes raise, one by one.

    Attributes:
        max_slots: The most that it allows.
        slots: As many as it allows now.
        cuts: How often it was halved.
    """

    max_slots: int
    slots: trio.CapacityLimiter
    cuts: int = 0
    _successes: int = 0

    def count_refusal(self, cuts_when_sent: int) -> None:
        """Halve the limit.

        Args:
            cuts_when_sent: The number of cuts when the request was sent. Requests that were sent
                together and are refused together halve the limit once.
        """
        self._successes = 0
        if cuts_when_sent == self.cuts:
            self.slots.total_tokens = max(1, self.slots.total_tokens // 2)
            self.cuts += 1

    def count_success(self) -> None:
        """Count a success, and raise the limit after `GROW_AFTER_SUCCESSES` of them."""
        self._successes += 1
        if self._successes >= GROW_AFTER_SUCCESSES:
            self._successes = 0
            self.slots.total_tokens = min(self.max_slots, self.slots.total_tokens + 1)


class BackoffEnd(NamedTuple):
    """A time before which requests must not be sent.

    Attributes:
        until: The time, by Trio's clock.
        reason: Why, for the user.
    """

    until: float
    reason: str


class RateLimiter:
    """The backoffs and the concurrency limits of one site.

    Args:
        most: How many requests may run at the same time at best.
        on_wait: Called before each wait with the seconds and the reason.

    Attributes:
        site_slots: Lets so many requests run at the same time, of all endpoints together.
        limits: The concurrency limits, by the endpoint of a call.
        on_wait: As above.
    """

    def __init__(self, most: int, on_wait: Callable[[float, str], None]) -> None:
        self.site_slots = trio.CapacityLimiter(most)
        self.limits = defaultdict[str, AdaptiveLimit](
            lambda: AdaptiveLimit(most, trio.CapacityLimiter(most))
        )
        self.on_wait = on_wait
        self._backoffs: dict[str, BackoffEnd] = {}

    def back_off(self, scope: str, backoff: BackoffEnd) -> None:
        """Send none of the requests that a limit concerns before a backoff has ended."""
        self._backoffs[scope] = max(backoff, self._backoffs.get(scope, backoff))

    def longest_backoff(self, *scopes: str, own: BackoffEnd | None = None) -> BackoffEnd | None:
        """Return the longest backoff of some scopes, or a call's own; None if all have ended."""
        now = trio.current_time()
        backoffs = (own, *map(self._backoffs.get, scopes))
        lasting = [backoff for backoff in backoffs if backoff is not None and backoff.until > now]
        return max(lasting, default=None)


@dataclass(eq=False, repr=False)
class Slot:
    """The permission of one call to be sent.

    A call needs a slot of its endpoint, which it keeps between attempts, and one of the site, which it
    has only during an attempt.
    """

    _limiter: RateLimiter
    _call: ApiCall
    _holds_endpoint_slot: bool = False

    @asynccontextmanager
    async def attempt(self, own: BackoffEnd | None) -> AsyncGenerator[None]:
        """Wait until the call may be sent, and its own backoff has ended; the block is one attempt."""
        limiter, issue, endpoint = self._limiter, self._call.issue, self._call.method_and_endpoint
        limit = limiter.limits[endpoint]
        slots = limit.slots
        while True:
            of_issue = limiter.longest_backoff(issue)
            if of_issue or slots.borrowed_tokens > slots.total_tokens:
                self.close()
            if not of_issue and not self._holds_endpoint_slot:
                try:  # without a checkpoint; below, there is one anyway
                    slots.acquire_on_behalf_of_nowait(self)
                except trio.WouldBlock:
                    await slots.acquire_on_behalf_of(self)
                self._holds_endpoint_slot = True
            backoff = of_issue or limiter.longest_backoff(endpoint, WHOLE_SITE, own=own)
            if backoff:
                limiter.on_wait(backoff.until - trio.current_time(), backoff.reason)
                await trio.sleep_until(backoff.until)
                continue
            async with limiter.site_slots:
                # Another call may have been refused while this one waited for the site.
                if limiter.longest_backoff(issue, endpoint, WHOLE_SITE):
                    continue
                cuts = limit.cuts
                try:
                    yield
                except RateLimited as error:
                    if issue_site_or_endpoint(self._call, error.reason) == endpoint:
                        limit.count_refusal(cuts)
                    raise
                return

    def count_success_or_pause_site(self, headers: Mapping[str, str]) -> None:
        """Count a success; let all calls wait if it says that the site's limit is used up.

        Args:
            headers: The answer's headers, their names in lower case.
        """
        is_near = _rate_limit_header(headers, "nearlimit").lower() == "true"
        if not is_near and _rate_limit_header(headers, "remaining") != "0":
            self._limiter.limits[self._call.method_and_endpoint].count_success()
            return
        seconds = retry_after(headers)
        if seconds and seconds <= MAX_REQUESTED_WAIT:
            backoff = BackoffEnd(trio.current_time() + seconds, SLOW_DOWN_REASON)
            self._limiter.back_off(WHOLE_SITE, backoff)

    def close(self) -> None:
        """Release the slot of the call's endpoint."""
        if self._holds_endpoint_slot:
            self._holds_endpoint_slot = False
            self._limiter.limits[self._call.method_and_endpoint].slots.release_on_behalf_of(self)
