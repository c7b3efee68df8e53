"""A first queue: two workers, some jobs, their results; one fails, one is cancelled."""

from __future__ import annotations

import trio

from ticketr import JobContext, JobFailed, open_job_queue


async def square(context: JobContext, number: int) -> int:
    """Any async function is a job: its first argument is its line to the queue."""
    await trio.sleep(1)
    return number * number


async def divide(context: JobContext, number: int) -> float:
    """Fail, for some numbers."""
    await trio.sleep(1)
    return 1 / number


async def wait(context: JobContext) -> None:
    """Take for ever, unless cancelled."""
    await trio.sleep_forever()


async def main() -> None:
    """Leaving the block waits for the jobs, as leaving a nursery waits for its tasks."""
    async with open_job_queue(workers=2) as queue:
        handles = [await queue.submit(square, number) for number in range(1, 5)]
        for handle in handles:
            print(f"{handle.id}: {await handle.result()}")

        try:
            await queue.run(divide, 0)  # submits, and waits for the result
        except JobFailed as error:
            print(error)

        endless = await queue.submit(wait, id="endless")
        await trio.sleep(1)  # let it begin
        print(f"cancel: {queue.cancel('endless')}")
        print(f"endless: {(await endless.wait()).status}")

    print(f"{queue.statistics().completed} jobs completed")


if __name__ == "__main__":
    trio.run(main)
