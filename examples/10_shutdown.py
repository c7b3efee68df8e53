"""Shut a service down cleanly on SIGTERM or Ctrl-C.

Start it, then ``kill`` it. It takes no more jobs, gives the running ones two seconds, cancels them
and waits for their clean-up. A second signal cancels them at once. It prints how each job ended.
"""

from __future__ import annotations

import os
import signal
from functools import partial

import trio

from ticketr import JobContext, JobQueue, QueueClosed, open_job_queue


async def serve(context: JobContext, seconds: float) -> None:
    """Serve one request, which takes some seconds."""
    try:
        await trio.sleep(seconds)
    finally:
        with context.cleanup(1):
            await trio.sleep(0.1)  # noqa: ASYNC102 - the scope is a bounded shield


async def stop_on_signal(queue: JobQueue) -> None:
    """Shut down on the first signal; cancel the jobs at once on the next."""
    grace = 2.0
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        print(f"serving; to stop it: kill {os.getpid()}", flush=True)
        async with trio.open_nursery() as nursery:
            async for number in signals:
                print(f"{signal.Signals(number).name}: {grace:g} seconds of grace", flush=True)
                nursery.start_soon(partial(queue.shutdown, grace=grace))
                grace = 0.0


async def main() -> None:
    """Submit jobs until the shutdown ends the loop."""
    async with open_job_queue(workers=2) as queue, trio.open_nursery() as nursery:
        await queue.submit(serve, 0.5, id="quick")
        await queue.submit(serve, 3600, id="endless")
        nursery.start_soon(stop_on_signal, queue)
        try:
            while True:
                await queue.submit(serve, 3600)  # waits while ten are pending
        except QueueClosed:
            await queue.wait_idle()
        nursery.cancel_scope.cancel()  # all jobs have ended, so stop waiting for signals
    for job in queue.jobs()[:3]:
        print(f"{job.id}: {job.status}, cause: {job.cancel_cause}")


if __name__ == "__main__":
    trio.run(main)
