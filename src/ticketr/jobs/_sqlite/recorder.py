"""The buffer between a queue and its history, so that no job waits for the history.

When a job ends, its entry is put into the buffer, which is synchronous and cannot fail. A task in
the queue's nursery writes the entries in batches. It is cancelled together with the workers and
needs no shield, since a batch that was not written returns to the buffer. The last batch is written
at the end of the queue's block, when all jobs have ended, in a shield with a time limit.
"""

from __future__ import annotations

import itertools
import logging
import math
import reprlib
import sys
import time
import uuid
from collections import deque
from typing import TYPE_CHECKING, final

import trio
from trio.lowlevel import enable_ki_protection

from ticketr.jobs._sqlite.finished import (
    FinishedBatch,
    clipped,
    job_of_row,
    row_of_record,
)
from ticketr.jobs._sqlite.history import SqliteHistory
from ticketr.jobs._values import safe_repr, safe_str

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ticketr.jobs._job import JobID, JobStatus
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._sqlite.finished import FinishedJob, Row
    from ticketr.jobs._sqlite.history import JobHistory

logger = logging.getLogger("ticketr.jobs")

INTERVAL = 0.1
"""Seconds between two batches; a killed process loses the jobs of that time."""
BATCH = 2500
"""The number of entries that are written without a pause before."""
BACKLOG = 10_000
"""The most entries in the buffer; beyond it the oldest is dropped."""
LONGEST_PAUSE = 60.0
"""The longest pause in seconds before a failed write is retried."""
FLUSH_SECONDS = 5.0
"""How long the end of a queue waits for its history, in seconds."""
LOCK_EVERY = 16
"""While a batch is written, the number of jobs after which its thread can have the interpreter's lock."""
LOCK_SECONDS = 1e-6
"""How long it can; an operating system makes about 0.05 ms of it.

Trio gives the lock away at each of its steps, but takes it back before another thread has woken up.
So a thread would wait for 5 to 50 ms whenever it needs the lock, as at each statement of SQLite, and
all that time each step of Trio would wake it in vain, which doubles what a small job takes. A queue
that never rests would outrun its history: a kill would cost a second, and the buffer would overflow.
"""


