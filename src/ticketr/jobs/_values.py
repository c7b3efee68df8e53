"""Check the values that users pass in, and convert them to built-in types. Pure.

A value may be any object: a subclass of ``float`` with its own comparisons, a number whose methods
raise, a string that lies about its length. So each value is checked once, at the call. The result
is an exact ``float``, ``int`` or ``str``, or a ``TypeError`` or ``ValueError`` that names the value.
A number is anything that is a ``numbers.Real``: ``int``, ``float``, ``Fraction``, NumPy scalars. It
is not a ``Decimal``, which does not mix with floats, nor a ``bool``, which is nearly always a
mistake.
"""

from __future__ import annotations

import enum
import math
import operator
import sys
from inspect import iscoroutinefunction
from numbers import Real
from typing import TYPE_CHECKING, TypeGuard, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Hashable

E = TypeVar("E", bound=enum.Enum)

MAX_SHOWN = 100
"""The most characters of a value that an error message shows."""


def safe_repr(value: object) -> str:
    """Return the ``repr`` of a value, shortened; never raises."""
    text = full_repr(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def full_repr(value: object) -> str:
    """Return the ``repr`` of a value; never raises."""
    try:
        return exact_str(repr(value))
    except Exception:  # noqa: BLE001 - the value's own code
        return f"an object of {type.__repr__(type(value))} without a repr"


def class_name(kind: type) -> str:
    """Return the name of a class, even if its metaclass overrides ``__name__``."""
    name: str = type.__dict__["__name__"].__get__(kind)
    return name


def exact_str(text: str) -> str:
    """Return a string as an exact ``str``."""
    return str.__str__(text)


def is_text(value: object) -> TypeGuard[str]:
    """Return whether a value is a string, whatever its class says."""
    return issubclass(type(value), str)


def safe_str(value: object) -> str | None:
    """Return the ``str`` of a value; None if that raises."""
    if type(value) is str:
        return value
    try:
        return exact_str(str(value))
    except Exception:  # noqa: BLE001 - the value's own code
        return None


def as_reason(value: object) -> str | None:
    """Return the reason of a cancellation as text; None if none was given."""
    return None if value is None else safe_str(value) or safe_repr(value)


def as_real(value: object) -> float | None:
    """Return a real number as an exact ``int`` or ``float``; None for nan and anything else."""
    kind = type(value)
    if kind is int:
        return cast("int", value)
    if kind is not float:
        try:
            if kind is bool or not isinstance(value, Real):
                return None
            value = float(value)
        except Exception:  # noqa: BLE001 - the value's own code
            return None
    number = cast("float", value)
    return number if number == number else None


def checked_text(what: str, value: object) -> str:
    """Return a string as an exact ``str``.

    Raises:
        TypeError: The value is not a string.
    """
    if type(value) is str:
        return value
    if not issubclass(type(value), str):
        raise TypeError(f"{what} must be text, not {safe_repr(value)}")
    return exact_str(cast("str", value))


def checked_number(what: str, value: object, unit: str = "a number") -> float:
    """Return a number as a ``float``, which may be infinite.

    Raises:
        TypeError: The value is not a number.
        ValueError: The value is nan, or too large.
    """
    number = as_real(value)
    if number is None:
        kind = ValueError if type(value) is float else TypeError
        raise kind(f"{what} must be {unit}, not {safe_repr(value)}")
    try:
        return float(number)
    except OverflowError:
        raise ValueError(f"{what} must be {unit}, and {safe_repr(value)} is too large") from None


def checked_seconds(what: str, value: object, *, limit: bool = False) -> float:
    """Return a number of seconds as a ``float``.

    Args:
        what: The name of the value, for error messages.
        value: The value.
        limit: Whether ``math.inf`` is allowed, for no limit.

    Raises:
        TypeError: The value is not a number.
        ValueError: The value is nan, negative, or infinite where that is not allowed.
    """
    if type(value) is float and 0 <= value < math.inf:  # nearly always
        return value
    seconds = checked_number(what, value, "a number of seconds")
    if not 0 <= seconds < math.inf and not (limit and seconds == math.inf):
        raise ValueError(f"{what} must be a number of seconds, not {safe_repr(value)}")
    return seconds


def checked_whole(
    what: str, value: object, least: float = -math.inf, most: float = math.inf
) -> int:
    """Return a whole number within bounds as an ``int``.

    Raises:
        TypeError: The value is not a number.
        ValueError: The value is not whole, or out of bounds.
    """
    if type(value) is not int:
        number = _as_int(value)
        if number is None:
            kind = ValueError if type(value) is float else TypeError
            raise kind(f"{what} must be a whole number, not {safe_repr(value)}")
        value = number
    if not least <= value <= most:
        if most == math.inf:
            raise ValueError(f"{what} must be at least {least:g}, not {safe_repr(value)}")
        raise ValueError(f"{what} must be from {least:g} to {most:g}, not {safe_repr(value)}")
    return value


def _as_int(value: object) -> int | None:
    """Return a whole number as an exact ``int``; None for anything else."""
    try:
        return None if type(value) is bool else operator.index(cast("int", value))
    except Exception:  # noqa: BLE001 - the value's own code
        return None


def checked_count(what: str, value: object, least: int) -> float:
    """Return a whole number, or ``math.inf`` for no limit.

    Raises:
        TypeError: The value is neither.
        ValueError: The value is less than ``least``.
    """
    return (
        math.inf if as_real(value) == math.inf else checked_whole(what, value, least, sys.maxsize)
    )


def checked_member(what: str, value: object, kind: type[E]) -> E:
    """Return a member of an enumeration, given as that or by its value.

    Raises:
        TypeError, ValueError: The value is not a member.
    """
    if type(value) is kind:
        return value
    text = checked_text(what, value)
    for member in kind:
        if text == member.value:
            return member
    known = ", ".join(repr(member.value) for member in kind)
    raise ValueError(f"{what} must be one of {known}, not {safe_repr(text)}")


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


def checked_callable(what: str, value: object) -> None:
    """Check that a value is a function that need not be awaited.

    Raises:
        TypeError: The value cannot be called, or is an async function.
    """
    if not callable(value):
        raise TypeError(f"{what} must be a function, not {safe_repr(value)}")
    if iscoroutinefunction(value):
        raise TypeError(f"{what} is not awaited: give a plain function, not {safe_repr(value)}")
