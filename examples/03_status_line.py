"""Show a status line: one live line in a terminal, plain lines in a pipe or a log.

Run it in a terminal, and once more with ``| cat``.
"""

from __future__ import annotations

import sys

import trio

from ticketr import JobContext, open_job_queue
from ticketr.statusline import StatusLine


async def search(context: JobContext) -> list[str]:
    """Find files; the total is not known yet."""
    found: list[str] = []
    for number in range(1, 25):
        context.report(current=len(found), message="Looking for photos")
        await trio.sleep(0.1)
        found.append(f"photo {number}")
    return found


async def copy(context: JobContext, files: list[str]) -> None:
    """Report after each file."""
    for number, file in enumerate(files, start=1):
        context.report(current=number - 1, total=len(files), message="Copying photos")
        await trio.sleep(0.3)
        if number % 10 == 0:
            print(f"{file} was a large one")  # is printed above the status line
    context.report(current=len(files), message=f"{len(files)} photos copied")


async def main() -> None:
    """Use a status line: import it, and put this block around the work."""
    async with open_job_queue() as queue, StatusLine(queue, stream=sys.stdout):
        found = await queue.run(search)
        await queue.submit(copy, found)


if __name__ == "__main__":
    trio.run(main)
