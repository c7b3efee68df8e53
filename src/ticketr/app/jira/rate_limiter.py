"""Keeps the requests of a client within the rate limits of one site.

Jira has three limits, and names the one that was met. A burst limit concerns one endpoint with one
method; a limit of writes concerns one issue; a quota concerns the whole site. After a refusal, the
requests that the limit concerns back off, and half as many of them run at the same time.
Successes raise that number again, one by one. So the client finds the rate that the site accepts,
which no header states.

A refused request keeps its slot among the requests of its endpoint: a newer request in its place
could be refused as well, again and again. It releases its slot of the site, so that other
endpoints go on, and for the limit of an issue, which concerns no other issue, both slots.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira.concurrency import AdaptiveLimit
from ticketr.app.jira.errors import RateLimited
from ticketr.app.jira.rate_limit_headers import LimitScope, scope_of

if TYPE_CHECKING:
    from ticketr.app.jira.call import Call


@dataclass(frozen=True, slots=True)
class Backoff:
    """A time before which requests must not be sent.

    Attributes:
        until: The time, by Trio's clock.
        why: The reason, for the user.
    """

    until: float
    why: str


class RateLimiter:
    """The backoffs and the concurrency limits of one site.

    Args:
        most: How many requests may run at the same time at best.
        on_wait: Called before each wait with the seconds and the reason.

    Attributes:
        site: The concurrency limit of the whole site.
    """

    def __init__(self, most: int, on_wait: Callable[[float, str], None] | None) -> None:
        self._most = most
        self._on_wait = on_wait
        self._kinds: dict[str, AdaptiveLimit] = {}
        self._backoffs: dict[tuple[LimitScope, str], Backoff] = {}
        self.site = AdaptiveLimit(most)

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
        """Return the longest backoff that concerns a call; drop those that have ended."""
        now = trio.current_time()
        longest: Backoff | None = None
        for scope in scopes:
            name = (scope, _name(call, scope))
            backoff = self._backoffs.get(name)
            if backoff is not None and backoff.until <= now:
                del self._backoffs[name]
            elif backoff is not None and (longest is None or backoff.until > longest.until):
                longest = backoff
        return longest

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
        self._acquired = self._was_acquired = False

    @asynccontextmanager
    async def attempt(self, own: Backoff | None) -> AsyncGenerator[None]:
        """Wait until the call may be sent, and its own backoff has ended; the block is one attempt."""
        site = self._limiter.site
        while True:
            await self._acquire(own)
            await site.acquire()
            try:
                # Another call may have been refused while this one waited for the site.
                if self._limiter.backoff_of(self._call, *LimitScope):
                    continue
                with self._counting_refusals():
                    yield
                return
            finally:
                site.release()

    def count_success(self) -> None:
        """Count a success."""
        self._kind.count_success()
        self._limiter.site.count_success()

    def release(self) -> None:
        """Release the slot of the endpoint."""
        if self._acquired:
            self._acquired = False
            self._kind.release()

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
                await self._kind.acquire(again=self._was_acquired)
                self._acquired = self._was_acquired = True
            backoff = self._limiter.backoff_of(self._call, LimitScope.ENDPOINT, LimitScope.SITE)
            if own is not None and own.until > trio.current_time():
                backoff = own if backoff is None else max(backoff, own, key=lambda one: one.until)
            if backoff is None:
                return
            await self._limiter.wait(backoff)

    @contextmanager
    def _counting_refusals(self) -> Generator[None]:
        """Lower the concurrency limit that a refusal concerns."""
        kind, site = self._kind, self._limiter.site
        cuts = kind.cuts, site.cuts
        try:
            yield
        except RateLimited as error:
            scope = scope_of(error.reason)
            if scope is LimitScope.ENDPOINT:
                kind.count_refusal(cuts[0])
            elif scope is LimitScope.SITE:
                site.count_refusal(cuts[1])
            raise


def _name(call: Call, scope: LimitScope) -> str:
    """Return the endpoint or issue that a call's backoffs of a scope are kept under."""
    return {
        LimitScope.ENDPOINT: call.kind,
        LimitScope.ISSUE: call.issue or "",
        LimitScope.SITE: "",
    }[scope]
