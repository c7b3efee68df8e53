"""Jobs of a few lines, and what their handles show."""

from __future__ import annotations

from typing import TypeVar

import trio

from ticketr import JobContext, JobHandle

T = TypeVar("T")


async def nothing(context: JobContext) -> None:
    """Do nothing."""


async def give(context: JobContext, given: T) -> T:
    """Give back an argument at once."""
    return given


async def sleep(context: JobContext, seconds: float = 1) -> float:
    """Take the given time, and return it."""
    await trio.sleep(seconds)
    return seconds


async def forever(context: JobContext) -> None:
    """Wait for a cancel."""
    await trio.sleep_forever()


async def tidy(context: JobContext, seconds: float = 2) -> None:
    """Wait for a cancel, and clean up for a time."""
    try:
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True):
            await trio.sleep(seconds)


async def fail(context: JobContext, after: float = 0) -> None:
    """Fail after a time."""
    await trio.sleep(after)
    raise ValueError("no good")


def quiet(job: object) -> None:
    """Take a failure without a word."""


def starts(*handles: JobHandle[object]) -> list[float | None]:
    """Return when jobs started, in seconds from the submit of the first."""
    first = handles[0].snapshot().submitted_at
    times = [handle.snapshot().started_at for handle in handles]
    return [None if time is None else time - first for time in times]


def waits(*handles: JobHandle[object]) -> list[str | None]:
    """Return what jobs wait for."""
    return [handle.snapshot().waiting_for for handle in handles]
