"""Stores unfinished work: conflicts, and new issues and edits that Jira may not have yet.

Everything here is synchronous and belongs on a worker thread.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from ticketr.app.sync.compare.sent import SentValue, from_json, sent_value
from ticketr.app.tickets import parse

if TYPE_CHECKING:
    from ticketr.app.sync.state.database import Database


@dataclass(frozen=True, slots=True)
class Conflict:
    """A ticket that both sides have changed, with Jira's version of it.

    Attributes:
        head: The ID of the ticket's head.
        key: Its key.
        path: Its file, relative to the workspace.
        text: The ticket as Jira has it, as a file would hold it.
        issues: Its issues as JSON, for the state once the conflict is resolved.
        parts: What clashes, in words.
    """

    head: str
    key: str
    path: str
    text: str
    issues: str
    parts: tuple[str, ...]

    @property
    def parts_text(self) -> str:
        """The parts on one line, without repeating the ticket's own key."""
        return ", ".join(part.removeprefix(f"{self.key}: ") for part in self.parts)


class Conflicts:
    """The tickets that both sides have changed."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def all(self) -> list[Conflict]:
        """Read the conflicts, in the order of their keys."""
        query = "SELECT head, key, path, text, issues, parts FROM conflict ORDER BY key"
        rows = self._db.read(query)
        with self._db.sound():
            return [
                Conflict(head, key, path, text, issues, _names(json.loads(parts)))
                for head, key, path, text, issues, parts in rows
            ]

    def of(self, key: str) -> Conflict | None:
        """Read the conflict of one ticket, if there is one."""
        return next((conflict for conflict in self.all() if conflict.key == key), None)

    def add(self, conflict: Conflict) -> None:
        """Store a conflict; it replaces an older one of the same ticket."""
        self._db.write(
            "INSERT OR REPLACE INTO conflict VALUES (?, ?, ?, ?, ?, ?)",
            (*_values(conflict)[:5], json.dumps(conflict.parts)),
        )

    def remove(self, head: str) -> None:
        """Delete the conflict of a ticket."""
        self._db.write("DELETE FROM conflict WHERE head = ?", (head,))


@dataclass(frozen=True, slots=True)
class Creation:
    """An issue that Jira was asked to create.

    Attributes:
        marker: A random text in the issue's own properties, by which it can be found again.
        project: The project's key.
        parent: The parent's key, for a sub-task.
        title: Its title.
        path: The draft's file, relative to the workspace.
        draft: The draft as text, with its tasks.
        after: A number that the project's keys had reached before.
        sent: This computer's clock when it was requested, in seconds since the epoch.
        parts: What is sent of it, as `sent.to_json` writes it.
        id: Its ID; None while no answer has come.
        key: Its key; None while no answer has come.
    """

    marker: str
    project: str
    parent: str | None
    title: str
    path: str
    draft: str
    after: int
    sent: float
    parts: str = "[]"
    id: str | None = None
    key: str | None = None

    def answered(self, issue_id: str, key: str) -> Creation:
        """Return the same with Jira's answer."""
        return replace(self, id=issue_id, key=key)


#: Seconds for which the draft of a new issue is kept after its key was written.
REMEMBERED = 30 * 86_400.0

_COLUMNS = "marker, project, parent, title, path, draft, after, sent, parts, id, key"


