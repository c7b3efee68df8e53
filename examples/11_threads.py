"""The queue from other threads, by way of ``trio.from_thread``: it belongs to Trio's own.

It prints what a thread of Trio's pool submits, reads and cancels, then what a thread that Trio
knows nothing of gets by a token.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import trio

from ticketr import JobContext, JobQueue, open_job_queue


def count(context: JobContext, upto: int) -> int:
    """Work that blocks: it runs in a thread, and reports by way of Trio's."""
    for number in range(1, upto + 1):
        trio.from_thread.run_sync(partial(context.report, current=number, total=upto))
        trio.from_thread.check_cancelled()  # where it ends if the job is cancelled
    return upto


async def counting(context: JobContext, upto: int) -> int:
    """The job around it."""
    return await trio.to_thread.run_sync(count, context, upto)


async def endless(context: JobContext) -> None:
    """Wait to be cancelled."""
    await trio.sleep_forever()


def use(queue: JobQueue) -> None:
    """In a thread of Trio's pool: ``run`` what is awaited, ``run_sync`` what is not."""
    job = trio.from_thread.run(queue.submit, counting, 1000)
    print(f"result: {trio.from_thread.run(job.result)}")
    other = trio.from_thread.run(partial(queue.submit, endless, id="other"))  # with options
    print(f"cancel: {trio.from_thread.run_sync(queue.cancel, 'other')}")
    print(f"other: {trio.from_thread.run(other.wait).status}")


def use_from_outside(queue: JobQueue, token: trio.lowlevel.TrioToken) -> int:
    """In a thread of some other library, a web server's say."""
    return trio.from_thread.run(queue.run, counting, 10, trio_token=token)


async def main() -> None:
    """Wait for the threads inside the block: a queue that is closed takes no jobs."""
    async with open_job_queue() as queue:
        await trio.to_thread.run_sync(use, queue)
        with ThreadPoolExecutor() as pool:
            outside = pool.submit(use_from_outside, queue, trio.lowlevel.current_trio_token())
            print(f"from outside: {await trio.to_thread.run_sync(outside.result)}")


if __name__ == "__main__":
    trio.run(main)
