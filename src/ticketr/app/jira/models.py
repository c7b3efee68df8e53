"""Jira's answers as records.

The readers are tolerant: Jira sends undocumented keys and undocumented nulls. They return None only
for a record without its essential value, such as an issue's key.

Most are named tuples, which Python makes in a quarter of the time of a dataclass: each command pays
for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, Self, TypeVar

R = TypeVar("R")


def objects_in(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield the JSON objects of a JSON array; none of any other value."""
    return (
        (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())
    )


def read_records(
    read: Callable[[Mapping[str, Any]], R | None], items: Iterable[Mapping[str, Any]]
) -> tuple[R, ...]:
    """Read records; leave out those without their essential value."""
    return tuple(record for record in map(read, items) if record is not None)


def object_of(value: object) -> Mapping[str, Any]:
    """Return a JSON object; an empty one for any other value."""
    return value if isinstance(value, Mapping) else {}


def read_time(value: object) -> datetime | None:
    """Read a time as Jira writes it, ``2026-01-31T12:00:00.000+0000``, or None."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time if time.tzinfo is not None else None


def read_http_date(value: str | None) -> datetime | None:
    """Read an HTTP date header, or None."""
    if not value:
        return None
    try:
        time = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return time if time.tzinfo is not None else None


def text_of(text_or_integer: object) -> str:
    """Return a text; a whole number as text, since some sites write IDs so; else an empty text."""
    if isinstance(text_or_integer, str):
        return text_or_integer
    if isinstance(text_or_integer, int) and not isinstance(text_or_integer, bool):
        return str(text_or_integer)
    return ""


class AllowedValue(NamedTuple):
    """A value that a field may have.

    Attributes:
        id: Its ID, as text; empty if it has none.
        name: Its display name: an option's value, else its name.
        children: The values that can be chosen below it, in a choice of two steps.
    """

    id: str
    name: str
    children: tuple[AllowedValue, ...] = ()

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read the record; return None if it has neither ID nor name."""
        names = (text_of(answer.get(key)) for key in ("value", "name", "displayName", "key"))
        allowed_id = text_of(answer.get("id")) or text_of(answer.get("accountId"))
        name = next(filter(None, names), allowed_id)
        if not name:
            return None
        below = objects_in(answer.get("children"))
        children = [cls(text_of(entry.get("id")), text_of(entry.get("value"))) for entry in below]
        return cls(allowed_id, name, tuple(child for child in children if child.name))


class ScreenField(NamedTuple):
    """A field on a screen: of a new issue, of an edit, or of a transition.

    Attributes:
        id: Its ID.
        name: Its display name.
        required: Whether it needs a value there.
        has_default: Whether the site fills it in where it is left out.
        schema_type: The kind of its value, such as ``"number"``; empty if unknown.
        item_type: The kind of its value's members, for an array; else empty.
        allowed_values: The values that it may have; empty if every value is allowed, or the site does not list them.
        custom_type: For a custom field, the full name of its kind, as in `Field`; else empty.
    """

    id: str
    name: str
    required: bool
    has_default: bool
    schema_type: str
    item_type: str
    allowed_values: tuple[AllowedValue, ...]
    custom_type: str = ""

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read the record; return None if it has no ID."""
        field_id = text_of(answer.get("fieldId")) or text_of(answer.get("key"))
        if not field_id:
            return None
        kind = object_of(answer.get("schema"))
        return cls(
            id=field_id,
            name=text_of(answer.get("name")) or field_id,
            required=answer.get("required") is True,
            has_default=answer.get("hasDefaultValue") is True,
            schema_type=text_of(kind.get("type")),
            item_type=text_of(kind.get("items")),
            allowed_values=read_records(AllowedValue.read, objects_in(answer.get("allowedValues"))),
            custom_type=text_of(kind.get("custom")),
        )


def fields_on_screen(answer: object) -> tuple[ScreenField, ...]:
    """Read the fields of a screen, which Jira lists by their IDs."""
    listed = object_of(answer)
    entries = ({**object_of(entry), "fieldId": name} for name, entry in listed.items())
    return read_records(ScreenField.read, entries)


#: The most bytes of a file. A site may claim more, of which no float can be made.
MAX_PLAUSIBLE_FILE_BYTES = 2**63 - 1


class User(NamedTuple):
    """An account.

    Attributes:
        account_id: Its ID.
        display_name: Its display name.
        time_zone: Its zone's name, such as ``"Europe/Berlin"``; empty if hidden.
        email: Its e-mail; empty if hidden.
    """

    account_id: str
    display_name: str
    time_zone: str
    email: str = ""

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read the record; return None if it has no ID."""
        account_id = text_of(answer.get("accountId"))
        if not account_id:
            return None
        display_name = text_of(answer.get("displayName")) or account_id
        return cls(
            account_id=account_id,
            display_name=display_name,
            time_zone=text_of(answer.get("timeZone")),
            email=text_of(answer.get("emailAddress")),
        )


