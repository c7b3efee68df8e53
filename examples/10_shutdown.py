"""A service that stops well: on SIGTERM or Ctrl-C it takes no more jobs and ends what it has.

Start it, then ``kill`` it: a job has two seconds to end, then it is cancelled, and its clean-up
is still waited for. It prints what became of each. A second signal takes the two seconds away.
"""

from __future__ import annotations

import os
import signal
from functools import partial

import trio

from ticketr import JobContext, JobQueue, QueueClosed, open_job_queue


async def serve(context: JobContext, seconds: float) -> None:
    """Answer somebody, which takes so long."""
    try:
        await trio.sleep(seconds)
    finally:
        with context.cleanup(1):
            await trio.sleep(0.1)  # noqa: ASYNC102 - say goodbye; the scope is a bounded shield


async def stop_on_signal(queue: JobQueue) -> None:
    """The first signal begins the end; the next one cuts it short."""
    grace = 2.0
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        print(f"serving; to stop it: kill {os.getpid()}", flush=True)
        async with trio.open_nursery() as nursery:
            async for number in signals:
                print(f"{signal.Signals(number).name}: {grace:g} seconds of grace", flush=True)
                nursery.start_soon(partial(queue.shutdown, grace=grace))
                grace = 0.0


async def main() -> None:
    """Take jobs for ever; it is the shutdown that ends the loop."""
    async with open_job_queue(workers=2) as queue, trio.open_nursery() as nursery:
        await queue.submit(serve, 0.5, id="quick")
        await queue.submit(serve, 3600, id="endless")
        nursery.start_soon(stop_on_signal, queue)
        try:
            while True:
                await queue.submit(serve, 3600)  # waits while ten are pending
        except QueueClosed:
            await queue.wait_idle()
        nursery.cancel_scope.cancel()  # there is nothing left to stop
    for job in queue.jobs()[:3]:
        print(f"{job.id}: {job.status}, cause: {job.cancel_cause}")


if __name__ == "__main__":
    trio.run(main)
