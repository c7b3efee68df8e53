"""Follow the progress of all jobs in one stream.

A report never waits for the reader. A slow reader gets the newest report of each job, and always
the last one.
"""

from __future__ import annotations

import trio

from ticketr import JobContext, JobQueue, open_job_queue


async def copy(context: JobContext, files: int, seconds: float) -> None:
    """Report after each file."""
    for number in range(1, files + 1):
        await trio.sleep(seconds)
        context.report(current=number, total=files, message=f"file {number}")


async def show(queue: JobQueue) -> None:
    """Print each report until all jobs have ended."""
    with queue.progress(until_idle=True) as reports:
        async for report in reports:
            print(f"{report.job_id}: {report}")


async def main() -> None:
    """Copy with two workers and print the progress."""
    async with open_job_queue(workers=2) as queue, trio.open_nursery() as nursery:
        nursery.start_soon(show, queue)
        await queue.submit(copy, 3, 0.2, id="letters")
        await queue.submit(copy, 2, 0.25, id="photos")


if __name__ == "__main__":
    trio.run(main)
