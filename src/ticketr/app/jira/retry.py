"""Decides whether a failed request is sent again, and whether it may have been carried out.

A read may be repeated (a search is a POST, but changes nothing), and so may a change that has the
same result when it is made twice. Any other change is sent again only when it was certainly not
carried out, since an issue that is created twice is worse than an error.

A site that has never answered gets two quick attempts more: the address is probably wrong, and the
user waits for that message. A site that has answered before gets all attempts with growing waits:
it is probably restarting. The same holds for a web page instead of JSON and for a redirect to a
login page: from a site that has answered as Jira does, they come from a gateway in trouble; from
any other site, the address is probably wrong, and the attempts follow within seconds.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass

from ticketr import Retry
from ticketr.app.jira import errors
from ticketr.app.jira.errors import (
    BadAnswer,
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    JiraError,
    NoAnswer,
    ServerError,
    TlsFailed,
    TokenOfOtherSite,
)

#: Errors of requests that were not sent.
_UNSENT_ERRORS = (ConnectFailed, TlsFailed, TokenOfOtherSite)


def may_have_happened(error: BaseException) -> bool:
    """Return whether a request may have been carried out because its answer was lost or unusable.

    Such a request must not be sent again unless it can be carried out twice. `certainly_failed`
    is stricter, for writes that were refused.

    Returns:
        Whether Jira may have carried it out; false for an error that no request raised.
    """
    return isinstance(error, ConnectionLost | NoAnswer | ServerError | BadAnswer)


def certainly_failed(error: JiraError, fields: Collection[str]) -> bool:
    """Return whether a write was certainly not carried out, whatever the answer says.

    A gateway can refuse a write that Jira carries out, and Jira can fail after it has carried it
    out. Only two cases are certain: the request was not sent, or Jira names a field that was sent.

    Args:
        error: What the request raised.
        fields: The IDs of the fields that were sent.

    Returns:
        Whether the write can be repeated without a look at what Jira has.
    """
    if isinstance(error, _UNSENT_ERRORS):
        return True
    return isinstance(error, BadRequest) and any(name in fields for name, _ in error.field_errors)


#: Statuses of a server or a gateway that is overloaded or restarting.
BUSY_5XX_STATUSES = frozenset({502, 503, 504})
#: Statuses after which another attempt may succeed.
RETRIED_500_AND_BUSY_STATUSES = BUSY_5XX_STATUSES | {500}
#: The longest wait that a server may ask for, in seconds.
MAX_REQUESTED_WAIT = 300.0

SLOW_DOWN_REASON = "Jira asked us to slow down"


#: The longest wait before the second attempt, in seconds.
LONGEST_FIRST_WAIT = 1.0
#: The largest value that this wait grows to with the attempts, in seconds.
MAX_EXPONENTIAL_WAIT = 30.0
#: The number of attempts in all for a site that has never answered.
NEVER_ANSWERED_TRIES = 3
#: The longest wait between those attempts. It is also the first one after a wrong answer from a site
#: that has never answered as Jira does.
NEVER_ANSWERED_LONGEST_WAIT = 0.2


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a request is sent again, and how long the waits are.

    Attributes:
        tries: The number of attempts in all.
        chance: Returns a number from 0 up to 1, as `random.random`; the source of jitter.
    """

    tries: int = 5
    chance: Callable[[], float] = random.random

    def delay(
        self,
        error: errors.JiraError,
        attempt: int,
        *,
        has_answered: bool,
        has_answered_as_jira: bool = True,
        repeatable: bool = True,
    ) -> float | None:
        """Decide whether to send a request again.

        Args:
            error: The error of the last attempt.
            attempt: The number of attempts so far, from 1.
            has_answered: Whether the site has ever answered.
            has_answered_as_jira: Whether it has ever answered as Jira does.
            repeatable: Whether it may be sent again when the outcome of the last attempt is unknown.

        Returns:
            The seconds to wait first, or None to give up.
        """
        if attempt >= self.tries or (not repeatable and may_have_happened(error)):
            return None
        match error:
            case errors.RateLimited():
                return self._requested_wait_or_backoff(attempt, error.retry_after)
            case errors.ServerError() if error.status in RETRIED_500_AND_BUSY_STATUSES:
                return self._requested_wait_or_backoff(attempt, error.retry_after)
            case errors.BadAnswer(transient=True) | errors.Redirected(is_login=True) if repeatable:
                first = LONGEST_FIRST_WAIT if has_answered_as_jira else NEVER_ANSWERED_LONGEST_WAIT
                return self._backoff(attempt, first)
            case errors.NoAnswer():  # the timeout was a long wait already
                return self._backoff(attempt) if has_answered and attempt < 2 else None
            case errors.ConnectFailed() | errors.ConnectionLost() if has_answered:
                return self._backoff(attempt)
            case errors.ConnectFailed() | errors.ConnectionLost() if attempt < NEVER_ANSWERED_TRIES:
                return NEVER_ANSWERED_LONGEST_WAIT * self.chance()
            case _:
                return None

    def _requested_wait_or_backoff(self, attempt: int, retry_after: float | None) -> float | None:
        """Return the wait that the server asks for, with jitter; None if it is too long.

        Where it asks for none, return a back-off.
        """
        if not retry_after:  # zero seconds say no more than no header
            return self._backoff(attempt)
        if retry_after > MAX_REQUESTED_WAIT:
            return None
        # Jitter on top: all requests that back off wait for the same second.
        return retry_after + LONGEST_FIRST_WAIT * self.chance()

    def _backoff(self, attempt: int, first: float = LONGEST_FIRST_WAIT) -> float:
        """Return an exponential wait with full jitter."""
        return Retry(math.inf, first=first, cap=MAX_EXPONENTIAL_WAIT).delay(attempt, self.chance)


def wait_reason(error: errors.JiraError) -> str:
    """Say in a few words why the client waits after an error.

    Args:
        error: The error of the last attempt, one that `RetryPolicy.delay` waits after.
    """
    match error:
        case errors.RateLimited():
            return SLOW_DOWN_REASON
        case errors.ServerError():
            return f"Jira {'is busy' if error.status in BUSY_5XX_STATUSES else 'failed'} ({error.status})"
        case errors.BadAnswer():
            return f"{error.host} gave no usable answer ({error.problem})"
        case errors.Redirected():
            return f"{error.host} sends to a login page"
        case errors.ConnectFailed():
            return f"cannot reach {error.host}"
        case errors.NoAnswer():
            return f"no answer from {error.host}"
        case _:
            return f"{error.host} broke off"
