"""Trying again: by a rule, when the job says so, and not when it says that it is no use.

It prints what each attempt comes to.
"""

from __future__ import annotations

import trio

from ticketr import GiveUp, JobContext, JobFailed, Retry, RetryLater, open_job_queue


def say(context: JobContext, text: str) -> None:
    """Print what an attempt comes to."""
    print(f"{context.id}, attempt {context.attempt}: {text}")


async def flaky(context: JobContext) -> str:
    """Fail twice; the rule says what then."""
    if context.attempt < 3:
        say(context, "connection lost")
        raise ConnectionError("connection lost")
    say(context, "done")
    return "a page"


async def busy(context: JobContext) -> str:
    """Do what the server asks: come back in 5 seconds. No rule is needed, no attempt used up."""
    if context.attempt == 1:
        say(context, "too many requests")
        raise RetryLater(5)
    say(context, "done")
    return "another page"


async def lost(context: JobContext) -> str:
    """Fail for good: there are attempts left, but no hope."""
    say(context, "no such page")
    raise GiveUp("no such page")


async def main() -> None:
    """While a job waits for its next attempt, the worker is free for others."""
    # Waits of 1, 2, 4, 8 seconds; by default a random part of each is left out (jitter=1.0).
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
