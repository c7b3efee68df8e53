"""Which of Jira's fields files are to hold, besides those that they always do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class MappedField:
    """A field under a name of the user's own.

    Attributes:
        name: The name of its line.
        id: What Jira calls it, such as ``customfield_10016``.
        place: Where that stands, for errors.
    """

    name: str
    id: str
    place: str = field(default="", compare=False)


#: Lines that a push knows by their names, with their fields.
_KEPT = {"Type": "issuetype", "Status": "status"}
#: A field by the name that the site has for it, or under one of the user's own.
WantedField: TypeAlias = "str | MappedField"


def other_name(wanted: MappedField, before: Iterable[MappedField]) -> str | None:
    """Return the name that a field has got before; None where it has none, or the same."""
    return next((each.name for each in before if each.id == wanted.id), None)


def kept_name(wanted: MappedField) -> str | None:
    """Return the name that cannot be had for another field, or the field for another name."""
    return next(
        (
            name
            for name, field_id in _KEPT.items()
            if (name == wanted.name) != (field_id == wanted.id)
        ),
        None,
    )


def one_line(name: str) -> str:
    """Write a name as the line of a file will have it."""
    return " ".join(name.split())
