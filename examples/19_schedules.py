"""Run jobs again and again: at an interval, and at the times of a cron library.

It prints when each run starts. The minutes of the cron job depend on the time of day, so it prints
only that they are whole quarters of an hour.
"""

from __future__ import annotations

from datetime import UTC, datetime

import trio
from cronsim import CronSim

from ticketr import JobContext, open_job_queue


async def poll(context: JobContext, start: float) -> None:
    """Take 5 seconds, and the third time 70, in which the next run is due."""
    print(f"{context.id} starts after {trio.current_time() - start:g} s")
    await trio.sleep(70 if context.id == "poll#3" else 5)


def every_quarter(due: datetime) -> datetime:
    """Return the next time after another one; both have a time zone."""
    return next(CronSim("*/15 * * * *", due))


async def report(context: JobContext) -> None:
    """Stand for a job of a calendar."""


async def main() -> None:
    """Repeat both for an hour. Leaving the block ends the repeats."""
    async with open_job_queue(workers=2) as queue:
        first = every_quarter(datetime.now(UTC))
        reports = queue.repeat(report, every=every_quarter, first=first, id="report")

        polls = queue.repeat(poll, trio.current_time(), every=60.0, id="poll")
        await trio.sleep(350)
        polls.pause()
        await trio.sleep(3249)
        polls.run_now()
        await trio.sleep(1)
        polls.cancel()  # the run under way goes on

        assert reports.next_at is not None
        print(f"{polls.runs} polls, {polls.missed} missed; {reports.runs} reports")
        print(f"next report at a whole quarter: {reports.next_at.minute % 15 == 0}")


if __name__ == "__main__":
    trio.run(main)
