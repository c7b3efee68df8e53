"""Histories of finished jobs, which outlive the queue.

The file of a ``SqliteHistory`` is an SQLite database in WAL mode. Any number of processes can read
it while others write. What was written stays when a process is killed. Each call opens the file in
a thread, so no connection is shared between threads, and a call finds the file that is there now.
The queue writes jobs in batches, so opening costs little.

A job that is written twice is kept once. So the queue repeats a write that was cancelled, which may
or may not have happened.
"""

from __future__ import annotations

import itertools
import json
import logging
import math
import os
import reprlib
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, final

import trio
from trio.lowlevel import enable_ki_protection

from ticketr._errors import HistoryFailed
from ticketr.jobs._job import COMPLETED, FAILED, CancelCause, JobID, JobStatus
from ticketr.jobs._record import NO_EXTRAS, NO_REPORT, NO_TAGS, JobRecord
from ticketr.jobs._sqlite.database import (
    BUSY_TIMEOUT_SECONDS,
    DelayedWriteTask,
    RunSync,
    Schema,
    absolute_path,
    check_value_types,
    checked_run_sync,
    connect,
    create_private_file,
    errors_as,
    run_abandonably,
)
from ticketr.jobs._values import (
    check_sync_callable,
    checked_count,
    checked_member,
    checked_seconds,
    checked_str,
    checked_whole,
    safe_repr,
    safe_str,
)

if TYPE_CHECKING:
    import sqlite3

logger = logging.getLogger("ticketr.jobs")

# Finished jobs

MAX_TEXT_CHARACTERS = 2000
"""The most characters of a text that a history keeps."""
MAX_TAGS_CHARACTERS = 100_000
"""The most characters that a history keeps of the tags of one job, all in all."""

