"""The fields of JQL whose values are in `Issue.values`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.data import extra_fields, kit
from jira_sandbox.data.history import words_of
from jira_sandbox.data.model import to_millis
from jira_sandbox.errors import JqlError
from jira_sandbox.jql import readers
from jira_sandbox.jql.field import (
    EMPTINESS,
    MATCHING,
    ORDERED_OPERATORS,
    UNORDERED_OPERATORS,
    JqlField,
)
from jira_sandbox.jql.readers import named, read_text

if TYPE_CHECKING:
    from jira_sandbox.data.extra_fields import ExtraField
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.jql.readers import LiteralReader, QueryContext

_NAMES: Final = {"versions": ("affectedversion",), "security": ("level",)}


def _text(value: Any) -> str:
    return (words_of(value) if isinstance(value, dict) else str(value)).lower()


def _day(value: str) -> int:
    return to_millis(datetime.fromisoformat(value).replace(tzinfo=UTC))


def _options(field: ExtraField) -> Callable[[QueryContext], Iterable[Any]]:
    below = [child for option in field.options for child in option.children]
    return lambda _: (*field.options, *below)


def _shape(field: ExtraField) -> tuple[frozenset[str], LiteralReader, Callable[[Any], Any]]:
    """Return the operators of a field, its reader, and what is compared of a plain value."""
    match field.kind:
        case "textarea" | "textfield" | "url":
            return MATCHING | EMPTINESS, read_text, _text
        case "labels":
            return UNORDERED_OPERATORS, read_text, _text
        case "float" | "storypoints":
            return ORDERED_OPERATORS, readers.read_number, float
        case "datepicker":
            return ORDERED_OPERATORS, readers.read_day, _day
        case "datetime":
            return ORDERED_OPERATORS, readers.read_time, int
        case "userpicker" | "multiuserpicker" | "people":
            return UNORDERED_OPERATORS, readers.read_user, str
        case "grouppicker" | "multigrouppicker":
            return UNORDERED_OPERATORS, named(lambda _: kit.GROUPS), str
        case "version" | "multiversion":
            return UNORDERED_OPERATORS, named(lambda context: context.site.registry.versions()), int
        case "project":
            return UNORDERED_OPERATORS, readers.read_project, int
        case "securitylevel":
            return UNORDERED_OPERATORS, named(lambda _: kit.SECURITY_LEVELS), int
        case "team":
            return UNORDERED_OPERATORS, named(lambda _: kit.TEAMS), str
        case _:
            return UNORDERED_OPERATORS, named(_options(field)), int


def _field(field: ExtraField) -> JqlField:
    operators, read, compared = _shape(field)

    def values(issue: Issue) -> tuple[Any, ...]:
        plain = issue.values.get(field.id)
        if plain is None:
            return ()
        return tuple(map(compared, plain)) if isinstance(plain, list) else (compared(plain),)

    number = field.id.removeprefix("customfield_")
    names = _NAMES.get(field.id, (field.name.lower(), f"cf[{number}]"))
    is_scalar = operators >= ORDERED_OPERATORS
    return JqlField(
        names,
        operators,
        values,
        read,
        (lambda issue: (not values(issue), values(issue))) if is_scalar else None,
        is_date=field.kind == "datetime",
        is_day=field.kind == "datepicker",
        is_user=field.kind in {"userpicker", "multiuserpicker", "people"},
    )


EXTRA_FIELDS: Final = tuple(
    _field(field)
    for field in extra_fields.EXTRA_FIELDS
    if field.kind != extra_fields.EPIC_LINK  # another name of the parent
)


def merge(one: JqlField, other: JqlField) -> JqlField:
    """Return a field for two of the same name; a query by the name searches both."""

    def values(issue: Issue) -> tuple[Any, ...]:
        return (*one.values(issue), *other.values(issue))

    def read(context: QueryContext, field: str, literal: str) -> tuple[Any, ...]:
        found: list[Any] = []
        for each in (one, other):
            try:
                value = each.read(context, field, literal)
            except JqlError:
                continue
            found += value if isinstance(value, tuple) else (value,)
        if not found:
            raise readers.missing(field, literal)
        return tuple(dict.fromkeys(found))

    return replace(one, operators=one.operators & other.operators, values=values, read=read)
