"""The file of a store: an SQLite database in WAL mode with one owner. All of it blocks.

A lock on the file itself keeps other queues out, so that no file can be deleted to get two. It is
an ``flock``, which SQLite does not use: closing another descriptor of the file does not free it,
and readers are not kept out. The kernel frees it with the process; a forked child does not keep it.
While a process has the lock, it closes no other descriptor of the file, which would free the locks
that SQLite has on it. Beyond Linux ``flock`` and SQLite disturb each other, so there a file beside
it is locked. A transaction with new
jobs is flushed to the disk before it counts as written (``synchronous=FULL``). One without is not:
it survives the end of the process, and all that the machine's failure can undo is that a job runs
again.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, final

from ticketr._errors import StoreFailed, StoreInUse
from ticketr.jobs._sqlite.history import table_names
from ticketr.jobs._sqlite.store_repeats import RepeatRow
from ticketr.jobs._sqlite.store_rows import COLUMNS, JobRow

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Generator, Mapping

    from ticketr.jobs._sqlite.store_rows import EndValues, LiveValues, NewRow


# Of a job that has ended, what is in ``job`` is dropped.
JOBS: Final = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    codec TEXT NOT NULL,
    job BLOB,
    key BLOB,
    options TEXT NOT NULL,
    submitted_at REAL NOT NULL,
    start_by REAL,
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
"""
# A link says that a job starts after another; it is deleted when that one no longer keeps it from
# starting.
LINKS: Final = """
CREATE TABLE links (
    job INTEGER NOT NULL,
    predecessor INTEGER NOT NULL,
    any_end INTEGER NOT NULL,
    PRIMARY KEY (job, predecessor)
) WITHOUT ROWID
"""
REPEATS: Final = """
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
"""
TABLES: Final = frozenset({"jobs", "links", "repeats"})
MIGRATIONS: Final[list[tuple[str, ...]]] = [
    (
        JOBS,
        "CREATE INDEX ended_jobs ON jobs (finished_at) WHERE finished_at IS NOT NULL",
        LINKS,
        "CREATE INDEX links_by_predecessor ON links (predecessor)",
        REPEATS,
    ),
]
"""The statements from each schema version to the next; a new file has version 0."""


BUSY_SECONDS: Final = 5.0
"""How long to wait for another process that reads, in seconds."""