Row: TypeAlias = tuple[object, ...]
"""A finished job in the order of ``COLUMNS``. Times are wall-clock seconds."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedJob:
    """A finished job as a history keeps it: numbers, dates and texts only.

    The times are UTC dates, which mean the same in every process, unlike the times of a
    :class:`JobSnapshot`. Long texts are cut; of very many tags, the last ones in their order are
    left out.

    Attributes:
        run: Identifies one opening of one queue; job IDs may repeat from run to run.
        number: The job's number within the run, in the order in which the jobs ended.
        id: The job's ID.
        name: The job's name.
        key: The job's key as text; None if it had none.
        status: How the job ended.
        attempts: How often its function was called.
        submitted_at: When the queue took the job.
        started_at: When its last attempt started; None if none did.
        finished_at: When the job ended.
        cancel_cause: Why the job was cancelled, or was asked to stop; None otherwise.
        error_type: The class name of its error; None unless it failed.
        error_message: The message of its error; None unless it failed.
        current: How much the job reported as done.
        total: How much it reported there was to do; 0 if unknown.
        message: The last message that it reported.
        result: A summary of its result; None unless it completed.
        tags: The tags it was submitted with.
    """

    run: str
    number: int
    id: JobID
    name: str
    key: str | None
    status: JobStatus
    attempts: int
    submitted_at: datetime
    started_at: datetime | None
    finished_at: datetime
    cancel_cause: CancelCause | None
    error_type: str | None
    error_message: str | None
    current: float
    total: float
    message: str
    result: str | None
    tags: frozenset[str] = NO_TAGS


COLUMNS: Final = (
    *("run", "number", "id", "name", "status", "submitted_at", "started_at", "finished_at"),
    *("result", "details"),
)
"""The names of the values of a row."""

DEFAULT_BY_DETAIL: Final[Mapping[str, object]] = {
    "key": None,
    "attempts": 1,
    "cancel_cause": None,
    "error_type": None,
    "error_message": None,
    "current": 0,
    "total": 0,
    "message": "",
    "tags": NO_TAGS,
}
"""The other facts of a plain job, which most jobs are. Its ``details`` are empty; those of any other
job are a dict with these names, in JSON."""


def row_of_record(
    record: JobRecord, run: str, number: int, summary: Callable[[object], str], offset: float
) -> Row:
    """Return the row of a job that has ended.

    Args:
        record: The record of the job.
        run: The run that the job belongs to.
        number: The number of the job in the run.
        summary: Shortens a result to a text. What it raises is raised.
        offset: The difference between wall-clock time and Trio's clock.
    """
    attempt, completed = record.attempt, record.status is COMPLETED
    is_plain = completed and record.extras is NO_EXTRAS and attempt == 1 and not record.report[3]
    return (
        run,
        number,
        clipped(record.id),
        clipped(record.name),
        # SQLite stores an exact string ten times as fast as a member of an enumeration.
        "completed" if completed else record.status.value,
        record.submitted_at + offset,
        record.attempt_started_at + offset if attempt else None,
        record.finished_at + offset,
        clipped(summary(record.result)) if completed else None,
        "" if is_plain else _details_of_record(record),
    )


def _details_of_record(record: JobRecord) -> str:
    """Return the details of a job that may not be plain."""
    extras = record.extras
    key, cause = extras.key, extras.cancel_cause
    error = record.error if record.status is FAILED else None
    current, total, message, _ = record.report if record.attempt else NO_REPORT
    return _details_text(
        {
            "key": None if key is None else clipped(key if type(key) is str else safe_repr(key)),
            "attempts": record.attempt,
            "cancel_cause": cause,
            "error_type": None if error is None else clipped(error.type),
            "error_message": None if error is None else clipped(error.message),
            "current": current,
            "total": total,
            "message": clipped(message),
            "tags": extras.tags,
        }
    )


def _details_text(details: Mapping[str, Any]) -> str:
    """Return the details of a job as text, with whole tags only: a part of one is another tag."""
    if details == DEFAULT_BY_DETAIL:
        return ""
    tags = sorted(details["tags"])
    ends = itertools.accumulate(map(len, tags))
    kept = [tag for tag, end in zip(tags, ends, strict=True) if end <= MAX_TAGS_CHARACTERS]
    return json.dumps({**details, "tags": kept})


TIME_COLUMNS: Final = ("submitted_at", "started_at", "finished_at")


def row_of_job(job: FinishedJob) -> Row:
    """Return the row of a finished job."""
    values = {name: getattr(job, name) for name in COLUMNS[:-1]}
    for name in TIME_COLUMNS:
        if (date := values[name]) is not None:
            values[name] = date.timestamp()
    details = _details_text({name: getattr(job, name) for name in DEFAULT_BY_DETAIL})
    return (*values.values(), details)


PYTHON_TYPES_BY_COLUMN: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("run", "id", "name", "status", "message"), str),
    **dict.fromkeys(("number", "attempts"), int),
    **dict.fromkeys(("submitted_at", "finished_at", "current", "total"), int | float),
    **dict.fromkeys(("key", "cancel_cause", "error_type", "error_message", "result"), str | None),
    "started_at": int | float | None,
    "tags": list | frozenset,
}
"""The types of what a row says of a job."""


def job_of_row(row: Row) -> FinishedJob:
    """Return the finished job of a row.

    Raises:
        ValueError: A value is damaged, or a later version wrote it.
    """
    values: dict[str, Any] = dict(zip(COLUMNS, row, strict=True))
    try:
        details = json.loads(values.pop("details") or "{}")
        values = {**values, **DEFAULT_BY_DETAIL, **details}
        check_value_types(PYTHON_TYPES_BY_COLUMN, [values[name] for name in PYTHON_TYPES_BY_COLUMN])
        for name in TIME_COLUMNS:
            if (seconds := values[name]) is not None:
                values[name] = datetime.fromtimestamp(seconds, UTC)
        values["status"] = JobStatus(values["status"])
        if values["cancel_cause"] is not None:
            values["cancel_cause"] = CancelCause(values["cancel_cause"])
        values["tags"] = frozenset(values["tags"])
        check_value_types(dict.fromkeys(values["tags"], str), values["tags"])
        return FinishedJob(**values)
    except (TypeError, OverflowError, OSError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None


def clipped(text: str) -> str:
    """Return a text shortened to ``MAX_TEXT_CHARACTERS``, with what UTF-8 cannot encode escaped."""
    if text.isascii() and len(text) <= MAX_TEXT_CHARACTERS:  # nearly always
        return text
    if len(text) > MAX_TEXT_CHARACTERS:
        text = text[: MAX_TEXT_CHARACTERS - 1] + "…"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


# Histories

BUSY_PAUSE_SECONDS: Final = 0.05
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
            Happens when the write takes too long for the end of the queue's block.
        """
        ...

    async def read(self, *, limit: int, status: JobStatus | None) -> list[FinishedJob]:
        """Return the jobs that ended last, the newest first.

        Cancellation:
            Happens when the caller of :meth:`JobQueue.history` is cancelled.
        """
        ...


