"""Keep jobs on disk: kill this program while it works, start it again, and it goes on.

It takes the path of the file. Without one it works in a temporary file, which nobody takes up.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import trio

from ticketr import JobContext, SqliteStore, open_job_queue


async def send(context: JobContext, number: int) -> None:
    """Send a letter. It may be called again after a kill, so a letter may arrive twice."""
    print(f"letter {number}, attempt {context.attempt}", flush=True)
    await trio.sleep(0.5)


async def main(path: Path) -> None:
    """Send what is left; if nothing is, send three new letters."""
    async with open_job_queue(store=SqliteStore(path)) as queue:
        left = [job for job in queue.jobs() if not job.status.is_terminal]
        if left:
            print(f"{len(left)} letters are left, process {os.getpid()} goes on", flush=True)
            return
        for number in range(1, 4):
            await queue.submit(send, number)
        print(f"3 letters are on disk; to see them left: kill -9 {os.getpid()}", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        default = Path(folder) / "letters.sqlite"
        trio.run(main, Path(sys.argv[1]) if len(sys.argv) > 1 else default)
