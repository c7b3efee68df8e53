"""The fields of Jira's screens, and the values that they accept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Self

from ticketr.app.jira.json_text import object_of, objects, text_of


class Allowed(NamedTuple):
    """A value that a field may have.

    Attributes:
        id: Its ID, as text; empty if it has none.
        name: Its display name: an option's value, else its name.
        children: The values that can be chosen below it, in a choice of two steps.
    """

    id: str
    name: str
    children: tuple[Allowed, ...] = ()

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read the record; return None if it has neither ID nor name."""
        names = (text_of(answer.get(key)) for key in ("value", "name", "displayName", "key"))
        allowed_id = text_of(answer.get("id")) or text_of(answer.get("accountId"))
        name = next(filter(None, names), allowed_id)
        if not name:
            return None
        below = answer.get("children")
        children = [
            cls(text_of(entry.get("id")), text_of(entry.get("value"))) for entry in _objects(below)
        ]
        return cls(allowed_id, name, tuple(child for child in children if child.name))


class ScreenField(NamedTuple):
    """A field on a screen: of a new issue, of an edit, or of a transition.

    Attributes:
        id: Its ID.
        name: Its display name.
        required: Whether a new issue must have it.
        has_default: Whether the site fills it in where it is left out.
        schema_type: The kind of its value, such as ``"number"``; empty if unknown.
        items: The kind of its value's members, for an array; else empty.
        allowed: The values that it may have; empty if every value is allowed, or the site does not list them.
        custom_type: For a custom field, the full name of its kind, as in `Field`; else empty.
    """

    id: str
    name: str
    required: bool
    has_default: bool
    schema_type: str
    items: str
    allowed: tuple[Allowed, ...]
    custom_type: str = ""

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read the record; return None if it has no ID."""
        field_id = text_of(answer.get("fieldId")) or text_of(answer.get("key"))
        if not field_id:
            return None
        kind = object_of(answer.get("schema"))
        values = answer.get("allowedValues")
        read = map(Allowed.read, _objects(values))
        return cls(
            id=field_id,
            name=text_of(answer.get("name")) or field_id,
            required=answer.get("required") is True,
            has_default=answer.get("hasDefaultValue") is True,
            schema_type=text_of(kind.get("type")),
            items=text_of(kind.get("items")),
            allowed=tuple(allowed for allowed in read if allowed is not None),
            custom_type=text_of(kind.get("custom")),
        )


def fields_on_screen(answer: object) -> tuple[ScreenField, ...]:
    """Read the fields of a screen, which Jira lists by their IDs."""
    listed = object_of(answer)
    read = (
        ScreenField.read({**object_of(entry), "fieldId": name}) for name, entry in listed.items()
    )
    return tuple(field for field in read if field is not None)


def _objects(values: object) -> Iterator[Mapping[str, Any]]:
    return objects(values if isinstance(values, list) else [])
