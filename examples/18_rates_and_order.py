"""Limit how fast jobs start, and start one job after others.

It prints when each job starts.
"""

from __future__ import annotations

import trio

from ticketr import JobContext, Rate, open_job_queue


async def fetch(context: JobContext, page: int) -> str:
    """Fetch a page; a page without a number is missing."""
    print(f"{trio.current_time() - begun:.1f} s: fetch a page")
    await trio.sleep(0.1)
    if page == 0:
        raise ValueError("no such page")
    return f"page {page}"


async def merge(context: JobContext, pages: int) -> None:
    """Merge the pages that have been fetched."""
    print(f"{trio.current_time() - begun:.1f} s: merge {pages} pages")


async def main() -> None:
    """Fetch four pages, one each half second, and merge them."""
    global begun  # noqa: PLW0603 - the time at which the program began
    begun = trio.current_time()
    async with open_job_queue(workers=4, rate=Rate(2)) as queue:
        pages = [await queue.submit(fetch, page) for page in (1, 2, 3, 4)]
        merged = await queue.submit(merge, len(pages), after=pages)
        print(f"merge waits for: {merged.snapshot().waiting_for}")
        await merged.wait()

        queue.set_rate(None)
        missing = await queue.submit(fetch, 0)
        never = await queue.submit(merge, 1, after=[missing])
        await missing.wait()  # so that its failure is not logged
        print(f"merge: {never.status}, cause: {never.snapshot().cancel_cause}")


begun = 0.0

if __name__ == "__main__":
    trio.run(main)
