"""Follow the progress of several jobs in one stream; a slow reader never holds them up."""

from __future__ import annotations

import trio

from ticketr import JobContext, JobQueue, open_job_queue


async def copy(context: JobContext, files: int) -> int:
    """Report after each file; this costs next to nothing and never blocks."""
    for number in range(1, files + 1):
        await trio.sleep(0.1)
        context.report(current=number, total=files, message=f"Copying for {context.id}")
    return files


async def show(queue: JobQueue) -> None:
    """Print what the jobs report; it ends by itself when the queue is closed."""
    with queue.progress() as updates:
        async for progress in updates:
            print(progress)


async def main() -> None:
    """Run two jobs side by side, and print as they go."""
    async with trio.open_nursery() as nursery, open_job_queue(workers=2) as queue:
        nursery.start_soon(show, queue)
        await queue.submit(copy, 2, id="anna")
        await queue.submit(copy, 3, id="ben")


if __name__ == "__main__":
    trio.run(main)
