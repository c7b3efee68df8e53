"""The SQLite file of a workspace: its schema, its transactions, its errors.

Everything here is synchronous and belongs on a worker thread. Writers hold the workspace's lock;
readers need none, since SQLite's write-ahead log gives each of them one consistent moment.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any

from ticketr.app.config import UntrustedState, add_owner_mark, has_owner_mark, refuse_database_links
from ticketr.app.sync.errors import StateFailed
from ticketr.app.tickets import TicketSyntaxError

#: The tables of a new file.
SCHEMA = """
    CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE issue (
        id TEXT PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        head TEXT NOT NULL,     -- ID of the issue whose ticket it stands in; its own or its parent's
        updated TEXT NOT NULL,  -- Jira's own words for its last change
        fields TEXT NOT NULL,   -- JSON of what was pulled, the description's ADF to the letter
        seen REAL NOT NULL,     -- Jira's clock when the pull that last confirmed it began
        stale INTEGER NOT NULL DEFAULT 0 -- 1: Jira has moved on, the file was kept
    ) WITHOUT ROWID;
    CREATE INDEX issue_head ON issue (head);
    CREATE TABLE ticket (
        head TEXT PRIMARY KEY,  -- the same ID
        path TEXT NOT NULL,     -- of its file, relative to the workspace
        text TEXT NOT NULL      -- as written
    ) WITHOUT ROWID;
    CREATE TABLE intended (
        head TEXT NOT NULL,     -- the same ID
        text TEXT NOT NULL,     -- about to be written, by a pull that may have been killed then
        PRIMARY KEY (head, text)
    ) WITHOUT ROWID;
    CREATE TABLE conflict (
        head TEXT PRIMARY KEY,  -- the same ID
        key TEXT NOT NULL,      -- of the ticket
        path TEXT NOT NULL,     -- of its file
        text TEXT NOT NULL,     -- the ticket as Jira has it, as a file would hold it
        issues TEXT NOT NULL,   -- JSON: what the state is to know of its issues once it is settled
        parts TEXT NOT NULL     -- JSON: what clashes, in words
    ) WITHOUT ROWID;
    CREATE TABLE sent (         -- what Jira may have taken though nobody has read it again
        head TEXT NOT NULL,     -- the same ID
        key TEXT NOT NULL,      -- of the edited issue in that ticket
        part TEXT NOT NULL,     -- the name of the field's line, or "#" and that of another part
        text TEXT NOT NULL,     -- the part as it stood here
        field TEXT NOT NULL,    -- Jira's field
        value TEXT NOT NULL,    -- JSON: what was sent for it
        PRIMARY KEY (head, key, part, text, value)
    ) WITHOUT ROWID;
    CREATE TABLE mark (value TEXT PRIMARY KEY) WITHOUT ROWID; -- of the users who made or trust it
    CREATE TABLE undo (         -- texts that were replaced in their files, until they are taken back
        number INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,     -- the name of what has replaced it
        done REAL NOT NULL,     -- this computer's clock then
        key TEXT NOT NULL,      -- of the ticket
        head TEXT NOT NULL,     -- the same ID
        path TEXT NOT NULL,     -- of its file
        start INTEGER NOT NULL, -- its offset in that
        before TEXT NOT NULL,   -- its text in the file, to the letter
        after TEXT NOT NULL,    -- and afterwards
        digest TEXT NOT NULL,   -- of the whole file afterwards
        aside TEXT NOT NULL,    -- the file with a copy of the text before; empty for none
        stored TEXT NOT NULL,   -- JSON: what the tables above held of the ticket before
        state_then TEXT NOT NULL -- digest of what they held afterwards
    );
    CREATE TABLE media (        -- what documents call attachments; it never changes
        attachment TEXT PRIMARY KEY, -- ID of the attachment
        media TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE older (        -- values of earlier syncs, the last ones of each part
        head TEXT NOT NULL,     -- the same ID
        issue TEXT NOT NULL,    -- ID of the issue
        part TEXT NOT NULL,     -- its name, as in the table of what was sent
        digest TEXT NOT NULL,   -- of its text
        number INTEGER NOT NULL, -- orders the values of a part
        PRIMARY KEY (issue, part, digest)
    ) WITHOUT ROWID;
    CREATE TABLE outbox (       -- requests that Jira must not carry out twice
        kind TEXT NOT NULL,     -- issue, comment or upload
        issue TEXT NOT NULL,    -- ID of the issue it belongs to; empty for a new issue
        marker TEXT NOT NULL,   -- in the issue's or comment's properties; SHA-256 of an upload
        sent REAL NOT NULL,     -- this computer's clock when it was sent; 0: Jira has finished
        payload TEXT NOT NULL,  -- JSON: the rest, by which it is found in Jira and in files
        answer TEXT NOT NULL,   -- Jira's ID for it, once that is known
        settled REAL NOT NULL,  -- this computer's clock when this workspace had it; 0 before
        PRIMARY KEY (kind, issue, marker)
    ) WITHOUT ROWID;
"""
#: The version of this schema; ``user_version`` holds it.
SCHEMA_VERSION = 13
#: How often, and after how many seconds, to try again what SQLite does not wait for.
_ATTEMPTS, _PAUSE = 100, 0.05


#: The path of a database that is in no file.
IN_MEMORY = Path(":memory:")
#: How SQLite names what is wrong with a file itself.
_DAMAGE_ERROR_NAMES = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT", "SQLITE_ERROR")
_NOT_TICKETR_DATA_REASON = "it does not hold what ticketr writes there"
#: What reading a value raises that has not the shape of what ticketr writes.
_BAD_STORED_VALUE_ERRORS = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RecursionError,
    TicketSyntaxError,
)
#: What is wrong with a file, by the beginning of SQLite's name for it; of others, SQLite's text is used.
_REASON_BY_ERROR_NAME = {
    "SQLITE_NOTADB": "it is not a database",
    "SQLITE_CORRUPT": "it is damaged",
    "SQLITE_FORMAT": "it is damaged",
    "SQLITE_ERROR": _NOT_TICKETR_DATA_REASON,
    "SQLITE_BUSY": "another program holds it; wait until that has ended, or end it",
    "SQLITE_LOCKED": "another program holds it; wait until that has ended, or end it",
    "SQLITE_FULL": "there is no space left on its disk",
    # SQLite does not say why it cannot lengthen its memory-mapped index.
    "SQLITE_IOERR": "its disk has no space left, or cannot be read or written",
}


class Database:
    """One open state file; threads that use it wait for each other.

    Args:
        path: The SQLite file.
        mark: The user's mark, which the file must have and a new one gets; None to take any file.

    Raises:
        StateFailed: It is damaged, newer than this program, or cannot be opened.
        UntrustedState: It does not have the mark.
        WrongFileKind: It, or a file that SQLite opens beside it, is a link or the like.
    """

    def __init__(self, path: Path, mark: str | None = None) -> None:
        self._path = path
        if path != IN_MEMORY:
            refuse_database_links(path)
        # One family is read while another is written, in two threads.
        self._lock = RLock()
        try:
            with ExitStack() as stack:
                self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
                stack.callback(self._db.close)
                self._db.execute("PRAGMA trusted_schema = OFF")
                kinds = {
                    kind for (kind,) in self._db.execute("SELECT DISTINCT type FROM sqlite_master")
                }
                # SQLite runs triggers and views by itself, and one from a stranger may never end.
                if kinds & {"trigger", "view"}:
                    problem = "it holds triggers or views, which no ticketr has made"
                    raise StateFailed(path, problem, is_damaged=True)
                if kinds and mark is not None and not has_owner_mark(self._db, mark):
                    raise UntrustedState(str(path.parent.parent), str(path))
                ((mode,),) = self._db.execute("PRAGMA journal_mode")
                if mode != "wal":
                    self._turn_on_wal()
                self._db.execute("PRAGMA synchronous = NORMAL")
                ((version,),) = self._db.execute("PRAGMA user_version")
                if not version:
                    self._make_tables(mark)
                elif version > SCHEMA_VERSION:
                    raise StateFailed(path, "a newer ticketr wrote it")
                elif 0 < version < SCHEMA_VERSION:
                    problem = "an older ticketr wrote it, and this one cannot read it"
                    raise StateFailed(path, problem, is_damaged=True)
                stack.pop_all()  # so that it stays open
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _failure(self, error: sqlite3.Error) -> StateFailed:
        """Return what to raise for an error of SQLite."""
        name = getattr(error, "sqlite_errorname", "")
        if not name and isinstance(error, sqlite3.OperationalError):  # a text is not UTF-8
            return StateFailed(self._path, _NOT_TICKETR_DATA_REASON, is_damaged=True)
        words = (words for start, words in _REASON_BY_ERROR_NAME.items() if name.startswith(start))
        reason = next(words, str(error))
        return StateFailed(self._path, reason, name.startswith(_DAMAGE_ERROR_NAMES))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def read(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """Run a query and return its rows; bytes, which ticketr never writes, are an error."""
        try:
            with self._lock:
                rows = self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise self._failure(error) from error
        if any(bytes in map(type, row) for row in rows):
            raise StateFailed(self._path, _NOT_TICKETR_DATA_REASON, is_damaged=True)
        return rows

    def write(self, statement: str, values: Sequence[object] = ()) -> int:
        """Run a statement and return the number of rows that it changed."""
        try:
            with self._lock:
                return self._db.execute(statement, values).rowcount
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def write_all(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement once for each row of values."""
        try:
            with self._lock:
                self._db.executemany(statement, rows)
        except sqlite3.Error as error:
            raise self._failure(error) from error

    @contextmanager
    def batch(self) -> Generator[None]:
        """Run everything inside in one transaction."""
        with self._lock:
            self.write("BEGIN IMMEDIATE")
            try:
                yield
                self.write("COMMIT")
            except BaseException:
                # SQLite ends the transaction itself if the disk is full.
                if self._db.in_transaction:
                    self.write("ROLLBACK")
                raise

    @contextmanager
    def durable_batch(self) -> Generator[None]:
        """Run everything inside in one transaction that survives a loss of power.

        This is for what cannot be fetched again: the requests for new issues.
        """
        with self._lock:
            self.write("PRAGMA synchronous = FULL")
            try:
                with self.batch():
                    yield
            finally:
                self.write("PRAGMA synchronous = NORMAL")

    def add_owner_mark(self, mark: str) -> None:
        """Add a mark to the file; it may have several."""
        try:
            with self._lock:
                add_owner_mark(self._db, mark)
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _turn_on_wal(self) -> None:
        """Turn the write-ahead log on, as a new file does once.

        SQLite does not wait for another connection that does so just now.
        """
        for attempt in range(_ATTEMPTS):
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(_PAUSE)  # noqa: TID251 - on a worker thread
            else:
                return

    def _make_tables(self, mark: str | None) -> None:
        """Make the tables of a new file, with its mark in the same transaction."""
        assert mark is None or mark.isalnum()
        sign = f"INSERT INTO mark VALUES ('{mark}');" if mark is not None else ""  # noqa: S608 - digits
        try:
            with closing(self._db.cursor()) as cursor:
                cursor.executescript(
                    f"BEGIN IMMEDIATE; {SCHEMA}{sign}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
                )
        except sqlite3.OperationalError:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            ((version,),) = self._db.execute("PRAGMA user_version")
            if not version:  # else another process has made them first
                raise

    @contextmanager
    def convert_value_errors(self) -> Generator[None]:
        """Raise `StateFailed` if the block finds a value that ticketr does not write."""
        try:
            yield
        except _BAD_STORED_VALUE_ERRORS as error:
            raise StateFailed(self._path, _NOT_TICKETR_DATA_REASON, is_damaged=True) from error


@dataclass(eq=False)
class Table:
    """The reads and writes of one table of a state file."""

    _db: Database
