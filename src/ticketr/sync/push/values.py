"""From the text of a field's line to the value that Jira wants, and what is wrong with it.

Pure. What a site allows is given; nothing is asked here.
"""

from __future__ import annotations

import csv
import math
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, tzinfo
from types import MappingProxyType
from typing import TYPE_CHECKING

from ticketr.config.names import folded
from ticketr.jira import Allowed
from ticketr.sync.compare.moments import jira_moment, read_moment
from ticketr.sync.hints import nearest
from ticketr.text import clean, clip

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ticketr.jira import User

# In ASCII, unlike what float() and date.fromisoformat() would take.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: Above it, not every whole number has a place of its own in Jira, or in JSON.
_MOST_EXACT = 2**53
#: Cells of a text that an error shows.
_SHOWN = 60


class BadValue(Exception):
    """A text that cannot become a field's value; its message says why and what to write."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What a site knows of a field.

    Attributes:
        id: What requests call it.
        name: The name of its line.
        type: The kind of its value, such as ``"number"``.
        items: The kind of its value's members, for an array; else empty.
        allowed: The values that it may have; empty if any will do or the site does not tell.
        required: Whether a new issue cannot be made without it.
        unsupported: Why no line can hold it; empty for one that a line can.
    """

    id: str
    name: str
    type: str
    items: str = ""
    allowed: tuple[Allowed, ...] = ()
    required: bool = False
    unsupported: str = ""


@dataclass(frozen=True, slots=True)
class NameLookup:
    """What names stand for on a site.

    Attributes:
        people: The accounts that were found for each name that a file gives.
        sprints: The ID of each sprint that is known.
        zone: The time zone of the account, which moments without one are in; None if unknown.
    """

    people: Mapping[str, tuple[User, ...]] = field(default_factory=lambda: MappingProxyType({}))
    sprints: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    zone: tzinfo | None = None


def jira_value(spec: FieldSpec, text: str, lookup: NameLookup) -> object:
    """Give the value that a field's text stands for.

    Args:
        spec: The field.
        text: What stands behind the colon; empty to empty the field.
        lookup: What names stand for.

    Raises:
        BadValue: It stands for nothing.
    """
    if spec.name == "Sprint":
        return _sprint(text, lookup.sprints)
    if spec.type == "array":
        return [_member(spec, each, lookup) for each in read_list(text)]
    if not text:
        return None
    match spec.type:
        case "number":
            return _number(text)
        case "user":
            return {"accountId": _account(text, lookup.people.get(text, ()))}
        case "date":
            return _date(text)
        case "datetime":
            return _moment(text, lookup.zone)
        case "string" | "any" | "":
            return text
        case _:
            return _choice(spec, text)


def read_list(text: str) -> list[str]:
    """Read the entries of a list: parted by commas, an entry with a comma in quotes, as in CSV.

    A list may go over several lines.

    Raises:
        BadValue: A quote is not closed, or something stands between it and the next comma.
    """
    try:
        rows = list(csv.reader(text.split("\n"), skipinitialspace=True, strict=True))
    except csv.Error:
        raise BadValue(
            f'{shown(text)} is no list; write a, "b, c", d and each quote in quotes twice'
        ) from None
    return [entry.strip() for row in rows for entry in row if entry.strip()]


def shown(text: str) -> str:
    """Quote a text from a file for an error: one line, and not too much of it."""
    return f'"{clip(clean(text[: 8 * _SHOWN]), _SHOWN)}"'


def find_name(name: str, allowed: Iterable[Allowed]) -> Allowed | None:
    """Find a value by its name, in any case of letters if no other one fits exactly."""
    allowed = tuple(allowed)
    exact = (each for each in allowed if each.name == name)
    loose = [each for each in allowed if folded(each.name) == folded(name)]
    return next(exact, loose[0] if len(loose) == 1 else None)


def _member(spec: FieldSpec, entry: str, lookup: NameLookup) -> object:
    if spec.items == "string":
        if any(letter.isspace() for letter in entry):
            raise BadValue(f"{shown(entry)} has a space in it, which Jira allows in no label")
        return entry
    if spec.items == "user":
        return {"accountId": _account(entry, lookup.people.get(entry, ()))}
    return _choice(spec, entry)


def _choice(spec: FieldSpec, name: str) -> dict[str, str]:
    if not spec.allowed:
        is_option = "option" in {spec.items, spec.type.partition("-")[0]}
        return {"value" if is_option else "name": name}
    found = find_name(name, spec.allowed)
    if found is None:
        names = (each.name for each in spec.allowed)
        raise BadValue(f"{shown(name)} is not possible: {nearest(name, names)}")
    return {"id": found.id} if found.id else {"name": found.name}


def _number(text: str) -> int | float:
    if not _NUMBER.fullmatch(text):
        raise BadValue(f"{shown(text)} is no number")
    number = float(text)
    if math.isinf(number):
        raise BadValue(f"{shown(text)} is no number that Jira could keep")
    return int(number) if number.is_integer() and abs(number) <= _MOST_EXACT else number


def _date(text: str) -> str:
    if _DATE.fullmatch(text):
        with suppress(ValueError):
            date.fromisoformat(text)
            return text
    raise BadValue(f"{shown(text)} is no date like 2026-01-31")


def _moment(text: str, zone: tzinfo | None) -> str:
    moment = read_moment(text)
    if moment is None:
        raise BadValue(f"{shown(text)} is no moment like 2026-01-31 09:30 or 2026-01-31T09:30+0100")
    if moment.tzinfo is None and zone is None:
        hint = f"needs a zone, as in {text}+0100: that of your account is not known"
        raise BadValue(f"{shown(text)} {hint}")
    return jira_moment(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def _account(name: str, found: tuple[User, ...]) -> str:
    wanted = folded(name)
    exact = [
        user
        for user in found
        if wanted in map(folded, (user.display_name, user.email, user.account_id))
    ]
    if len(exact) == 1:
        return exact[0].account_id
    if exact:
        emails = ", ".join(user.email or user.account_id for user in exact)
        raise BadValue(f"{shown(name)} is the name of several people; write one of {emails}")
    hint = "write the name or the e-mail address as Jira shows it"
    if found:
        hint = nearest(name, [user.display_name for user in found])
    raise BadValue(f"nobody called {shown(name)} can be chosen; {hint}")


def _sprint(text: str, sprints: Mapping[str, int]) -> int | None:
    names = read_list(text)
    if not names:
        return None
    if len(names) > 1:
        raise BadValue("an issue can be moved to one sprint only")
    found = find_name(names[0], (Allowed(str(number), name) for name, number in sprints.items()))
    if found is None:
        raise BadValue(
            f"no ticket here has the sprint {shown(names[0])}; {nearest(names[0], sprints)}"
        )
    return sprints[found.name]