def check_has_history_methods(history: object) -> None:
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
        run_sync: RunSync = run_abandonably,
    ) -> None:
        self._path = absolute_path(path)
        self._max_jobs = checked_count("max_jobs", max_jobs, 1)
        self._max_age = checked_seconds("max_age", max_age, allow_inf=True)
        if not self._max_age:
            raise ValueError("max_age must be more than 0 seconds")
        check_sync_callable("summary", summary)
        self._summary = summary
        self._run_sync = checked_run_sync(run_sync)
        self._last: sqlite3.Connection | None = None  # of the last write of a queue

    def summary(self, result: object) -> str:
        """Return a short text for a job's result."""
        # reprlib.repr takes longer than all of a row.
        return "None" if result is None and self._summary is reprlib.repr else self._summary(result)

    async def write(self, jobs: Sequence[FinishedJob], /) -> None:
        """Keep these jobs and drop the oldest beyond the limits, in one transaction.

        Cancellation:
            The jobs may or may not have been written.

        Raises:
            HistoryFailed: The file could not be written.
        """
        rows = [row_of_job(job) for job in jobs]
        await self._run_sync(lambda: self._write(rows).close())

    async def write_rows_staying_open(self, rows: Sequence[Row]) -> None:
        """Keep the jobs of these rows as :meth:`write` does, until :meth:`close`; internal.

        The connection stays open until after the next write: the last one that is closed copies
        SQLite's log to the file, which takes longer than to write a batch.
        """
        await self._run_sync(lambda: self._replace_connection(self._write(rows)))

    async def close(self) -> None:
        """Close the connection of the last write; internal."""
        await self._run_sync(lambda: self._replace_connection(None))

    def _replace_connection(self, db: sqlite3.Connection | None) -> None:
        last, self._last = self._last, db
        if last is not None:
            last.close()

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
        limit = checked_whole("limit", limit, 0)
        conditions = {
            "status": None if status is None else str(checked_member("status", status, JobStatus)),
            "id": None if id is None else clipped(checked_str("id", id)),
        }
        deadline = trio.current_time() + BUSY_TIMEOUT_SECONDS
        while True:
            try:
                return await self._run_sync(lambda: self._read(conditions, limit))
            except HistoryFailed as error:
                # SQLite does not wait while another process creates the file or its log.
                if "locked" not in error.problem or trio.current_time() >= deadline:
                    raise
            await trio.sleep(BUSY_PAUSE_SECONDS)

    def _write(self, rows: Sequence[Row]) -> sqlite3.Connection:
        with errors_as(self._path, HistoryFailed), ExitStack() as stack:
            create_private_file(self._path)
            db = stack.enter_context(closing(connect(self._path, SCHEMA)))
            db.execute("BEGIN IMMEDIATE")
            insert(db, rows)
            db.execute(DELETE_ENDED_BEFORE, (time.time() - self._max_age,))
            # Counting takes longer than to look at the first and the last row.
            if (db.execute(SELECT_ROW_ID_COUNT).fetchone()[0] or 0) > self._max_jobs:
                db.execute(DELETE_SURPLUS, (self._max_jobs,))
            db.execute("COMMIT")
            stack.pop_all()
            return db

    def _read(self, conditions: Mapping[str, object], limit: int) -> list[FinishedJob]:
        jobs: list[FinishedJob] = []
        if not self._path.exists():
            return jobs
        with errors_as(self._path, HistoryFailed), closing(connect(self._path, SCHEMA)) as db:
            oldest = time.time() - self._max_age
            for row in db.execute(SELECT_JOBS, {**conditions, "oldest": oldest}):
                if len(jobs) == limit:
                    break
                try:
                    jobs.append(job_of_row(row))
                except ValueError as error:
                    words = "job %r of run %r in %s cannot be read and is left out: %s"
                    logger.warning(words, row[1], row[0], self._path, error)
        return jobs

    def __repr__(self) -> str:
        return f"SqliteHistory({str(self._path)!r})"


# The file

