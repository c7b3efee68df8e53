"""The buffer between a queue and its history, so that no job waits for the history.

When a job ends, its entry is put into the buffer, which is synchronous and cannot fail. A task in
the queue's nursery writes the entries in batches. It is cancelled together with the workers and
needs no shield, since a batch that was not written returns to the buffer. The last batch is written
at the end of the queue's block, when all jobs have ended, in a shield with a time limit.
"""

from __future__ import annotations

import itertools
import logging
import reprlib
import uuid
from collections import deque
from typing import TYPE_CHECKING, final

import trio
from trio.lowlevel import enable_ki_protection

from ticketr.jobs._finished import finished_job, wall_clock_offset
from ticketr.jobs._values import safe_repr, safe_str

if TYPE_CHECKING:
    from ticketr.jobs._finished import FinishedJob
    from ticketr.jobs._history import JobHistory
    from ticketr.jobs._job import JobSnapshot, JobStatus

logger = logging.getLogger("ticketr.jobs")

INTERVAL = 0.1
"""Seconds between two batches; a killed process loses the jobs of that time."""
BATCH = 1000
"""The most entries in one batch."""
BACKLOG = 10_000
"""The most entries in the buffer; beyond it the oldest is dropped."""
LONGEST_PAUSE = 60.0
"""The longest pause in seconds before a failed write is retried."""
FLUSH_SECONDS = 5.0
"""How long the end of a queue waits for its history, in seconds."""


@final
class Recorder:
    """Writes the finished jobs of one queue to its history.

    Attributes:
        lost: The number of jobs that could not be kept.
    """

    def __init__(self, history: JobHistory) -> None:
        self._history = history
        self._run = uuid.uuid4().hex
        self._numbers = itertools.count(1)
        self._unwritten: deque[FinishedJob] = deque()
        self._writing: list[FinishedJob] = []
        self._filled = trio.Event()
        self._warned = False
        self.lost: int = 0
        self._clock_offset: float | None = None

    def put(self, snapshot: JobSnapshot) -> None:
        """Add a job that has just ended to the buffer; never blocks or raises."""
        try:
            self._clock_offset = wall_clock_offset(self._clock_offset)
            job = finished_job(
                snapshot, self._run, next(self._numbers), self._history.summary, self._clock_offset
            )
        except Exception as error:  # noqa: BLE001 - the summary is user code
            self._lose(1, error)
            return
        self._unwritten.append(job)
        self._filled.set()
        # There may be several too many after a batch was returned that could not be written.
        while len(self._unwritten) > BACKLOG:
            self._unwritten.popleft()
            self._lose(1, "it is too slow")

    @enable_ki_protection
    async def write(self) -> None:
        """Write new entries in batches, until cancelled."""
        pause = INTERVAL
        while True:
            await self._filled.wait()
            await trio.sleep(pause)
            if await self._write_batch():
                pause = INTERVAL
            else:
                pause = min(max(pause, 0.5) * 2, LONGEST_PAUSE)

    async def flush(self) -> None:
        """Write the remaining entries, within a time limit. Call it when all jobs have ended."""
        with trio.move_on_after(FLUSH_SECONDS, shield=True):
            await trio.lowlevel.checkpoint()
            while self._unwritten and await self._write_batch():
                pass
        if self._unwritten:
            self._lose(len(self._unwritten), f"it took longer than {FLUSH_SECONDS:g} s")
            self._unwritten.clear()

    async def read(self, *, limit: int, status: JobStatus | None) -> list[FinishedJob]:
        """Return the jobs that ended last, the newest first, whether written yet or not."""
        # Taken before the read: an entry that is written meanwhile is then in one of both at least.
        unwritten = (*reversed(self._unwritten), *reversed(self._writing))
        written = await self._history.read(limit=limit, status=status)
        jobs = {
            (job.run, job.number): job
            for job in (*unwritten, *written)
            if status is None or job.status == status
        }
        return list(jobs.values())[:limit]

    async def _write_batch(self) -> bool:
        batch = self._writing = [
            self._unwritten.popleft() for _ in range(min(BATCH, len(self._unwritten)))
        ]
        try:
            await self._history.write(batch)
        except Exception as error:  # noqa: BLE001 - the history is user code; no job may fail
            self._unwritten.extendleft(reversed(batch))
            self._warn(error)
            await trio.lowlevel.checkpoint()
            return False
        except BaseException:
            self._unwritten.extendleft(reversed(batch))
            raise
        else:
            if not self._unwritten:
                self._filled = trio.Event()
            return True
        finally:
            self._writing = []

    def _lose(self, jobs: int, reason: object) -> None:
        self.lost += jobs
        self._warn(reason)

    def _warn(self, reason: object) -> None:
        """Log once that the history is incomplete; ``lost`` counts the jobs."""
        if not self._warned:
            self._warned = True
            text = safe_str(reason) or safe_repr(reason)  # an error may have no text, or raise
            logger.error("The history of jobs is not complete: %s", text)


def finished_from_snapshots(
    ended: list[JobSnapshot], *, limit: int, status: JobStatus | None
) -> list[FinishedJob]:
    """Return the newest finished jobs of a queue that has no history."""
    numbered = [
        (number, snapshot)
        for number, snapshot in enumerate(ended, start=1)
        if status is None or snapshot.status == status
    ]
    newest = itertools.islice(reversed(numbered), limit)
    offset = wall_clock_offset(None)
    return [finished_job(snapshot, "", number, reprlib.repr, offset) for number, snapshot in newest]
