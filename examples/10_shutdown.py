"""Shut a service down cleanly on SIGTERM or Ctrl-C.

Start it, then ``kill`` it. It takes no more jobs, gives the running ones two seconds, cancels them
and waits for their clean-up. A second signal cancels them at once. It prints how each job ended.
"""

from __future__ import annotations

import os

import trio

from ticketr import JobContext, drain_on_signals, open_job_queue


async def serve(context: JobContext, seconds: float) -> None:
    """Serve one request, which takes some seconds."""
    try:
        await trio.sleep(seconds)
    finally:
        with context.cleanup(1):
            await trio.sleep(0.1)  # noqa: ASYNC102 - the scope is a bounded shield


async def main() -> None:
    """Submit jobs until a signal ends the loop."""
    async with open_job_queue(workers=2) as queue, drain_on_signals(queue, grace=2):
        print(f"serving; to stop it: kill {os.getpid()}", flush=True)
        await queue.submit(serve, 0.1, id="quick")
        await queue.submit(serve, 3600, id="endless")
        while True:
            await queue.submit(serve, 3600)  # waits while ten are pending
    for job in queue.jobs()[:3]:
        print(f"{job.id}: {job.status}, cause: {job.cancel_cause}")


if __name__ == "__main__":
    trio.run(main)
