"""From the text of a field's line to the value that Jira wants, and what is wrong with it.

Pure. What a site allows is given; nothing is asked here.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ticketr.jira import Allowed, User

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
#: Names of values that are offered in an error, at most.
_OFFERED = 8


class BadValue(Exception):
    """A text that cannot become a field's value; its message says why and what to write."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a site knows of a field.

    Attributes:
        id: what requests call it.
        name: the name of its line.
        type: the kind of its value, such as ``"number"``.
        items: the kind of its value's members, for an array; else empty.
        allowed: the values that it may have; empty if any will do or the site does not tell.
        required: whether a new issue cannot be made without it.
    """

    id: str
    name: str
    type: str
    items: str = ""
    allowed: tuple[Allowed, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Directory:
    """What names stand for on a site.

    Attributes:
        people: the accounts that were found for each name that a file gives.
        sprints: the ID of each sprint that is known.
    """

    people: Mapping[str, tuple[User, ...]] = field(default_factory=lambda: MappingProxyType({}))
    sprints: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


def jira_value(kind: Kind, text: str, directory: Directory) -> object:
    """Give the value that a field's text stands for.

    Args:
        kind: the field.
        text: what stands behind the colon; empty to empty the field.
        directory: what names stand for.

    Raises:
        BadValue: it stands for nothing.
    """
    if kind.name == "Sprint":
        return _sprint(text, directory.sprints)
    if kind.type == "array":
        return [_member(kind, each) for each in read_list(text)]
    if not text:
        return None
    match kind.type:
        case "number":
            return _number(text)
        case "user":
            return {"accountId": _account(text, directory.people.get(text, ()))}
        case "date":
            return _date(text)
        case "string" | "datetime" | "any" | "":
            return text
        case _:
            return _choice(kind, text)


def read_list(text: str) -> list[str]:
    """Read the entries of a list: parted by commas, an entry with a comma in quotes, as in CSV.

    Raises:
        BadValue: a quote is not closed.
    """
    try:
        rows = list(csv.reader([text], skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise BadValue(f'"{text}" is no list: {error}') from None
    return [entry.strip() for row in rows for entry in row if entry.strip()]


def nearest(name: str, names: Iterable[str]) -> str:
    """Say which known names come near to an unknown one, or list them, for an error."""
    known = sorted(set(names), key=str.casefold)
    folded = {each.casefold(): each for each in known}
    close = get_close_matches(name.casefold(), folded, n=3)
    if close:
        return f"did you mean {' or '.join(folded[each] for each in close)}?"
    shown = ", ".join(known[:_OFFERED]) + (", ..." if len(known) > _OFFERED else "")
    return f"there is {shown}" if shown else "there is none"


def find_name(name: str, allowed: Iterable[Allowed]) -> Allowed | None:
    """Find a value by its name, in any case of letters if no other one fits exactly."""
    allowed = tuple(allowed)
    exact = (each for each in allowed if each.name == name)
    loose = [each for each in allowed if each.name.casefold() == name.casefold()]
    return next(exact, loose[0] if len(loose) == 1 else None)


def _member(kind: Kind, entry: str) -> object:
    if kind.items == "string":
        if any(letter.isspace() for letter in entry):
            raise BadValue(f'"{entry}" has a space in it, which Jira allows in no label')
        return entry
    return _choice(kind, entry)


def _choice(kind: Kind, name: str) -> dict[str, str]:
    if not kind.allowed:
        return {"value" if "option" in {kind.type, kind.items} else "name": name}
    found = find_name(name, kind.allowed)
    if found is None:
        names = (each.name for each in kind.allowed)
        raise BadValue(f'"{name}" is not possible: {nearest(name, names)}')
    return {"id": found.id} if found.id else {"name": found.name}


def _number(text: str) -> int | float:
    try:
        number = float(text)
    except ValueError:
        raise BadValue(f'"{text}" is no number') from None
    if number in {float("inf"), float("-inf")} or number != number:
        raise BadValue(f'"{text}" is no number that Jira could keep')
    return int(number) if number.is_integer() else number


def _date(text: str) -> str:
    if not _DATE.fullmatch(text):
        raise BadValue(f'"{text}" is no date like 2026-01-31')
    return text


def _account(name: str, found: tuple[User, ...]) -> str:
    wanted = name.casefold()
    exact = [
        user
        for user in found
        if wanted in {user.display_name.casefold(), user.email.casefold(), user.account_id}
    ]
    if len(exact) == 1:
        return exact[0].account_id
    if exact:
        emails = ", ".join(user.email or user.account_id for user in exact)
        raise BadValue(f'"{name}" is the name of several people; write one of {emails}')
    names = [user.display_name for user in found]
    raise BadValue(f'nobody called "{name}" can be chosen; {nearest(name, names)}')


def _sprint(text: str, sprints: Mapping[str, int]) -> int | None:
    names = read_list(text)
    if not names:
        return None
    if len(names) > 1:
        raise BadValue("an issue can be moved to one sprint only")
    if names[0] not in sprints:
        raise BadValue(f'no ticket here has the sprint "{names[0]}"; {nearest(names[0], sprints)}')
    return sprints[names[0]]
