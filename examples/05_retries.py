"""Try a failed job again: by a rule, at a later time, or never.

It prints how each attempt ends.
"""

from __future__ import annotations

import trio

from ticketr import GiveUp, JobContext, JobFailed, Retry, RetryLater, open_job_queue


def say(context: JobContext, text: str) -> None:
    """Print how an attempt ends."""
    print(f"{context.id}, attempt {context.attempt}: {text}")


async def flaky(context: JobContext) -> str:
    """Fail twice; the queue tries it again by its rule."""
    if context.attempt < 3:
        say(context, "connection lost")
        raise ConnectionError("connection lost")
    say(context, "done")
    return "a page"


async def busy(context: JobContext) -> str:
    """Run again in 5 seconds, as the server asks; this needs no rule and uses up no attempt."""
    if context.attempt == 1:
        say(context, "too many requests")
        raise RetryLater(5)
    say(context, "done")
    return "another page"


async def lost(context: JobContext) -> str:
    """Fail at once, although there are attempts left."""
    say(context, "no such page")
    raise GiveUp("no such page")


async def main() -> None:
    """Run the jobs; while one waits for its next attempt, the worker runs others."""
    # Wait 1, 2, 4, 8 seconds. By default (jitter=1.0) each wait is a random part of that.
    rule = Retry(attempts=5, first=1, factor=2, cap=60, jitter=0, on=OSError)
    async with open_job_queue(retry=rule) as queue:
        jobs = [await queue.submit(job, id=job.__name__) for job in (flaky, busy, lost)]
        for job in jobs:
            try:
                print(f"{job.id}: {await job.result()}")
            except JobFailed as error:
                print(error)


if __name__ == "__main__":
    trio.run(main)
