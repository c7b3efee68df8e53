"""What JSON can hold of a job, and the way back. Pure.

A result or key may be any object, with code of its own. Only its ``repr`` is called.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ticketr.jobs._values import full_repr, safe_repr

MAX_DEPTH: Final = 100
"""How deep lists and dicts may be nested; readers of JSON have such a limit too."""
MAX_BITS: Final = 2048
"""The size of the largest ``int``; Python may refuse to write a longer one in decimals."""


def json_value(value: object) -> object:
    """Return a copy of a value in JSON's types; its ``repr`` if JSON cannot hold it.

    JSON holds None, booleans, numbers but no nan nor infinity, Unicode texts, and lists, tuples and
    dicts of these whose keys are texts. An object of a subclass becomes one of the class.
    """
    try:
        return _copied(value, MAX_DEPTH)
    except Exception:  # noqa: BLE001 - a dict may change meanwhile
        return json_text(full_repr(value))


def json_key(key: object) -> object:
    """Return a job's key as :func:`json_value` does, but nothing that cannot be a key."""
    value = json_value(key)
    return json_text(full_repr(key)) if type(value) in (list, dict) else value


def _copied(value: Any, depth: int) -> object:
    """Return a copy of a value; raise `ValueError` if JSON cannot hold it."""
    kind = type(value)
    if value is None or kind is bool:
        return value
    if issubclass(kind, str):
        str.encode(value)  # which fails for half of a surrogate pair
        return str.__str__(value)
    if issubclass(kind, int):
        number = int.__int__(value)
        if number.bit_length() <= MAX_BITS:
            return number
    elif issubclass(kind, float):
        real = float.__float__(value)
        if math.isfinite(real):
            return real
    elif depth and issubclass(kind, list):
        return [_copied(item, depth - 1) for item in list.__iter__(value)]
    elif depth and issubclass(kind, tuple):
        return [_copied(item, depth - 1) for item in tuple.__iter__(value)]
    elif depth and issubclass(kind, dict):
        items = [(name, _copied(item, depth - 1)) for name, item in dict.items(value)]
        if all(issubclass(type(name), str) for name, _ in items):
            return {_copied(name, 0): item for name, item in items}
    raise ValueError("JSON cannot hold it")


def json_text(text: str) -> str:
    """Return a text with what UTF-8 cannot encode escaped."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def wall_clock(at: float | None, offset: float | None) -> str | None:
    """Return a time on Trio's clock as a date in UTC, as text; None if it is not known.

    Args:
        at: The time.
        offset: The difference between wall-clock time and Trio's clock, in seconds.
    """
    if at is None or offset is None:
        return None
    try:
        return datetime.fromtimestamp(at + offset, UTC).isoformat(timespec="microseconds")
    except (ValueError, OverflowError, OSError):
        return None  # a clock of a test may be anywhere


def field_of(data: Mapping[str, object], name: str, *kinds: type) -> Any:
    """Return a field of a dict that was JSON.

    Raises:
        ValueError: It is missing, or not an object of one of these classes.
    """
    what = "this is not a job as as_dict() gives it"
    if name not in data:
        raise ValueError(f"{what}: {name!r} is missing")
    value = data[name]
    if kinds and type(value) not in kinds:
        raise ValueError(f"{what}: {name!r} is {safe_repr(value)}")
    return value