@final
class Recorder:
    """Writes the finished jobs of one queue to its history.

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
        self._filled = trio.Event()  # there is something to write
        self._batch_ready = trio.Event()  # so much that the next batch need not be waited for
        self._is_ending = False
        self._write_ended = trio.Event()  # the last one that began
        self._flush_until = math.inf
        self._warned = False
        self.lost: int = 0
        self._clock_offset = 0.0
        self._offset_valid_until = -math.inf

    def put(self, record: JobRecord) -> None:
        """Add a job that has just ended to the buffer; raises nothing, and pauses for 0.1 ms at most."""
        number = self._number = self._number + 1
        try:
            if record.finished_at > self._offset_valid_until:
                self._clock_offset = record.queue.wall_clock.offset()
                self._offset_valid_until = record.finished_at + INTERVAL
            row = row_of_record(record, self._run, number, self._summary, self._clock_offset)
        except Exception as error:  # noqa: BLE001 - the summary is user code
            self._lose(1, error)
            return
        except BaseException as error:  # noqa: ASYNC103, BLE001 - the summary calls sys.exit()
            self._interrupt(error)
            return  # noqa: ASYNC104 - it leaves by the block
        unwritten = self._unwritten
        unwritten.append(row)
        count = len(unwritten)
        if count == 1:
            self._filled.set()
        if count == BATCH:
            self._batch_ready.set()
        if count > BACKLOG:
            self._drop_surplus()
        if self._writing and not number % LOCK_EVERY:
            time.sleep(LOCK_SECONDS)  # noqa: TID251 - no await, but a pause of the whole thread

    @enable_ki_protection
    async def write(self) -> None:  # noqa: ASYNC910 - each turn has a checkpoint
        """Write new entries in batches, until cancelled or the queue ends."""
        pause = 0.0
        while not self._is_ending:
            await self._filled.wait()
            if pause:
                await trio.sleep(pause)
            elif len(self._unwritten) < BATCH:
                self._batch_ready = trio.Event()
                with trio.move_on_after(INTERVAL):
                    await self._batch_ready.wait()
            is_written = await self._write_batch()
            pause = 0.0 if is_written else min(max(pause, 0.5) * 2, LONGEST_PAUSE)

    async def finish_write(self) -> None:
        """Let the write under way end, within the time limit of ``flush``, and begin no other.

        Call it when all jobs have ended, before the task of ``write`` is cancelled: a cancelled
        write would be done a second time.
        """
        self._is_ending = True
        self._flush_until = trio.current_time() + FLUSH_SECONDS
        with trio.CancelScope(deadline=self._flush_until, shield=True):
            await trio.lowlevel.checkpoint()
            if self._writing:
                await self._write_ended.wait()

    async def flush(self) -> None:
        """Write the remaining entries, within a time limit.

        Call it when all jobs have ended.
        """
        deadline = min(self._flush_until, trio.current_time() + FLUSH_SECONDS)
        with trio.CancelScope(deadline=deadline, shield=True):
            await trio.lowlevel.checkpoint()
            if self._unwritten:
                await self._write_batch()
        if self._unwritten:
            self._lose(len(self._unwritten), f"it took longer than {FLUSH_SECONDS:g} s")
            self._unwritten.clear()

    async def read(
        self, *, limit: int, status: JobStatus | None, job_id: JobID | None
    ) -> list[FinishedJob]:
        """Return the jobs that ended last, the newest first, whether written yet or not."""
        # Taken before the read: an entry that is written meanwhile is then in one of both at least.
        unwritten = [*reversed(self._unwritten), *reversed(self._writing)]
        job_id = None if job_id is None else clipped(job_id)
        written = await self._read_written(limit, status, job_id)
        return newest_of(unwritten, written, limit=limit, status=status, job_id=job_id)

    async def _read_written(
        self, limit: int, status: JobStatus | None, job_id: JobID | None
    ) -> list[FinishedJob]:
        history = self._history
        if job_id is None:
            return await history.read(limit=limit, status=status)
        same: object = history  # a type checker takes no object of a protocol for one of a class
        if type(same) is SqliteHistory:
            return await same.read(limit=limit, status=status, id=job_id)
        return await history.read(limit=sys.maxsize, status=status)  # which cannot look for IDs

    async def _write_batch(self) -> bool:
        """Write all that is unwritten; return False if the history failed."""
        unwritten = self._unwritten
        self._write_ended = trio.Event()
        batch = self._writing = list(unwritten)
        unwritten.clear()
        try:
            await self._history.write(FinishedBatch(batch))
        except Exception as error:  # noqa: BLE001 - the history is user code; no job may fail
            self._put_back(batch)
            self._warn(error)
            await trio.lowlevel.checkpoint()
            return False
        except BaseException:
            self._put_back(batch)
            raise
        else:
            if not unwritten:
                self._filled = trio.Event()
            return True
        finally:
            self._writing = []
            self._write_ended.set()

    def _put_back(self, batch: list[Row]) -> None:
        self._unwritten.extendleft(reversed(batch))
        self._filled.set()

    def _drop_surplus(self) -> None:
        """Drop the oldest unwritten jobs beyond `BACKLOG`."""
        unwritten = self._unwritten
        # There may be several too many after a batch was returned that could not be written.
        while len(unwritten) > BACKLOG:
            unwritten.popleft()
            self._lose(1, "it is too slow")

    def _lose(self, jobs: int, reason: object) -> None:
        """Count jobs that the history will not have, and warn of the first."""
        self.lost += jobs
        self._warn(reason)

    def _warn(self, reason: object) -> None:
        """Log once that the history is incomplete; ``lost`` counts the jobs."""
        if not self._warned:
            self._warned = True
            text = safe_str(reason) or safe_repr(reason)  # an error may have no text, or raise
            logger.error("The history of jobs is not complete: %s", text)


def newest_of(
    unwritten: Sequence[Row],
    written: Sequence[FinishedJob],
    *,
    limit: int,
    status: JobStatus | None,
    job_id: JobID | None,
) -> list[FinishedJob]:
    """Return the newest jobs of the unwritten and the written ones, each of them once."""
    jobs = {
        (job.run, job.number): job
        for job in itertools.chain(map(job_of_row, unwritten), written)
        if (status is None or job.status == status) and (job_id is None or job.id == job_id)
    }
    return list(jobs.values())[:limit]


def finished_in_memory(
    ended: Sequence[JobRecord], *, limit: int, status: JobStatus | None, job_id: JobID | None
) -> list[FinishedJob]:
    """Return the newest finished jobs of a queue that has no history."""
    numbered = [
        (number, record)
        for number, record in enumerate(ended, start=1)
        if (status is None or record.status is status) and (job_id is None or record.id == job_id)
    ]
    return [
        job_of_row(
            row_of_record(record, "", number, reprlib.repr, record.queue.wall_clock.offset())
        )
        for number, record in itertools.islice(reversed(numbered), limit)
    ]
