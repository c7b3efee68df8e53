"""Store a site in a SQLite file, which survives a kill of the process.

Each change is one transaction, committed in the Trio thread before the change becomes
visible. With write-ahead logging a commit appends to a file, which takes about 50
microseconds, less than a switch to a worker thread; and a response or another change cannot
overtake it. Only a power cut can lose the last commits.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from jira_sandbox.data import catalogue
from jira_sandbox.data.changes import Counters
from jira_sandbox.data.codec import Decoder, to_text
from jira_sandbox.data.registry import Registry, key_of
from jira_sandbox.errors import DataFailed

if TYPE_CHECKING:
    from jira_sandbox.data.changes import SiteChange
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.model import User

#: Marks a SQLite file as a sandbox's site.
_APPLICATION_ID: Final = 0x7469636B
_VERSION: Final = 2
_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS issue (id INTEGER PRIMARY KEY, record TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS attachment (id INTEGER PRIMARY KEY, content BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS record (
        kind TEXT, id INTEGER, record TEXT NOT NULL, PRIMARY KEY (kind, id)
    ) WITHOUT ROWID;
"""
#: Seconds; a sandbox whose parent was killed needs a moment to end.
_LOCK_TIMEOUT: Final = 2.0
_COUNTERS: Final = "counters"


@dataclass(frozen=True, slots=True)
class StoredSite:
    """What the file of a site holds.

    Attributes:
        issues: The issues in ascending order of their IDs.
        counters: The last assigned ID and numbers.
        contents: The bytes of the attachments, by their IDs.
        registry: The components, versions and sprints.
    """

    issues: list[Issue]
    counters: Counters
    contents: dict[int, bytes]
    registry: Registry


class SiteFile:
    """The file of a site, locked by this process until it is closed.

    The methods raise `DataFailed` if the file cannot be read or written.

    Args:
        path: The file, which is created if it does not exist.
        users: Users besides those in the catalogue.

    Attributes:
        path: The file.

    Raises:
        DataFailed: The file cannot be opened, is locked by another process, or is not a site.
    """

    def __init__(self, path: Path, users: Iterable[User] = ()) -> None:
        self.path = path
        self._users = {user.account_id: user for user in (*catalogue.USERS, *users)}
        with self._errors():
            self._db = sqlite3.connect(path, timeout=_LOCK_TIMEOUT, isolation_level=None)
            try:
                self._open()
            except BaseException:
                self._db.close()
                raise

    def _open(self) -> None:
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        owner, version = self._pragma("application_id"), self._pragma("user_version")
        is_new = owner == 0 and not self._db.execute("SELECT 1 FROM sqlite_master").fetchone()
        if owner != _APPLICATION_ID and not is_new:
            raise DataFailed(self.path, "it is not the file of a sandbox's site")
        if version > _VERSION:
            raise DataFailed(self.path, "a newer jira-sandbox wrote it")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        with self._transaction():  # locks the file until it is closed
            pass
        if version < _VERSION:
            self._make_tables()

    def _make_tables(self) -> None:
        """Make the tables that are missing: all of them, or those that an old file lacks."""
        with self._transaction():
            for statement in _SCHEMA.split(";"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            self._db.execute(f"PRAGMA user_version = {_VERSION}")

    def _pragma(self, name: str) -> int:
        value: int = self._db.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._errors():
            self._db.close()

    def read_fact(self, name: str) -> str | None:
        """Read a fact about the site; None if it was never written."""
        with self._errors():
            row = self._db.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def write_fact(self, name: str, value: str) -> None:
        """Write a fact about the site."""
        with self._errors():
            self._write_fact(name, value)

    @property
    def has_site(self) -> bool:
        """Whether the file holds a site."""
        return self.read_fact(_COUNTERS) is not None

    def create(
        self,
        issues: Iterable[Issue],
        facts: Mapping[str, str],
        contents: Mapping[int, bytes] | None = None,
    ) -> None:
        """Write a new site in one transaction.

        Args:
            issues: The site's issues.
            contents: The bytes of the attachments, by their IDs.
            facts: Facts about the site, such as its seed, by name.
        """
        counters = Counters()
        with self._errors(), self._transaction():
            for issue in issues:
                counters = counters.after(issue)
                self._write_issue(issue)
            self._write_contents(contents or {})
            for name, value in facts.items():
                self._write_fact(name, value)
            self._write_counters(counters)

    def load(self) -> StoredSite:
        """Read the site."""
        with self._errors():
            records = self._db.execute("SELECT kind, id, record FROM record").fetchall()
            rows = self._db.execute("SELECT record FROM issue ORDER BY id").fetchall()
            contents = dict(self._db.execute("SELECT id, content FROM attachment"))
        try:
            counters = Counters(**json.loads(self.read_fact(_COUNTERS) or "{}"))
            plain = Decoder(self._users, Registry())
            registry = Registry(
                {(kind, key): plain.record(kind, json.loads(text)) for kind, key, text in records}
            )
            decoder = Decoder(self._users, registry)
            issues = [decoder.issue(json.loads(row[0])) for row in rows]
            return StoredSite(issues, counters, contents, registry)
        except (KeyError, TypeError, ValueError) as error:
            problem = f"its records cannot be read ({type(error).__name__}: {error})"
            raise DataFailed(self.path, problem) from error

    def save(self, change: SiteChange) -> None:
        """Write one change in one transaction."""
        with self._errors(), self._transaction():
            for issue in change.put:
                self._write_issue(issue)
            self._write_records(change)
            removed = [(issue_id,) for issue_id in change.removed]
            self._db.executemany("DELETE FROM issue WHERE id = ?", removed)
            self._write_contents(change.contents)
            gone = [(attachment,) for attachment in change.removed_contents]
            self._db.executemany("DELETE FROM attachment WHERE id = ?", gone)
            self._write_counters(change.counters)

    def _write_contents(self, contents: Mapping[int, bytes]) -> None:
        self._db.executemany("INSERT INTO attachment VALUES (?, ?)", contents.items())

    def _write_records(self, change: SiteChange) -> None:
        rows = [(*key_of(each), to_text(each)) for each in change.records]
        rows += [(*key, "null") for key in change.removed_records]
        self._db.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", rows)

    def _write_issue(self, issue: Issue) -> None:
        row = (issue.id, to_text(issue))
        self._db.execute("INSERT OR REPLACE INTO issue VALUES (?, ?)", row)

    def _write_counters(self, counters: Counters) -> None:
        value = {**asdict(counters), "numbers": dict(counters.numbers)}
        self._write_fact(_COUNTERS, json.dumps(value))

    def _write_fact(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # SQLite itself rolls back if the disk is full
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _errors(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            busy = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
            problem = "another sandbox has it open" if busy else str(error)
            raise DataFailed(self.path, problem) from error
