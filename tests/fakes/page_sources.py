"""The jobs of a queue in this process, as the pages of the cluster want them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import trio

from ticketr import JobStatus
from ticketr.cluster import RepeatState
from ticketr.cluster._list import GateRow, WorkerRow

if TYPE_CHECKING:
    from ticketr import CancelOutcome, JobQueue, JobSnapshot

TOKEN = "the token of the tests"


WORKER = WorkerRow("w1", "host 7 <4>", 2, 9.96)
GATES = [
    GateRow(None, True, 0.1, 10.0),
    GateRow("<b>k</b>\033[31m", False, 60.0, 1.0),
    GateRow("held", True, None, 0.0),
]
REPEATS = [
    RepeatState(
        id="<i>night</i>\033]0;x\007#1?",
        name="<u>job</u>",
        runs=12,
        missed=3,
        next_at=datetime(2026, 11, 28, 2, tzinfo=UTC),
        last_status=JobStatus.FAILED,
        last_at=datetime(2026, 11, 27, 2, 0, 7, tzinfo=UTC),
        is_running=False,
        is_paused=False,
        has_ended=False,
    ),
    RepeatState(
        id="now",
        name="job",
        runs=1,
        missed=0,
        next_at=None,
        last_status=None,
        last_at=None,
        is_running=True,
        is_paused=False,
        has_ended=False,
    ),
    RepeatState(
        id="held",
        name="job",
        runs=0,
        missed=0,
        next_at=None,
        last_status=None,
        last_at=None,
        is_running=False,
        is_paused=True,
        has_ended=False,
    ),
]


class Source:
    """The jobs of a queue in this process, as the pages want them."""

    def __init__(self, queue: JobQueue) -> None:
        self.queue = queue

    async def totals(self) -> dict[JobStatus, int]:
        await trio.lowlevel.checkpoint()
        statuses = [job.status for job in self.queue.jobs()]
        return {status: statuses.count(status) for status in JobStatus}

    async def newest(self, status: JobStatus | None, limit: int) -> list[JobSnapshot]:
        await trio.lowlevel.checkpoint()
        return self.queue.jobs(status=status)[::-1][:limit]

    async def find(self, job_id: str) -> JobSnapshot | None:
        await trio.lowlevel.checkpoint()
        return next((job for job in self.queue.jobs() if job.id == job_id), None)

    async def cancel(self, job_id: str) -> CancelOutcome:
        await trio.lowlevel.checkpoint()
        return self.queue.cancel(job_id)

    async def gates(self) -> list[GateRow]:
        await trio.lowlevel.checkpoint()
        return GATES

    async def repeats(self, limit: int) -> list[RepeatState]:
        await trio.lowlevel.checkpoint()
        return REPEATS[:limit]

    async def workers(self) -> list[WorkerRow]:
        await trio.lowlevel.checkpoint()
        return [WORKER]
