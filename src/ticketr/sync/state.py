"""What was true at the last sync: one SQLite file in the workspace.

Everything here is synchronous and belongs on a worker thread. Writers hold the workspace's lock;
readers need none, since SQLite's write-ahead log gives each of them one consistent moment.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING

from ticketr.jira import Issue
from ticketr.sync.errors import OtherSite, StateFailed

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence
    from pathlib import Path

#: One script for each version of the schema, applied in order; ``user_version`` counts them.
MIGRATIONS = (
    """
    CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE issue (
        id TEXT PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        head TEXT NOT NULL,     -- ID of the issue whose ticket it stands in; its own or its parent's
        updated TEXT NOT NULL,  -- Jira's own words for its last change
        fields TEXT NOT NULL,   -- JSON of what was pulled, the description's ADF to the letter
        exact INTEGER NOT NULL, -- 0: the description in the file is not all of the ADF
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
    """,
)


@dataclass(frozen=True, slots=True)
class Known:
    """What the state knows of an issue without reading all of it.

    Attributes:
        id: Jira's ID.
        key: its key when it was last seen.
        head: the ID of the issue whose ticket it stands in.
        updated: its last change, in Jira's words.
        seen: Jira's clock, in seconds since the epoch, when the pull that last confirmed it began.
        stale: whether Jira has a newer version that was not taken, since the file was edited.
    """

    id: str
    key: str
    head: str
    updated: str
    seen: float
    stale: bool


@dataclass(frozen=True, slots=True)
class Base:
    """A ticket as it was last written.

    Attributes:
        path: its file, relative to the workspace.
        text: its text, with LF line ends.
    """

    path: str
    text: str


class State:
    """The state file of one workspace, open for one job.

    Args:
        path: the SQLite file.

    Raises:
        StateFailed: it is damaged, newer than this program, or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # One family is read while another is written, in two threads: they take turns.
        self._turn = RLock()
        with self._errors():
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = NORMAL")
                self._migrate()
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Close the file."""
        with self._errors():
            self._db.close()

    def check_site(self, root: Path, url: str) -> None:
        """See that this workspace belongs to a Jira site, or to none yet.

        Raises:
            OtherSite: it belongs to another one.
        """
        with self._errors():
            found = self._db.execute("SELECT value FROM about WHERE name = 'site'").fetchone()
        if found is not None and found[0] != url:
            raise OtherSite(root, found[0], url)

    def claim_site(self, url: str) -> None:
        """Remember the Jira site that this workspace belongs to from now on."""
        with self._errors():
            self._db.execute("INSERT OR REPLACE INTO about VALUES ('site', ?)", (url,))

    def known(self) -> dict[str, Known]:
        """Read what is known of every issue, by ID."""
        query = "SELECT id, key, head, updated, seen, stale FROM issue"
        with self._errors():
            rows = self._db.execute(query).fetchall()
        return {row[0]: Known(row[0], row[1], row[2], row[3], row[4], bool(row[5])) for row in rows}

    def issues_of(self, head: str) -> list[Issue]:
        """Read the issues that stand in one ticket, as they were last written."""
        query = "SELECT id, key, fields FROM issue WHERE head = ?"
        with self._errors():
            rows = self._db.execute(query, (head,)).fetchall()
            return [Issue(id=row[0], key=row[1], fields=json.loads(row[2])) for row in rows]

    def base(self, head: str) -> Base | None:
        """Read a ticket as it was last written, or None for one that never was."""
        query = "SELECT path, text FROM ticket WHERE head = ?"
        with self._errors():
            row = self._db.execute(query, (head,)).fetchone()
        return Base(*row) if row else None

    def record(
        self,
        head: str,
        base: Base,
        issues: Sequence[tuple[Issue, str, bool]],
        *,
        seen: float,
    ) -> None:
        """Remember a ticket that was just written, all of it or nothing.

        Args:
            head: the ID of its head.
            base: where and what was written.
            issues: each issue with its ``updated`` and whether its description is exact.
            seen: Jira's clock when this pull began.
        """
        rows = [
            (issue.id, issue.key, head, updated, json.dumps(issue.fields), exact, seen)
            for issue, updated, exact in issues
        ]
        with self._errors():
            self._db.executemany(
                "INSERT OR REPLACE INTO issue (id, key, head, updated, fields, exact, seen)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            self._db.execute(
                "INSERT OR REPLACE INTO ticket VALUES (?, ?, ?)", (head, base.path, base.text)
            )
            self.forget_intended(head)

    def intend(self, head: str, text: str) -> None:
        """Remember a text that is about to be written; `record` forgets it again."""
        with self._errors():
            self._db.execute("INSERT OR IGNORE INTO intended VALUES (?, ?)", (head, text))

    def intended(self, head: str) -> list[str]:
        """Read the texts of a ticket that may stand in its file though nothing recorded them."""
        query = "SELECT text FROM intended WHERE head = ?"
        with self._errors():
            return [row[0] for row in self._db.execute(query, (head,)).fetchall()]

    def forget_intended(self, head: str) -> None:
        """Forget those texts, since what stands in the file is known now."""
        with self._errors():
            self._db.execute("DELETE FROM intended WHERE head = ?", (head,))

    def mark_stale(self, ids: Iterable[str]) -> None:
        """Remember that Jira has newer versions that were not taken."""
        with self._errors():
            self._db.executemany(
                "UPDATE issue SET stale = 1 WHERE id = ?", [(each,) for each in ids]
            )

    def confirm(self, ids: Iterable[str], *, seen: float) -> None:
        """Remember that these issues were found up to date by a pull that began at ``seen``."""
        with self._errors(), self._transaction():
            self._db.executemany(
                "UPDATE issue SET seen = ? WHERE id = ? AND stale = 0 AND seen < ?",
                [(seen, each, seen) for each in ids],
            )

    @contextmanager
    def batch(self) -> Generator[None]:
        """Make everything recorded inside one transaction."""
        with self._errors(), self._transaction():
            yield

    def _migrate(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise StateFailed(self._path, "a newer ticketr wrote it")
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            with closing(self._db.cursor()) as cursor:
                cursor.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT;")

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # SQLite ends it by itself where the disk is full
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _errors(self) -> Generator[None]:
        try:
            with self._turn:
                yield
        except sqlite3.Error as error:
            raise StateFailed(self._path, str(error)) from error
