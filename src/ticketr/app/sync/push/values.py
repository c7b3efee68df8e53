"""Converts the text of a field's line to Jira's value, and finds what is wrong with it. Pure."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from ticketr._lazy import compile_on_use
from ticketr.app.config.checks import folded, remove_word_separators
from ticketr.app.jira import AllowedValue, User
from ticketr.app.sync.compare import times
from ticketr.app.sync.compare.diff import Part
from ticketr.app.sync.compare.mapping import CASCADE_SEPARATOR
from ticketr.app.sync.errors import suggest_or_list
from ticketr.text import clean, clip

# ASCII only; float() and date.fromisoformat() take more.
_NUMBER_PATTERN = compile_on_use(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DATE_PATTERN = compile_on_use(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# As Atlassian writes the ID of a team: a UUID, perhaps with a number behind it.
_TEAM_ID_PATTERN = compile_on_use(
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?:-[0-9]+)?"
)
#: The largest whole number that JSON represents exactly.
_MAX_EXACT_INTEGER = 2**53
#: How many cells of a text an error message shows.
_MAX_QUOTE_WIDTH = 60


class BadValue(Exception):
    """Raised when a text is not a value of a field; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field of a site, and the values that it accepts.

    Attributes:
        id: Its ID in requests.
        line_name: The name of its line.
        type: The type of its value, such as ``"number"``.
        item_type: The type of an array's items; empty for other fields.
        allowed_if_known: The allowed values; empty if any value is allowed, or they are not known.
        needed_in_draft: Whether a new issue needs a value.
        is_on_create_screen: Whether a new issue can have a value.
        why_unsupported: Why a line in a file cannot hold it; empty if it can.
        custom_type: For a custom field, the full name of its kind; else empty.
    """

    id: str
    line_name: str
    type: str
    item_type: str = ""
    allowed_if_known: tuple[AllowedValue, ...] = ()
    needed_in_draft: bool = False
    is_on_create_screen: bool = True
    why_unsupported: str = ""
    custom_type: str = ""


@dataclass(frozen=True, slots=True)
class LinkDirection:
    """What a line of links stands for.

    Attributes:
        type_id: The ID of the kind of link.
        is_outward: Whether the issue with the line is the first of the two, which blocks the other.
    """

    type_id: str
    is_outward: bool


@dataclass(frozen=True, slots=True)
class NameLookup:
    """The accounts, sprints, teams and links that names in files refer to.

    Attributes:
        people: The accounts found for each name in the files; for "me", that of the user.
        sprints: The ID of each known sprint, by name.
        teams: The ID of each known team, by name.
        time_zone: The name of the account's time zone, used for times without a zone.
        mentions: The accounts found for each name that a text mentions.
        link_directions: What each line of links stands for, by its name.
        own_account_id: The ID of the account that sends.
    """

    people: Mapping[str, tuple[User, ...]] = field(default_factory=lambda: MappingProxyType({}))
    sprints: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    teams: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    time_zone: str = ""
    mentions: Mapping[str, tuple[User, ...]] = field(default_factory=lambda: MappingProxyType({}))
    link_directions: Mapping[Part, LinkDirection] = field(
        default_factory=lambda: MappingProxyType({})
    )
    own_account_id: str = ""


def jira_value(spec: FieldSpec, text: str, lookup: NameLookup) -> object:
    """Convert the text after the colon of a field's line; an empty text empties the field.

    Raises:
        BadValue: The text is not a value of the field.
    """
    if spec.line_name == "Sprint":
        return _sprint_id_unless_blank(text, lookup.sprints)
    if spec.type == "array":
        return [_list_entry_value(spec, member, lookup) for member in read_list(text)]
    if not text:
        return None
    if spec.id in times.ESTIMATE_KEY_BY_ID:
        return _parse_estimate_seconds(text)
    match spec.type:
        case "number":
            return _parse_number(text)
        case "user":
            return {"accountId": _account_id(text, lookup.people.get(text, ()))}
        case "date":
            return _parse_date(text)
        case "datetime":
            return _parse_date_time(text, lookup.time_zone)
        case "team":
            return _team_id(text, lookup.teams)
        case "option-with-child":
            return _cascade_value(spec, text)
        case "string" | "any" | "":
            return text
        case _:
            return _choice_value(spec, text)


def read_list(text: str) -> list[str]:
    """Return the entries of a list: separated by commas, with quotes around commas, as in CSV.

    A list may have several lines.

    Raises:
        BadValue: A quote is not closed, or text follows it before the next comma.
    """
    try:
        rows = list(csv.reader(text.split("\n"), skipinitialspace=True, strict=True))
    except csv.Error:
        raise BadValue(
            f'{short_quote(text)} is not a list; write a, "b, c", d and each quote in quotes twice'
        ) from None
    return [entry.strip() for row in rows for entry in row if entry.strip()]


def short_quote(text: str) -> str:
    """Return a text in quotes for an error message: cleaned, on one line, shortened."""
    return f'"{clip(clean(text[: 8 * _MAX_QUOTE_WIDTH]), _MAX_QUOTE_WIDTH)}"'


def find_allowed_value(name: str, allowed: Iterable[AllowedValue]) -> AllowedValue | None:
    """Return the value with a name, or else the only one that matches in any case of letters.

    If none matches then, blanks, hyphens and underscores do not count, either: ``todo`` is ``To Do``.
    """
    allowed = tuple(allowed)
    exact = (value for value in allowed if value.name == name)
    loose = [value for value in allowed if folded(value.name) == folded(name)] or [
        value
        for value in allowed
        if remove_word_separators(folded(value.name)) == remove_word_separators(folded(name))
    ]
    return next(exact, loose[0] if len(loose) == 1 else None)


def choose(
    name: str, allowed: Iterable[AllowedValue], problem: str = "is not possible"
) -> AllowedValue:
    """Return the value with a name, as `find_allowed_value` does.

    Raises:
        BadValue: There is none; it names the nearest ones after the ``problem``.
    """
    allowed = tuple(allowed)
    match = find_allowed_value(name, allowed)
    if match is None:
        raise BadValue(
            f"{short_quote(name)} {problem}: {suggest_or_list(name, [one.name for one in allowed])}"
        )
    return match


def as_choice(name: str, allowed: Iterable[AllowedValue]) -> dict[str, str]:
    """Return the allowed value with a name, as Jira takes it.

    Raises:
        BadValue: No allowed value has the name.
    """
    choice = choose(name, allowed)
    return {"id": choice.id} if choice.id else {"name": choice.name}


def _list_entry_value(spec: FieldSpec, entry: str, lookup: NameLookup) -> object:
    if spec.item_type == "string":
        if any(letter.isspace() for letter in entry):
            raise BadValue(f"{short_quote(entry)} has a space in it, which Jira allows in no label")
        return entry
    if spec.item_type == "user":
        return {"accountId": _account_id(entry, lookup.people.get(entry, ()))}
    return _choice_value(spec, entry)


def _choice_value(spec: FieldSpec, name: str) -> dict[str, str]:
    if not spec.allowed_if_known:
        is_option = "option" in {spec.item_type, spec.type.partition("-")[0]}
        return {"value" if is_option else "name": name}
    return as_choice(name, spec.allowed_if_known)


def _cascade_value(spec: FieldSpec, text: str) -> dict[str, object]:
    """Convert ``Europe > Spain``: a choice, and perhaps a second one below it."""
    text = _space_cascade_separators(text)
    if not spec.allowed_if_known:
        first, _, second = text.partition(CASCADE_SEPARATOR)
        return {"value": first, **({"child": {"value": second}} if second else {})}
    records: dict[str, dict[str, object]] = {}
    for allowed in spec.allowed_if_known:
        records[_space_cascade_separators(allowed.name)] = {"id": allowed.id}
        for child in allowed.children:
            name = _space_cascade_separators(f"{allowed.name}{CASCADE_SEPARATOR}{child.name}")
            records[name] = {"id": allowed.id, "child": {"id": child.id}}
    return records[choose(text, (AllowedValue("", name) for name in records)).name]


def _space_cascade_separators(text: str) -> str:
    """Return a text with one space on each side of each ``>``."""
    return re.sub(r"\s*>\s*", CASCADE_SEPARATOR, text)


def _team_id(text: str, teams: Mapping[str, str]) -> str:
    """Return the ID of a team from its name in a pulled ticket, or from the ID itself."""
    if _TEAM_ID_PATTERN.fullmatch(text):
        return text
    if not teams:
        raise BadValue("no ticket here has a team; write the team's ID")
    allowed = (AllowedValue(number, name) for name, number in teams.items())
    return choose(text, allowed, "is the team of no ticket here").id


def _parse_estimate_seconds(text: str) -> int:
    seconds = times.read_duration(text)
    if seconds is None:
        hint = "like 2h 30m (how long a day or a week is differs from site to site)"
        raise BadValue(f"{short_quote(text)} is not a time in hours and minutes {hint}")
    return seconds


def _parse_number(text: str) -> int | float:
    if not _NUMBER_PATTERN.fullmatch(text):
        raise BadValue(f"{short_quote(text)} is not a number")
    number = float(text)
    if math.isinf(number):
        raise BadValue(f"{short_quote(text)} is not a number that Jira could keep")
    return int(number) if number.is_integer() and abs(number) <= _MAX_EXACT_INTEGER else number


def _parse_date(text: str) -> str:
    if _DATE_PATTERN.fullmatch(text):
        with suppress(ValueError):
            date.fromisoformat(text)
            return text
    raise BadValue(f"{short_quote(text)} is not a date like 2026-01-31")


def _parse_date_time(text: str, time_zone: str) -> str:
    moment = times.read_typed_moment(text)
    if moment is None:
        raise BadValue(
            f"{short_quote(text)} is not a moment like 2026-01-31 09:30 or 2026-01-31T09:30+0100"
        )
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=times.zone_of(time_zone))
    if moment.tzinfo is None:
        hint = f"needs a zone, as in {text}+0100: that of your account is not known"
        raise BadValue(f"{short_quote(text)} {hint}")
    return times.jira_moment(moment)


def is_me(name: str) -> bool:
    """Return whether the name of a person stands for the account that pushes."""
    return folded(name) in {"me", "@me"}


def with_name_email_or_id(name: str, users: Iterable[User]) -> list[User]:
    """Return the people whose name, e-mail address or account ID is a text."""
    wanted = folded(name)
    return [
        user
        for user in users
        if wanted in map(folded, (user.display_name, user.email, user.account_id))
    ]


def _account_id(name: str, users: tuple[User, ...]) -> str:
    if is_me(name) and users:
        return users[0].account_id
    exact = with_name_email_or_id(name, users)
    if len(exact) == 1:
        return exact[0].account_id
    if exact:
        emails = ", ".join(user.email or user.account_id for user in exact)
        raise BadValue(f"{short_quote(name)} is the name of several people; write one of {emails}")
    hint = "write the name or the e-mail address as Jira shows it"
    if users:
        hint = suggest_or_list(name, [user.display_name for user in users])
    raise BadValue(f"nobody called {short_quote(name)} can be chosen; {hint}")


def _sprint_id_unless_blank(text: str, sprints: Mapping[str, int]) -> int | None:
    names = read_list(text)
    if not names:
        return None
    if len(names) > 1:
        raise BadValue("an issue can be moved to one sprint only")
    allowed = (AllowedValue(str(number), name) for name, number in sprints.items())
    return sprints[choose(names[0], allowed, "is the sprint of no ticket here").name]
