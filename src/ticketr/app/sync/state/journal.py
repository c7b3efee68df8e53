"""Stores unfinished work: conflicts, and edits that Jira may not have yet.

Everything here is synchronous and belongs on a worker thread.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass

from ticketr.app.sync.compare.sent import SentValue, sent_value
from ticketr.app.sync.state.database import Table
from ticketr.app.tickets import key_order


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


class Conflicts(Table):
    """The tickets that both sides have changed."""

    def all(self) -> list[Conflict]:
        """Read the conflicts, in the order of their keys."""
        query = "SELECT head, key, path, text, issues, parts FROM conflict"
        rows = self._db.read(query)
        with self._db.sound():
            conflicts = [
                Conflict(head, key, path, text, issues, _names(json.loads(parts)))
                for head, key, path, text, issues, parts in rows
            ]
        return sorted(conflicts, key=lambda conflict: key_order(conflict.key))

    def of(self, key: str) -> Conflict | None:
        """Read the conflict of one ticket, if there is one."""
        return next((conflict for conflict in self.all() if conflict.key == key), None)

    def add(self, conflict: Conflict) -> None:
        """Store a conflict; it replaces an older one of the same ticket."""
        self._db.write(
            "INSERT OR REPLACE INTO conflict VALUES (?, ?, ?, ?, ?, ?)",
            (*astuple(conflict)[:5], json.dumps(conflict.parts)),
        )

    def remove(self, head: str) -> None:
        """Delete the conflict of a ticket."""
        self._db.write("DELETE FROM conflict WHERE head = ?", (head,))


class SentValues(Table):
    """The parts of issues that were sent, from before the request until they were read again.

    A part that Jira has by then was changed by this workspace, not by another person.
    """

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
