"""Queues with a store in virtual time, and the jobs that they run."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from typing import Any, TypeVar

import trio

from ticketr import JobContext, JobQueue, SqliteStore, StoreFailed, open_job_queue

T = TypeVar("T")

RAN: list[tuple[Any, ...]] = []
"""What the jobs have done: the argument, the attempt, and whatever else the job notes."""
REPAIRED: set[object] = set()
"""The arguments with which ``break_down`` works."""


async def in_place(function: Callable[[], T], /) -> T:
    """Call a function as a store calls one in a thread, without a thread."""
    await trio.lowlevel.checkpoint()
    return function()


class Disk:
    """What calls a store's file, and can fail or take its time."""

    def __init__(self) -> None:
        self.problem = ""
        self.seconds = 0.0
        self.calls = 0

    async def __call__(self, function: Callable[[], Any], /) -> Any:
        self.calls += 1
        await trio.sleep(self.seconds)
        if self.problem:
            raise StoreFailed("jobs.sqlite", self.problem)
        return function()


def open_stored(path: Path, **options: Any) -> AbstractAsyncContextManager[JobQueue]:
    """Open a queue with a store whose file is used in place."""
    store = SqliteStore(path, run_sync=in_place, **options.pop("store", {}))
    return open_job_queue(store=store, **options)


@asynccontextmanager
async def cut_off(path: Path, seconds: float = 0, **options: Any) -> AsyncGenerator[JobQueue]:
    """Open a queue with a store; so many seconds after the end of the block, cancel what is left."""
    async with open_stored(path, **options) as queue:
        yield queue
        await trio.sleep(seconds)
        await queue.shutdown(grace=0)


async def note(context: JobContext, what: object) -> object:
    """Note that it ran, and return its argument."""
    RAN.append((what, context.attempt))
    return what


async def slow(context: JobContext, what: object, seconds: float = 10) -> object:
    """Note that it ran, take its time, and note its end."""
    RAN.append((what, context.attempt))
    await trio.sleep(seconds)
    RAN.append((what, context.attempt, "end"))
    return what


async def fail(context: JobContext, what: object) -> None:
    """Note that it ran, and fail."""
    RAN.append((what, context.attempt))
    raise ValueError(what)


async def break_down(context: JobContext, what: object) -> object:
    """Do what ``slow`` does, but fail in the end unless its argument is repaired."""
    RAN.append((what, context.attempt))
    await trio.sleep(1)
    if what not in REPAIRED:
        raise ValueError(what)
    RAN.append((what, context.attempt, "end"))
    return what


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """Return what a query finds in a store's file."""
    with closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()


def live_ids(path: Path) -> list[str]:
    """Return the IDs of the jobs in the file that have not ended."""
    found = rows(path, "SELECT id FROM jobs WHERE finished_at IS NULL ORDER BY number")
    return [job_id for (job_id,) in found]


def change(path: Path, *statements: str) -> None:
    """Change a store's file."""
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)
