"""Read JQL's dates and periods in the user's time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from jira_sandbox.data.model import to_millis

_PERIOD: Final = re.compile(r"([+-])?\s*((?:\d{1,6}[wdhm]\s*)+)")
_PART: Final = re.compile(r"(\d+)([wdhm])")
_UNIT: Final = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
}
_ABSOLUTE: Final = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[ T](\d{1,2}):(\d{2}))?", re.ASCII
)
_MILLIS: Final = re.compile(r"-?\d{1,17}", re.ASCII)


def read_date(text: str, *, now: datetime, zone: timezone) -> int | None:
    """Read a date as milliseconds since the epoch.

    Valid are ``-5m``, ``4w 2d``, ``2026-01-02``, ``2026/01/02 10:00`` and whole milliseconds
    since the epoch. A date without a time means midnight.

    Returns:
        The time, or None if the text is not a date.
    """
    text = text.strip()
    if _MILLIS.fullmatch(text):
        return int(text)
    try:
        period = read_period(text)
        if period is not None:
            return to_millis(now.astimezone(UTC) + period)
        match = _ABSOLUTE.fullmatch(text)
        if match is None:
            return None
        year, month, day, hour, minute = (int(part or 0) for part in match.groups())
        return to_millis(datetime(year, month, day, hour, minute, tzinfo=zone))
    except (ValueError, OverflowError):
        return None  # such as 31 June, or a period that leaves the calendar


def read_period(text: str) -> timedelta | None:
    """Read a period such as ``-5m`` or ``4w 2d``; return None if the text is not a period."""
    match = _PERIOD.fullmatch(text.strip().lower())
    if match is None:
        return None
    total = sum(
        (int(count) * _UNIT[unit] for count, unit in _PART.findall(match[2])), start=timedelta()
    )
    return -total if match[1] == "-" else total
