"""Record how jobs ended, and read the record of earlier runs.

This process and others can read the file while the queue writes to it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import trio

from ticketr import JobContext, JobStatus, SqliteHistory, open_job_queue


async def copy(context: JobContext, files: int) -> str:
    """Report after each file; fail after five."""
    for number in range(1, files + 1):
        await trio.lowlevel.checkpoint()
        if number > 5:
            raise OSError("no space left")
        context.report(current=number, total=files)
    return f"{files} files, secret=hunter2"


def summary(result: object) -> str:
    """Return what to record of a result, without secrets."""
    return str(result).partition(", secret=")[0]


async def main() -> None:
    """Run twice with the same file."""
    with tempfile.TemporaryDirectory() as folder:
        history = SqliteHistory(Path(folder) / "jobs.sqlite", max_jobs=100, summary=summary)

        async with open_job_queue(history=history) as queue:
            await queue.submit(copy, 3, name="letters")

        async with open_job_queue(history=history) as queue:
            photos = await queue.submit(copy, 9, name="photos")
            await photos.wait()
            for job in await queue.history():
                outcome = job.result or f"{job.error_type}: {job.error_message}"
                print(f"{job.name}: {job.status}, {job.current}/{job.total}, {outcome}")

        failed = await history.read(status=JobStatus.FAILED)
        print(len(failed), "failed")


if __name__ == "__main__":
    trio.run(main)