class Creations:
    """The issues that were requested, from before the request until their keys are in files.

    Each change is on disk before the next step is taken.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def has_any(self) -> bool:
        """Return whether there are any, the recently written ones included."""
        return bool(self._db.read("SELECT 1 FROM creation LIMIT 1"))

    def all(self) -> list[Creation]:
        """Read the requests whose keys are in no file yet, oldest first."""
        creations = self._select_where("settled IS NULL")
        with self._db.sound():
            for creation in creations:
                _check(creation)
        return creations

    def recently_written(self) -> list[Creation]:
        """Read the requests whose keys were written into files in the last days, oldest first."""
        return self._select_where("settled IS NOT NULL")

    def _select_where(self, condition: str) -> list[Creation]:
        query = f"SELECT {_COLUMNS} FROM creation WHERE {condition} ORDER BY sent, marker"  # noqa: S608 - our own words
        rows = self._db.read(query)
        with self._db.sound():
            return [_creation(row) for row in rows]

    def recent(self) -> frozenset[str]:
        """Return the keys that a run writes into their files if they are not there."""
        query = "SELECT key FROM creation WHERE key IS NOT NULL"
        return frozenset(row[0] for row in self._db.read(query))

    def put(self, creation: Creation) -> None:
        """Store a request, or replace the stored one."""
        self.put_all([creation])

    def put_all(self, creations: Iterable[Creation]) -> None:
        """Store requests, or replace the stored ones."""
        with self._db.durable():
            self._db.write_all(
                f"INSERT OR REPLACE INTO creation ({_COLUMNS})"  # noqa: S608 - our own words
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_values(creation) for creation in creations],
            )

    def mark_written(self, creation: Creation, path: str, *, now: float) -> None:
        """Record that a key was written into a file; ``now`` is in seconds since the epoch."""
        self._db.write(
            "UPDATE creation SET settled = ?, path = ? WHERE marker = ?",
            (now, path, creation.marker),
        )
        self._db.write("DELETE FROM creation WHERE settled < ?", (now - REMEMBERED,))

    def forget(self, marker: str) -> None:
        """Delete a request whose issue does not exist, or whose draft is gone."""
        self._db.write("DELETE FROM creation WHERE marker = ?", (marker,))


class SentValues:
    """The parts of issues that were sent, from before the request until they were read again.

    A part that Jira has by then was changed by this workspace, not by another person.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, head: str, key: str, values: Iterable[SentValue]) -> None:
        """Store values of an issue before they are sent; ``head`` is the ID of its ticket's head."""
        self._db.write_all(
            "INSERT OR IGNORE INTO sent VALUES (?, ?, ?, ?, ?, ?)",
            [
                (head, key, value.name, value.text, value.field, json.dumps(value.value))
                for value in values
            ],
        )

    def of(self, head: str) -> dict[str, list[SentValue]]:
        """Read what may be in Jira of the issues in one ticket, by key."""
        query = "SELECT key, part, text, field, value FROM sent WHERE head = ?"
        values: dict[str, list[SentValue]] = {}
        with self._db.sound():
            for key, part, text, field, value in self._db.read(query, (head,)):
                values.setdefault(key, []).append(sent_value(part, text, field, json.loads(value)))
        return values

    def confirm(self, head: str, key: str, values: Iterable[SentValue]) -> None:
        """Store the parts that Jira has taken, instead of what was sent of them before."""
        values = tuple(values)
        self._db.write_all(
            "DELETE FROM sent WHERE head = ? AND key = ? AND part = ?",
            [(head, key, value.name) for value in values],
        )
        self.put(head, key, values)

    def withdraw(self, head: str, key: str, values: Iterable[SentValue]) -> None:
        """Delete what Jira has refused."""
        self._db.write_all(
            "DELETE FROM sent WHERE head = ? AND key = ? AND part = ? AND text = ? AND value = ?",
            [(head, key, value.name, value.text, json.dumps(value.value)) for value in values],
        )

    def forget(self, head: str) -> None:
        """Delete what was sent of a ticket, once it was read again."""
        self._db.write("DELETE FROM sent WHERE head = ?", (head,))


def _names(value: object) -> tuple[str, ...]:
    """Check that a value is a list of texts."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise TypeError(value)
    return tuple(value)


def _creation(row: Sequence[Any]) -> Creation:
    """Return a row as a request, once its numbers are checked."""
    after, sent = row[6:8]
    if not isinstance(after, int) or not isinstance(sent, int | float):
        raise TypeError(row)
    return Creation(*row)


def _check(creation: Creation) -> None:
    """Check that the draft and the parts of a request can be parsed."""
    if len(parse(creation.draft).tickets) != 1:
        raise ValueError(creation.draft)
    from_json(creation.parts)


def _values(record: Conflict | Creation) -> Sequence[object]:
    return tuple(asdict(record).values())