INSERT_JOB: Final = (
    "INSERT INTO jobs (number, id, codec, job, key, options, submitted_at, start_by)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
UPDATE_JOB: Final = (
    "UPDATE jobs SET status = ?, priority = ?, attempts = ?, uncounted = ?, due_at = ?,"
    " started_at = ?, total_ends_at = ? WHERE number = ? AND finished_at IS NULL"
)
END_JOB: Final = (
    "UPDATE jobs SET status = ?, attempts = ?, finished_at = ?, cancel_cause = ?, error = ?,"
    " result = ?, job = NULL WHERE number = ? AND finished_at IS NULL"
)
SELECT_JOBS: Final = (
    f"SELECT {', '.join(COLUMNS)} FROM jobs WHERE number > ? ORDER BY number LIMIT ?"  # noqa: S608 - constants
)
SELECT_LINKS: Final = (
    "SELECT job, predecessor FROM links WHERE job > ? AND job <= ? ORDER BY job, predecessor"
)
PAGE: Final = 50
"""How many jobs are read, and loaded, without a checkpoint."""
INSERT_LINK: Final = "INSERT OR IGNORE INTO links (job, predecessor, any_end) VALUES (?, ?, ?)"
DELETE_LINKS: Final = (
    "DELETE FROM links WHERE job = :job OR (predecessor = :job AND (any_end OR :is_completed))"
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


class Changes(NamedTuple):
    """What one transaction writes, by the number of the job or the ID of the repeat."""

    new: Mapping[int, NewRow]
    live: Mapping[int, LiveValues]
    ended: Mapping[int, EndValues]
    repeats: Mapping[str, RepeatRow | None]
    discarded: Collection[int]


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
        with self._named_errors():
            self._path = Path(os.path.realpath(self._path))  # all links to it have one lock
            self._take_lock()
            self._check_identity()
            if not self._may_be_shared:
                self._check_owner()
            self._db = self._connect()
            self._check(self._db)
            self._migrate(self._db)
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "UPDATE jobs SET status = 'pending', kills = kills + 1 WHERE status = 'running'"
            )
            self._trim(self._db, now, self._db.execute(COUNT_ENDED).fetchone()[0])
            self._db.execute("COMMIT")
            return self._contents(self._db)

    def jobs_after(self, number: int) -> list[tuple[JobRow, list[int]]]:
        """Return the next jobs after one of this number, with the numbers of their predecessors.

        They are at most ``PAGE``: all of them at once would hold up Trio's thread.

        Raises:
            StoreFailed: They cannot be read.
        """
        assert self._db is not None  # it was opened
        with self._named_errors():
            rows = [JobRow(*row) for row in self._db.execute(SELECT_JOBS, (number, PAGE))]
            predecessors: dict[int, list[int]] = {row.number: [] for row in rows}
            links = self._db.execute(SELECT_LINKS, (number, rows[-1].number if rows else number))
            for job, predecessor in links:
                predecessors.get(job, []).append(predecessor)
            return [(row, predecessors[row.number]) for row in rows]

    def write(self, changes: Changes, now: float) -> None:
        """Write changes in one transaction.

        Raises:
            StoreFailed: Nothing was written.
        """
        db = self._db
        assert db is not None  # it was opened
        with self._named_errors():
            self._check_identity()
            db.execute(f"PRAGMA synchronous = {'FULL' if changes.new else 'NORMAL'}")
            try:
                db.execute("BEGIN IMMEDIATE")
                ended = self._ended + self._write(db, changes)
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
        if self._identity is not None and (lock := LOCKS.pop(self._identity, None)) is not None:
            with suppress(OSError):
                unlock(lock)
            with suppress(OSError):
                os.close(lock)
        self._identity = None

    # Opening

    def _take_lock(self) -> None:
        """Create the file if there is none, and lock it."""
        with _locks_change:
            if not self._path.exists():  # SQLite gives its log files the same permissions
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            status = self._path.stat()
            identity = status.st_dev, status.st_ino
            if identity in LOCKS:
                raise StoreInUse(str(self._path), os.getpid())
            is_linux = sys.platform == "linux"
            path = self._path if is_linux else self._path.with_name(self._path.name + ".lock")
            descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
            try:
                lock(descriptor)
            except OSError:
                os.close(descriptor)
                raise StoreInUse(str(self._path), lock_owner(status)) from None
            LOCKS[identity] = descriptor
            self._identity = identity

    def _check_owner(self) -> None:
        """Refuse a file, or a log of it, that others can write."""
        if sys.platform == "win32":
            return
        for suffix in ("", "-wal", "-shm", "-journal"):
            path = self._path.with_name(self._path.name + suffix)
            if not path.exists():
                continue
            status = path.stat()
            if status.st_uid != os.geteuid() or status.st_mode & 0o022:
                name = "it" if not suffix else path.name
                raise OSError(
                    f"others can write {name}, and a row says what to call. Give the file to this"
                    " user, and take write permission from group and others; or name the functions"
                    " that may be called, as SqliteStore(functions=[...]), with codec='json'"
                )

    def _connect(self) -> sqlite3.Connection:
        import sqlite3  # noqa: PLC0415 - slow to import, and needed only with a store

        # Its threads use it one after the other.
        address = f"{self._path.as_uri()}?mode=rw"
        return sqlite3.connect(
            address,
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )

    def _check(self, db: sqlite3.Connection) -> None:
        found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise OSError(f"it is damaged ({found}): move it away, or restore a copy")
        if db.execute("SELECT 1 FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchone():
            raise OSError("it has triggers or views, which a store of jobs never has")
        tables = table_names(db)
        if tables and not tables >= TABLES:
            raise OSError(
                "it is the database of another program, or the history of a queue. Give the store a"
                " file of its own"
            )

    def _migrate(self, db: sqlite3.Connection) -> None:
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            raise OSError("a newer version of ticketr wrote it")
        if version < len(MIGRATIONS):
            db.execute("BEGIN IMMEDIATE")
            for statements in MIGRATIONS[version:]:
                for statement in statements:
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
            db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = WAL")  # last, so that a refused file stays as it is

    def _contents(self, db: sqlite3.Connection) -> Contents:
        self._ended = db.execute(COUNT_ENDED).fetchone()[0]
        repeats = [RepeatRow(*row) for row in db.execute("SELECT * FROM repeats ORDER BY rowid")]
        (last,) = db.execute("SELECT max(seq) FROM sqlite_sequence").fetchone()
        return Contents(self.jobs_after(0), repeats, (last or 0) + 1)

    # Writing

    def _write(self, db: sqlite3.Connection, changes: Changes) -> int:
        """Write changes; return how many more jobs have ended."""
        ended = 0
        if changes.new:
            rows = changes.new.values()
            db.executemany(INSERT_JOB, [row[:8] for row in rows])
            links = [(r.number, *link) for r in rows for link in r.predecessors.items()]
            db.executemany(INSERT_LINK, links)
        db.executemany(UPDATE_JOB, [(*values, n) for n, values in changes.live.items()])
        for number, values in changes.ended.items():
            is_completed = values.status == "completed"
            ended += db.execute(END_JOB, (*values, number)).rowcount
            db.execute(DELETE_LINKS, {"job": number, "is_completed": is_completed})
        for number in changes.discarded:
            db.execute("DELETE FROM jobs WHERE number = ?", (number,))
            db.execute("DELETE FROM links WHERE job = ?", (number,))
        for repeat_id, repeat in changes.repeats.items():
            if repeat is None:
                db.execute("DELETE FROM repeats WHERE id = ?", (repeat_id,))
            else:
                db.execute(REPLACE_REPEAT, repeat)
        return ended

    def _trim(self, db: sqlite3.Connection, now: float, ended: float) -> int:
        """Drop the ended jobs that are too old, or too many by a sixteenth; return their number."""
        dropped = db.execute(DELETE_OLD, (now - self._max_age,)).rowcount
        if ended - dropped > self._max_ended * 17 / 16:
            dropped += db.execute(DELETE_SURPLUS, (int(self._max_ended),)).rowcount
        return dropped

    def _check_identity(self) -> None:
        found = os.stat(self._path)  # noqa: PTH116 - it is quicker
        if (found.st_dev, found.st_ino) != self._identity:
            raise OSError("the file was replaced since it was opened")
        if self._identity not in LOCKS:
            raise OSError("this process was forked from the one that has it open")

    @contextmanager
    def _named_errors(self) -> Generator[None, None, None]:
        import sqlite3  # noqa: PLC0415 - the same

        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as error:
            raise StoreFailed(str(self._path), str(error)) from error


Identity: TypeAlias = tuple[int, int]
LOCKS: Final[dict[Identity, int]] = {}
"""The descriptors of the locks that this process has, by the device and number of the file."""
_locks_change = threading.Lock()


def _close_in_child() -> None:
    """Leave the locks to the process that was forked."""
    for descriptor in LOCKS.values():
        os.close(descriptor)
    LOCKS.clear()
    _locks_change.release()


if sys.platform != "win32":
    os.register_at_fork(
        before=_locks_change.acquire,
        after_in_parent=_locks_change.release,
        after_in_child=_close_in_child,
    )


def lock_owner(status: os.stat_result) -> int | None:
    """Return the process that has a file locked; None if the system does not tell."""
    if sys.platform != "linux":  # pragma: no cover - Linux runs the tests
        return None
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    with suppress(OSError):
        for line in Path("/proc/locks").read_text("ascii").splitlines():
            words = line.split()
            if words[1] == "FLOCK" and words[5] == device:
                return int(words[4])
    return None


if sys.platform == "win32":  # pragma: no cover - POSIX runs the tests

    def lock(descriptor: int) -> None:
        """Lock a file until it is closed, or raise OSError if it is locked."""
        import msvcrt  # noqa: PLC0415 - of this system alone

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def unlock(descriptor: int) -> None:
        """Unlock a file, which closing it does here."""

else:

    def lock(descriptor: int) -> None:
        """Lock a file until it is closed, or raise OSError if it is locked."""
        import fcntl  # noqa: PLC0415 - of these systems alone

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def unlock(descriptor: int) -> None:
        """Unlock a file also for processes that were forked meanwhile, which have it open, too."""
        import fcntl  # noqa: PLC0415 - of these systems alone

        fcntl.flock(descriptor, fcntl.LOCK_UN)


__all__ = ["Changes", "Contents", "StoreFile"]
