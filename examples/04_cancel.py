"""Cancel jobs by ID, and let a cancelled job clean up.

It prints the outcome of each cancel: of a running, a waiting, an ended and an unknown job.
"""

from __future__ import annotations

import trio

from ticketr import CancelOutcome, JobContext, open_job_queue


async def upload(context: JobContext, name: str, parts: int) -> str:
    """Send a file in parts; if cancelled, remove what was sent."""
    for part in range(1, parts + 1):
        try:
            await trio.sleep(1)
        except trio.Cancelled:
            with context.cleanup(5):  # shielded for at most 5 seconds
                await trio.sleep(0.5)  # noqa: ASYNC102 - the scope above is a bounded shield
                print(f"{name}: took back {part - 1} of {parts} parts")
            raise  # never swallow a cancellation
    return f"{name} is there"


async def main() -> None:
    """Cancel jobs of a queue with one worker, so that the second job waits for the first."""
    async with open_job_queue(workers=1) as queue:
        await queue.run(upload, "letter", 1, id="letter")
        film = await queue.submit(upload, "film", 100, id="film")
        await queue.submit(upload, "photo", 10, id="photo")
        await trio.sleep(3.5)

        for job_id in ("film", "film", "photo", "letter", "poem"):
            print(f"cancel {job_id}: {queue.cancel(job_id, reason='Esc was pressed')}")
        assert queue.cancel("photo") is CancelOutcome.ALREADY_FINISHED

        snapshot = await film.wait()  # wait() returns the outcome; result() would raise
        print(f"film: {snapshot.status}, cause: {snapshot.cancel_cause}")

        print(f"cancel all: {queue.cancel_all()}")  # all jobs that are left


if __name__ == "__main__":
    trio.run(main)
