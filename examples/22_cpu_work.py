"""Keep every processor busy: each job computes in a process of its own, with progress.

The work is cut into parts. A job reports after each of them, and a cancelled job ends its process in
the middle of one. It needs AnyIO, whose pool has as many processes as there are processors.
"""

from __future__ import annotations

import os

import anyio.to_process
import trio

from ticketr import JobContext, open_job_queue

PART = 10_000


def count_primes(start: int, stop: int) -> int:
    """Count the primes in a range; pure computing, which knows nothing of Trio or jobs."""
    numbers = range(max(start, 2), stop)
    return sum(all(n % divisor for divisor in range(2, int(n**0.5) + 1)) for n in numbers)


async def count_primes_below(context: JobContext, limit: int) -> int:
    """Count the primes below a limit, part by part, in a process."""
    primes = 0
    for start in range(0, limit, PART):
        stop = min(start + PART, limit)
        primes += await anyio.to_process.run_sync(count_primes, start, stop, cancellable=True)
        context.report(current=stop, total=limit, message=f"{primes} primes")
    return primes


async def main() -> None:
    """Follow one job, and cancel another, which would take years."""
    async with open_job_queue(workers=os.cpu_count() or 1) as queue:
        job = queue.submit_nowait(count_primes_below, 30_000)
        endless = queue.submit_nowait(count_primes_below, 10**12)
        with job.watch() as updates:
            async for snapshot in updates:
                print(snapshot.status, snapshot.progress)
        # AnyIO does not end a process that it is still starting, so wait for the first part.
        with endless.watch() as updates:
            async for snapshot in updates:
                if snapshot.progress:
                    break
        print((await endless.cancel_and_wait()).status)


if __name__ == "__main__":
    trio.run(main)
