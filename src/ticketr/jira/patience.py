"""When to ask Jira again, and how long to wait before.

A question may be repeated (a search is a POST, but changes nothing), and so may a change that
comes to the same when it is made twice. Another change is sent again only when it is certain that
it was not carried out, for an issue made twice is worse than an error. A site that has never answered gets two quick tries more and no patience:
the address is probably wrong, and somebody is waiting to read that. One that has answered before
gets the full patience: it is probably restarting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ticketr.jira.errors import (
    ConnectFailed,
    ConnectionLost,
    JiraError,
    NoAnswer,
    RateLimited,
    ServerError,
    is_unsure,
)

if TYPE_CHECKING:
    from collections.abc import Callable

BUSY = frozenset({502, 503, 504})
"""Statuses of a server or a gateway that will soon be well again."""

SLOW_DOWN = "Jira asked us to slow down"


@dataclass(frozen=True, slots=True)
class RetryRule:
    """How patient to be.

    Attributes:
        tries: How often to ask in all.
        first: The longest wait before the second try, in seconds.
        factor: By how much it grows with each further try.
        cap: Where it stops growing.
        longest: The longest wait that a server may ask for; more is an error at once.
        quick_tries: As ``tries``, for a site that has never answered.
        quick_wait: The longest wait between those.
    """

    tries: int = 5
    first: float = 1.0
    factor: float = 2.0
    cap: float = 30.0
    longest: float = 300.0
    quick_tries: int = 3
    quick_wait: float = 0.2

    def delay(
        self,
        error: JiraError,
        attempt: int,
        *,
        reached: bool,
        chance: Callable[[], float],
        repeatable: bool = True,
    ) -> float | None:
        """Decide whether to ask again.

        Args:
            error: What the last try met.
            attempt: How many tries there were, from 1.
            reached: Whether the site has ever answered.
            chance: Gives a number from 0 up to 1, as `random.random`.
            repeatable: Whether it may be asked again without knowing what became of it.

        Returns:
            The seconds to wait first, or None to give up.
        """
        if not repeatable and is_unsure(error):
            return None
        match error:
            case RateLimited() | ServerError():
                if isinstance(error, ServerError) and error.status not in BUSY:
                    return None
                return self._busy(attempt, error.retry_after, chance)
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

    def _backoff(self, attempt: int, chance: Callable[[], float]) -> float:
        """Exponential with full jitter."""
        try:
            limit = min(self.cap, self.first * self.factor ** (attempt - 1))
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
            return f"Jira is busy ({error.status})"
        case ConnectFailed():
            return f"cannot reach {error.host}"
        case NoAnswer():
            return f"no answer from {error.host}"
        case _:
            return f"{error.host} broke off"
