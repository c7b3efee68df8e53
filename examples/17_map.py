"""Run a function as a job for each of many items, and read the results one by one.

The items may be endless: they are drawn only as fast as the jobs and the reader proceed.
"""

from __future__ import annotations

import itertools

import trio

from ticketr import JobContext, JobFailed, open_job_queue


async def square(context: JobContext, number: int) -> int:
    """Take a second for each number; refuse 7."""
    await trio.sleep(1)
    if number == 7:
        raise ValueError("I do not like 7")
    return number * number


async def main() -> None:
    """Stop early, see each outcome, and let a failure end it."""
    async with open_job_queue(workers=3) as queue:
        async with queue.map(square, itertools.count()) as squares:
            async for value in squares:
                print(value)
                if value > 20:
                    break  # cancels the jobs that are left, and waits for them

        async with queue.map(square, [6, 7, 8], outcomes=True) as jobs:
            async for job in jobs:
                print(f"{job.status}: {job.error.message if job.error else job.result}")

        try:
            async with queue.map(square, range(100), ordered=False) as squares:
                print(max([value async for value in squares]))
        except JobFailed as error:
            print(f"no result: {error.message}")


if __name__ == "__main__":
    trio.run(main)
