"""Read and write durations such as ``1w 2d 3h 30m``; a day has eight hours, a week five days."""

from __future__ import annotations

import re
from typing import Final

_SECONDS: Final = {"w": 144_000, "d": 28_800, "h": 3600, "m": 60}
_PART: Final = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*([wdhm])", re.ASCII)
_WHOLE: Final = re.compile(rf"(?:{_PART.pattern}\s*)+", re.ASCII)


def read_duration(text: str) -> int | None:
    """Read a duration in seconds; a number without a unit means minutes.

    Returns:
        The seconds, or None if the text is not a duration.
    """
    text = text.strip().lower()
    if re.fullmatch(r"\d{1,7}", text, re.ASCII):
        return int(text) * 60
    if not _WHOLE.fullmatch(text):
        return None
    return round(sum(float(count) * _SECONDS[unit] for count, unit in _PART.findall(text)))


def write_duration(seconds: int) -> str:
    """Write a duration as Jira does, rounded down to minutes."""
    parts = []
    for unit, length in _SECONDS.items():
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0m"
