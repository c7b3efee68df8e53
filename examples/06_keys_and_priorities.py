"""Run one job per account at a time, and urgent jobs first.

It prints when each job starts, and what happens to a job that is submitted twice.
"""

from __future__ import annotations

import trio

from ticketr import DuplicateJob, JobContext, OnConflict, open_job_queue


async def sync(context: JobContext, account: str, seconds: float = 1.0) -> str:
    """Sync an account; two jobs must not sync the same account at once."""
    print(f"{context.id} starts")
    await trio.sleep(seconds)
    return f"{account} is up to date"


async def main() -> None:
    """Submit to two workers; jobs of one key never run side by side."""
    async with open_job_queue(workers=2) as queue:
        queue.pause()  # so that no job starts before all are submitted
        await queue.submit(sync, "blue", id="blue, nightly", key="blue")
        await queue.submit(sync, "blue", id="blue, again", key="blue")
        await queue.submit(sync, "red", 1.5, id="red, nightly", key="red")
        await queue.submit(sync, "red", 1.5, id="red, urgent", key="red", priority=10)
        queue.resume()

        await trio.sleep(0.5)
        for job in queue.jobs():
            print(f"{job.id}: {job.status}, waits for: {job.waiting_for}")
        await queue.wait_idle()

        # Each submit says what to do about a live job with the same key.
        first = await queue.submit(sync, "blue", key="blue")
        joined = await queue.submit(sync, "blue", key="blue", on_conflict=OnConflict.JOIN)
        print(f"{joined.id} is joined")
        try:
            await queue.submit(sync, "blue", key="blue", on_conflict=OnConflict.REJECT)
        except DuplicateJob as error:
            print(f"rejected: {error}")
        await trio.sleep(0.5)
        newer = await queue.submit(sync, "blue", key="blue", on_conflict=OnConflict.SUPERSEDE)
        print(await newer.result())
        print(f"{first.id}: {first.status}, cause: {first.snapshot().cancel_cause}")


if __name__ == "__main__":
    trio.run(main)
