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

import logging
import time
from typing import TYPE_CHECKING, Final, Protocol, final

import trio
from trio.lowlevel import cancel_shielded_checkpoint, checkpoint, enable_ki_protection

from ticketr._errors import StoreFailed
from ticketr.jobs._job import CANCELLED, COMPLETED, PENDING, CancelCause
from ticketr.jobs._sqlite.store_calls import pack_call
from ticketr.jobs._sqlite.store_file import Changes
from ticketr.jobs._sqlite.store_repeats import row_of_repeat
from ticketr.jobs._sqlite.store_rows import (
    end_values,
    interrupted,
    live_values,
    new_row,
    superseded_values,
)
from ticketr.jobs._values import safe_str

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ticketr.jobs._calls.codecs import Codec, CodecName
    from ticketr.jobs._calls.importable import AllowedNames
    from ticketr.jobs._calls.stored_call import StoredCall
    from ticketr.jobs._job import JobID
    from ticketr.jobs._maps.repeat import Repeat
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._sqlite.history import RunSync
    from ticketr.jobs._sqlite.store_file import Contents, StoreFile
    from ticketr.jobs._sqlite.store_repeats import RepeatRow
    from ticketr.jobs._sqlite.store_rows import EndValues, JobRow, LiveValues, NewRow
    from ticketr.jobs._timer import WallClock


@final
class Batch:
    """What is written in one transaction.

    Attributes:
        new: The jobs that were submitted, by number.
        live: The changes of live jobs.
        ended: How jobs have ended.
        repeats: The repeats that have changed, by ID; None for one that has ended.
        awaited: The new jobs that do not count as submitted if they cannot be written.
        ends: The jobs whose ends it has.
        discarded: The numbers of jobs to delete, which could not be loaded.
        superseded: The jobs to cancel when a new one is written that takes their place, by the
            number of that one.
        superseded_ends: The ends of those that were pending then, which are written with it.
        is_over: Set when it is written, or has failed.
        error: Why it failed; None if it has not.
    """

    def __init__(self) -> None:
        self.new: dict[int, NewRow] = {}
        self.live: dict[int, LiveValues] = {}
        self.ended: dict[int, EndValues] = {}
        self.repeats: dict[str, RepeatRow | None] = {}
        self.awaited: dict[int, JobRecord] = {}
        self.ends: set[JobRecord] = set()
        self.discarded: set[int] = set()
        self.superseded: dict[int, Sequence[JobRecord]] = {}
        self.superseded_ends: dict[int, Mapping[int, EndValues]] = {}
        self.is_over: trio.Event = trio.Event()
        self.error: StoreFailed | None = None

    def __bool__(self) -> bool:
        return bool(self.new or self.live or self.ended or self.repeats or self.discarded)

    def add_job(self, row: NewRow, awaited: JobRecord | None) -> None:
        """Add a job that was submitted; one that is awaited is not submitted if that fails."""
        self.new[row.number] = row
        if awaited is not None:
            self.awaited[row.number] = awaited

    def set_live(self, number: int, values: LiveValues) -> None:
        """Note what a live job's row is to be."""
        self.live[number] = values

    def set_ended(self, number: int, values: EndValues) -> None:
        """Note how a job has ended."""
        self.live.pop(number, None)
        self.ended[number] = values

    def set_repeat(self, repeat_id: str, row: RepeatRow | None) -> None:
        """Note what a repeat's row is to be; None if it has ended."""
        self.repeats[repeat_id] = row

    def forget(self, number: int) -> None:
        """Remove a job from the batch."""
        for rows in (self.new, self.live, self.ended, self.awaited):
            rows.pop(number, None)
        self.superseded.pop(number, None)
        self.superseded_ends.pop(number, None)

    def add_older(self, older: Batch) -> None:
        """Add what an older batch has and this one has not."""
        self.new = {**older.new, **self.new}
        self.live = {**older.live, **self.live}
        self.ended = {**older.ended, **self.ended}
        self.repeats = {**older.repeats, **self.repeats}
        self.ends |= older.ends
        self.discarded |= older.discarded
        self.superseded |= older.superseded
        self.superseded_ends |= older.superseded_ends
        for number in self.ended:
            self.live.pop(number, None)

    def fail(self, error: StoreFailed) -> None:
        """Note why it was not written."""
        self.error = error

    def changes(self) -> Changes:
        """Return what to write."""
        ended: dict[int, EndValues] = {}
        for ends in self.superseded_ends.values():
            ended |= ends
        return Changes(self.new, self.live, ended | self.ended, self.repeats, self.discarded)


