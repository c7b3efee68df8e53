"""Run jobs with two workers and read their results; one fails, one is cancelled."""

from __future__ import annotations

import trio

from ticketr import JobContext, JobFailed, open_job_queue


async def square(context: JobContext, number: int) -> int:
    """Return a square. Any async function is a job; its first argument is its JobContext."""
    await trio.sleep(1)
    return number * number


async def divide(context: JobContext, number: int) -> float:
    """Divide; fail if the divisor is 0."""
    await trio.sleep(1)
    return 1 / number


async def wait(context: JobContext) -> None:
    """Wait until cancelled."""
    await trio.sleep_forever()


async def main() -> None:
    """Submit jobs; leaving the block waits for them, as a nursery waits for its tasks."""
    async with open_job_queue(workers=2) as queue:
        handles = [await queue.submit(square, number) for number in range(1, 5)]
        for handle in handles:
            print(f"{handle.id}: {await handle.result()}")

        try:
            await queue.run(divide, 0)  # submit and wait for the result
        except JobFailed as error:
            print(error)

        endless = await queue.submit(wait, id="endless")
        await trio.sleep(1)  # let it start
        print(f"cancel: {queue.cancel('endless')}")
        print(f"endless: {(await endless.wait()).status}")

    print(f"{queue.statistics().completed} jobs completed")


if __name__ == "__main__":
    trio.run(main)
