"""The job of a program that is killed when it has ended, or is to be run again."""

from __future__ import annotations

from pathlib import Path

from ticketr import JobContext


async def charge(context: JobContext, log: str) -> None:
    """Note that it ran."""
    with Path(log).open("a") as file:  # noqa: ASYNC230 - a line at the end
        file.write("x")


async def charge_later(context: JobContext, log: str) -> None:
    """Fail at the first attempt, and note that it ran at a later one."""
    if context.attempt == 1:
        raise ConnectionError("no answer")
    await charge(context, log)
