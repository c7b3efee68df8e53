"""Parse a command line's specification of faults, such as ``429=0.05,lost=0.02,seed=7``."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from jira_sandbox.errors import BadFaults

USUAL_RATE: Final = 0.02
_ALL: Final = "all"
_SETTINGS: Final = ("seed", "wait", "hang-for")
_INTEGERS: Final = ("seed", "wait")
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Spec:
    """A parsed specification.

    Attributes:
        rates: The share of requests that each kind of fault hits.
        settings: The other numbers, by name.
    """

    rates: dict[str, float] = field(default_factory=dict)
    settings: dict[str, float] = field(default_factory=dict)


def read_spec(text: str, kinds: Sequence[str], *, apart: Collection[str] = ()) -> Spec:
    """Parse a specification.

    A name without a number gets `USUAL_RATE`. ``all`` stands for every kind but those in
    `apart`; a kind that is also named gets its own rate.

    Args:
        text: The specification.
        kinds: The names of all kinds of faults.
        apart: The kinds that ``all`` does not include.

    Raises:
        BadFaults: The specification is invalid.
    """
    given: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if name in given:
            raise BadFaults(text, f"{name} is given twice")
        if name in _SETTINGS:
            given[name] = _setting(text, name, number)
        elif name in (_ALL, *kinds):
            given[name] = _rate(text, name, number) if equals else USUAL_RATE
        else:
            known = ", ".join((_ALL, *kinds, *_SETTINGS))
            raise BadFaults(text, f"{name!r} is not one of {known}")
    settings: dict[str, float] = {name: given.pop(name) for name in _SETTINGS if name in given}
    if _ALL in given:
        rates = (
            dict.fromkeys((each for each in kinds if each not in apart), given.pop(_ALL)) | given
        )
    else:
        rates = given
    if not rates:
        raise BadFaults(text, f"no fault is named; {_ALL} stands for every one")
    if sum(rates.values()) > 1 + _ROUNDING:
        raise BadFaults(text, f"the rates add up to {sum(rates.values()):g}, which is more than 1")
    return Spec(rates, settings)


def _rate(text: str, name: str, number: str) -> float:
    value = _number(text, name, number)
    if not 0 <= value <= 1:
        raise BadFaults(text, f"{name} is {number}, but a rate is between 0 and 1")
    return value


def _setting(text: str, name: str, number: str) -> float:
    value = _number(text, name, number)
    if name in _INTEGERS and value != int(value):
        raise BadFaults(text, f"{name} is {number}, but must be a whole number")
    if name != "seed" and value < 0:
        raise BadFaults(text, f"{name} is {number}, but must not be negative")
    return value


def _number(text: str, name: str, number: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadFaults(text, f"{name} needs a number, as in {name}=1, not {number!r}")
    return value
