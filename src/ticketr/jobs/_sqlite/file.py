"""The file of a store: an SQLite database in WAL mode with one owner. All of it blocks.

A transaction with new jobs is flushed to the disk before it counts as written
(``synchronous=FULL``). One without is not: it survives the end of the process, and all that the
machine's failure can undo is that a job runs again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, final

from ticketr._errors import StoreFailed
from ticketr.jobs._sqlite.database import (
    Identity,
    Schema,
    check_lock,
    connect,
    named_errors,
    refuse_shared,
    take_lock,
    unlock,
)
from ticketr.jobs._sqlite.rows import JobRow, RepeatRow

if TYPE_CHECKING:
    import sqlite3

    from ticketr.jobs._sqlite.writer import Batch


# What is in ``job`` is dropped at the end of a job, unless it failed: it may be retried. A link says that a job starts after
# another; it is deleted when that one no longer keeps it from starting.
SCHEMA: Final = Schema(
    "the store of a queue's jobs",
    0x746B6A73,
    frozenset({"jobs", "links", "repeats"}),
    (
        """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    codec TEXT NOT NULL,
    job BLOB,
    key BLOB,
    options TEXT NOT NULL,
    submitted_at REAL NOT NULL,
    start_by REAL,
    scheduled_at REAL,
    kills INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL DEFAULT 'pending',
    priority INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    uncounted INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL DEFAULT 0,
    started_at REAL,
    total_ends_at REAL,
    finished_at REAL,
    cancel_cause TEXT,
    error TEXT,
    result BLOB
)
""",
        "CREATE INDEX ended_jobs ON jobs (finished_at) WHERE finished_at IS NOT NULL",
        """
CREATE TABLE links (
    job INTEGER NOT NULL,
    predecessor INTEGER NOT NULL,
    any_end INTEGER NOT NULL,
    PRIMARY KEY (job, predecessor)
) WITHOUT ROWID
""",
        "CREATE INDEX links_by_predecessor ON links (predecessor)",
        """
