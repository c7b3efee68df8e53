"""Convert the records of a site to plain values that JSON can hold, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.data import catalogue, kit
from jira_sandbox.data.issue import Issue
from jira_sandbox.data.parts import (
    Attachment,
    Comment,
    History,
    HistoryItem,
    Link,
    RemoteLink,
    Worklog,
)
from jira_sandbox.data.registry import KINDS, Record, Registry

if TYPE_CHECKING:
    from jira_sandbox.data.model import User

#: The records that an issue refers to by ID, by attribute; users belong to the site.
_RECORDS: Final[Mapping[str, Sequence[Any]]] = {
    "project": (catalogue.DEMO, catalogue.BLANK, kit.KIT, kit.TEAM),
    "type": (*catalogue.ISSUE_TYPES, *kit.TEAM_TYPES),
    "status": (*catalogue.STATUSES, *kit.TEAM_STATUSES),
    "priority": catalogue.PRIORITIES,
    "resolution": catalogue.RESOLUTIONS,
    "platform": catalogue.PLATFORMS,
    "kind": catalogue.LINK_TYPES,
}
_USERS: Final = frozenset(
    ("reporter", "creator", "assignee", "reviewer", "author", "editor", "lead")
)
#: The attributes that hold several users.
_USER_LISTS: Final = frozenset(("watchers", "voters"))
#: The kinds of the records in a `Registry` that an issue refers to by ID, by attribute.
_REGISTERED: Final = {"components": "component", "fix_versions": "version", "sprints": "sprint"}
#: The attributes that hold a date.
_DATES: Final = frozenset(("due", "release_date", "start_date"))
#: The classes of what belongs to an issue, by attribute.
_PARTS: Final[Mapping[str, type[Any]]] = {
    "comments": Comment,
    "worklogs": Worklog,
    "attachments": Attachment,
    "links": Link,
    "remote_links": RemoteLink,
    "history": History,
    "items": HistoryItem,
}


class Decoder:
    """Makes records of plain values.

    The methods raise `KeyError`, `TypeError` or `ValueError` for values that they cannot read.

    Args:
        users: The site's users, by account ID.
        registry: The components, versions and sprints to which issues refer.
    """

    def __init__(self, users: Mapping[str, User], registry: Registry) -> None:
        self._users = users
        self._registry = registry

    def record(self, kind: str, record: dict[str, Any] | None) -> Record | None:
        """Make a component, version or sprint."""
        if record is None:
            return None
        return KINDS[kind](
            **{name: self._from_plain(name, value) for name, value in record.items()}
        )

    def issue(self, record: dict[str, Any]) -> Issue:
        """Make an issue."""
        return Issue(**{name: self._from_plain(name, value) for name, value in record.items()})

    def _from_plain(self, name: str, value: Any) -> Any:
        """Make the value of an attribute from a plain value."""
        if value is None:
            return None
        if name in _USERS:
            return self._users[value]
        if name in _USER_LISTS:
            return tuple(self._users[part] for part in value)
        if name in _RECORDS:
            return _BY_ID[name][value]
        if name in _REGISTERED:
            return tuple(self._registered(_REGISTERED[name], part) for part in value)
        if name in _PARTS:
            kind = _PARTS[name]
            return tuple(
                kind(**{key: self._from_plain(key, each) for key, each in part.items()})
                for part in value
            )
        if name in _DATES:
            return date.fromisoformat(value)
        return tuple(value) if name == "labels" else value

    def _registered(self, kind: str, record_id: int) -> Any:
        record = self._registry.get(kind, record_id)
        if record is None:
            raise KeyError(f"{kind} {record_id}")
        return record


_BY_ID: Final = {
    name: {record.id: record for record in records} for name, records in _RECORDS.items()
}


def to_text(record: Any) -> str:
    """Convert a record to JSON."""
    return json.dumps(_to_record(record), separators=(",", ":"))


def _to_record(issue: Any) -> dict[str, Any]:
    return {each.name: _to_plain(each.name, getattr(issue, each.name)) for each in fields(issue)}


def _to_plain(name: str, value: Any) -> Any:
    """Return the value of an attribute as JSON can hold it; records by their IDs."""
    if value is None:
        return None
    if name in _USERS:
        return value.account_id
    if name in _USER_LISTS:
        return [part.account_id for part in value]
    if name in _PARTS:
        return [_to_record(part) for part in value]
    if name in _RECORDS:
        return value.id
    if name in _REGISTERED:
        return [part.id for part in value]
    return value.isoformat() if isinstance(value, date) else value
