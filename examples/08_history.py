"""History: what became of the jobs, also of those of an earlier run.

The file can be read while the queue writes it, by this process or another one.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import trio

from ticketr import JobContext, JobStatus, SqliteHistory, open_job_queue


async def copy(context: JobContext, files: int) -> str:
    """Report after each file; there is no room for more than five."""
    for number in range(1, files + 1):
        await trio.lowlevel.checkpoint()
        if number > 5:
            raise OSError("no space left")
        context.report(current=number, total=files)
    return f"{files} files, secret=hunter2"


def summary(result: object) -> str:
    """Keep a result without its secrets."""
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
