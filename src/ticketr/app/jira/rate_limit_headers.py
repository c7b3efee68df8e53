"""Reads a site's rate limits from the headers of its answers.

``Retry-After`` has precedence. Beside it Jira sends ``X-RateLimit-Limit``, ``-Remaining``,
``-Reset`` and ``-NearLimit``, and with a refusal ``RateLimit-Reason``; while it tried them out
their names began with ``Beta-`` or ``X-Beta-``, and some answers lack some of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum, auto

from ticketr.app.jira.values import read_http_date, read_time

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


def is_near(headers: Mapping[str, str]) -> bool:
    """Return whether a site says that few more requests are allowed for now, or none."""
    near = _header(headers, "nearlimit").lower() == "true"
    return near or _header(headers, "remaining") == "0"


def asked_to_wait(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
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
