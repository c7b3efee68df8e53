"""Shrink a picture in a queue on disk, which goes on after a kill."""

from __future__ import annotations

import trio
from pictures import shrink

from ticketr import SqliteStore, open_job_queue


async def main() -> None:
    """Run one job."""
    async with open_job_queue(workers=4, store=SqliteStore("pictures.sqlite")) as queue:
        print(await queue.run(shrink, "cat.png", 80))


trio.run(main)
