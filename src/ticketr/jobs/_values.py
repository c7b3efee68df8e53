"""Check the values that users pass in, and copy them as JSON. Pure.

Each value is checked once, at the call. The result has a built-in type, or the error names the
value. A number is anything that is a ``numbers.Real``: ``int``, ``float``, ``Fraction``, NumPy
scalars. It is not a ``Decimal``, which does not mix with floats, nor a ``bool``, which is nearly
always a mistake.

What goes into JSON may be any object, with code of its own. Only its ``repr`` is called.
"""

from __future__ import annotations

import enum
import math
import operator
import sys
from collections.abc import Hashable
from inspect import iscoroutinefunction
from numbers import Real
from typing import Any, Final, TypeVar

E = TypeVar("E", bound=enum.StrEnum)

MAX_SHOWN_CHARACTERS = 100
"""The most characters of a value that an error message shows."""


def safe_repr(value: object) -> str:
    """Return the ``repr`` of a value, shortened; never raises."""
    text = full_repr(value)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[: MAX_SHOWN_CHARACTERS - 1] + "…"


def full_repr(value: object) -> str:
    """Return the ``repr`` of a value; never raises."""
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - the value's own code
        return f"an object of {type(value)} without a repr"


def safe_str(value: object) -> str:
    """Return the ``str`` of a value, or else its ``repr``; never raises."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - the value's own code
        return safe_repr(value)


def reason_text(value: object) -> str | None:
    """Return the reason of a cancellation as text; None if none was given."""
    return None if value is None else safe_str(value)


def checked_str(what: str, value: object) -> str:
    """Return a string; one of a subclass, such as that of an enumeration, as a plain ``str``.

    Raises:
        TypeError: The value is not a string.
    """
    if not isinstance(value, str):
        raise TypeError(f"{what} must be text, not {safe_repr(value)}")
    return str.__str__(value)


def checked_number(
    what: str, value: object, least: float = -math.inf, most: float = math.inf
) -> float:
    """Return a number within bounds as a ``float``, which may be infinite.

    Raises:
        TypeError: The value is not a number.
        ValueError: The value is nan, too large, or out of bounds.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, Real)):
        raise TypeError(f"{what} must be a number, not {safe_repr(value)}")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(f"{what} must be a number, and {safe_repr(value)} is too large") from None
    if math.isnan(number):
        raise ValueError(f"{what} must be a number, not nan")
    _check_bounds(what, number, least, most)
    return number


def checked_seconds(what: str, value: object, *, allow_inf: bool = False) -> float:
    """Return a number of seconds as a ``float``.

    Args:
        what: The name of the value, for error messages.
        value: The value.
        allow_inf: Whether ``math.inf`` is allowed, for no limit.

    Raises:
        TypeError: The value is not a number.
        ValueError: The value is nan, negative, or infinite where that is not allowed.
    """
    if type(value) is float and 0 <= value < math.inf:  # nearly always
        return value
    seconds = checked_number(what, value, 0)
    if seconds == math.inf and not allow_inf:
        raise ValueError(f"{what} must be finite, not inf")
    return seconds


def checked_whole(what: str, value: Any, least: int, most: int = sys.maxsize) -> int:
    """Return a whole number within bounds as an ``int``.

    Raises:
        TypeError: The value is not a whole number.
        ValueError: The value is out of bounds.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise TypeError(f"{what} must be a whole number, not {safe_repr(value)}")
    _check_bounds(what, number, least, most)
    return number


def _check_bounds(what: str, number: float, least: float, most: float) -> None:
    if number < least:
        raise ValueError(f"{what} must be at least {least:g}, not {safe_repr(number)}")
    if number > most:
        raise ValueError(f"{what} must be at most {most:g}, not {safe_repr(number)}")


def checked_count(what: str, value: object, least: int) -> float:
    """Return a whole number, or ``math.inf`` for no limit.

    Raises:
        TypeError: The value is neither.
        ValueError: The value is less than ``least``.
    """
    if isinstance(value, float) and value == math.inf:
        return math.inf
    return checked_whole(what, value, least)


def checked_member(what: str, value: object, kind: type[E]) -> E:
    """Return a member of an enumeration, given as that or by its value.

    Raises:
        ValueError: The value is not a member.
    """
    for member in kind:
        if value == member:
            return member
    known = ", ".join(repr(member.value) for member in kind)
    raise ValueError(f"{what} must be one of {known}, not {safe_repr(value)}")


def checked_key(key: Hashable) -> Hashable:
    """Return a key.

    Raises:
        TypeError: The key cannot be hashed.
    """
    try:
        hash(key)
    except TypeError as error:
        raise TypeError(f"a key must be hashable, not {safe_repr(key)}") from error
    return key


def check_sync_callable(what: str, value: object) -> None:
    """Check that a value is a function that need not be awaited.

    Raises:
        TypeError: The value cannot be called, or is an async function.
    """
    if not callable(value):
        raise TypeError(f"{what} must be a function, not {safe_repr(value)}")
    if iscoroutinefunction(value):
        raise TypeError(f"{what} is not awaited: give a plain function, not {safe_repr(value)}")


# As JSON

MAX_JSON_DEPTH: Final = 100
"""How deep lists and dicts may be nested; readers of JSON have such a limit too."""
MAX_JSON_INT_BITS: Final = 2048
"""The size of the largest ``int``; Python may refuse to write a longer one in decimals."""


def json_value_or_repr(value: object) -> object:
    """Return a copy of a value in JSON's types; its ``repr`` if JSON cannot hold it.

    JSON holds None, booleans, numbers but no nan nor infinity, Unicode texts, and lists, tuples and
    dicts of these whose keys are texts. An object of a subclass becomes one of the class.
    """
    try:
        return _copy_as_json(value, MAX_JSON_DEPTH)
    except Exception:  # noqa: BLE001 - a dict may change meanwhile
        return utf8_escaped(full_repr(value))


def json_job_key_or_repr(key: object) -> object:
    """Return a job's key as :func:`json_value_or_repr` does, but nothing that cannot be a key."""
    value = json_value_or_repr(key)
    return utf8_escaped(full_repr(key)) if type(value) in (list, dict) else value


def _copy_as_json(value: Any, depth_left: int) -> object:
    """Return a copy of a value; raise `ValueError` if JSON cannot hold it."""
    kind = type(value)
    if value is None or kind is bool:
        return value
    if issubclass(kind, str):
        str.encode(value)  # which fails for half of a surrogate pair
        return str.__str__(value)
    if issubclass(kind, int):
        number = int.__int__(value)
        if number.bit_length() <= MAX_JSON_INT_BITS:
            return number
    elif issubclass(kind, float):
        real = float.__float__(value)
        if math.isfinite(real):
            return real
    elif depth_left and issubclass(kind, (list, tuple)):
        return [_copy_as_json(item, depth_left - 1) for item in value]
    elif depth_left and issubclass(kind, dict):
        items = [(name, _copy_as_json(item, depth_left - 1)) for name, item in dict.items(value)]
        if all(issubclass(type(name), str) for name, _ in items):
            return {_copy_as_json(name, 0): item for name, item in items}
    raise ValueError("JSON cannot hold it")


def utf8_escaped(text: str) -> str:
    """Return a text with what UTF-8 cannot encode escaped."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
