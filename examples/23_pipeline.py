"""Build a pipeline of nested maps: the results of one map are the items of the next.

Each stage has a queue, and so limits, of its own. A slow stage slows the one before it down.
"""

from __future__ import annotations

import itertools

import trio

from ticketr import JobContext, JobFailed, open_job_queue


async def download(context: JobContext, number: int) -> list[str]:
    """Give a page of two words; page 9 is lost."""
    await trio.sleep(0.1)
    if number == 9:
        raise OSError("page 9 is lost")
    return [f"word {2 * number}", f"word {2 * number + 1}"]


async def translate(context: JobContext, word: str) -> str:
    """Take longer for a word than for a page."""
    await trio.sleep(1)
    return word.upper()


async def main() -> None:
    """Translate the words of a few pages, then of endless ones, until one is lost."""
    async with (
        open_job_queue(workers=8) as downloads,
        open_job_queue(workers=2, max_pending=3) as translations,
    ):
        async with (
            downloads.map(download, range(3)) as pages,
            translations.map(translate, (word async for page in pages for word in page)) as words,
        ):
            async for word in words:
                print(f"{trio.current_time():.1f} s: {word}")

        try:
            async with (
                downloads.map(download, itertools.count()) as pages,
                translations.map(
                    translate, (word async for page in pages for word in page)
                ) as words,
            ):
                print([word async for word in words])
        except JobFailed as error:
            print(f"stopped: {error.message}")


if __name__ == "__main__":
    trio.run(main)
