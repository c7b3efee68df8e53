"""Moments as people type them, and in the one form that Jira takes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from ticketr._lazy import compile_on_use

# A time of day may follow a blank, may do without seconds, and may be in no zone.
_MOMENT = compile_on_use(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ] *([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?)"
    r" *([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)


def read_moment(text: str) -> datetime | None:
    """Read a moment as a user types it.

    Args:
        text: A date and a time of day by ISO 8601, such as ``2026-01-31 09:30``, with a zone or
            without.

    Returns:
        The moment, which has a zone if the text has; None if the text is not a moment.
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    day, time, zone = match.groups()
    try:
        return datetime.fromisoformat(f"{day}T{time}{(zone or '').upper()}")
    except ValueError:
        return None


def jira_moment(moment: datetime) -> str:
    """Write a moment that has a zone in Jira's form: ``2026-01-31T09:30:00.000+0100``."""
    offset = moment.utcoffset() or timedelta()
    if offset % timedelta(minutes=1):  # so long ago that the zone's clocks went by the sun
        moment = moment.astimezone(UTC)
    date, sign, zone = re.split(r"([+-])(?=[0-9:]+$)", moment.isoformat(timespec="milliseconds"))
    return f"{date}{sign}{zone.replace(':', '')}"


def zone_of(name: str) -> tzinfo | None:
    """Find a time zone by its name, such as ``"Europe/Berlin"``; None where it is not known here.

    The first time it reads a small file.
    """
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - few texts are moments without a zone

    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # a server may say anything
        return None
