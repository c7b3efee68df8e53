"""Stores unfinished work: conflicts, edits that Jira may not have yet, and requests.

Jira must not carry out a request for a new issue, a comment or an attachment twice. So each is on disk
before it is sent, and can be looked for if its answer is lost. Everything here is synchronous and
belongs on a worker thread.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_type_hints

from ticketr.app.sync.compare import diff, sent
from ticketr.app.sync.compare.comments import COMMENT_FIELD
from ticketr.app.sync.state.database import Table
from ticketr.app.tickets import key_order, parse

if TYPE_CHECKING:
    from ticketr.app.jira import Issue


@dataclass(frozen=True, slots=True)
class Conflict:
    """A ticket that both sides have changed, with Jira's version of it.

    Attributes:
        head_id: The ID of the ticket's head.
        key: Its key.
        path: Its file, relative to the workspace.
        remote_text: The ticket as Jira has it, as a file would hold it.
        issues_json: Its issues as JSON, for the state once the conflict is resolved.
        clashes: What clashes, in words.
    """

    head_id: str
    key: str
    path: str
    remote_text: str
    issues_json: str
    clashes: tuple[str, ...]

    @property
    def clashes_for_display(self) -> str:
        """The parts on one line, without repeating the ticket's own key."""
        return ", ".join(part.removeprefix(f"{self.key}: ") for part in self.clashes)


class Conflicts(Table):
    """The tickets that both sides have changed."""

    def all(self) -> list[Conflict]:
        """Read the conflicts, in the order of their keys."""
        query = "SELECT head, key, path, text, issues, parts FROM conflict"
        rows = self._db.read(query)
        with self._db.convert_value_errors():
            conflicts = [
                Conflict(head, key, path, text, issues, _require_texts(json.loads(parts)))
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
            (*astuple(conflict)[:5], json.dumps(conflict.clashes)),
        )


class SentValues(Table):
    """The parts of issues that were sent, from before the request until they were read again.

    A part that Jira has by then was changed by this workspace, not by another person.
    """

    def put(self, key: str, values: Iterable[sent.SentValue]) -> None:
        """Store values of an issue before they are sent; those of an unknown issue are left out."""
        self._db.write_all(
            "INSERT OR IGNORE INTO sent SELECT head, key, ?, ?, ?, ? FROM issue WHERE key = ?",
            [
                (
                    diff.stored_name(value.part),
                    value.text,
                    value.field_id,
                    json.dumps(value.value),
                    key,
                )
                for value in values
            ],
        )

    def values_by_key(self, head_id: str) -> dict[str, list[sent.SentValue]]:
        """Read what may be in Jira of the issues in one ticket, by key."""
        query = "SELECT key, part, text, field, value FROM sent WHERE head = ?"
        values: dict[str, list[sent.SentValue]] = {}
        with self._db.convert_value_errors():
            for key, part, text, field, value in self._db.read(query, (head_id,)):
                values.setdefault(key, []).append(
                    sent.SentValue(diff.stored_part(part), text, field, json.loads(value))
                )
        return values

    def record_taken(self, head_id: str, key: str, values: Iterable[sent.SentValue]) -> None:
        """Store the parts that Jira has taken, instead of what was sent of them before."""
        values = tuple(values)
        self._db.write_all(
            "DELETE FROM sent WHERE head = ? AND key = ? AND part = ?",
            [(head_id, key, diff.stored_name(value.part)) for value in values],
        )
        self.put(key, values)

    def delete_refused(self, head_id: str, key: str, values: Iterable[sent.SentValue]) -> None:
        """Delete what Jira has refused."""
        self._db.write_all(
            "DELETE FROM sent WHERE head = ? AND key = ? AND part = ? AND text = ? AND value = ?",
            [
                (head_id, key, diff.stored_name(value.part), value.text, json.dumps(value.value))
                for value in values
            ],
        )

    def forget(self, head_id: str) -> None:
        """Delete what was sent of a ticket, once it was read again."""
        self._db.write("DELETE FROM sent WHERE head = ?", (head_id,))


def _require_texts(value: object) -> tuple[str, ...]:
    """Check that a value is a list of texts."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise TypeError(value)
    return tuple(value)


#: Seconds for which an entry is kept after it was settled: an editor or git may bring back a file
#: without what Jira has added.
KEEP_SETTLED_SECONDS = 30 * 86_400.0

_OUTBOX_COLUMNS = tuple(field.name for field in fields(sent.OutboxEntry))

EntryT = TypeVar("EntryT", bound=sent.OutboxEntry)


@dataclass(frozen=True, slots=True)
class Creation(sent.OutboxEntry):
    """An issue that Jira was asked to create; its own properties hold the marker.

    Attributes:
        project: The project's key.
        parent: The parent's key, for a sub-task.
        title: Its title.
        path: The draft's file, relative to the workspace.
        draft: The draft as text, with its tasks.
        after: A number that the project's keys had reached before.
        parts: What is sent of it, as `sent.to_json` writes it.
        key: Its key; empty while no answer has come.
    """

    project: str
    parent: str | None
    title: str
    path: str
    draft: str
    after: int
    parts: str = "[]"
    key: str = ""

    def answered(self, issue_id: str, key: str) -> Creation:
        """Return the same with Jira's answer."""
        return replace(self, id=issue_id, key=key)


