"""Shrink a picture in a queue in memory, which is gone with its process."""

from __future__ import annotations

import trio
from pictures import shrink

from ticketr import open_job_queue


async def main() -> None:
    """Run one job."""
    async with open_job_queue(workers=4) as queue:
        print(await queue.run(shrink, "cat.png", 80))


trio.run(main)
