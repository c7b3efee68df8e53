"""Converts the fields that a new sub-task takes over from its ticket. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ticketr.app.sync.push.values import BadValue, FieldSpec, NameLookup, jira_value

if TYPE_CHECKING:
    from ticketr.app.sync.compare.diff import Change


@dataclass(frozen=True, slots=True)
class InheritedValues:
    """The values that a new sub-task takes over, and those that it cannot have.

    Attributes:
        fields: The values of Jira's fields, by field ID.
        sent: What these are in the file of the ticket.
        left_out: Why each other one is left out, with its name.
    """

    fields: dict[str, object]
    sent: tuple[Change, ...]
    left_out: tuple[str, ...]


def convert_inherited(
    inherited: Iterable[Change],
    field_specs: Mapping[str, FieldSpec],
    lookup: NameLookup,
    kind: str,
) -> InheritedValues:
    """Convert inherited fields; one that the sub-task cannot have is left out.

    Args:
        inherited: The fields of the ticket that the sub-task does not name.
        field_specs: The fields of the sub-task's type, by the names of their lines.
        lookup: Finds people and teams by name.
        kind: The name of the sub-task's type.
    """
    fields: dict[str, object] = {}
    sent: list[Change] = []
    left_out: list[str] = []
    for change in inherited:
        spec = field_specs.get(change.name)
        try:
            if spec is not None and spec.on_create and not spec.unsupported:
                fields[spec.id] = jira_value(spec, change.new, lookup)
                sent.append(change)
                continue
            problem = f"the create screen of a {kind} has no such field"
        except BadValue as error:
            problem = str(error)
        left_out.append(f"{change.name}: not taken over from its ticket, since {problem}")
    return InheritedValues(fields, tuple(sent), tuple(left_out))
