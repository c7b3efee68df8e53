"""How fast a site may be asked: what waits for how long, and how many go together.

Jira has three limits, and says which one was met. A burst is of one endpoint and method, so that
the others go on; too many writes of one issue hold up writes of that issue; a quota is of the
whole site. What was refused sets a hold, which everything of its kind keeps, and halves how many
requests of its kind go together; after a while without refusals it is one more again. So the
client finds the pace that the site bears, which nobody tells it.

A refused request keeps its place among those of its kind, for whoever came in between might be
let in where it was refused, again and again. It gives up its place among all, so that other kinds
go on, and for the limit of an issue, which concerns no other issue, both.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

from ticketr.jira.concurrency import AdaptiveLimit
from ticketr.jira.errors import RateLimited
from ticketr.jira.rate_limit_headers import LimitScope, scope_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from ticketr.jira.call import Call


@dataclass(frozen=True, slots=True)
class Hold:
    """A time before which something must not be asked.

    Attributes:
        until: The time, by Trio's clock.
        why: What people are told.
    """

    until: float
    why: str


class RateLimiter:
    """The pace of one site.

    Args:
        most: How many requests may go together at best.
        on_wait: Told before each wait: the seconds, and why.
    """

    def __init__(self, most: int, on_wait: Callable[[float, str], None] | None) -> None:
        self._most = most
        self._on_wait = on_wait
        self._kinds: dict[str, AdaptiveLimit] = {}
        self._holds: dict[tuple[LimitScope, str], Hold] = {}
        self.site = AdaptiveLimit(most)

    def kind(self, call: Call) -> AdaptiveLimit:
        """Return the throttle of the calls of a kind."""
        return self._kinds.setdefault(call.kind, AdaptiveLimit(self._most))

    @contextmanager
    def slot(self, call: Call) -> Generator[Slot]:
        """Let a call be sent, as often as need be.

        Args:
            call: What is to be sent.
        """
        slot = Slot(self, call)
        try:
            yield slot
        finally:
            slot.leave()

    def hold(self, call: Call, scope: LimitScope, hold: Hold) -> None:
        """Keep back whatever a limit concerns.

        Args:
            call: The call that met it.
            scope: Whom it concerns.
            hold: Until when, and why.
        """
        if scope is LimitScope.ISSUE and call.issue is None:
            scope = LimitScope.ENDPOINT
        name = (scope, _name(call, scope))
        before = self._holds.get(name)
        if before is None or before.until < hold.until:
            self._holds[name] = hold

    def held(self, call: Call, *scopes: LimitScope) -> Hold | None:
        """Return the longest of the holds that concern a call; drops those that are over."""
        now = trio.current_time()
        longest: Hold | None = None
        for scope in scopes:
            name = (scope, _name(call, scope))
            hold = self._holds.get(name)
            if hold is not None and hold.until <= now:
                del self._holds[name]
            elif hold is not None and (longest is None or hold.until > longest.until):
                longest = hold
        return longest

    async def wait(self, hold: Hold) -> None:
        """Wait until a hold is over, and tell of it."""
        if self._on_wait is not None:
            self._on_wait(hold.until - trio.current_time(), hold.why)
        await trio.sleep_until(hold.until)


class Slot:
    """A call among the others; made by `RateLimiter.slot`."""

    def __init__(self, limiter: RateLimiter, call: Call) -> None:
        self._limiter = limiter
        self._call = call
        self._kind = limiter.kind(call)
        self._inside = self._was_inside = False

    @asynccontextmanager
    async def turn(self, pause: Hold | None) -> AsyncGenerator[None]:
        """Wait until the call may be sent, and have room for it while it is.

        Args:
            pause: A hold of its own.
        """
        site = self._limiter.site
        while True:
            await self._come_in(pause)
            await site.enter()
            try:
                # Something may have been refused while this one waited for the last step.
                if self._limiter.held(self._call, *LimitScope):
                    continue
                with self._heeded():
                    yield
                return
            finally:
                site.leave()

    def went_well(self) -> None:
        """Count a good answer."""
        self._kind.went_well()
        self._limiter.site.went_well()

    def leave(self) -> None:
        """Make room for another call of the kind."""
        if self._inside:
            self._inside = False
            self._kind.leave()

    async def _come_in(self, pause: Hold | None) -> None:
        """Have a place among the calls of the kind, and nothing that holds it back."""
        while True:
            of_issue = self._limiter.held(self._call, LimitScope.ISSUE)
            if of_issue or self._kind.is_crowded:
                self.leave()
            if of_issue:
                await self._limiter.wait(of_issue)
                continue
            if not self._inside:
                await self._kind.enter(again=self._was_inside)
                self._inside = self._was_inside = True
            hold = self._limiter.held(self._call, LimitScope.ENDPOINT, LimitScope.SITE)
            if pause is not None and pause.until > trio.current_time():
                hold = pause if hold is None else max(hold, pause, key=lambda one: one.until)
            if hold is None:
                return
            await self._limiter.wait(hold)

    @contextmanager
    def _heeded(self) -> Generator[None]:
        """Let fewer of those that a refusal concerns go together."""
        kind, site = self._kind, self._limiter.site
        cuts = kind.cuts, site.cuts
        try:
            yield
        except RateLimited as error:
            scope = scope_of(error.reason)
            if scope is LimitScope.ENDPOINT:
                kind.refused(cuts[0])
            elif scope is LimitScope.SITE:
                site.refused(cuts[1])
            raise


def _name(call: Call, scope: LimitScope) -> str:
    """Tell what of its scope a call belongs to."""
    return {
        LimitScope.ENDPOINT: call.kind,
        LimitScope.ISSUE: call.issue or "",
        LimitScope.SITE: "",
    }[scope]
