"""Stores what was replaced in the files, so that it can be undone.

Everything here is synchronous and belongs on a worker thread.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import astuple, dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from ticketr.app.sync.state.database import Table

if TYPE_CHECKING:
    from ticketr.app.tickets import TicketFile

#: The most steps that are kept.
MAX_UNDO_STEPS = 50
#: The key of a step of a draft.
DRAFT_KEY = "draft"
#: What the state holds of a ticket, by table, but for the texts that a sync is about to write.
_RESTORED_COLUMNS = {
    "issue": ("id", "key", "head", "updated", "fields", "seen", "stale"),
    "ticket": ("head", "path", "text"),
    "sent": ("head", "key", "part", "text", "field", "value"),
    "conflict": ("head", "key", "path", "text", "issues", "parts"),
    "older": ("head", "issue", "part", "digest", "number"),
}
#: The columns that a pull changes though neither side has changed anything.
_IGNORED_COLUMNS = {"seen", "stale"}


class Undoable(Enum):
    """What can be undone.

    Attributes:
        stored_name: What the state and JSON call it, in upper and lower case.
        wording: Its name for people.
    """

    TOOK_MINE = ("MINE", "resolved: your version")
    TOOK_JIRA = ("JIRA", "resolved: Jira's version")
    TOOK_BOTH_WITH_MARKERS = ("BOTH", "resolved: both versions between conflict markers")
    TOOK_BY_PART = ("CHOSEN", "resolved part by part")
    SYNC = ("SYNC", "a pull or sync took Jira's version")
    CHANGED_IN_APP = ("FIELDS", "changed in the app")
    ADDED = ("ADDED", "added in the app")

    def __init__(self, stored_name: str, wording: str) -> None:
        self.stored_name, self.wording = stored_name, wording


_UNDOABLE_BY_STORED_NAME = {kind.stored_name: kind for kind in Undoable}


@dataclass(frozen=True, slots=True)
class TextReplacement:
    """The text of a ticket that was replaced in its file.

    Attributes:
        start_offset: Where the ticket begins in the file, in characters.
        before: Its text before.
        after: Its text afterwards; it may be the same.
        file_digest_after: The digest of the whole file afterwards.
        copy_path: The file with a copy of the text before, relative to the workspace; empty for none.
    """

    start_offset: int
    before: str
    after: str
    file_digest_after: str
    copy_path: str

    @classmethod
    def of_ticket(
        cls,
        index_in_file: int,
        before: TicketFile,
        after: TicketFile,
        *,
        file_digest_after: str,
        copy_path: str,
    ) -> TextReplacement:
        """Return what was replaced of one ticket.

        Args:
            index_in_file: The index of the ticket in the file.
            before: The file before.
            after: The file afterwards.
            file_digest_after: The digest of its text.
            copy_path: The file with a copy of the ticket's text before.
        """
        old, new = before.text_slices[index_in_file], after.text_slices[index_in_file]
        return cls(new.start, before.text[old], after.text[new], file_digest_after, copy_path)


@dataclass(frozen=True, slots=True)
class UndoStep(TextReplacement):
    """A text of a ticket that was replaced in its file, or a file that was added.

    Attributes:
        kind: What has replaced it.
        done_at: When, in seconds since the epoch by this computer's clock. The steps of one change of
            several tickets have the same.
        key: The key of the ticket; ``draft`` for a draft.
        head_id: The ID of its head; empty for a ticket that was never pulled.
        path: Its file, relative to the workspace.
        state_before: What the state held of the ticket before, from `UndoLog.ticket_state_json`.
        state_digest_after: The digest of what the state held afterwards, from `UndoLog.ticket_state_digest`.
        number: Orders the steps.
    """

    kind: Undoable
    done_at: float
    key: str
    head_id: str
    path: str
    state_before: str
    state_digest_after: str
    number: int


class UndoLog(Table):
    """The texts that were replaced lately."""

    def all_latest_first(self) -> list[UndoStep]:
        """Read the steps, the latest first."""
        query = (
            "SELECT start, before, after, digest, aside, kind, done, key, head, path, stored,"
            " state_then, number FROM undo ORDER BY number DESC"
        )
        rows = self._db.read(query)
        with self._db.convert_value_errors():
            return [_read_step(row) for row in rows]

    def add(
        self,
        kind: Undoable,
        replacement: TextReplacement,
        *,
        key: str,
        head_id: str,
        path: str,
        state_before: str,
        done_at: float | None = None,
    ) -> None:
        """Store a step; the oldest ones are deleted, but none of the latest change of fields.

        Args:
            kind: What has replaced the text.
            replacement: The texts.
            key: The key of the ticket.
            head_id: The ID of its head.
            path: Its file.
            state_before: What the state held of it before.
            done_at: When it was replaced; None for now.
        """
        done_at = time.time() if done_at is None else done_at
        values = (
            kind.stored_name,
            done_at,
            key,
            head_id,
            path,
            *astuple(replacement),
            state_before,
            self.ticket_state_digest(head_id),
        )
        self._db.write(
            "INSERT INTO undo (kind, done, key, head, path, start, before, after, digest, aside,"
            " stored, state_then) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        )
        self._db.write(
            "DELETE FROM undo WHERE number <= (SELECT max(number) FROM undo) - ?"
            " AND NOT (kind = ? AND done = ?)",
            (MAX_UNDO_STEPS, Undoable.CHANGED_IN_APP.stored_name, done_at),
        )

    def remove(self, step: UndoStep) -> None:
        """Delete a step."""
        self._db.write("DELETE FROM undo WHERE number = ?", (step.number,))

    def ticket_state_json(self, head_id: str) -> str:
        """Return what the state holds of a ticket, as text."""
        return json.dumps(self._read_rows(head_id))

    def ticket_state_digest(self, head_id: str) -> str:
        """Return a digest of what the state holds of a ticket; it changes with either side."""
        rows = self._read_rows(head_id)
        places = [
            at for at, name in enumerate(_RESTORED_COLUMNS["issue"]) if name not in _IGNORED_COLUMNS
        ]
        rows["issue"] = [[row[at] for at in places] for row in rows["issue"]]
        del rows["older"]  # these change with the rest
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()

    def restore_ticket_state(self, head_id: str, state_before: str) -> None:
        """Replace what the state holds of a ticket by what `ticket_state_json` has returned."""
        with self._db.convert_value_errors():
            rows = _parse_rows(state_before)
        for table, columns in _RESTORED_COLUMNS.items():
            self._db.write(f"DELETE FROM {table} WHERE head = ?", (head_id,))  # noqa: S608 - a constant
            marks = ", ".join("?" * len(columns))
            self._db.write_all(
                f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608
                rows[table],
            )

    def _read_rows(self, head_id: str) -> dict[str, list[list[object]]]:
        """Read all rows of a ticket, by table."""
        return {
            table: [
                list(row)
                for row in self._db.read(
                    f"SELECT {', '.join(columns)} FROM {table} WHERE head = ? ORDER BY 1, 2, 3",  # noqa: S608
                    (head_id,),
                )
            ]
            for table, columns in _RESTORED_COLUMNS.items()
        }


def digest_of(text: str) -> str:
    """Return a digest of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _parse_rows(state_before: str) -> dict[str, list[list[object]]]:
    """Parse the result of `UndoLog.ticket_state_json`."""
    tables = json.loads(state_before)
    rows: dict[str, list[list[object]]] = {name: list(tables[name]) for name in _RESTORED_COLUMNS}
    if any(
        len(row) != len(_RESTORED_COLUMNS[table])
        for table in _RESTORED_COLUMNS
        for row in rows[table]
    ):
        raise ValueError(state_before)
    return rows


def _read_step(row: list[Any]) -> UndoStep:
    """Return a row as a step, once its numbers and its JSON are checked."""
    start, before, after, digest, aside, kind, *rest = row
    if not isinstance(start, int) or not isinstance(rest[0], float):
        raise TypeError(row)
    _parse_rows(rest[4])
    return UndoStep(start, before, after, digest, aside, _UNDOABLE_BY_STORED_NAME[kind], *rest)
