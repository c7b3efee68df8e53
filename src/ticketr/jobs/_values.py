"""Values that users hand in, checked and made plain before anything changes. Pure.

What is handed in may be any object: a subclass of ``float`` with comparisons of its own, a number
whose methods raise, text that lies about its length. So each value is checked once, at the call,
and what goes on from here is a plain ``float``, ``int`` or ``str``, or a ``TypeError`` or
``ValueError`` that names the value. A real number is what Python's ``numbers.Real`` says: ``int``,
``float``, ``Fraction``, the scalars of NumPy; not ``Decimal``, which does not mix with floats, and
not ``bool``, which as a number is nearly always a mistake.
"""

from __future__ import annotations

import enum
import math
import operator
import sys
from inspect import iscoroutinefunction
from numbers import Real
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Hashable

E = TypeVar("E", bound=enum.Enum)

MAX_SHOWN = 100
"""Characters of a value that are shown in an error."""


def safe_repr(value: object) -> str:
    """A value for an error message: bounded, and never an error itself."""
    try:
        text = exact_str(repr(value))
    except Exception:  # noqa: BLE001 - the value's own code
        text = f"an object of {type.__repr__(type(value))} without a repr"
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def class_name(kind: type) -> str:
    """The name of a class, whatever its own class makes of it."""
    name: str = type.__dict__["__name__"].__get__(kind)
    return name


def exact_str(text: str) -> str:
    """The same text without a class of its own."""
    return str.__str__(text)


def safe_str(value: object) -> str | None:
    """What a value is as text; None if it cannot be told."""
    if type(value) is str:
        return value
    try:
        return exact_str(str(value))
    except Exception:  # noqa: BLE001 - the value's own code
        return None


def as_reason(value: object) -> str | None:
    """Why something is cancelled, as text, whatever was given; None if nothing was."""
    return None if value is None else safe_str(value) or safe_repr(value)


def as_real(value: object) -> float | None:
    """A real number as a plain one; None if it is none, which nan is not either."""
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
    """A text.

    Raises:
        TypeError: It is none.
    """
    if type(value) is str:
        return value
    if not issubclass(type(value), str):
        raise TypeError(f"{what} must be text, not {safe_repr(value)}")
    return exact_str(cast("str", value))


def checked_number(what: str, value: object, unit: str = "a number") -> float:
    """A number, which may be infinite.

    Raises:
        TypeError: It is no number.
        ValueError: It is nan, or too large.
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
    """A number of seconds.

    Args:
        what: What it is for.
        value: What was given.
        limit: Whether it is a limit, so that ``math.inf`` is one, too: none at all.

    Raises:
        TypeError: It is no number.
        ValueError: It is nan, negative, or infinite without being a limit.
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
    """A whole number within bounds.

    Raises:
        TypeError: It is no number.
        ValueError: It is not whole, or out of bounds.
    """
    if type(value) is not int:
        plain = _indexed(value)
        if plain is None:
            kind = ValueError if type(value) is float else TypeError
            raise kind(f"{what} must be a whole number, not {safe_repr(value)}")
        value = plain
    if not least <= value <= most:
        if most == math.inf:
            raise ValueError(f"{what} must be at least {least:g}, not {safe_repr(value)}")
        raise ValueError(f"{what} must be from {least:g} to {most:g}, not {safe_repr(value)}")
    return value


def _indexed(value: object) -> int | None:
    """A whole number as a plain one; None if it is none."""
    try:
        return None if type(value) is bool else operator.index(cast("int", value))
    except Exception:  # noqa: BLE001 - the value's own code
        return None


def checked_count(what: str, value: object, least: int) -> float:
    """A whole number, or ``math.inf`` for no limit.

    Raises:
        TypeError: It is neither.
        ValueError: It is less than that.
    """
    return (
        math.inf if as_real(value) == math.inf else checked_whole(what, value, least, sys.maxsize)
    )


def checked_member(what: str, value: object, kind: type[E]) -> E:
    """A member of an enumeration of texts, or the text that stands for one.

    Raises:
        TypeError, ValueError: It is none.
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
    """A key.

    Raises:
        TypeError: It cannot be hashed.
    """
    try:
        hash(key)
    except TypeError as flaw:
        raise TypeError(f"a key must be hashable, not {safe_repr(key)}") from flaw
    return key


def checked_callable(what: str, value: object) -> None:
    """A function that is called and not awaited.

    Raises:
        TypeError: It cannot be called, or is an async function.
    """
    if not callable(value):
        raise TypeError(f"{what} must be a function, not {safe_repr(value)}")
    if iscoroutinefunction(value):
        raise TypeError(f"{what} is not awaited: give a plain function, not {safe_repr(value)}")
