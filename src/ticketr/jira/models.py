"""What Jira answers, as frozen records.

The readers are tolerant: real Jira sends keys that its own document does not know and nulls where
the document has none. They refuse only an answer without the one thing that was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """The site about itself.

    Attributes:
        base_url: The address that browsers use.
        version: Jira's version.
        deployment_type: ``"Cloud"``, ``"Server"`` or ``"Data Center"``.
        server_time: The site's clock, if it told.
    """

    base_url: str
    version: str
    deployment_type: str
    server_time: datetime | None

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read it; None if nothing in it tells that this is Jira."""
        info = cls(
            base_url=_text(answer.get("baseUrl")),
            version=_text(answer.get("version")),
            deployment_type=_text(answer.get("deploymentType")),
            server_time=read_time(answer.get("serverTime")),
        )
        return info if info.base_url or info.version or info.deployment_type else None


@dataclass(frozen=True, slots=True)
class User:
    """An account.

    Attributes:
        account_id: Its ID; a Data Center site gives its key or name instead.
        display_name: What people see.
        time_zone: Its zone's name, such as ``"Europe/Berlin"``; empty if hidden.
    """

    account_id: str
    display_name: str
    time_zone: str

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read it; None if there is no ID."""
        names = (_text(answer.get(key)) for key in ("accountId", "key", "name"))
        account_id = next(filter(None, names), "")
        if not account_id:
            return None
        display_name = _text(answer.get("displayName")) or account_id
        return cls(account_id, display_name, _text(answer.get("timeZone")))


@dataclass(frozen=True, slots=True)
class Field:
    """A field that issues can have.

    Attributes:
        id: What requests call it, such as ``"customfield_10016"``.
        name: What people call it; not unique.
        custom: Whether the site's people made it.
        schema_type: The kind of its value, such as ``"number"``; empty if unknown.
        items: The kind of its value's members, for an array; else empty.
    """

    id: str
    name: str
    custom: bool
    schema_type: str
    items: str

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read it; None if there is no ID."""
        field_id = _text(answer.get("id")) or _text(answer.get("key"))
        if not field_id:
            return None
        schema = answer.get("schema")
        kind = schema if isinstance(schema, Mapping) else {}
        return cls(
            id=field_id,
            name=_text(answer.get("name")) or field_id,
            custom=answer.get("custom") is True,
            schema_type=_text(kind.get("type")),
            items=_text(kind.get("items")),
        )


@dataclass(frozen=True, slots=True)
class Project:
    """A project.

    Attributes:
        id: Its number, as text.
        key: The part of issue keys before the dash.
        name: What people call it.
    """

    id: str
    key: str
    name: str

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read it; None if there is no key."""
        key = _text(answer.get("key"))
        if not key:
            return None
        return cls(id=_text(answer.get("id")), key=key, name=_text(answer.get("name")) or key)


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue.

    Attributes:
        id: Its number, as text; never changes.
        key: Its key, which changes when it moves to another project.
        fields: What was asked for, as Jira wrote it.
    """

    id: str
    key: str
    fields: Mapping[str, object]

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read it; None if it has no key."""
        key = _text(answer.get("key"))
        if not key:
            return None
        fields = answer.get("fields")
        return cls(
            id=_text(answer.get("id")) or key,
            key=key,
            fields=fields if isinstance(fields, Mapping) else {},
        )


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of a search.

    Attributes:
        ids: The issues' IDs.
        next_token: What to ask the next page with; None after the last one.
        server_date: The site's clock when it answered, if it told.
    """

    ids: tuple[str, ...]
    next_token: str | None
    server_date: datetime | None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A whole search.

    Attributes:
        ids: The issues' IDs, each once, in the order of the search.
        server_date: The site's clock at the first page, if it told.
    """

    ids: tuple[str, ...]
    server_date: datetime | None


@dataclass(frozen=True, slots=True)
class BulkFetched:
    """Some issues, fetched together.

    Attributes:
        issues: Those that were there.
        missing: The IDs or keys that were asked for and not answered by that name.
    """

    issues: tuple[Issue, ...]
    missing: tuple[str, ...]


def objects(array: list[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the JSON objects of a JSON array, and nothing else that it holds."""
    return (item for item in array if isinstance(item, Mapping))


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


def _text(value: object) -> str:
    """Read a text; a number, as some sites write IDs, becomes one; anything else is empty."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""
