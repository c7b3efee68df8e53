"""Histories of finished jobs, which outlive the queue.

The file of a ``SqliteHistory`` is an SQLite database in WAL mode. Any number of processes can read
it while others write. What was written stays when a process is killed. Each call opens the file in
a thread, so no connection has to be closed or shared between threads, and a call finds the file
that is there now. The queue writes jobs in batches, so opening costs little.

A job that is written twice is kept once. So the queue repeats a write that was cancelled, which may
or may not have happened.
"""

from __future__ import annotations

import logging
import os
import reprlib
import sys
import time
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar, cast, final

import trio

from ticketr._errors import HistoryFailed
from ticketr.jobs._job import JobStatus
from ticketr.jobs._sqlite.finished import (
    COLUMNS,
    NULL,
    PLAIN_COLUMNS,
    PLAIN_VALUES,
    FinishedBatch,
    clipped,
    job_of_stored_row,
    row_of_job,
    whole_row,
)
from ticketr.jobs._values import (
    checked_callable,
    checked_count,
    checked_member,
    checked_seconds,
    checked_text,
    checked_whole,
    safe_repr,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import (
        Awaitable,
        Callable,
        Generator,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )

    from ticketr.jobs._job import JobID
    from ticketr.jobs._sqlite.finished import FinishedJob, Row


T = TypeVar("T")

logger = logging.getLogger("ticketr.jobs")

BUSY_SECONDS = 5.0
"""How long to wait for another process that writes, in seconds."""
BUSY_PAUSE = 0.05
"""The pause between two tries where SQLite itself does not wait, in seconds."""


class JobHistory(Protocol):
    """Where a queue keeps finished jobs; :class:`SqliteHistory` is one.

    One task of the queue calls ``write`` with the jobs that have ended since the last call. It calls
    ``write`` with the same jobs again if that raises or is cancelled. No job waits for it.
    """

    def summary(self, result: object) -> str:
        """Return a short text for a job's result.

        The queue calls it as the job ends: be quick.
        """
        ...

    async def write(self, jobs: Sequence[FinishedJob], /) -> None:
        """Keep these jobs, but not a second time those that are there already.

        Cancellation:
            Happens when the block of the queue is cancelled or left by an error, and the queue then
            writes the same jobs once more; also when the write takes too long for the block's end.
        """
        ...

    async def read(self, *, limit: int, status: JobStatus | None) -> list[FinishedJob]:
        """Return the jobs that ended last, the newest first.

        Cancellation:
            Happens when the caller of :meth:`JobQueue.history` is cancelled.
        """
        ...


def check_history(history: object) -> None:
    """Check that an object is a history.

    Raises:
        TypeError: It lacks a method of one.
    """
    for name in ("summary", "write", "read"):
        if not callable(getattr(history, name, None)):
            raise TypeError(
                "history must be a JobHistory, such as SqliteHistory('jobs.sqlite'), not"
                f" {safe_repr(history)}"
            )


def checked_path(path: object) -> Path:
    """Return a path as an absolute ``Path``, since the program may change its folder later.

    Raises:
        TypeError: The value is not a path.
    """
    try:
        text: object = os.fspath(cast("str", path))
    except Exception:  # noqa: BLE001 - the object's own code
        text = None
    if not issubclass(type(text), str):
        raise TypeError(f"path must be text or a pathlib.Path, not {safe_repr(path)}")
    return Path(checked_text("path", text)).absolute()


class RunSync(Protocol):
    """Calls a blocking function outside Trio's thread."""

    def __call__(self, function: Callable[[], T], /) -> Awaitable[T]:
        """Call it and return its result."""
        ...


async def in_thread(function: Callable[[], T], /) -> T:
    """Call a function in a thread, which is abandoned on cancellation.

    It has its own limiter, so that other threads of the program do not delay the history.
    """
    return await trio.to_thread.run_sync(
        function, abandon_on_cancel=True, limiter=trio.CapacityLimiter(1)
    )


@final
class SqliteHistory:
    """A history of jobs in an SQLite file, which several processes can share.

    ::

        async with open_job_queue(history=SqliteHistory("jobs.sqlite")) as queue:
            ...
            for job in await queue.history(limit=10):
                print(job.finished_at, job.name, job.status)

    It keeps nothing open and need not be closed. To read the file of another process, create a
    history with the same path and call :meth:`read`.

    Args:
        path: The file. It is created with the first job, readable by its owner only. Its folder must
            exist.
        max_jobs: The most jobs to keep; the oldest are dropped first. ``math.inf`` for no limit.
        max_age: The age in seconds beyond which a job is dropped; ``math.inf`` for no limit.
        summary: A function that returns the text to keep of a result. The default is a shortened
            ``repr``. A history should hold no secrets: remove them here.
        run_sync: An async function that calls a blocking one. The default calls it in a thread. A
            mock clock does not wait for a thread, so a test on one passes a function that calls it
            directly.

    Raises:
        TypeError, ValueError: An argument is invalid.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_jobs: float = 10_000,
        max_age: float = 90 * 86400.0,
        summary: Callable[[object], str] = reprlib.repr,
        run_sync: RunSync = in_thread,
    ) -> None:
        self._path = checked_path(path)
        self._max_jobs = checked_count("max_jobs", max_jobs, 1)
        self._max_age = checked_seconds("max_age", max_age, limit=True)
        if not self._max_age:
            raise ValueError("max_age must be more than 0 seconds")
        checked_callable("summary", summary)
        if not callable(run_sync):
            raise TypeError(f"run_sync must be an async function, not {safe_repr(run_sync)}")
        self._summary = summary
        self._run_sync = run_sync

    def summary(self, result: object) -> str:
        """Return a short text for a job's result."""
        if result is None and self._summary is reprlib.repr:  # which takes longer than all of a row
            return "None"
        return self._summary(result)

    async def write(self, jobs: Sequence[FinishedJob], /) -> None:
        """Keep these jobs and drop the oldest beyond the limits, in one transaction.

        Cancellation:
            The jobs may or may not have been written.

        Raises:
            HistoryFailed: The file could not be written.
        """
        rows = jobs.rows if type(jobs) is FinishedBatch else [row_of_job(job) for job in jobs]
        await self._run_sync(lambda: self._write(rows))

    async def read(
        self,
        *,
        limit: int = 50,
        status: JobStatus | None = None,
        id: JobID | None = None,  # noqa: A002 - as a submit calls it
    ) -> list[FinishedJob]:
        """Return the jobs that ended last, the newest first; none if there is no file.

        Jobs that cannot be read, such as those of a later version with another status, are left out
        and named in the log.

        Cancellation:
            Has no effect on the file.

        Args:
            limit: The most jobs to return.
            status: Return only jobs that ended with this status.
            id: Return only jobs with this ID: an ID may be used again when its job has ended.

        Raises:
            HistoryFailed: The file could not be read.
            TypeError, ValueError: An argument is invalid.
        """
        wanted = {
            "limit": checked_whole("limit", limit, 0, sys.maxsize),
            "status": None if status is None else str(checked_member("status", status, JobStatus)),
            "id": None if id is None else clipped(checked_text("id", id)),
        }
        deadline = trio.current_time() + BUSY_SECONDS
        while True:
            try:
                return await self._run_sync(lambda: self._read(wanted))
            except HistoryFailed as error:
                # SQLite does not wait while another process creates the file or its log.
                if "locked" not in error.problem or trio.current_time() >= deadline:
                    raise
            await trio.sleep(BUSY_PAUSE)

    def _write(self, rows: Sequence[Row]) -> None:
        with open_database(self._path, "rwc") as db:
            db.execute("BEGIN IMMEDIATE")
            insert(db, rows)
            db.execute(DELETE_OLD, (time.time() - self._max_age,))
            # Counting takes longer than to look at the first and the last row.
            if (db.execute(ROW_SPAN).fetchone()[0] or 0) > self._max_jobs:
                db.execute(DELETE_SURPLUS, (self._max_jobs,))
            db.execute("COMMIT")

    def _read(self, wanted: Mapping[str, object]) -> list[FinishedJob]:
        if not self._path.exists():
            return []
        with open_database(self._path, "rw") as db:
            oldest = time.time() - self._max_age
            rows = db.execute(SELECT, {**wanted, "oldest": oldest})
            return list(islice(self._readable(rows), cast("int", wanted["limit"])))

    def _readable(self, rows: Iterable[Row]) -> Iterator[FinishedJob]:
        """Yield the jobs of rows, without those that cannot be read."""
        for row in rows:
            try:
                yield job_of_stored_row(row)
            except ValueError as error:
                run, number = row[:2]
                logger.warning(
                    "job %r of run %r in %s cannot be read and is left out: %s",
                    *(number, run, self._path, error),
                )

    def __repr__(self) -> str:
        return f"SqliteHistory({str(self._path)!r})"


# The file

COLUMN_NAMES = ", ".join(COLUMNS)


def _placeholder(name: str) -> str:
    """Return the placeholder of a plain job's value in a statement."""
    if name in PLAIN_COLUMNS:
        return "?"
    value = PLAIN_VALUES[name]
    return "NULL" if value is NULL else repr(value)


MIGRATIONS: list[tuple[str, ...]] = [
    (
        """CREATE TABLE jobs (
            row INTEGER PRIMARY KEY, run, number, id, name, key, status, attempts, submitted_at,
            started_at, finished_at, cancel_cause, error_type, error_message, current, total,
            message, result, UNIQUE (run, number)
        )""",
        "CREATE INDEX jobs_by_time ON jobs (finished_at)",
    ),
    ("ALTER TABLE jobs ADD COLUMN tags",),
]
"""The statements from each schema version to the next; a new file has version 0."""

INSERT = f"INSERT OR IGNORE INTO jobs ({COLUMN_NAMES}) VALUES "  # noqa: S608 - a constant
PLACEHOLDERS = f"({', '.join('?' * len(COLUMNS))})"
PLAIN_PLACEHOLDERS = f"({', '.join(_placeholder(name) for name in COLUMNS)})"
ROWS_AT_ONCE = 250
"""The rows of one statement. With more, a batch takes longer, since each connection compiles it."""
DELETE_OLD = "DELETE FROM jobs WHERE finished_at < ?"
ROW_SPAN = "SELECT (SELECT max(row) FROM jobs) - (SELECT min(row) FROM jobs) + 1"
DELETE_SURPLUS = (
    "DELETE FROM jobs WHERE row <= (SELECT row FROM jobs ORDER BY row DESC LIMIT 1 OFFSET ?)"
)
SELECT = (
    f"SELECT {COLUMN_NAMES} FROM jobs"  # noqa: S608 - a constant
    " WHERE (:status IS NULL OR status = :status) AND (:id IS NULL OR id = :id) AND finished_at >= :oldest"
    " ORDER BY finished_at DESC, row DESC"
)


def insert(db: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Insert rows, many with each statement.

    Each statement gives the interpreter's lock away, and has to get it back from a busy Trio thread
    (see ``LOCK_EVERY``); ``executemany`` does so at each row.
    """
    for start in range(0, len(rows), ROWS_AT_ONCE):
        chunk, places = rows[start : start + ROWS_AT_ONCE], PLAIN_PLACEHOLDERS
        if any(len(row) > len(PLAIN_COLUMNS) for row in chunk):
            chunk, places = [whole_row(row) for row in chunk], PLACEHOLDERS
        values = list(chain.from_iterable(chunk))
        db.execute(INSERT + ", ".join([places] * len(chunk)), values)


@contextmanager
def open_database(path: Path, mode: str) -> Generator[sqlite3.Connection, None, None]:
    """Open the database with the newest schema, and raise its errors as HistoryFailed."""
    import sqlite3  # noqa: PLC0415 - slow to import, and needed only with a history

    try:
        if mode == "rwc":
            # SQLite gives its log files the same permissions.
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        address = f"{path.as_uri()}?mode={mode}"
        with closing(
            sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        ) as db:
            # A text that is no UTF-8 is damaged; it does not hide the other rows.
            db.text_factory = partial(str, encoding="utf-8", errors="replace")
            # In WAL mode a power failure may lose the last commits, but nothing else.
            db.execute("PRAGMA synchronous = NORMAL")
            refuse_foreign(db, path)
            migrate(db, path)
            yield db
    except (sqlite3.Error, OSError) as error:
        raise HistoryFailed(str(path), str(error)) from error


def migrate(db: sqlite3.Connection, path: Path) -> None:
    """Update the schema to the newest version."""
    version = schema_version(db)
    if version < len(MIGRATIONS):
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("BEGIN IMMEDIATE")
        version = schema_version(db)  # another process may have done it already
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                db.execute(statement)
        version = max(version, len(MIGRATIONS))
        db.execute(f"PRAGMA user_version = {version}")
        db.execute("COMMIT")
    if version > len(MIGRATIONS):
        raise HistoryFailed(str(path), "a newer version of ticketr wrote it")


def refuse_foreign(db: sqlite3.Connection, path: Path) -> None:
    """Refuse the file of another program, and one with triggers or views.

    SQLite would run the code in the triggers and views of a foreign file.
    """
    if db.execute("SELECT 1 FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchone():
        raise HistoryFailed(str(path), "it has triggers or views, which a job history never has")
    tables = table_names(db)
    if tables and ("jobs" not in tables or "repeats" in tables):
        problem = "it is the database of another program, or the store of a queue's jobs"
        raise HistoryFailed(str(path), f"{problem}. Give the history a file of its own")


def table_names(db: sqlite3.Connection) -> set[str]:
    """Return the names of a database's tables, without those that SQLite makes for itself."""
    names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in names if not name.startswith("sqlite_")}


def schema_version(db: sqlite3.Connection) -> int:
    """Return the schema version of the file."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])
