"""When to ask Jira again, and how long to wait before.

A question may be repeated (a search is a POST, but changes nothing), and so may a change that
comes to the same when it is made twice. Another change is sent again only when it is certain that
it was not carried out, for an issue made twice is worse than an error.

A site that has never answered gets two quick tries more and no patience: the address is probably
wrong, and somebody is waiting to read that. One that has answered before gets the full patience:
it is probably restarting. Likewise a web page instead of JSON, or a way to a login page: from a
site that has spoken as Jira does they come from a gateway in trouble, from another they say that
the address is probably wrong, and the tries follow each other within seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ticketr.jira.errors import (
    BadAnswer,
    ConnectFailed,
    ConnectionLost,
    JiraError,
    NoAnswer,
    RateLimited,
    Redirected,
    ServerError,
)
from ticketr.jira.outcome import may_have_happened

if TYPE_CHECKING:
    from collections.abc import Callable

BUSY = frozenset({502, 503, 504})
"""Statuses of a server or a gateway that will soon be well again."""

PASSING = BUSY | {500}
"""Those, and the one of a server that stumbled over one request."""

LONGEST_WAIT = 300.0
"""The longest wait that a server may ask for, in seconds."""

SLOW_DOWN = "Jira asked us to slow down"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient to be.

    Attributes:
        tries: How often to ask in all.
        first: The longest wait before the second try, in seconds.
        factor: By how much it grows with each further try.
        cap: Where it stops growing.
        longest: The longest wait that a server may ask for; more is an error at once.
        quick_tries: As ``tries``, for a site that has never answered.
        quick_wait: The longest wait between those; for answers that are not Jira's, from a site
            that has never answered as Jira does, the longest wait before the second try.
    """

    tries: int = 5
    first: float = 1.0
    factor: float = 2.0
    cap: float = 30.0
    longest: float = LONGEST_WAIT
    quick_tries: int = 3
    quick_wait: float = 0.2

    def delay(
        self,
        error: JiraError,
        attempt: int,
        *,
        reached: bool,
        known: bool = True,
        chance: Callable[[], float],
        repeatable: bool = True,
    ) -> float | None:
        """Decide whether to ask again.

        Args:
            error: What the last try met.
            attempt: How many tries there were, from 1.
            reached: Whether the site has ever answered.
            known: Whether it has ever answered as Jira does.
            chance: Gives a number from 0 up to 1, as `random.random`.
            repeatable: Whether it may be asked again without knowing what became of it.

        Returns:
            The seconds to wait first, or None to give up.
        """
        if not repeatable and may_have_happened(error):
            return None
        match error:
            case RateLimited() | ServerError():
                if isinstance(error, ServerError) and error.status not in PASSING:
                    return None
                return self._busy(attempt, error.retry_after, chance)
            case BadAnswer(passing=True) | Redirected(is_login=True):
                if not repeatable or attempt >= self.tries:
                    return None
                return self._backoff(attempt, chance, first=None if known else self.quick_wait)
            case NoAnswer():  # it has cost a long wait already
                return self._backoff(attempt, chance) if reached and attempt < 2 else None
            case ConnectFailed() | ConnectionLost() if reached:
                return self._backoff(attempt, chance) if attempt < self.tries else None
            case ConnectFailed() | ConnectionLost():
                return self.quick_wait * chance() if attempt < self.quick_tries else None
            case _:
                return None

    def _busy(
        self, attempt: int, retry_after: float | None, chance: Callable[[], float]
    ) -> float | None:
        if attempt >= self.tries:
            return None
        if not retry_after:  # a wish for no wait at all tells nothing either
            return self._backoff(attempt, chance)
        if retry_after > self.longest:
            return None
        # A little more than was asked, each a different one: they all waited for the same second.
        return retry_after + min(1.0, self.first) * chance()

    def _backoff(
        self, attempt: int, chance: Callable[[], float], *, first: float | None = None
    ) -> float:
        """Exponential with full jitter."""
        first = self.first if first is None else first
        try:
            limit = min(self.cap, first * self.factor ** (attempt - 1))
        except OverflowError:
            limit = self.cap
        return limit * chance()


def why(error: JiraError) -> str:
    """Say in a few words why we wait after an error.

    Args:
        error: What the last try met, of those that are waited for.
    """
    match error:
        case RateLimited():
            return SLOW_DOWN
        case ServerError():
            return f"Jira {'is busy' if error.status in BUSY else 'failed'} ({error.status})"
        case BadAnswer():
            return f"{error.host} gave no usable answer ({error.problem})"
        case Redirected():
            return f"{error.host} sends to a login page"
        case ConnectFailed():
            return f"cannot reach {error.host}"
        case NoAnswer():
            return f"no answer from {error.host}"
        case _:
            return f"{error.host} broke off"
