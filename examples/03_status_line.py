"""A status line: in a terminal one line that moves, in a pipe or a log plain lines.

Run it in a terminal, then again with ``| cat`` behind it.
"""

from __future__ import annotations

import sys

import trio

from ticketr import JobContext, open_job_queue
from ticketr.statusline import StatusLine


async def search(context: JobContext) -> list[str]:
    """Find what there is to do; how much that will be, nobody knows yet."""
    found: list[str] = []
    for number in range(1, 25):
        context.report(current=len(found), message="Looking for photos")
        await trio.sleep(0.1)
        found.append(f"photo {number}")
    return found


async def copy(context: JobContext, files: list[str]) -> None:
    """Say after each file how far it is."""
    for number, file in enumerate(files, start=1):
        context.report(current=number - 1, total=len(files), message="Copying photos")
        await trio.sleep(0.3)
        if number % 10 == 0:
            print(f"{file} was a large one")  # goes above the line
    context.report(current=len(files), message=f"{len(files)} photos copied")


async def main() -> None:
    """Two lines of code: this import, and this block around the work."""
    async with open_job_queue() as queue, StatusLine(queue, stream=sys.stdout):
        found = await queue.run(search)
        await queue.submit(copy, found)


if __name__ == "__main__":
    trio.run(main)