CREATE TABLE repeats (
    id TEXT PRIMARY KEY,
    codec TEXT NOT NULL,
    job BLOB NOT NULL,
    key BLOB,
    options TEXT NOT NULL,
    priority INTEGER NOT NULL,
    every TEXT NOT NULL,
    first_at REAL NOT NULL,
    due_at REAL NOT NULL,
    is_due_used INTEGER NOT NULL,
    is_paused INTEGER NOT NULL,
    runs INTEGER NOT NULL,
    missed INTEGER NOT NULL
)
""",
    ),
)

PAGE: Final = 50
"""How many jobs are read, and loaded, without a checkpoint."""

INSERT_JOB: Final = (
    "INSERT INTO jobs (number, id, codec, job, key, options, submitted_at, start_by, scheduled_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
UPDATE_JOB: Final = (
    "UPDATE jobs SET status = ?, priority = ?, attempts = ?, uncounted = ?, due_at = ?,"
    " started_at = ?, total_ends_at = ? WHERE number = ? AND finished_at IS NULL"
)
END_JOB: Final = (
    "UPDATE jobs SET status = ?, attempts = ?, finished_at = ?, cancel_cause = ?, error = ?,"
    " result = ?, job = CASE ? WHEN 'failed' THEN job END WHERE number = ? AND finished_at IS NULL"
)
SELECT_JOBS: Final = (
    f"SELECT {', '.join(JobRow._fields)} FROM jobs WHERE number > ? ORDER BY number LIMIT ?"  # noqa: S608 - constants
)
SELECT_LINKS: Final = (
    "SELECT job, predecessor FROM links WHERE job > ? AND job <= ? ORDER BY job, predecessor"
)
INSERT_LINK: Final = "INSERT OR IGNORE INTO links (job, predecessor, any_end) VALUES (?, ?, ?)"
DELETE_LINKS: Final = (
    "DELETE FROM links WHERE job = ? OR (predecessor = ? AND (any_end OR ? = 'completed'))"
)
REPLACE_REPEAT: Final = (
    "INSERT OR REPLACE INTO repeats VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
DELETE_OLD: Final = "DELETE FROM jobs WHERE finished_at < ?"
DELETE_SURPLUS: Final = (
    "DELETE FROM jobs WHERE number IN (SELECT number FROM jobs WHERE finished_at IS NOT NULL"
    " ORDER BY finished_at DESC, number DESC LIMIT -1 OFFSET ?)"
)
COUNT_ENDED: Final = "SELECT count(*) FROM jobs WHERE finished_at IS NOT NULL"


class Contents(NamedTuple):
    """What is in a file, with the first of its jobs (see :meth:`StoreFile.jobs_after`)."""

    jobs: list[tuple[JobRow, list[int]]]
    repeats: list[RepeatRow]
    next_number: int


@final
class StoreFile:
    """The open file of a store.

    Args:
        path: The file.
        max_ended: The most jobs to keep that have ended.
        max_age: The age in seconds beyond which a job that has ended is dropped.
        may_be_shared: Whether to take a file that others can write.
    """

    def __init__(
        self, path: Path, *, max_ended: float, max_age: float, may_be_shared: bool
    ) -> None:
        self._path = path
        self._max_ended = max_ended
        self._max_age = max_age
        self._may_be_shared = may_be_shared
        self._db: sqlite3.Connection | None = None
        self._identity: Identity | None = None
        self._ended = 0

    def open(self, now: float) -> Contents:
        """Lock the file, check it, and return what is in it.

        A job that was running when its process ended is pending again, with one kill more.

        Args:
            now: The time on the wall clock.

        Raises:
            StoreInUse: Another queue has the file open.
            StoreFailed: It cannot be used.
        """
        with named_errors(self._path, StoreFailed):
            self._path = Path(os.path.realpath(self._path))  # all links to it have one lock
            self._identity = take_lock(self._path)
            if not self._may_be_shared:
                refuse_shared(self._path)
            db = self._db = connect(self._path, SCHEMA)
            problem = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if problem != "ok":
                raise OSError(f"it is damaged ({problem}): move it away, or restore a copy")
            db.execute("BEGIN IMMEDIATE")
            db.execute(
                "UPDATE jobs SET status = 'pending', kills = kills + 1 WHERE status = 'running'"
            )
            self._trim(db, now, db.execute(COUNT_ENDED).fetchone()[0])
            db.execute("COMMIT")
            self._ended = db.execute(COUNT_ENDED).fetchone()[0]
            rows = db.execute("SELECT * FROM repeats ORDER BY rowid")
            repeats = [RepeatRow(*row) for row in rows]
            (last,) = db.execute("SELECT max(seq) FROM sqlite_sequence").fetchone()
            return Contents(self.jobs_after(0), repeats, (last or 0) + 1)

    def jobs_after(self, number: int, limit: int = PAGE) -> list[tuple[JobRow, list[int]]]:
        """Return the next jobs after one of this number, with the numbers of their predecessors.

        They are limited: all of them at once would hold up Trio's thread.

        Raises:
            StoreFailed: They cannot be read.
        """
        assert self._db is not None  # it was opened
        with named_errors(self._path, StoreFailed):
            rows = [JobRow(*row) for row in self._db.execute(SELECT_JOBS, (number, limit))]
            predecessors: dict[int, list[int]] = {row.number: [] for row in rows}
            links = self._db.execute(SELECT_LINKS, (number, rows[-1].number if rows else number))
            for job, predecessor in links:
                predecessors.get(job, []).append(predecessor)
            return [(row, predecessors[row.number]) for row in rows]

    def write(self, batch: Batch, now: float) -> None:
        """Write changes in one transaction.

        Raises:
            StoreFailed: Nothing was written.
        """
        db, identity = self._db, self._identity
        assert db is not None  # it was opened
        assert identity is not None
        with named_errors(self._path, StoreFailed):
            check_lock(self._path, identity)
            db.execute(f"PRAGMA synchronous = {'FULL' if batch.new else 'NORMAL'}")
            try:
                db.execute("BEGIN IMMEDIATE")
                ended = self._ended + _write(db, batch)
                ended -= self._trim(db, now, ended)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            self._ended = ended

    def close(self) -> None:
        """Close the file and free it for others; never raises."""
        with suppress(Exception):
            if self._db is not None:
                self._db.close()
        self._db = None
        if self._identity is not None:
            unlock(self._identity)
        self._identity = None

    def _trim(self, db: sqlite3.Connection, now: float, ended: float) -> int:
        """Drop the ended jobs that are too old, or too many by a sixteenth; return their number."""
        dropped = db.execute(DELETE_OLD, (now - self._max_age,)).rowcount
        if ended - dropped > self._max_ended * 17 / 16:
            dropped += db.execute(DELETE_SURPLUS, (int(self._max_ended),)).rowcount
        return dropped


def _write(db: sqlite3.Connection, batch: Batch) -> int:
    """Write changes; return how many more jobs have ended."""
    ended = 0
    rows = batch.new.values()
    db.executemany(INSERT_JOB, [row for row, _ in rows])
    links = [(row[0], *link) for row, predecessors in rows for link in predecessors.items()]
    db.executemany(INSERT_LINK, links)
    db.executemany(UPDATE_JOB, [(*values, number) for number, values in batch.live.items()])
    superseded = (ends.items() for _, ends in batch.superseded.values())
    for number, values in chain(batch.ended.items(), *superseded):
        ended += db.execute(END_JOB, (*values, values[0], number)).rowcount
        db.execute(DELETE_LINKS, (number, number, values[0]))
    for number in batch.discarded:
        db.execute("DELETE FROM jobs WHERE number = ?", (number,))
        db.execute("DELETE FROM links WHERE job = ?", (number,))
    for repeat_id, repeat in batch.repeats.items():
        if repeat is None:
            db.execute("DELETE FROM repeats WHERE id = ?", (repeat_id,))
        else:
            db.execute(REPLACE_REPEAT, repeat)
    return ended