SCHEMA: Final = Schema(
    "the history of a queue's jobs",
    0x746B6A68,
    frozenset({"jobs"}),
    (
        f"CREATE TABLE jobs (row INTEGER PRIMARY KEY, {', '.join(COLUMNS)}, UNIQUE (run, number))",
        "CREATE INDEX jobs_by_time ON jobs (finished_at)",
    ),
)
ROWS_PER_INSERT = 250
"""The rows of one statement. With more, a batch takes longer, since each connection compiles it."""
DELETE_ENDED_BEFORE: Final = "DELETE FROM jobs WHERE finished_at < ?"
SELECT_ROW_ID_COUNT: Final = "SELECT (SELECT max(row) FROM jobs) - (SELECT min(row) FROM jobs) + 1"
DELETE_SURPLUS: Final = (
    "DELETE FROM jobs WHERE row <= (SELECT row FROM jobs ORDER BY row DESC LIMIT 1 OFFSET ?)"
)
SELECT_JOBS: Final = (
    f"SELECT {', '.join(COLUMNS)} FROM jobs"  # noqa: S608 - a constant
    " WHERE (:status IS NULL OR status = :status) AND (:id IS NULL OR id = :id) AND finished_at >= :oldest"
    " ORDER BY finished_at DESC, row DESC"
)


