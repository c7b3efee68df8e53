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
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import trio

from ticketr.app.jira.errors import RateLimited
from ticketr.app.jira.models import read_http_date, read_time

if TYPE_CHECKING:
    from ticketr.app.jira.transport.base import BodySource


@dataclass(frozen=True, slots=True)
class Call:
    """One call, which may be sent several times.

    Attributes:
        method: ``"GET"`` or another.
        endpoint: The path without its data.
        address: The URL without its query.
        query: The query parameters.
        body: The body, as JSON.
        source: The body, if it is sent in pieces.
        issue: The key or ID of the issue that it changes, if there is one.
        repeatable: Whether it may be sent again when the outcome of the last attempt is unknown, or
            a rate limit refused it: a gateway may refuse what Jira carries out.
        headers: Further headers, which replace the usual ones.
    """

    method: str
    endpoint: str
    address: str
    query: Mapping[str, str | int] | None = None
    body: bytes | None = None
    source: BodySource | None = None
    issue: str | None = None
    repeatable: bool = True
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def url(self) -> str:
        """The whole URL."""
        return f"{self.address}?{urlencode(self.query)}" if self.query else self.address

    @property
    def kind(self) -> str:
        """The method and endpoint, which a burst limit is counted for."""
        return f"{self.method} {self.endpoint}"


_PREFIX = re.compile(r"^(?:x-|beta-)+")


class LimitScope(Enum):
    """The requests that a limit concerns."""

    ENDPOINT = auto()
    ISSUE = auto()
    SITE = auto()


def scope_of(reason: str) -> LimitScope:
    """Return the requests that a refusal concerns.

    Args:
        reason: The site's word for it, such as ``"jira-burst-based"``; it may be empty.
    """
    if "per-issue" in reason:
        return LimitScope.ISSUE
    if "quota" in reason:
        return LimitScope.SITE
    return LimitScope.ENDPOINT


def reason_of(headers: Mapping[str, str]) -> str:
    """Return the site's reason for a refusal; empty if the site does not say."""
    return _header(headers, "reason").strip('"').lower()


def is_near_limit(headers: Mapping[str, str]) -> bool:
    """Return whether a site says that few more requests are allowed for now, or none."""
    near = _header(headers, "nearlimit").lower() == "true"
    return near or _header(headers, "remaining") == "0"


