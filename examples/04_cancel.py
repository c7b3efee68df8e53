"""Cancel by ID: an answer at once, whatever the job is doing, and clean-up that is not cut off.

It prints what each cancel did: one job is running, one waits, one has ended, one never was.
"""

from __future__ import annotations

import trio

from ticketr import CancelOutcome, JobContext, open_job_queue


async def upload(context: JobContext, name: str, parts: int) -> str:
    """Send a file in parts; if that is cut short, take back what was sent."""
    for part in range(1, parts + 1):
        try:
            await trio.sleep(1)
        except trio.Cancelled:
            with context.cleanup(5):  # not interrupted, but for 5 seconds at most
                await trio.sleep(0.5)  # noqa: ASYNC102 - the scope above is a bounded shield
                print(f"{name}: took back {part - 1} of {parts} parts")
            raise  # a cancellation is always passed on
    return f"{name} is there"


async def main() -> None:
    """One worker, so that the second job waits for the first."""
    async with open_job_queue(workers=1) as queue:
        await queue.run(upload, "letter", 1, id="letter")
        film = await queue.submit(upload, "film", 100, id="film")
        await queue.submit(upload, "photo", 10, id="photo")
        await trio.sleep(3.5)

        for job_id in ("film", "film", "photo", "letter", "poem"):
            print(f"cancel {job_id}: {queue.cancel(job_id, reason='Esc was pressed')}")
        assert queue.cancel("photo") is CancelOutcome.ALREADY_FINISHED

        snapshot = await film.wait()  # gives the outcome as data; result() would raise
        print(f"film: {snapshot.status}, cause: {snapshot.cancel_cause}")

        print(f"cancel all: {queue.cancel_all()}")  # whoever is left


if __name__ == "__main__":
    trio.run(main)
