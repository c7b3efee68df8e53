"""Use the queue from other threads, with ``trio.from_thread``.

It prints what a thread of Trio's pool submits, reads and cancels, then what a thread that Trio did
not start does with Trio's token.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import trio

from ticketr import JobContext, JobQueue, open_job_queue


def count(context: JobContext, upto: int) -> int:
    """Do blocking work in a thread, and report through Trio's thread."""
    for number in range(1, upto + 1):
        trio.from_thread.run_sync(partial(context.report, current=number, total=upto))
        trio.from_thread.check_cancelled()  # raises if the job is cancelled
    return upto


async def counting(context: JobContext, upto: int) -> int:
    """Run the blocking work as a job."""
    return await trio.to_thread.run_sync(count, context, upto)


async def endless(context: JobContext) -> None:
    """Wait to be cancelled."""
    await trio.sleep_forever()


def use(queue: JobQueue) -> None:
    """Use the queue in a thread of Trio: ``run`` for async calls, ``run_sync`` for others."""
    job = trio.from_thread.run(queue.submit, counting, 1000)
    print(f"result: {trio.from_thread.run(job.result)}")
    other = trio.from_thread.run(partial(queue.submit, endless, id="other"))  # with options
    print(f"cancel: {trio.from_thread.run_sync(queue.cancel, 'other')}")
    print(f"other: {trio.from_thread.run(other.wait).status}")


def use_from_outside(queue: JobQueue, token: trio.lowlevel.TrioToken) -> int:
    """Use the queue in a thread of another library, such as a web server."""
    return trio.from_thread.run(queue.run, counting, 10, trio_token=token)


async def main() -> None:
    """Run both threads inside the block: a closed queue takes no jobs."""
    async with open_job_queue() as queue:
        await trio.to_thread.run_sync(use, queue)
        with ThreadPoolExecutor() as pool:
            outside = pool.submit(use_from_outside, queue, trio.lowlevel.current_trio_token())
            print(f"from outside: {await trio.to_thread.run_sync(outside.result)}")


if __name__ == "__main__":
    trio.run(main)
