"""Functions that run in a job queue and on Celery alike; they keep a ledger that outlives them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

import trio

from ticketr import JobContext, open_job_queue


class Entry(NamedTuple):
    """A line of a ledger: what happened to which job, where and when."""

    event: str
    job: str
    pid: int
    at: float


def note(ledger: str, event: str, job: str) -> None:
    """Append a line, whole."""
    line = f"{event} {job} {os.getpid()} {time.time():.6f}\n"
    descriptor = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def read_ledger(ledger: str | Path) -> list[Entry]:
    """Return the lines that are whole: one that crosses a page of the file may be read in half."""
    path = Path(ledger)
    if not path.exists():
        return []
    *whole, _ = path.read_text().split("\n")
    lines = [line.split() for line in whole]
    return [Entry(event, job, int(pid), float(at)) for event, job, pid, at in lines]


def gate_of(ledger: str, name: str) -> Path:
    """Return the file for which a held job waits."""
    return Path(f"{ledger}-{name}")


async def held(context: JobContext, ledger: str, name: str) -> None:
    """Run until the test lets it go."""
    note(ledger, "start", name)
    try:
        while not gate_of(ledger, name).exists():  # noqa: ASYNC110 - another process makes it
            await trio.sleep(0.01)
    except trio.Cancelled:
        note(ledger, "cancelled", name)
        raise
    note(ledger, "end", name)


async def add(context: JobContext, first: int, second: int = 1) -> int:
    """Return a sum."""
    return first + second


async def work(context: JobContext, ledger: str, name: str, seconds: float) -> str:
    """Run for some time, and report each tenth of it."""
    note(ledger, "start", name)
    try:
        for step in range(10):
            context.report(current=step, total=10, message="working")
            await trio.sleep(seconds / 10)
    except trio.Cancelled:
        note(ledger, "cancelled", name)
        raise
    note(ledger, "end", name)
    return name


async def clean_up(context: JobContext, ledger: str, name: str, seconds: float) -> None:
    """Run until cancelled, and clean up for some time."""
    note(ledger, "start", name)
    try:
        await trio.sleep_forever()
    finally:
        with context.cleanup(2 * seconds):
            await trio.sleep(seconds)
        note(ledger, "cleaned", name)


async def fail_at_first(context: JobContext, ledger: str, name: str, failures: int) -> int:
    """Raise `OSError` some times, and return the number of the attempt."""
    note(ledger, "start", name)
    attempt = sum(entry.job == name for entry in read_ledger(ledger))
    if attempt <= failures:
        raise ConnectionError(f"attempt {attempt} of {name}")
    return attempt


async def use_closed_queue(context: JobContext) -> None:
    """Submit to a queue of its own that is closed."""
    async with open_job_queue() as queue:
        await queue.shutdown(grace=0)
        await queue.submit(add, 1)


async def exit_once(context: JobContext, ledger: str, name: str) -> str:
    """End the process at the first attempt."""
    note(ledger, "start", name)
    if sum(entry.job == name for entry in read_ledger(ledger)) == 1:
        sys.exit(0)
    return name
