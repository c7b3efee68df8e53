"""What ends up in the file, and what becomes of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr import JobContext, JobStatus, SqliteHistory, open_job_queue

if TYPE_CHECKING:
    from pathlib import Path


async def value(context: JobContext, given: object) -> object:
    context.report(current=1, total=2, message="at it")
    return given


async def test_every_job_that_has_ended_is_in_the_file(tmp_path: Path) -> None:
    history = SqliteHistory(tmp_path / "jobs.sqlite")

    async with open_job_queue(history=history) as queue:
        await queue.submit(value, 5, name="five")

    (job,) = await history.read()
    assert (job.name, job.status, job.result) == ("five", JobStatus.COMPLETED, "5")
