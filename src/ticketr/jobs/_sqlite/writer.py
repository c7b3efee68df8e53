"""The file of a store, and the buffer between it and the queue.

The queue notifies the writer of each change of a job, synchronously, and the writer notes the new
row. A task writes all that is noted in one transaction, so what happened in one step is on disk
wholly or not at all, and all submits of the same moment share one flush. While a batch is written,
the next one gathers.

A transaction with new jobs is flushed to the disk before it counts as written
(``synchronous=FULL``). One without is not: it survives the end of the process, and all that the
machine's failure can undo is that a job runs again.

A submit waits until its job is written, and whoever waits for a job until its end is. So does a
worker before it calls a job's function, so that a job that brings the process down is counted. If
the process is killed before the end of a job is written, the job runs again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

import trio
from trio.lowlevel import cancel_shielded_checkpoint, checkpoint, enable_ki_protection

from ticketr._errors import NotSendable, QueueClosed, StoreFailed, UnknownJob
from ticketr.jobs._calls import Codec, LoadFailed
from ticketr.jobs._core import QueueCore
from ticketr.jobs._job import CANCELLED, COMPLETED, PENDING, CancelCause, JobID
from ticketr.jobs._maps.repeat import Repeat
from ticketr.jobs._record import JobRecord
from ticketr.jobs._registry import Keep
from ticketr.jobs._sqlite.database import (
    DelayedWriteTask,
    FileIdentity,
    RunSync,
    Schema,
    check_lock,
    connect,
    errors_as,
    refuse_writable_by_others,
    take_lock,
    unlock_file,
)
from ticketr.jobs._sqlite.rows import (
    JobRow,
    NotedRow,
    PackedCall,
    RepeatRow,
    SqlParameters,
    changing_live_values,
    end_values,
    last_noted_row_if_live,
    pack_call,
    record_of_call,
    row_unless_ended,
    running_as_pending_values,
    superseded_end_values,
    values_set_at_submit,
    was_ended_by_queue_end_alone,
)
from ticketr.jobs._values import safe_str

if TYPE_CHECKING:
    import sqlite3

SCHEMA: Final = Schema(
    "the store of a queue's jobs",
    0x746B6A73,
    frozenset({"jobs", "links", "repeats"}),
    (
        f"CREATE TABLE jobs (number INTEGER PRIMARY KEY AUTOINCREMENT, {', '.join(JobRow._fields[1:])})",
        "CREATE INDEX ended_jobs ON jobs (finished_at) WHERE finished_at IS NOT NULL",
        "CREATE TABLE links (job, predecessor, any_end, PRIMARY KEY (job, predecessor)) WITHOUT ROWID",
        "CREATE INDEX links_by_predecessor ON links (predecessor)",
        f"CREATE TABLE repeats (id PRIMARY KEY, {', '.join(RepeatRow._fields[1:])})",
    ),
)
"""A job's ``job`` is dropped at its end, unless it failed: it may be retried. A link says that a job
starts after another; it is deleted when that one no longer keeps it from starting."""

PAGE_ROWS: Final = 100
"""How many jobs are read at a time."""

INSERT_JOB: Final = (
    f"INSERT INTO jobs ({', '.join(JobRow._fields[:17])})"  # noqa: S608 - constants
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
UPDATE_LIVE_JOB: Final = (
    "UPDATE jobs SET status = ?, priority = ?, attempts = ?, uncounted = ?, due_at = ?,"
    " started_at = ?, total_ends_at = ? WHERE number = ? AND finished_at IS NULL"
)
END_JOB: Final = (
    "UPDATE jobs SET status = ?, attempts = ?, finished_at = ?, cancel_cause = ?, error = ?,"
    " result = ?, job = CASE ? WHEN 'failed' THEN job END WHERE number = ? AND finished_at IS NULL"
)
SELECT_JOBS_AFTER: Final = (
    f"SELECT {', '.join(JobRow._fields)} FROM jobs WHERE number > ? ORDER BY number LIMIT ?"  # noqa: S608 - constants
)
SELECT_LINKS: Final = (
    "SELECT job, predecessor FROM links WHERE job > ? AND job <= ? ORDER BY job, predecessor"
)
INSERT_LINK: Final = "INSERT OR IGNORE INTO links (job, predecessor, any_end) VALUES (?, ?, ?)"
DELETE_LINKS_OF_ENDED: Final = (
    "DELETE FROM links WHERE job = ? OR (predecessor = ? AND (any_end OR ? = 'completed'))"
)
REPLACE_REPEAT: Final = (
    "INSERT OR REPLACE INTO repeats VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
DELETE_ENDED_BEFORE: Final = "DELETE FROM jobs WHERE finished_at < ?"
DELETE_SURPLUS_ENDED: Final = (
    "DELETE FROM jobs WHERE number IN (SELECT number FROM jobs WHERE finished_at IS NOT NULL"
    " ORDER BY finished_at DESC, number DESC LIMIT -1 OFFSET ?)"
)
COUNT_ENDED: Final = "SELECT count(*) FROM jobs WHERE finished_at IS NOT NULL"


@final
class WriteBatch:
    """What is written in one transaction.

    Attributes:
        new: The jobs that were submitted, by number, with the jobs that they start after, and
            whether any end of these will do.
        live: The changes of live jobs.
        ended: How jobs have ended.
        repeats: The repeats that have changed, by ID; None for one that has ended.
        discarded: The jobs to delete, which could not be loaded, by number.
        superseded: The jobs to cancel when a new one is written that takes their place, by the
            number of that one.
        awaited: The new jobs that do not count as submitted if they cannot be written.
        ends: The jobs whose ends it has.
        is_over: Set when it is written, or has failed.
        error: Why it failed; None if it has not.
    """

    def __init__(self) -> None:
        self.new: dict[int, tuple[SqlParameters, Mapping[int, bool]]] = {}
        self.live: dict[int, SqlParameters] = {}
        self.ended: dict[int, SqlParameters] = {}
        self.repeats: dict[str, RepeatRow | None] = {}
        self.discarded: dict[int, str] = {}
        self.superseded: dict[int, Sequence[JobRecord]] = {}
        self.awaited: dict[int, JobRecord] = {}
        self.ends: set[JobRecord] = set()
        self.is_over: trio.Event = trio.Event()
        self.error: StoreFailed | None = None

    def __bool__(self) -> bool:
        return bool(self.new or self.live or self.ended or self.repeats or self.discarded)

    def forget(self, number: int) -> None:
        """Remove a job from the batch."""
        for rows in (self.new, self.live, self.ended, self.awaited, self.superseded):
            rows.pop(number, None)

    def add_older(self, older: WriteBatch) -> None:
        """Add what an older batch has and this one has not."""
        self.new = {**older.new, **self.new}
        self.live = {**older.live, **self.live}
        self.ended = {**older.ended, **self.ended}
        self.repeats = {**older.repeats, **self.repeats}
        self.discarded |= older.discarded
        self.superseded |= older.superseded
        self.ends |= older.ends
        for number in self.ended:
            self.live.pop(number, None)


# The file


@final
class StoreFile:
    """The open file of a store.

    Args:
        path: The file.
        keep: How many jobs to keep that have ended, and for how long.
        may_be_shared: Whether to take a file that others can write.
    """

    def __init__(self, path: Path, keep: Keep, *, may_be_shared: bool) -> None:
        self._path = path
        self._keep = keep
        self._may_be_shared = may_be_shared
        self._db: sqlite3.Connection | None = None
        self._identity: FileIdentity | None = None
        self._ended = 0

    def open_and_get_next_job_number(self) -> tuple[list[RepeatRow], int]:
        """Lock the file, check it, and return its repeats and the number of the next job.

        A job that was running when its process ended is pending again, with one kill more.

        Raises:
            StoreInUse: Another queue has the file open.
            StoreFailed: It cannot be used.
        """
        with errors_as(self._path, StoreFailed):
            self._path = Path(os.path.realpath(self._path))  # all links to it have one lock
            self._identity = take_lock(self._path)
            if not self._may_be_shared:
                refuse_writable_by_others(self._path)
            db = self._db = connect(self._path, SCHEMA)
            problem = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if problem != "ok":
                raise OSError(f"it is damaged ({problem}): move it away, or restore a copy")
            db.execute("BEGIN IMMEDIATE")
            db.execute(
                "UPDATE jobs SET status = 'pending', kills = kills + 1 WHERE status = 'running'"
            )
            (ended,) = db.execute(COUNT_ENDED).fetchone()
            self._ended = ended - self._drop_old_and_surplus(db, time.time(), ended)
            db.execute("COMMIT")
            repeats = db.execute("SELECT * FROM repeats ORDER BY rowid").fetchall()
            (last,) = db.execute("SELECT max(seq) FROM sqlite_sequence").fetchone()
            return [RepeatRow(*row) for row in repeats], (last or 0) + 1

    def jobs_after(self, number: int, limit: int = PAGE_ROWS) -> list[tuple[JobRow, list[int]]]:
        """Return the next jobs after one of this number, with the numbers of their predecessors.

        They are limited: all of them at once would hold up Trio's thread.

        Raises:
            StoreFailed: They cannot be read.
        """
        assert self._db is not None  # it was opened
        with errors_as(self._path, StoreFailed):
            rows = [JobRow(*row) for row in self._db.execute(SELECT_JOBS_AFTER, (number, limit))]
            predecessors: dict[int, list[int]] = {row.number: [] for row in rows}
            links = self._db.execute(SELECT_LINKS, (number, rows[-1].number if rows else number))
            for job, predecessor in links:
                predecessors.get(job, []).append(predecessor)
            return [(row, predecessors[row.number]) for row in rows]

    def write(self, batch: WriteBatch, ends: Mapping[int, SqlParameters], now: float) -> None:
        """Write changes, and the ends of superseded jobs, in one transaction.

        Raises:
            StoreFailed: Nothing was written.
        """
        db, identity = self._db, self._identity
        assert db is not None  # it was opened
        assert identity is not None
        with errors_as(self._path, StoreFailed):
            check_lock(self._path, identity)
            db.execute(f"PRAGMA synchronous = {'FULL' if batch.new else 'NORMAL'}")
            try:
                db.execute("BEGIN IMMEDIATE")
                ended = self._ended + _write_and_count_ended(db, batch, ends)
                ended -= self._drop_old_and_surplus(db, now, ended)
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
            unlock_file(self._identity)
        self._identity = None

    def _drop_old_and_surplus(self, db: sqlite3.Connection, now: float, ended_count: int) -> int:
        """Drop the ended jobs that are too old, or too many by a sixteenth; return their number."""
        dropped = db.execute(DELETE_ENDED_BEFORE, (now - self._keep.age,)).rowcount
        if ended_count - dropped > self._keep.jobs * 17 / 16:
            dropped += db.execute(DELETE_SURPLUS_ENDED, (int(self._keep.jobs),)).rowcount
        return dropped


def _write_and_count_ended(
    db: sqlite3.Connection, batch: WriteBatch, superseded_ends: Mapping[int, SqlParameters]
) -> int:
    """Write changes and the ends of superseded jobs; return how many more jobs have ended."""
    ended = 0
    rows = batch.new.values()
    db.executemany(INSERT_JOB, [row for row, _ in rows])
    links = [(row[0], *link) for row, predecessors in rows for link in predecessors.items()]
    db.executemany(INSERT_LINK, links)
    db.executemany(UPDATE_LIVE_JOB, [(*values, number) for number, values in batch.live.items()])
    for number, values in chain(batch.ended.items(), superseded_ends.items()):
        ended += db.execute(END_JOB, (*values, values[0], number)).rowcount
        db.execute(DELETE_LINKS_OF_ENDED, (number, number, values[0]))
    for number in batch.discarded:
        db.execute("DELETE FROM jobs WHERE number = ?", (number,))
        db.execute("DELETE FROM links WHERE job = ?", (number,))
    for repeat_id, repeat in batch.repeats.items():
        if repeat is None:
            db.execute("DELETE FROM repeats WHERE id = ?", (repeat_id,))
        else:
            db.execute(REPLACE_REPEAT, repeat)
    return ended


# The buffer


@final
class StoreWriter:
    """Keeps the jobs of one queue in its store.

    Attributes:
        codec: How arguments are written.
        max_kills: How many kills a job survives.
        unloaded: The jobs that could not be loaded: why not, by ID and number.
    """

    def __init__(
        self, queue: QueueCore, path: Path, codec: Codec, max_kills: float, run_sync: RunSync
    ) -> None:
        self._queue = queue
        self._offset = queue.wall_clock.offset
        self.codec: Final = codec
        self.max_kills: Final = max_kills
        self._file = StoreFile(path, queue.registry.keep, may_be_shared=codec.allowed is not None)
        self._run_sync = run_sync
        self.unloaded: dict[JobID, dict[int, str]] = {}
        self._next_number = 1
        self._gathering = WriteBatch()
        self._writing: WriteBatch | None = None
        self._using_file = trio.Lock()
        self._write_task = DelayedWriteTask(
            self._write_batch, gather_seconds=0.0, complaint="Changes of jobs are not written"
        )

    # The file

    async def open_and_get_next_job_number(self) -> tuple[list[RepeatRow], int]:
        """Open the file, and return its repeats and the number of the next job.

        Raises:
            StoreInUse: Another queue has it open.
            StoreFailed: It cannot be used.
        """
        with trio.CancelScope(shield=True):
            rows, number = await self._run_sync(self._file.open_and_get_next_job_number)
        self._next_number = number
        return rows, number  # noqa: ASYNC910 - run_sync has a checkpoint

    async def jobs_after(
        self, number: int, limit: int = PAGE_ROWS
    ) -> list[tuple[JobRow, list[int]]]:
        """Return the next jobs of the file after one of this number, as the file does.

        Raises:
            StoreFailed: They cannot be read.
        """
        async with self._using_file:
            with trio.CancelScope(shield=True):
                page = await self._run_sync(lambda: self._file.jobs_after(number, limit))
        return page

    async def load_for_retry(self, failed: JobRecord) -> JobRecord:
        """Return a new record of the call of a failed job, from its row.

        Raises:
            QueueClosed: The file is being closed.
            UnknownJob: The file no longer keeps the job.
            NotSendable: The call cannot be loaded.
            StoreFailed: It cannot be read.
        """
        if self._queue.phase.is_refusing:
            # What ends the queue may end this task, too.
            await trio.lowlevel.checkpoint_if_cancelled()
            raise QueueClosed
        stored = failed.extras.stored
        page = [] if type(stored) is not NotedRow else await self.jobs_after(stored.number - 1, 1)
        if not page or type(stored) is not NotedRow or page[0][0].number != stored.number:
            raise UnknownJob(failed.id)
        row = page[0][0]
        call = PackedCall(row.codec, row.job or b"", row.key, row.options, waits_for_write=True)
        try:
            record = record_of_call(call, self.codec)
        except LoadFailed as error:
            problem = f"cannot be loaded from the store: {error}"
            raise NotSendable("the job", repr(failed.id), problem) from error
        record.set_options({"stored": call})
        return record  # noqa: ASYNC910 - jobs_after has a checkpoint

    async def close(self) -> None:  # noqa: ASYNC910 - run_sync has a checkpoint, or fails
        """Write the rest and close the file.

        Call it when all jobs have ended.
        """
        try:
            with trio.CancelScope(shield=True):
                await self._write_task.write_now()
                await self._run_sync(self._file.close)
        except Exception as error:  # noqa: BLE001 - what calls the file is user code
            self._write_task.warn(safe_str(error) or type(error).__name__)
        finally:
            self._file.close()

    # Changes of jobs

    def pack_into_record(
        self, record: JobRecord, job: object, args: tuple[object, ...], *, waits_for_write: bool
    ) -> None:
        """Note in a record what to keep of its submit.

        Raises:
            NotSendable: Another process could not run the job.
        """
        call = pack_call(record, job, args, self.codec, waits_for_write=waits_for_write)
        record.set_options({"stored": call})

    def mark_unloaded(self, job_id: JobID, number: int, problem: str) -> None:
        """Leave a job in the file that cannot be loaded."""
        self.unloaded.setdefault(job_id, {})[number] = problem

    def discard_unloaded(self, job_id: JobID) -> bool:
        """Delete the jobs of this ID that could not be loaded; return False if there are none."""
        if job_id not in self.unloaded:
            return False
        self._gathering.discarded |= self.unloaded.pop(job_id)
        self._write_task.mark_dirty()
        return True

    def job_changed(self, record: JobRecord) -> None:
        """Note a change of a job."""
        stored = record.extras.stored
        if type(stored) is PackedCall and not record.status.is_terminal:
            self._add_new_job(record, stored)
        elif (row := last_noted_row_if_live(record)) is not None:
            if record.status.is_terminal:
                self._note_end_or_keep_live(record, row)
            else:
                self._note_values(row, changing_live_values(record, self._offset()))

    def _note_values(self, row: NotedRow, values: SqlParameters) -> None:
        """Note the values of a live job, if they have changed."""
        if values != row.last_noted_live_values:
            self._gathering.live[row.number] = row.last_noted_live_values = values
            self._write_task.mark_dirty()

    def _add_new_job(self, record: JobRecord, call: PackedCall) -> None:
        number = self._next_number
        self._next_number += 1
        # Without one that it supersedes: the next opening does so again.
        predecessors = {
            row.number: any_end
            for job, any_end in record.extras.predecessors.items()
            if (row := last_noted_row_if_live(job)) is not None and job.id != record.id
        }
        live = changing_live_values(record, self._offset())
        new = values_set_at_submit(record, call, self._offset())
        self._gathering.new[number] = (number, *new, *live), predecessors
        if call.waits_for_write:
            self._gathering.awaited[number] = record
        record.set_options({"stored": NotedRow(number, live)})
        self._write_task.mark_dirty()

    def _note_end_or_keep_live(self, record: JobRecord, row: NotedRow) -> None:
        """Note the end of a job; one that only the end of the queue has stopped stays live."""
        assert row.last_noted_live_values is not None  # it is live
        if self._was_ended_by_queue_end_alone(record):
            row.was_ended_by_queue_end_alone = True
            self._note_values(row, running_as_pending_values(record, row.last_noted_live_values))
        else:
            self._gathering.live.pop(row.number, None)
            self._gathering.ended[row.number] = end_values(record, self.codec, self._offset())
            self._write_task.mark_dirty()
        row.last_noted_live_values = None
        if self._gathering:
            self._gathering.ends.add(record)

    def _was_ended_by_queue_end_alone(self, record: JobRecord) -> bool:
        """Tell whether an ended job was stopped by the end of the queue alone.

        It stays in the file, and the next opening takes it up. A cancel scope around ``run`` or a map
        requests the cancellation; one around the queue does not.
        """
        extras, cause = record.extras, record.extras.cancel_cause
        if record.status is not CANCELLED:
            return False
        if cause is CancelCause.DEPENDENCY:
            jobs = [job for job in extras.predecessors if job.status.is_terminal]
            lost = [job for job in jobs if job.status is not COMPLETED]
            return bool(lost) and all(was_ended_by_queue_end_alone(job) for job in lost)
        if cause is CancelCause.SCOPE:
            return not extras.cancel_requested
        return cause is CancelCause.SHUTDOWN

    def supersede_once_written(self, record: JobRecord, superseded: Sequence[JobRecord]) -> None:
        """Cancel these jobs later, when the new one that takes their place is in the file.

        Those that are pending end in the same transaction. Their functions are not called before,
        since a start is written before the call.
        """
        row = last_noted_row_if_live(record)
        if row is None or row.number not in self._gathering.new:  # an opening: it is in the file
            self._queue.supersede(superseded)
        else:
            self._gathering.superseded[row.number] = superseded

    def repeat_changed(self, repeat: Repeat) -> None:
        """Note a change of a repeat, or its end."""
        self._gathering.repeats[repeat.id] = row_unless_ended(repeat, self._offset())
        self._write_task.mark_dirty()

    # Waiting

    async def wait_submit_written(self, record: JobRecord) -> None:
        """Wait until a job is in the file.

        Cancellation:
            Has no effect: writing is bounded.

        Raises:
            StoreFailed: It could not be written.
        """
        stored = record.extras.stored
        for batch in (self._gathering, self._writing):
            if batch and type(stored) is NotedRow and stored.number in batch.new:
                with trio.CancelScope(shield=True):
                    await self._wait_batch(batch)
                if batch.error is not None:
                    raise batch.error
                return  # noqa: ASYNC910 - the batch was not over
        await cancel_shielded_checkpoint()

    async def wait_end_written(self, record: JobRecord) -> None:  # noqa: ASYNC910 - the caller has passed a checkpoint
        """Wait until the end of a job is in the file, or could not be written.

        Cancellation:
            Has no effect on the file.
        """
        for batch in (self._gathering, self._writing):
            if batch is not None and record in batch.ends:
                await self._wait_batch(batch)
                return

    async def wait_all_written(self) -> None:
        """Wait until all changes so far are in the file, or could not be written.

        Cancellation:
            Has no effect on the file.
        """
        batch = self._gathering or self._writing
        if batch is None:
            await checkpoint()
            return
        await self._wait_batch(batch)

    async def _wait_batch(self, batch: WriteBatch) -> None:  # noqa: ASYNC910 - the batch is not over yet
        """Wait until a batch is written, or write it if the writing task has stopped."""
        self._write_task.skip_gathering_wait()
        while not batch.is_over.is_set():
            if self._write_task.has_stopped:
                await self._write_task.write_now()
            else:
                await batch.is_over.wait()

    # Writing

    @enable_ki_protection
    async def run(self) -> None:
        """Write what is noted, until cancelled."""
        try:
            await self._write_task.run()
        finally:
            self._write_task.stop_background_writes()
            with trio.CancelScope(shield=True):  # noqa: ASYNC912 - shielded in any case
                await self._write_task.write_now()  # somebody may wait for it

    async def _write_batch(self) -> None:
        """Write what is noted.

        Raises:
            StoreFailed: It could not be; it is noted for the next batch.
        """
        async with self._using_file:  # a submit writes, too, once the task has ended
            if not self._gathering:
                return
            batch, self._gathering = self._gathering, WriteBatch()
            self._writing, file, now = batch, self._file, time.time()
            superseded = [*chain.from_iterable(batch.superseded.values())]
            pending = [job for job in superseded if job.status is PENDING]
            rows = {job: row for job in pending if (row := last_noted_row_if_live(job)) is not None}
            ends = {row.number: superseded_end_values(job, now) for job, row in rows.items()}
            try:
                with trio.CancelScope(shield=True):
                    await self._run_sync(lambda: file.write(batch, ends, now))
            except BaseException as error:
                self._put_back_and_fail_submits(batch, error)
                raise
            else:
                self._queue.supersede(superseded)
            finally:
                self._writing = None
                batch.is_over.set()  # noqa: ASYNC910 - run_sync has a checkpoint, or fails

    def _put_back_and_fail_submits(self, batch: WriteBatch, error: BaseException) -> None:
        """Keep what could not be written for the next batch, but no job whose submit fails."""
        words = safe_str(error) or type(error).__name__
        batch.error = error if isinstance(error, StoreFailed) else StoreFailed("", words)
        self._gathering.add_older(batch)
        # A job that supersedes another gives the ID back to that one, which must live.
        awaited = [*reversed(batch.awaited.items())]
        for number, record in awaited:
            self._gathering.forget(number)
            record.set_options({"stored": None})
        if self._gathering:
            self._write_task.mark_dirty()
        for _, record in awaited:
            self._queue.cancel(record, CancelCause.USER)