def seconds_to_wait(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Return how long a site that refused a request asks to wait.

    Args:
        headers: The answer's headers, their names in lower case.
        now: The time to count a date from, if the answer has no date of its own.

    Returns:
        What ``Retry-After`` says, else the seconds until the limit is lifted; None if it said
        neither.
    """
    seconds = retry_after(headers, now=now)
    if seconds is not None:
        return seconds
    until = read_time(_header(headers, "reset"))
    if until is None:
        return None
    seconds = (until - _time_of(headers, now)).total_seconds()
    return seconds if seconds > 0 else None


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Return how long a server asks to wait.

    Args:
        headers: The answer's headers, their names in lower case.
        now: The time to count a date from, if the answer has no date of its own.

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
        seconds = (until - _time_of(headers, now)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _time_of(headers: Mapping[str, str], now: datetime | None) -> datetime:
    return read_http_date(headers.get("date")) or now or datetime.now(UTC)


def _header(headers: Mapping[str, str], what: str) -> str:
    """Return a rate-limit header by the end of its name, with any of its prefixes."""
    wanted = f"ratelimit-{what}"
    texts = (value for name, value in headers.items() if _PREFIX.sub("", name) == wanted)
    return next(texts, "").strip()


#: How many successes raise the limit by one.
GROW_AFTER = 20


class AdaptiveLimit:
    """A concurrency limit that a refusal halves and successes raise, one by one.

    Attributes:
        slots: As many as the limit allows now.
        cuts: How often it was halved.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.slots = trio.CapacityLimiter(most)
        self.cuts = 0
        self._successes = 0

    @property
    def is_over_limit(self) -> bool:
        """Whether it has more holders than it allows, since it was halved."""
        return self.slots.borrowed_tokens > self.slots.total_tokens

    def count_refusal(self, cuts: int) -> None:
        """Halve the limit.

        Args:
            cuts: The number of cuts when the request was sent. Requests that were sent together
                and are refused together halve the limit once.
        """
        self._successes = 0
        if cuts == self.cuts:
            self.slots.total_tokens = max(1, self.slots.total_tokens // 2)
            self.cuts += 1

    def count_success(self) -> None:
        """Count a success, and raise the limit after `GROW_AFTER` of them."""
        self._successes += 1
        if self._successes >= GROW_AFTER:
            self._successes = 0
            self.slots.total_tokens = min(self._most, self.slots.total_tokens + 1)


@dataclass(frozen=True, slots=True)
class Backoff:
    """A time before which requests must not be sent.

    Attributes:
        until: The time, by Trio's clock.
        why: The reason, for the user.
    """

    until: float
    why: str


def longest_of(*backoffs: Backoff | None) -> Backoff | None:
    """Return the backoff that lasts longest; None if all have ended."""
    now = trio.current_time()
    lasting = [backoff for backoff in backoffs if backoff is not None and backoff.until > now]
    return max(lasting, key=lambda backoff: backoff.until, default=None)


class RateLimiter:
    """The backoffs and the concurrency limits of one site.

    Args:
        most: How many requests may run at the same time at best.
        on_wait: Called before each wait with the seconds and the reason.

    Attributes:
        site: Lets so many requests run at the same time, of all endpoints together.
    """

    def __init__(self, most: int, on_wait: Callable[[float, str], None] | None) -> None:
        self._most = most
        self._on_wait = on_wait
        self._kinds: dict[str, AdaptiveLimit] = {}
        self._backoffs: dict[tuple[LimitScope, str], Backoff] = {}
        self.site = trio.CapacityLimiter(most)

    def kind(self, call: Call) -> AdaptiveLimit:
        """Return the concurrency limit of a call's endpoint and method."""
        return self._kinds.setdefault(call.kind, AdaptiveLimit(self._most))

    @contextmanager
    def slot(self, call: Call) -> Generator[Slot]:
        """Open the slot of a call for all its attempts."""
        slot = Slot(self, call)
        try:
            yield slot
        finally:
            slot.release()

    def back_off(self, call: Call, scope: LimitScope, backoff: Backoff) -> None:
        """Send none of the requests that a limit concerns before a backoff has ended."""
        if scope is LimitScope.ISSUE and call.issue is None:
            scope = LimitScope.ENDPOINT
        name = (scope, _name(call, scope))
        before = self._backoffs.get(name)
        if before is None or before.until < backoff.until:
            self._backoffs[name] = backoff

    def backoff_of(self, call: Call, *scopes: LimitScope) -> Backoff | None:
        """Return the longest backoff that concerns a call; None if all have ended."""
        backoffs = (self._backoffs.get((scope, _name(call, scope))) for scope in scopes)
        return longest_of(*backoffs)

    async def wait(self, backoff: Backoff) -> None:
        """Report a backoff and wait until it has ended."""
        if self._on_wait is not None:
            self._on_wait(backoff.until - trio.current_time(), backoff.why)
        await trio.sleep_until(backoff.until)


class Slot:
    """The permission of one call to be sent; made by `RateLimiter.slot`.

    A call needs a slot of its endpoint, which it keeps between attempts, and one of the site, which
    it has only during an attempt.
    """

    def __init__(self, limiter: RateLimiter, call: Call) -> None:
        self._limiter = limiter
        self._call = call
        self._kind = limiter.kind(call)
        self._acquired = False

    @asynccontextmanager
    async def attempt(self, own: Backoff | None) -> AsyncGenerator[None]:
        """Wait until the call may be sent, and its own backoff has ended; the block is one attempt."""
        while True:
            await self._acquire(own)
            async with self._limiter.site:
                # Another call may have been refused while this one waited for the site.
                if self._limiter.backoff_of(self._call, *LimitScope):
                    continue
                with self._counting_refusals():
                    yield
                return

    def count_success(self) -> None:
        """Count a success."""
        self._kind.count_success()

    def release(self) -> None:
        """Release the slot of the endpoint."""
        if self._acquired:
            self._acquired = False
            self._kind.slots.release_on_behalf_of(self)

    async def _acquire(self, own: Backoff | None) -> None:
        """Acquire the slot of the endpoint, and wait until no backoff concerns the call."""
        while True:
            of_issue = self._limiter.backoff_of(self._call, LimitScope.ISSUE)
            if of_issue or self._kind.is_over_limit:
                self.release()
            if of_issue:
                await self._limiter.wait(of_issue)
                continue
            if not self._acquired:
                await self._kind.slots.acquire_on_behalf_of(self)
                self._acquired = True
            backoff = self._limiter.backoff_of(self._call, LimitScope.ENDPOINT, LimitScope.SITE)
            longest = longest_of(backoff, own)
            if longest is None:
                return
            await self._limiter.wait(longest)

    @contextmanager
    def _counting_refusals(self) -> Generator[None]:
        """Lower the concurrency limit of the endpoint if it is refused for its own rate."""
        cuts = self._kind.cuts
        try:
            yield
        except RateLimited as error:
            if scope_of(error.reason) is LimitScope.ENDPOINT:
                self._kind.count_refusal(cuts)
            raise


def _name(call: Call, scope: LimitScope) -> str:
    """Return the endpoint or issue that a call's backoffs of a scope are kept under."""
    return {
        LimitScope.ENDPOINT: call.kind,
        LimitScope.ISSUE: call.issue or "",
        LimitScope.SITE: "",
    }[scope]
