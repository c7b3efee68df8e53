"""Reads single values of Jira's JSON; a value of the wrong kind becomes an empty one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any


def objects(array: list[Any]) -> Iterator[Mapping[str, Any]]:
    """Return the JSON objects of a JSON array, without its other members."""
    return (item for item in array if isinstance(item, Mapping))


def object_of(value: object) -> Mapping[str, Any]:
    """Return a JSON object; an empty one for any other value."""
    return value if isinstance(value, Mapping) else {}


def read_time(value: object) -> datetime | None:
    """Read a time as Jira writes it, ``2026-01-31T12:00:00.000+0000``, or None."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time if time.tzinfo is not None else None


def read_http_date(value: str | None) -> datetime | None:
    """Read an HTTP date header, or None."""
    if not value:
        return None
    try:
        time = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return time if time.tzinfo is not None else None


def text_of(value: object) -> str:
    """Return a text; a whole number as text, since some sites write IDs so; else an empty text."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""
