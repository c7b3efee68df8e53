"""The buffer between a queue and its store.

The queue notifies the writer of each change of a job, synchronously, and the writer notes the new
row. A task writes all that is noted in one transaction, so what happened in one step is on disk
wholly or not at all, and all submits of the same moment share one flush. While a batch is written,
the next one gathers.

A submit waits until its job is written, and whoever waits for a job until its end is. So does a
worker before it calls a job's function, so that a job that brings the process down is counted. If
the process is killed before the end of a job is written, the job runs again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final, final

import trio
from trio.lowlevel import (
    cancel_shielded_checkpoint,
    checkpoint,
    checkpoint_if_cancelled,
    enable_ki_protection,
)

from ticketr._errors import NotSendable, QueueClosed, StoreFailed, UnknownJob
from ticketr.jobs._calls.codecs import Codec
from ticketr.jobs._calls.importable import AllowedNames, LoadFailed
from ticketr.jobs._core import QueueCore
from ticketr.jobs._job import CANCELLED, COMPLETED, FAILED, PENDING, CancelCause, JobID
from ticketr.jobs._maps.repeat import Repeat
from ticketr.jobs._record import JobRecord
from ticketr.jobs._sqlite.buffer import WriteBehind
from ticketr.jobs._sqlite.database import RunSync
from ticketr.jobs._sqlite.file import Contents, StoreFile
from ticketr.jobs._sqlite.rows import (
    JobRow,
    RepeatRow,
    StoredCall,
    Values,
    end_values,
    interrupted,
    live_values,
    new_values,
    pack_call,
    record_of_call,
    row_of_repeat,
    superseded_values,
)
from ticketr.jobs._values import safe_str

PAUSES: Final = (0.1, 30.0)
"""The pauses in seconds before a failed write is repeated, unless somebody waits for a write."""


@final
class Batch:
    """What is written in one transaction.

    Attributes:
        new: The jobs that were submitted, by number, with the jobs that they start after, and
            whether any end of these will do.
        live: The changes of live jobs.
        ended: How jobs have ended.
        repeats: The repeats that have changed, by ID; None for one that has ended.
        discarded: The numbers of jobs to delete, which could not be loaded.
        superseded: The jobs to cancel when a new one is written that takes their place, by the
            number of that one, and the ends of those that were pending then.
        awaited: The new jobs that do not count as submitted if they cannot be written.
        ends: The jobs whose ends it has.
        is_over: Set when it is written, or has failed.
        error: Why it failed; None if it has not.
    """

    def __init__(self) -> None:
        self.new: dict[int, tuple[Values, Mapping[int, bool]]] = {}
        self.live: dict[int, Values] = {}
        self.ended: dict[int, Values] = {}
        self.repeats: dict[str, RepeatRow | None] = {}
        self.discarded: dict[int, None] = {}
        self.superseded: dict[int, tuple[Sequence[JobRecord], Mapping[int, Values]]] = {}
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

    def add_older(self, older: Batch) -> None:
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


@final
class StoredJob:
    """A live job of the store: the number of its row, and the values that were noted last."""

    __slots__ = ("codec", "number", "values")

    def __init__(self, number: int, codec: str, values: Values | None) -> None:
        self.number = number
        self.codec = codec
        self.values = values


@final
class StoreWriter:
    """Keeps the jobs of one queue in its store.

    Attributes:
        codec: How arguments are written.
        allowed: The functions that jobs may call; None for all.
        max_kills: How many kills a job survives.
        unloaded: The jobs that could not be loaded: why not, by ID.
    """

    def __init__(
        self,
        file: StoreFile,
        codec: Codec,
        allowed: AllowedNames | None,
        max_kills: float,
        run_sync: RunSync,
    ) -> None:
        self.codec: Final = codec
        self.allowed: Final = allowed
        self.max_kills: Final = max_kills
        self._file = file
        self._run_sync = run_sync
        self._jobs: dict[JobRecord, StoredJob] = {}
        self._kept: set[JobRecord] = set()  # cancelled by the end of the queue alone
        self.unloaded: dict[JobID, str] = {}
        self._unloaded_numbers: dict[JobID, list[int]] = {}
        self._next_number = 1
        self._gathering = Batch()
        self._writing: Batch | None = None
        self._using_file = trio.Lock()
        self._behind = WriteBehind(
            self._write_batch,
            gather_seconds=0.0,
            pauses=PAUSES,
            complaint="Changes of jobs are not written",
        )
        self._queue: QueueCore | None = None

    # The file

    async def open(self, queue: QueueCore) -> Contents:
        """Open the file for the jobs of a queue, and return what is in it.

        Raises:
            StoreInUse: Another queue has it open.
            StoreFailed: It cannot be used.
        """
        self._queue = queue
        try:
            with trio.CancelScope(shield=True):
                contents = await self._run_sync(lambda: self._file.open(time.time()))
        except BaseException:
            await self._close()  # noqa: ASYNC102 - it is shielded and bounded
            raise
        self._next_number = contents.next_number
        return contents  # noqa: ASYNC910 - run_sync has a checkpoint

    async def jobs_after(self, number: int) -> list[tuple[JobRow, list[int]]]:  # noqa: ASYNC910 - the same
        """Return the next jobs of the file after one of this number, as the file does.

        Raises:
            StoreFailed: They cannot be read.
        """
        with trio.CancelScope(shield=True):
            page = await self._run_sync(lambda: self._file.jobs_after(number))
        return page  # noqa: RET504 - a type checker takes a scope for one that swallows errors

    async def load_failed(self, failed: JobRecord, number: int) -> JobRecord:
        """Return a new record of the call of a failed job, from its row.

        Raises:
            QueueClosed: The file is being closed.
            UnknownJob: The file no longer keeps the job.
            NotSendable: The call cannot be loaded.
            StoreFailed: It cannot be read.
        """
        assert self._queue is not None  # it was opened
        async with self._using_file:
            if self._queue.phase.refusing:
                await checkpoint_if_cancelled()  # what ends the queue may end this task, too
                raise QueueClosed
            with trio.CancelScope(shield=True):
                page = await self._run_sync(lambda: self._file.jobs_after(number - 1, 1))
        row = next((row for row, _ in page if row.number == number), None)
        if row is None:
            raise UnknownJob(failed.id)
        call = StoredCall(row.codec, row.job or b"", row.key, row.options, is_awaited=True)
        try:
            record = record_of_call(call, self.codec, self.allowed)
        except LoadFailed as error:
            problem = f"cannot be loaded from the store: {error}"
            raise NotSendable("the job", repr(failed.id), problem) from error
        record.set_options({"stored": call})
        return record

    async def close(self) -> None:
        """Write the rest and close the file.

        Call it when all jobs have ended.
        """
        try:
            with trio.CancelScope(shield=True):
                await self._behind.write_now()
        finally:
            await self._close()  # noqa: ASYNC102 - it is shielded and bounded

    async def _close(self) -> None:  # noqa: ASYNC910 - run_sync has a checkpoint, or fails
        try:
            with trio.CancelScope(shield=True):
                await self._run_sync(self._file.close)
        except Exception as error:  # noqa: BLE001 - what calls the file is user code
            self._behind.warn(safe_str(error) or type(error).__name__)
        finally:
            self._file.close()

    # Changes of jobs

    def pack(
        self, record: JobRecord, job: object, args: tuple[object, ...], *, is_awaited: bool
    ) -> None:
        """Note in a record what to keep of its submit.

        Raises:
            NotSendable: Another process could not run the job.
        """
        call = pack_call(record, job, args, self.codec, self.allowed, is_awaited=is_awaited)
        record.set_options({"stored": call})

    def know(self, record: JobRecord, row: JobRow) -> None:
        """Take over a job that is in the file, before it enters the queue."""
        self._jobs[record] = StoredJob(row.number, row.codec, row[10:17])

    def leave(self, job_id: JobID, number: int, problem: str) -> None:
        """Leave a job in the file that cannot be loaded."""
        self.unloaded[job_id] = problem
        self._unloaded_numbers.setdefault(job_id, []).append(number)

    def discard(self, job_id: JobID) -> bool:
        """Delete the jobs of this ID that could not be loaded; return False if there are none."""
        if self.unloaded.pop(job_id, None) is None:
            return False
        self._gathering.discarded |= dict.fromkeys(self._unloaded_numbers.pop(job_id))
        self._behind.fill()
        return True

    def job_changed(self, record: JobRecord) -> None:
        """Note a change of a job."""
        stored = self._jobs.get(record)
        if record.status.is_terminal:
            if stored is not None:
                self._job_ended(record, stored)
            return
        if stored is None:
            call = record.extras.stored
            if call is None:
                return
            stored = self._add(record, call)
        self._note(stored, live_values(record, self._offset()))

    def _note(self, stored: StoredJob, values: Values) -> None:
        """Note the values of a live job, if they have changed."""
        if values != stored.values:
            self._gathering.live[stored.number] = stored.values = values
            self._behind.fill()

    def _add(self, record: JobRecord, call: StoredCall) -> StoredJob:
        number = self._next_number
        self._next_number += 1
        links = record.extras.links
        # Without one that it supersedes: the next opening does so again.
        predecessors = {
            self._jobs[job].number: any_end
            for job, any_end in ({} if links is None else links.predecessors).items()
            if job in self._jobs and job.id != record.id
        }
        values = new_values(record, number, call, self._offset())
        self._gathering.new[number] = values, predecessors
        if call.is_awaited:
            self._gathering.awaited[number] = record
        record.set_options({"stored": None})  # it is large
        stored = self._jobs[record] = StoredJob(number, call.codec, None)
        return stored

    def _job_ended(self, record: JobRecord, stored: StoredJob) -> None:
        """Note the end of a job; one that only the end of the queue has stopped stays live."""
        del self._jobs[record]
        if self._stays(record):
            self._kept.add(record)
            if stored.values is not None:
                self._note(stored, interrupted(record, stored.values))
        else:
            if record.status is FAILED:
                record.set_options({"row": stored.number})
            values = end_values(record, stored.codec, self._offset())
            self._gathering.live.pop(stored.number, None)
            self._gathering.ended[stored.number] = values
            self._behind.fill()
        if self._gathering:
            self._gathering.ends.add(record)

    def _stays(self, record: JobRecord) -> bool:
        """Tell whether an ended job was stopped by the end of the queue alone.

        It stays in the file, and the next opening takes it up. A cancel scope around ``run`` or a map
        requests the cancellation; one around the queue does not.
        """
        extras, cause = record.extras, record.extras.cancel_cause
        if record.status is not CANCELLED:
            return False
        if cause is CancelCause.DEPENDENCY and extras.links is not None:
            jobs = [job for job in extras.links.predecessors if job.status.is_terminal]
            lost = [job for job in jobs if job.status is not COMPLETED]
            return bool(lost) and all(job in self._kept for job in lost)
        if cause is CancelCause.SCOPE:
            return not extras.cancel_requested
        return cause is CancelCause.SHUTDOWN

    def supersede(self, record: JobRecord, superseded: Sequence[JobRecord]) -> None:
        """Cancel these jobs when the new one that takes their place is in the file.

        Those that are pending end in the same transaction. Their functions are not called before,
        since a start is written before the call.
        """
        if not superseded:
            return
        number, now = self._jobs[record].number, record.submitted_at + self._offset()
        if number not in self._gathering.new:  # an opening: the new one is in the file
            assert self._queue is not None  # it is being opened
            self._queue.supersede(superseded)
            return
        pending = {
            self._jobs[job].number: superseded_values(job, now)
            for job in superseded
            if job.status is PENDING and job in self._jobs
        }
        self._gathering.superseded[number] = superseded, pending

    def repeat_changed(self, repeat: Repeat) -> None:
        """Note a change of a repeat, or its end."""
        self._gathering.repeats[repeat.id] = row_of_repeat(repeat, self._offset())
        self._behind.fill()

    def _offset(self) -> float:
        assert self._queue is not None  # it was opened
        return self._queue.wall_clock.offset()

    # Waiting

    async def wait_written(self, record: JobRecord) -> None:
        """Wait until a job is in the file.

        Cancellation:
            Has no effect: writing is bounded.

        Raises:
            StoreFailed: It could not be written.
        """
        stored = self._jobs.get(record)
        for batch in (self._gathering, self._writing):
            if stored is not None and batch is not None and stored.number in batch.new:
                with trio.CancelScope(shield=True):
                    await self._wait(batch)
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
                await self._wait(batch)
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
        await self._wait(batch)

    async def _wait(self, batch: Batch) -> None:  # noqa: ASYNC910 - the batch is not over yet
        """Wait until a batch is written, or write it if the writing task has stopped."""
        self._behind.hurry()
        while not batch.is_over.is_set():
            if self._behind.has_stopped:
                await self._behind.write_now()
            else:
                await batch.is_over.wait()

    # Writing

    @enable_ki_protection
    async def write(self) -> None:
        """Write what is noted, until cancelled."""
        try:
            await self._behind.run()
        finally:
            self._behind.stop()
            with trio.CancelScope(shield=True):  # noqa: ASYNC912 - shielded in any case
                if self._gathering:  # somebody may wait for it
                    await self._behind.write_now()

    async def _write_batch(self) -> None:
        """Write what is noted.

        Raises:
            StoreFailed: It could not be; it is noted for the next batch.
        """
        async with self._using_file:  # a submit writes, too, once the task has ended
            if self._gathering:
                await self._write_gathered(self._gathering)

    async def _write_gathered(self, batch: Batch) -> None:
        self._writing, self._gathering = batch, Batch()
        file = self._file
        try:
            with trio.CancelScope(shield=True):
                await self._run_sync(lambda: file.write(batch, time.time()))
        except BaseException as error:
            self._put_back(batch, error)
            raise
        else:
            for records, _ in batch.superseded.values():
                if self._queue is not None:
                    self._queue.supersede(records)
        finally:
            self._writing = None
            batch.is_over.set()  # noqa: ASYNC910 - run_sync has a checkpoint, or fails

    def _put_back(self, batch: Batch, error: BaseException) -> None:
        """Keep what could not be written for the next batch, but no job whose submit fails."""
        words = safe_str(error) or type(error).__name__
        batch.error = error if isinstance(error, StoreFailed) else StoreFailed("", words)
        self._gathering.add_older(batch)
        # A job that supersedes another gives the ID back to that one, which must live.
        awaited = [*reversed(batch.awaited.items())]
        for number, record in awaited:
            self._gathering.forget(number)
            self._jobs.pop(record, None)
        if self._gathering:
            self._behind.fill()
        for _, record in awaited:
            if self._queue is not None:
                self._queue.cancel(record, CancelCause.USER)
