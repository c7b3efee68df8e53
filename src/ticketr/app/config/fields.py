"""The additional fields of Jira that ticket files hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class MappedField:
    """A field under a name of the user's own.

    Attributes:
        name: The name of its line.
        id: What Jira calls it, such as ``customfield_10016``.
        place: The file and line of the mapping, for errors.
    """

    name: str
    id: str
    place: str = field(default="", compare=False)


#: Lines that a push knows by their names, with their fields.
_KEPT = {"Type": "issuetype", "Status": "status"}
#: A field by the name that the site has for it, or under one of the user's own.
WantedField: TypeAlias = "str | MappedField"


def earlier_name(wanted: MappedField, before: Iterable[MappedField]) -> str | None:
    """Return the earlier name of the same field; None where it has none."""
    return next(
        (mapped_field.name for mapped_field in before if mapped_field.id == wanted.id), None
    )


def reserved_name(wanted: MappedField) -> str | None:
    """Return the reserved name that a mapping breaks: its name or its field belongs to that name."""
    return next(
        (
            name
            for name, field_id in _KEPT.items()
            if (name == wanted.name) != (field_id == wanted.id)
        ),
        None,
    )


def one_line(name: str) -> str:
    """Return a name with its whitespace collapsed to single spaces."""
    return " ".join(name.split())