def insert(db: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Insert rows, many with each statement.

    Each statement gives the interpreter's lock away, and has to get it back from a busy Trio thread
    (see ``BUFFERED_JOBS_PER_GIL_PAUSE``); ``executemany`` does so at each row.
    """
    for start in range(0, len(rows), ROWS_PER_INSERT):
        chunk = rows[start : start + ROWS_PER_INSERT]
        places = ", ".join([f"({', '.join('?' * len(COLUMNS))})"] * len(chunk))
        statement = f"INSERT OR IGNORE INTO jobs ({', '.join(COLUMNS)}) VALUES {places}"  # noqa: S608 - constants
        db.execute(statement, [*itertools.chain.from_iterable(chunk)])


# The buffer between a queue and its history

GATHER_SECONDS: Final = 0.1
"""Seconds between two batches; a killed process loses the jobs of that time."""
ROWS_FOR_EARLY_WRITE = 2500
"""The number of entries that are written without a pause before."""
MAX_UNWRITTEN_ROWS = 10_000
"""The most entries in the buffer; beyond it the oldest is dropped."""
FLUSH_TIMEOUT_SECONDS: Final = 5.0
"""How long the end of a queue waits for its history, in seconds."""
BUFFERED_JOBS_PER_GIL_PAUSE: Final = 16
"""While a batch is written, the number of jobs after which its thread can have the interpreter's lock."""
GIL_PAUSE_SECONDS: Final = 1e-6
"""How long it can; an operating system makes about 0.05 ms of it.

Trio gives the lock away at each of its steps, but takes it back before another thread has woken up.
So a thread would wait for 5 to 50 ms whenever it needs the lock, as at each statement of SQLite, and
all that time each step of Trio would wake it in vain, which doubles what a small job takes. A queue
that never rests would outrun its history: a kill would cost a second, and the buffer would overflow.
"""


@final
class Recorder:
    """Writes the finished jobs of one queue to its history, so that no job waits for it.

    When a job ends, its row is put into the buffer, which is synchronous and cannot fail. A task
    writes the rows in batches. It is shielded until the queue's block ends, and the last batch is
    written when all jobs have ended; from the block's end on there is a time limit.

    Args:
        history: The history.
        interrupt: Ends the queue with an error of the program's end.

    Attributes:
        lost: The number of jobs that could not be kept.
    """

    def __init__(self, history: JobHistory, interrupt: Callable[[BaseException], object]) -> None:
        self._history = history
        self._summary = history.summary
        self._interrupt = interrupt
        self._run = uuid.uuid4().hex
        self._number = 0
        self._unwritten: deque[Row] = deque()
        self._writing: list[Row] = []
        self._write_task = DelayedWriteTask(
            self._write_batch,
            gather_seconds=GATHER_SECONDS,
            complaint="The history of jobs is not complete",
        )
        self._scope = trio.CancelScope(shield=True)
        self.lost: int = 0
        self._clock_offset = 0.0
        self._offset_valid_until = -math.inf

    def put(self, record: JobRecord) -> None:
        """Add a job that has just ended to the buffer; raises nothing, and pauses for 0.1 ms at most."""
        number = self._number = self._number + 1
        try:
            if record.finished_at > self._offset_valid_until:
                self._clock_offset = record.queue.wall_clock.offset()
                self._offset_valid_until = record.finished_at + GATHER_SECONDS
            row = row_of_record(record, self._run, number, self._summary, self._clock_offset)
        except Exception as error:  # noqa: BLE001 - the summary is user code
            self._count_lost(1, safe_str(error) or safe_repr(error))
            return
        except BaseException as error:  # noqa: ASYNC103, BLE001 - the summary calls sys.exit()
            self._interrupt(error)
            return  # noqa: ASYNC104 - it leaves by the block
        unwritten = self._unwritten
        unwritten.append(row)
        count = len(unwritten)
        if count == 1:
            self._write_task.mark_dirty()
        if count == ROWS_FOR_EARLY_WRITE:
            self._write_task.skip_gathering_wait()
        while len(unwritten) > MAX_UNWRITTEN_ROWS:  # after a failed write by more than one
            unwritten.popleft()
            self._count_lost(1, "it is too slow")
        if self._writing and not number % BUFFERED_JOBS_PER_GIL_PAUSE:
            time.sleep(GIL_PAUSE_SECONDS)  # noqa: TID251 - no await, but a pause of the whole thread

    @enable_ki_protection
    async def run(self) -> None:  # noqa: ASYNC910 - each turn has a checkpoint
        """Write new rows in batches, until stopped."""
        with self._scope:
            await self._write_task.run()

    def stop_background_writes_and_set_deadline(self) -> None:
        """Begin no other write in the task, and limit the time of the one under way."""
        self._write_task.stop_background_writes()
        self._scope.deadline = trio.current_time() + FLUSH_TIMEOUT_SECONDS

    async def write_rest_and_close(self) -> None:
        """Write the remaining rows, within the time limit of ``stop_background_writes_and_set_deadline``.

        Call it when all jobs have ended.
        """
        with trio.CancelScope(deadline=self._scope.deadline, shield=True):
            await trio.lowlevel.checkpoint()
            if self._unwritten:
                await self._write_task.write_now()
            history: object = self._history
            if type(history) is SqliteHistory and self._number:
                with suppress(Exception):  # what calls the file is user code
                    await history.close()
        if self._unwritten:
            reason = f"it took longer than {FLUSH_TIMEOUT_SECONDS:g} s"
            self._count_lost(len(self._unwritten), reason)
            self._unwritten.clear()

    async def read_with_unsaved(
        self, *, limit: int, status: JobStatus | None, job_id: JobID | None
    ) -> list[FinishedJob]:
        """Return the jobs that ended last, the newest first, whether written yet or not."""
        # Taken before the read: an entry that is written meanwhile is then in one of both at least.
        unwritten = [*reversed(self._unwritten), *reversed(self._writing)]
        job_id = None if job_id is None else clipped(job_id)
        history: object = self._history  # a type checker takes no protocol for a class
        if type(history) is SqliteHistory:
            written = await history.read(limit=limit, status=status, id=job_id)
        else:  # it cannot look for IDs
            most = limit if job_id is None else sys.maxsize
            written = await self._history.read(limit=most, status=status)
        jobs = {
            (job.run, job.number): job
            for job in itertools.chain(map(job_of_row, unwritten), written)
            if (status is None or job.status == status) and (job_id is None or job.id == job_id)
        }
        return [*jobs.values()][:limit]

    async def _write_batch(self) -> None:
        """Write all that is unwritten; put it back if that fails."""
        batch = self._writing = [*self._unwritten]
        self._unwritten.clear()
        history: object = self._history
        try:
            if type(history) is SqliteHistory:
                await history.write_rows_staying_open(batch)
            else:
                await self._history.write([job_of_row(row) for row in batch])
        except BaseException:
            self._unwritten.extendleft(reversed(batch))
            self._write_task.mark_dirty()
            raise
        finally:
            self._writing = []

    def _count_lost(self, jobs: int, reason: str) -> None:
        """Count jobs that the history will not have, and warn of the first."""
        if not self.lost:
            self._write_task.warn(reason)
        self.lost += jobs


def finished_in_memory(
    ended: Sequence[JobRecord], *, limit: int, status: JobStatus | None, job_id: JobID | None
) -> list[FinishedJob]:
    """Return the newest finished jobs of a queue that has no history."""
    numbered = [
        (number, record)
        for number, record in enumerate(ended, start=1)
        if (status is None or record.status is status) and (job_id is None or record.id == job_id)
    ]
    newest, summary = reversed(numbered[max(len(numbered) - limit, 0) :]), reprlib.repr
    return [
        job_of_row(row_of_record(record, "", number, summary, record.queue.wall_clock.offset()))
        for number, record in newest
    ]