@final
class StoredJob:
    """A live job of the store: the number of its row, and the values that were noted last."""

    __slots__ = ("codec", "number", "values")

    def __init__(self, number: int, codec: CodecName, values: LiveValues | None) -> None:
        self.number = number
        self.codec = codec
        self.values = values

    def note(self, values: LiveValues) -> None:
        """Keep the values that were noted last."""
        self.values = values


logger = logging.getLogger("ticketr.jobs")

FIRST_PAUSE: Final = 0.1
"""The pause in seconds before a failed write is repeated, unless somebody waits for a write."""
LONGEST_PAUSE: Final = 30.0


class StoredQueue(Protocol):
    """The part of a queue that its store uses."""

    @property
    def wall_clock(self) -> WallClock: ...

    def cancel(self, record: JobRecord, cause: CancelCause) -> object:
        """Cancel a job."""

    def supersede(self, records: Sequence[JobRecord]) -> None:
        """Cancel these jobs, since another has taken their place."""


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
        self._filled = trio.Event()  # there is something to write
        self._wanted = trio.Event()  # and somebody waits for it
        self._has_stopped = False
        self._warned = False
        self._queue: StoredQueue | None = None

    # The file

    async def open(self) -> Contents:
        """Open the file and return what is in it.

        Raises:
            StoreInUse: Another queue has it open.
            StoreFailed: It cannot be used.
        """
        try:
            contents = await self._run_sync(lambda: self._file.open(time.time()))
        except BaseException:
            await self._close()  # noqa: ASYNC102 - it is shielded and bounded
            raise
        self._next_number = contents.next_number
        return contents

    async def jobs_after(self, number: int) -> list[tuple[JobRow, list[int]]]:
        """Return the next jobs of the file after one of this number, as the file does.

        Raises:
            StoreFailed: They cannot be read.
        """
        return await self._run_sync(lambda: self._file.jobs_after(number))

    def attach(self, queue: StoredQueue) -> None:
        """Take over the queue whose jobs are kept."""
        self._queue = queue

    async def close(self) -> None:
        """Write the rest and close the file.

        Call it when all jobs have ended.
        """
        try:
            with trio.CancelScope(shield=True):
                await self._write_batch()
            if self._gathering:
                self._warn("at the end of the queue")
        finally:
            await self._close()  # noqa: ASYNC102 - it is shielded and bounded

    async def _close(self) -> None:  # noqa: ASYNC910 - run_sync has a checkpoint, or fails
        try:
            with trio.CancelScope(shield=True):
                await self._run_sync(self._file.close)
        except Exception as error:  # noqa: BLE001 - what calls the file is user code
            self._warn(safe_str(error) or type(error).__name__)
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

    def know(self, record: JobRecord, number: int, codec: CodecName, values: LiveValues) -> None:
        """Take over a job that is in the file, before it enters the queue."""
        self._jobs[record] = StoredJob(number, codec, values)

    def forget(self, record: JobRecord) -> None:
        """Leave a job in the file as it is, since it has not entered the queue."""
        self._jobs.pop(record, None)

    def leave(self, job_id: JobID, number: int, problem: str) -> None:
        """Leave a job in the file that cannot be loaded."""
        self.unloaded[job_id] = problem
        self._unloaded_numbers.setdefault(job_id, []).append(number)

    def discard(self, job_id: JobID) -> bool:
        """Delete the jobs of this ID that could not be loaded; return False if there are none."""
        if self.unloaded.pop(job_id, None) is None:
            return False
        self._gathering.discarded.update(self._unloaded_numbers.pop(job_id))
        self._filled.set()
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
        values = live_values(record, self._offset())
        if values != stored.values:
            stored.note(values)
            self._gathering.set_live(stored.number, values)
            self._filled.set()

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
        row = new_row(record, number, call, predecessors, self._offset())
        self._gathering.add_job(row, record if call.is_awaited else None)
        record.set_options({"stored": None})  # it is large
        stored = self._jobs[record] = StoredJob(number, call.codec, None)
        return stored

    def _job_ended(self, record: JobRecord, stored: StoredJob) -> None:
        """Note the end of a job; one that only the end of the queue has stopped stays live."""
        del self._jobs[record]
        batch, number = self._gathering, stored.number
        batch.ends.add(record)
        if self._stays(record):
            self._kept.add(record)
            if stored.values is not None:
                batch.set_live(number, interrupted(stored.values))
        else:
            batch.set_ended(number, end_values(record, stored.codec, self._offset()))
        self._filled.set()

    def _stays(self, record: JobRecord) -> bool:
        """Tell whether an ended job was stopped by the end of the queue alone.

        It stays in the file, and the next opening takes it up. A cancel scope around ``run`` or a map
        requests the cancellation; one around the queue does not.
        """
        extras = record.extras
        if record.status is not CANCELLED:
            return False
        if extras.cancel_cause is CancelCause.DEPENDENCY:
            links = extras.links
            lost = (
                []
                if links is None
                else [
                    job
                    for job in links.predecessors
                    if job.status.is_terminal and job.status is not COMPLETED
                ]
            )
            return bool(lost) and all(job in self._kept for job in lost)
        if extras.cancel_cause is CancelCause.SCOPE:
            return not extras.cancel_requested
        return extras.cancel_cause is CancelCause.SHUTDOWN

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
        self._gathering.superseded[number] = superseded
        self._gathering.superseded_ends[number] = pending

    def repeat_changed(self, repeat: Repeat) -> None:
        """Note a change of a repeat, or its end."""
        self._gathering.set_repeat(repeat.id, row_of_repeat(repeat, self._offset()))
        self._filled.set()

    def number_of(self, record: JobRecord) -> int | None:
        """Return the number of a live job's row."""
        stored = self._jobs.get(record)
        return None if stored is None else stored.number

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
        number = self.number_of(record)
        batches = (self._gathering, self._writing)
        batch = next((b for b in batches if b is not None and number in b.new), None)
        if batch is None:
            await cancel_shielded_checkpoint()
            return
        with trio.CancelScope(shield=True):
            await self._wait(batch)
        if batch.error is not None:
            raise batch.error

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
        self._wanted.set()
        while not batch.is_over.is_set():
            if self._has_stopped:
                await self._write_batch()
            else:
                await batch.is_over.wait()

    # Writing

    @enable_ki_protection
    async def write(self) -> None:
        """Write what is noted, until cancelled."""
        pause = 0.0
        try:
            while True:
                await self._filled.wait()
                if pause:
                    with trio.move_on_after(pause):
                        await self._wanted.wait()
                # A worker may start a new job in the next step: its start is written with the job.
                await checkpoint()
                await checkpoint()
                is_written = await self._write_batch()
                self._warned = self._warned and not is_written
                pause = 0.0 if is_written else min(max(pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        finally:
            self._has_stopped = True
            with trio.CancelScope(shield=True):  # noqa: ASYNC912 - shielded in any case
                if self._gathering:  # somebody may wait for it
                    await self._write_batch()

    async def _write_batch(self) -> bool:
        """Write what is noted; return False if it could not be."""
        while self._writing is not None:  # by a submit, since the task has ended
            await self._writing.is_over.wait()
        batch = self._gathering
        if not batch:
            await cancel_shielded_checkpoint()
            return True
        self._writing, self._gathering = batch, Batch()
        self._filled, self._wanted = trio.Event(), trio.Event()
        changes, file = batch.changes(), self._file
        try:
            with trio.CancelScope(shield=True):
                await self._run_sync(lambda: file.write(changes, time.time()))
        except Exception as error:  # noqa: BLE001 - what calls the file is user code
            self._put_back(batch, error)
        except BaseException as error:
            self._put_back(batch, error)
            raise
        else:
            for records in batch.superseded.values():
                if self._queue is not None:
                    self._queue.supersede(records)
        finally:
            self._writing = None
            batch.is_over.set()
        return batch.error is None  # noqa: ASYNC910 - run_sync has a checkpoint, or fails

    def _put_back(self, batch: Batch, error: BaseException) -> None:
        """Keep what could not be written for the next batch, but no job whose submit fails."""
        words = safe_str(error) or type(error).__name__
        failure = error if isinstance(error, StoreFailed) else StoreFailed("", words)
        batch.fail(failure)
        self._warn(words)
        self._gathering.add_older(batch)
        # A job that supersedes another gives the ID back to that one, which must live.
        awaited = [*reversed(batch.awaited.items())]
        for number, record in awaited:
            self._gathering.forget(number)
            self._jobs.pop(record, None)
        if self._gathering:
            self._filled.set()
        for _, record in awaited:
            if self._queue is not None:
                self._queue.cancel(record, CancelCause.USER)

    def _warn(self, reason: str) -> None:
        """Log once that the store is behind the queue."""
        if not self._warned:
            self._warned = True
            logger.error("Changes of jobs are not written: %s", reason)
