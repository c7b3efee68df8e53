"""Durations and moments, as people write them and as Jira takes them. Pure.

Durations are seconds in Jira, hours and minutes in files. How many hours a day has differs from site to
site, so files hold no days and weeks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from types import MappingProxyType

from ticketr._lazy import compile_on_use

#: The fields that hold seconds, each with the part of Jira's field ``timetracking`` that sets it.
ESTIMATE_KEY_BY_ID: Mapping[str, str] = MappingProxyType(
    {"timeoriginalestimate": "originalEstimate", "timeestimate": "remainingEstimate"}
)
#: Beyond so many seconds, a million years, a number is no duration, and maybe no float.
MAX_DURATION_SECONDS = 31_557_600_000_000
#: Jira's field that sets them.
TIME_TRACKING_FIELD = "timetracking"
_HOURS_AND_MINUTES = compile_on_use(
    r"(?:([0-9]{1,6}(?:\.[0-9]{1,4})?) ?h)? ?(?:([0-9]{1,8}) ?m)?", re.IGNORECASE
)


def hours_and_minutes_text(seconds: float) -> str:
    """Write a number of seconds as a file has it, such as ``2h 30m``."""
    hours, minutes = divmod(round(seconds / 60), 60)
    parts = [f"{hours}h"] if hours else []
    if minutes or not hours:
        parts.append(f"{minutes}m")
    return " ".join(parts)


def read_duration(text: str) -> int | None:
    """Read hours and minutes as people type them, such as ``2h 30m``, ``1.5h`` or ``90m``.

    Returns:
        Whole minutes as seconds; None if the text is not such a duration.
    """
    match = _HOURS_AND_MINUTES.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        return None
    hours, minutes = match.groups()
    return round(float(hours or 0) * 60 + int(minutes or 0)) * 60


def with_time_tracking(
    fields: dict[str, object], present: Mapping[str, object]
) -> dict[str, object]:
    """Return fields, of which some are estimates, with those in the form that Jira reads.

    Jira sets the remaining estimate, too, if it gets the original one alone. So the other one goes
    with it as Jira has it.
    """
    seconds = {estimate: fields[estimate] for estimate in ESTIMATE_KEY_BY_ID if estimate in fields}
    for estimate in ESTIMATE_KEY_BY_ID:
        if estimate not in seconds and isinstance(present.get(estimate), int):
            seconds[estimate] = present[estimate]
    tracking = {
        ESTIMATE_KEY_BY_ID[estimate]: f"{value // 60}m" if isinstance(value, int) else ""
        for estimate, value in seconds.items()
    }
    rest = {name: value for name, value in fields.items() if name not in ESTIMATE_KEY_BY_ID}
    return {**rest, TIME_TRACKING_FIELD: tracking}


# A time of day may follow a blank, may do without seconds, and may be in no zone.
_DATE_AND_TIME = compile_on_use(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ] *([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?)"
    r" *([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)


def read_typed_moment(text: str) -> datetime | None:
    """Read a moment as a user types it.

    Args:
        text: A date and a time of day by ISO 8601, such as ``2026-01-31 09:30``, with a zone or
            without.

    Returns:
        The moment, which has a zone if the text has; None if the text is not a moment.
    """
    match = _DATE_AND_TIME.fullmatch(text)
    if match is None:
        return None
    day, time, zone = match.groups()
    try:
        return datetime.fromisoformat(f"{day}T{time}{(zone or '').upper()}")
    except ValueError:
        return None


def jira_moment(moment: datetime) -> str:
    """Write a moment that has a zone in Jira's form: ``2026-01-31T09:30:00.000+0100``."""
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