@dataclass(frozen=True, slots=True)
class UploadEntry(sent.OutboxEntry):
    """A picture of a file that Jira was asked to attach; the SHA-256 of its content is the marker.

    Attributes:
        name: The name of the attachment; no attachment of the issue had it before.
        size: How many bytes it has.
        account: The ID of the account that sent it.
    """

    name: str
    size: int
    account: str


@dataclass(eq=False)
class Outbox(Table, Generic[EntryT]):
    """The requests of one kind; what only the type of its entries has is stored as JSON."""

    _kind: str
    _type: type[EntryT]

    @cached_property
    def _value_types(self) -> dict[str, Any]:
        """The types of an entry's values."""
        return get_type_hints(self._type)

    def select(self, condition: str = "TRUE", *values: object) -> list[EntryT]:
        """Read the entries that meet a condition in SQL, the oldest first."""
        query = (
            "SELECT payload, marker, issue, sent, answer, settled FROM outbox"  # noqa: S608 - our own words
            f" WHERE kind = ? AND {condition} ORDER BY sent, marker"
        )
        rows = self._db.read(query, (self._kind, *values))
        with self._db.convert_value_errors():
            return [self._entry(row) for row in rows]

    def read_entry(self, issue_id: str, marker: str) -> EntryT | None:
        """Read one entry, if there is one."""
        return next(iter(self.select("issue = ? AND marker = ?", issue_id, marker)), None)

    def read_unanswered(self) -> list[EntryT]:
        """Read the entries whose answers did not come."""
        return self.select("answer = ''")

    def put(self, *entries: EntryT) -> None:
        """Store entries, or replace the stored ones; they survive a loss of power."""
        with self._db.durable_batch():
            self._put(entries)

    def forget(self, *entries: EntryT) -> None:
        """Delete entries: Jira does not have what they add, or no file waits for it."""
        self._db.write_all(
            "DELETE FROM outbox WHERE kind = ? AND issue = ? AND marker = ?",
            [(self._kind, entry.issue, entry.marker) for entry in entries],
        )

    def mark_in_file_and_purge_old(self, *entries: EntryT, now: float) -> None:
        """Record that this workspace has what was added, and delete what was settled long ago.

        Args:
            entries: The entries as they are from now on.
            now: This computer's clock, in seconds since the epoch.
        """
        self._put(replace(entry, settled=now) for entry in entries)
        self._db.write(
            "DELETE FROM outbox WHERE kind = ? AND settled > 0 AND settled < ?",
            (self._kind, now - KEEP_SETTLED_SECONDS),
        )

    def _put(self, entries: Iterable[EntryT]) -> None:
        self._db.write_all(
            "INSERT OR REPLACE INTO outbox"
            " (kind, payload, marker, issue, sent, answer, settled) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (self._kind, _rest_json(entry), *(getattr(entry, name) for name in _OUTBOX_COLUMNS))
                for entry in entries
            ],
        )

    def _entry(self, row: Sequence[Any]) -> EntryT:
        """Return a row as an entry, once the types of its values are checked."""
        payload, *columns = row
        entry = self._type(
            **json.loads(payload), **dict(zip(_OUTBOX_COLUMNS, columns, strict=True))
        )
        for name, wanted in self._value_types.items():
            if not isinstance(getattr(entry, name), wanted):
                raise TypeError(name)
        return entry


def _rest_json(entry: sent.OutboxEntry) -> str:
    """Return what only the type of an entry has as JSON."""
    names = (field.name for field in fields(entry) if field.name not in _OUTBOX_COLUMNS)
    return json.dumps({name: getattr(entry, name) for name in names})


class Creations(Outbox[Creation]):
    """The issues that were requested, from before the request until their keys are in files."""

    def read_in_no_file(self) -> list[Creation]:
        """Read the requests whose keys are in no file yet, oldest first."""
        creations = self.select("settled = 0")
        with self._db.convert_value_errors():
            for creation in creations:
                if len(parse(creation.draft).tickets) != 1:
                    raise ValueError(creation.draft)
                sent.from_json(creation.parts)
        return creations

    def recently_written(self) -> list[Creation]:
        """Read the requests whose keys were written into files in the last days, oldest first."""
        return self.select("settled > 0")

    def created_keys(self) -> frozenset[str]:
        """Return the keys that a run writes into their files if they are not there."""
        query = "SELECT json_extract(payload, '$.key') FROM outbox WHERE kind = ? AND answer != ''"
        return frozenset(row[0] for row in self._db.read(query, (self._kind,)))


class SentComments(Outbox[sent.SentComment]):
    """The comments that were requested."""

    def of(self, issues: Iterable[Issue]) -> list[sent.SentComment]:
        """Read the requests for some issues, which hold their comments and present keys."""
        keys = {issue.id: issue.key for issue in issues if COMMENT_FIELD in issue.fields}
        here = "issue IN (SELECT value FROM json_each(?))"
        comments = self.select(here, json.dumps(list(keys))) if keys else []
        return [replace(comment, key=keys[comment.issue]) for comment in comments]

    def store_found_ids(self, issues: Sequence[Issue]) -> None:
        """Store the numbers of comments whose answers were lost; ``issues`` are as Jira has them."""
        if asked := self.of(issues):
            self._put(sent.find_answers_in_jira(asked, issues))
