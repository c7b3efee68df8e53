"""The jobs of a queue in this process, as the pages of the cluster want them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

from ticketr import JobStatus

if TYPE_CHECKING:
    from ticketr import CancelOutcome, JobQueue, JobSnapshot

TOKEN = "the token of the tests"


@dataclass(frozen=True)
class Worker:
    id: str = "w1"
    words: str = "host 7 <4>"
    running: int = 2
    lease: float = 9.96


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

    async def workers(self) -> list[Worker]:
        await trio.lowlevel.checkpoint()
        return [Worker()]
