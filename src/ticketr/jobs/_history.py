"""What outlives the queue: a record of every job that has ended, in a file.

The file is an SQLite database in WAL mode, so that any number of processes can read it
while others write, and a process that is killed takes nothing with it that was
written. Each call opens the file anew, in a thread: there is no connection to look
after, to close, or to carry from one thread to another, and a file that was moved
away or repaired meanwhile is simply the file from then on. Since the queue hands over
its jobs in batches, opening is a small part of the work.

Writing the same job twice is the same as writing it once. So a write whose answer was
lost (the queue was cancelled in the middle of it) is simply done again.
"""

from __future__ import annotations

import os
import reprlib
import sys
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, final

import trio

from ticketr._errors import HistoryFailed
from ticketr.jobs._finished import FinishedJob
from ticketr.jobs._job import CancelCause, JobStatus
from ticketr.jobs._values import (
    checked_callable,
    checked_member,
    checked_seconds,
    checked_text,
    checked_whole,
    safe_repr,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Generator, Sequence


T = TypeVar("T")

BUSY_SECONDS = 5.0
"""How long to wait for another process that writes."""
BUSY_PAUSE = 0.05
"""How long to wait before asking again, where SQLite itself does not wait."""


class JobHistory(Protocol):
    """Where a queue leaves the jobs that have ended; :class:`SqliteHistory` is one.

    The queue calls ``write`` from one task of its own, with the jobs that ended since,
    and again with the same ones if it raises or is cancelled. No job waits for it.
    """

    def summary(self, result: object) -> str:
        """A short text for what a job returned; called as the job ends, so be quick."""
        ...

    async def write(self, jobs: Sequence[FinishedJob], /) -> None:
        """Keep these jobs. One that is there already is not kept twice.

        Cancellation:
            Comes when the queue ends; the same jobs are given once more after that.
        """
        ...

    async def read(self, *, limit: int, status: JobStatus | None) -> list[FinishedJob]:
        """The jobs that ended last, the newest first.

        Cancellation:
            Comes when the caller of :meth:`JobQueue.history` is cancelled.
        """
        ...


def check_history(history: object) -> None:
    """Refuse what is no history.

    Raises:
        TypeError: It has not the methods of one.
    """
    for name in ("summary", "write", "read"):
        if not callable(getattr(history, name, None)):
            raise TypeError(
                "history must be a JobHistory, such as SqliteHistory('jobs.sqlite'), not"
                f" {safe_repr(history)}"
            )


def checked_path(path: object) -> Path:
    """The path of a file.

    Raises:
        TypeError: It is none.
    """
    try:
        text: object = os.fspath(path)  # type: ignore[call-overload]
    except Exception:  # noqa: BLE001 - the object's own code
        text = None
    if not issubclass(type(text), str):
        raise TypeError(f"path must be text or a pathlib.Path, not {safe_repr(path)}")
    return Path(checked_text("path", text))


class RunSync(Protocol):
    """Calls a function that blocks, away from Trio's thread."""

    def __call__(self, function: Callable[[], T], /) -> Awaitable[T]:
        """Call it, and give what it returns."""
        ...


async def in_thread(function: Callable[[], T], /) -> T:
    """Call a function in a thread, which is left to itself on a cancellation.

    The limiter is its own: threads of the program must not keep the history waiting.
    """
    return await trio.to_thread.run_sync(
        function, abandon_on_cancel=True, limiter=trio.CapacityLimiter(1)
    )


@final
class SqliteHistory:
    """A history of jobs in an SQLite file, which several processes may share.

    ::

        async with open_job_queue(history=SqliteHistory("jobs.sqlite")) as queue:
            ...
            for job in await queue.history(limit=10):
                print(job.finished_at, job.name, job.status)

    It holds nothing open and needs no closing. To read the file of another process,
    make one with the same path and call :meth:`read`.

    Args:
        path: The file. It is made with the first job, readable for its owner only; its
            folder must be there.
        max_jobs: How many jobs to keep; the oldest go first.
        max_age: For how many seconds to keep a job; ``math.inf`` for no limit.
        summary: What to keep of a result instead of its shortened ``repr``: a history
            should hold no secrets, so cut them out here, or return an empty text.
        run_sync: Calls what blocks; a thread unless given. A test on a fake clock gives
            an async function that calls it in place, since such a clock runs on while
            a thread works.

    Raises:
        TypeError, ValueError: One of these is none.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_jobs: int = 10_000,
        max_age: float = 90 * 86400.0,
        summary: Callable[[object], str] = reprlib.repr,
        run_sync: RunSync = in_thread,
    ) -> None:
        self._path = checked_path(path)
        self._max_jobs = checked_whole("max_jobs", max_jobs, 1, sys.maxsize)
        self._max_age = checked_seconds("max_age", max_age, limit=True)
        if not self._max_age:
            raise ValueError("max_age must be more than 0 seconds")
        checked_callable("summary", summary)
        if not callable(run_sync):
            raise TypeError(f"run_sync must be an async function, not {safe_repr(run_sync)}")
        self._summary = summary
        self._run_sync = run_sync

    def summary(self, result: object) -> str:
        """A short text for what a job returned."""
        return self._summary(result)

    async def write(self, jobs: Sequence[FinishedJob], /) -> None:
        """Keep these jobs, and drop the oldest beyond the bounds, all of it or nothing.

        Cancellation:
            The jobs may or may not have been written.

        Raises:
            HistoryFailed: The file could not be written.
        """
        rows = [to_row(job) for job in jobs]
        await self._run_sync(lambda: self._write(rows))

    async def read(self, *, limit: int = 50, status: JobStatus | None = None) -> list[FinishedJob]:
        """The jobs that ended last, the newest first; none if there is no file.

        Cancellation:
            Changes nothing.

        Args:
            limit: How many at most.
            status: Only those that ended like this.

        Raises:
            HistoryFailed: The file could not be read.
            TypeError, ValueError: The limit is no whole number or negative, or the status is none.
        """
        limit = checked_whole("limit", limit, 0, sys.maxsize)
        status = None if status is None else checked_member("status", status, JobStatus)
        deadline = trio.current_time() + BUSY_SECONDS
        while True:
            try:
                return await self._run_sync(lambda: self._read(limit, status))
            except HistoryFailed as error:
                # While another process makes the file or its log, SQLite refuses at once.
                if "locked" not in error.problem or trio.current_time() >= deadline:
                    raise
            await trio.sleep(BUSY_PAUSE)

    def _write(self, rows: list[tuple[object, ...]]) -> None:
        with open_database(self._path, "rwc") as db:
            db.execute("BEGIN IMMEDIATE")
            db.executemany(INSERT, rows)
            db.execute(DROP_OLD, (time.time() - self._max_age,))
            db.execute(DROP_SURPLUS, (self._max_jobs,))
            db.execute("COMMIT")

    def _read(self, limit: int, status: JobStatus | None) -> list[FinishedJob]:
        if not self._path.exists():
            return []
        with open_database(self._path, "rw") as db:
            oldest = time.time() - self._max_age
            rows = db.execute(SELECT, {"status": status, "limit": limit, "oldest": oldest})
            return [from_row(row) for row in rows]

    def __repr__(self) -> str:
        return f"SqliteHistory({str(self._path)!r})"


# The file

COLUMNS = (
    "run, number, id, name, key, status, attempts, submitted_at, started_at, finished_at,"
    " cancel_cause, error_type, error_message, current, total, message, result"
)

MIGRATIONS: list[tuple[str, ...]] = [
    (
        f"CREATE TABLE jobs (row INTEGER PRIMARY KEY, {COLUMNS}, UNIQUE (run, number))",
        "CREATE INDEX jobs_by_time ON jobs (finished_at)",
    ),
]
"""What leads from each version of the schema to the next; the file starts with version 0."""

INSERT = (
    f"INSERT OR IGNORE INTO jobs ({COLUMNS})"  # noqa: S608 - our own words
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
DROP_OLD = "DELETE FROM jobs WHERE finished_at < ?"
DROP_SURPLUS = (
    "DELETE FROM jobs WHERE row <= (SELECT row FROM jobs ORDER BY row DESC LIMIT 1 OFFSET ?)"
)
SELECT = (
    f"SELECT {COLUMNS} FROM jobs"  # noqa: S608 - our own words
    " WHERE (:status IS NULL OR status = :status) AND finished_at >= :oldest"
    " ORDER BY finished_at DESC, row DESC LIMIT :limit"
)


@contextmanager
def open_database(path: Path, mode: str) -> Generator[sqlite3.Connection, None, None]:
    """The database, with the newest schema; what goes wrong with it is a HistoryFailed."""
    import sqlite3  # noqa: PLC0415 - only who keeps a history pays for it

    try:
        if mode == "rwc":
            # SQLite gives the files beside it the same permissions.
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        address = f"{path.absolute().as_uri()}?mode={mode}"
        with closing(
            sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        ) as db:
            # In WAL mode this may lose the last commits when the power fails, not more.
            db.execute("PRAGMA synchronous = NORMAL")
            refuse_triggers(db, path)
            migrate(db, path)
            yield db
    except (sqlite3.Error, OSError) as error:
        raise HistoryFailed(str(path), str(error)) from error


def migrate(db: sqlite3.Connection, path: Path) -> None:
    """Bring the schema up to date."""
    if schema_version(db) < len(MIGRATIONS):
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("BEGIN IMMEDIATE")
        # Another process may have been faster.
        for statements in MIGRATIONS[schema_version(db) :]:
            for statement in statements:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {max(schema_version(db), len(MIGRATIONS))}")
        db.execute("COMMIT")
    if schema_version(db) > len(MIGRATIONS):
        raise HistoryFailed(str(path), "a newer version of ticketr wrote it")


def refuse_triggers(db: sqlite3.Connection, path: Path) -> None:
    """Refuse a file, somebody else's perhaps, in which SQLite would run something by itself."""
    if db.execute("SELECT 1 FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchone():
        raise HistoryFailed(str(path), "it holds triggers or views, which no queue has made")


def schema_version(db: sqlite3.Connection) -> int:
    """The version of the schema in the file."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def to_row(job: FinishedJob) -> tuple[object, ...]:
    """A job as the file has it: in the order of the columns, dates as seconds."""
    return (
        *(job.run, job.number, job.id, job.name, job.key, str(job.status), job.attempts),
        job.submitted_at.timestamp(),
        job.started_at.timestamp() if job.started_at is not None else None,
        job.finished_at.timestamp(),
        str(job.cancel_cause) if job.cancel_cause is not None else None,
        *(job.error_type, job.error_message, job.current, job.total, job.message, job.result),
    )


def from_row(row: Sequence[object]) -> FinishedJob:
    """The job that such a row stands for."""
    values: dict[str, Any] = dict(zip(COLUMNS.split(", "), row, strict=True))
    for name in ("submitted_at", "started_at", "finished_at"):
        if (seconds := values[name]) is not None:
            values[name] = datetime.fromtimestamp(seconds, UTC)
    values["status"] = JobStatus(values["status"])
    if values["cancel_cause"] is not None:
        values["cancel_cause"] = CancelCause(values["cancel_cause"])
    return FinishedJob(**values)
