"""A process with jobs on disk that is killed at any moment.

``python durable_child.py FILE LOG COUNT`` submits this many jobs beyond those that are left, tells
of each that is on disk, and runs until all have ended. ``LOG`` gets a line for each start and end,
and for each end that is on disk.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import trio

from ticketr import JobContext, SqliteStore, open_job_queue

LOG = Path(sys.argv[2])


def note(*words: object) -> None:
    """Add a line to the log, in one write."""
    line = " ".join(str(word) for word in words) + "\n"
    descriptor = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, line.encode())
    os.close(descriptor)


async def work(context: JobContext, number: str, seconds: float) -> None:
    """Note the start and the end."""
    note("start", number, context.attempt)
    await trio.sleep(seconds)
    note("end", number, context.attempt)


async def submit_all(path: Path, prefix: str, count: int) -> None:
    """Take up what is left, submit jobs, and wait for all."""
    store = SqliteStore(path, max_kills=10_000)
    async with open_job_queue(workers=4, max_pending=None, store=store) as queue:
        note("open", os.getpid())

        async def submit(n: int) -> None:
            number = f"{prefix}{n}"
            key = f"key-{n % 3}" if n % 5 == 0 else None
            delay = 0.01 * (n % 2)
            handle = await queue.submit(work, number, 0.002, key=key, delay=delay, id=number)
            note("submitted", number)
            await handle.wait()
            note("written", number)

        async with trio.open_nursery() as nursery:
            for n in range(count):
                nursery.start_soon(submit, n)
                if n % 4 == 0:
                    await trio.sleep(0.001)
    note("closed", os.getpid())


if __name__ == "__main__":
    trio.run(partial(submit_all, Path(sys.argv[1]), sys.argv[3], int(sys.argv[4])))