class Field(NamedTuple):
    """A field that issues can have.

    Attributes:
        id: Its ID, such as ``"customfield_10016"``.
        name: Its display name; not unique.
        custom: Whether it was made on the site and is not a field of Jira's own.
        schema_type: The kind of its value, such as ``"number"``; empty if unknown.
        item_type: The kind of its value's members, for an array; else empty.
        custom_type: For a custom field, the full name of its kind, such as
            ``"com.atlassian.jira.plugin.system.customfieldtypes:float"``; else empty.
    """

    id: str
    name: str
    custom: bool
    schema_type: str
    item_type: str
    custom_type: str = ""

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read the record; return None if it has no ID."""
        field_id = text_of(answer.get("id")) or text_of(answer.get("key"))
        if not field_id:
            return None
        kind = object_of(answer.get("schema"))
        return cls(
            id=field_id,
            name=text_of(answer.get("name")) or field_id,
            custom=answer.get("custom") is True,
            schema_type=text_of(kind.get("type")),
            item_type=text_of(kind.get("items")),
            custom_type=text_of(kind.get("custom")),
        )


class Project(NamedTuple):
    """A project.

    Attributes:
        id: Its number, as text.
        key: The part of issue keys before the dash.
        name: Its display name.
    """

    id: str
    key: str
    name: str

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read the record; return None if it has no key."""
        key = text_of(answer.get("key"))
        if not key:
            return None
        return cls(
            id=text_of(answer.get("id")) or key, key=key, name=text_of(answer.get("name")) or key
        )


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue.

    Attributes:
        id: Its number, as text; never changes.
        key: Its key, which changes when it moves to another project.
        fields: The requested fields, as Jira wrote them.
        properties: The entity properties that were requested and are there.
    """

    id: str
    key: str
    fields: Mapping[str, object]
    properties: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read the record; return None if it has no key."""
        key = text_of(answer.get("key"))
        if not key:
            return None
        return cls(
            id=text_of(answer.get("id")) or key,
            key=key,
            fields=object_of(answer.get("fields")),
            properties=object_of(answer.get("properties")),
        )


class Created(NamedTuple):
    """A created issue.

    Attributes:
        id: The new issue's number, as text.
        key: Its key.
    """

    id: str
    key: str

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read the record; return None if it has no key."""
        key = text_of(answer.get("key"))
        return cls(id=text_of(answer.get("id")) or key, key=key) if key else None


class LastChange(NamedTuple):
    """A change of an issue, by its history.

    Attributes:
        author_name: The name of the person who made it; empty if the history does not tell.
        changed_at: When it was made, as Jira writes it.
    """

    author_name: str
    changed_at: str


class Transition(NamedTuple):
    """A way from an issue's status to another.

    Attributes:
        id: Its ID; the same name may have another ID in another workflow.
        name: Its display name, as on its button.
        to_status: The name of the status that it leads to.
        fields: The fields of its screen; none if it has no screen, or they were not asked for.
    """

    id: str
    name: str
    to_status: str
    fields: tuple[ScreenField, ...] = ()

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read the record; return None if it has no ID."""
        transition_id = text_of(answer.get("id"))
        if not transition_id:
            return None
        status = object_of(answer.get("to"))
        return cls(
            id=transition_id,
            name=text_of(answer.get("name")),
            to_status=text_of(status.get("name")),
            fields=fields_on_screen(answer.get("fields")),
        )


class Attachment(NamedTuple):
    """A file that is attached to an issue.

    Attributes:
        id: Its ID.
        name: Its name, as its author wrote it: it may be anything.
        size: How many bytes it has, as the site says; at most `MAX_PLAUSIBLE_FILE_BYTES`. None if the site says
            nothing that can be a size.
        author_id: The account ID of its author; empty if unknown.
    """

    id: str
    name: str
    size: int | None
    author_id: str = ""

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read the record; return None if it has no ID."""
        text, size = text_of(answer.get("id")), answer.get("size")
        if not text:
            return None
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            size = None
        author = text_of(object_of(answer.get("author")).get("accountId"))
        return cls(
            text,
            text_of(answer.get("filename")),
            None if size is None else min(size, MAX_PLAUSIBLE_FILE_BYTES),
            author,
        )


@dataclass(frozen=True, slots=True)
class BulkFetched:
    """Some issues, fetched together.

    Attributes:
        issues: The requested issues, each once.
        missing: The requested IDs and keys that the answer does not contain.
        failed: Why the site could not return an issue that probably exists, by the requested ID or
            key; none of these is missing.
        renamed: Issues under an ID or key that was not requested, such as one that was moved and
            has another key now.
    """

    issues: tuple[Issue, ...]
    missing: tuple[str, ...]
    failed: Mapping[str, str] = field(default_factory=dict)
    renamed: tuple[Issue, ...] = ()

    def merged_with(self, other: BulkFetched) -> BulkFetched:
        """Return this answer with the issues of another one added."""
        issues = {issue.id: issue for issue in (*self.issues, *other.issues)}
        renamed = {issue.id: issue for issue in (*self.renamed, *other.renamed)}
        return BulkFetched(
            tuple(issues.values()),
            (*self.missing, *other.missing),
            {**self.failed, **other.failed},
            tuple(issue for issue in renamed.values() if issue.id not in issues),
        )
