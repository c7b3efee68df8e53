"""Jobs that workers in other processes import."""

from __future__ import annotations

import math
import os
import signal
import threading
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from ticketr import GiveUp, RetryLater

if TYPE_CHECKING:
    from datetime import datetime

    from ticketr import JobContext


async def echo(context: JobContext, value: object = None) -> object:
    return value


async def length(context: JobContext, data: bytes) -> int:
    return len(data)


async def forever(context: JobContext) -> None:
    await trio.sleep_forever()


async def forever_or_fail(context: JobContext, number: int) -> None:
    """Fail for 0; run for ever for any other number."""
    if not number:
        raise ValueError("0")
    await trio.sleep_forever()


async def with_children(context: JobContext) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)
        nursery.start_soon(trio.sleep_forever)


async def stubborn(context: JobContext) -> str:
    try:
        await trio.sleep_forever()
    except trio.Cancelled:
        return "a value wins"


async def count(context: JobContext, total: int) -> int:
    for number in range(1, total + 1):
        context.report(current=number, total=total, message="counting")
        await trio.sleep(0.001)
    return total


async def fail(context: JobContext, text: str) -> None:
    raise ValueError(text)


class UnsendableError(Exception):
    """An error that holds what cannot be pickled."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.lock = threading.Lock()


async def fail_oddly(context: JobContext) -> None:
    raise UnsendableError("odd")


async def give_lock(context: JobContext) -> object:
    return threading.Lock()


async def leave(context: JobContext) -> None:
    raise SystemExit(3)


async def good_at(context: JobContext, attempt: int) -> int:
    if context.attempt < attempt:
        raise OSError(f"attempt {context.attempt}")
    return context.attempt


async def later(context: JobContext, times: int) -> int:
    if context.attempt <= times:
        raise RetryLater(0.01)
    return context.attempt


async def give_up(context: JobContext) -> None:
    raise GiveUp("never")


async def seen(context: JobContext) -> tuple[str, str, object, frozenset[str], int]:
    return context.id, context.name, context.key, context.tags, context.attempt


async def until_file(context: JobContext, path: str, value: object = None) -> object:
    """Wait for a file: a test says when the job ends."""
    while not await trio.Path(path).exists():  # noqa: ASYNC110 - another process makes it
        await trio.sleep(0.005)
    return value


async def slow_to_stop(context: JobContext, path: str, go: str) -> int:
    """Wait for a file, also when cancelled; write the start and the end into another one."""
    write(path, f"start {context.id} {context.attempt} {os.getpid()}")
    with trio.CancelScope(shield=True):
        await until_file(context, go)
    write(path, f"end {context.id} {context.attempt} {os.getpid()}")
    return context.attempt


async def log(context: JobContext, path: str, seconds: float = 0.0) -> str:
    """Write the start and the end into a file; on a cancel no end."""
    write(path, f"start {context.id} {context.attempt} {os.getpid()}")
    await trio.sleep(seconds)
    write(path, f"end {context.id} {context.attempt} {os.getpid()}")
    return context.id


async def die(context: JobContext, path: str, times: int) -> int:
    """Kill the worker at the first attempts."""
    write(path, f"start {context.id} {context.attempt} {os.getpid()}")
    if context.attempt <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return context.attempt


def write(path: str, line: str) -> None:
    """Append a line in one call, which no other process can divide."""
    with Path(path).open("ab", buffering=0) as file:
        file.write(f"{line}\n".encode())


@dataclass
class Greet:
    """A job that is an object."""

    whom: str
    name: str = "greeting"

    async def execute(self, context: JobContext) -> str:
        context.report(current=1, total=1, message=f"greeted {self.whom}")
        return f"hello {self.whom}"


async def tracked(context: JobContext, path: str, seconds: float = math.inf) -> None:
    """Write the start into a file, and the stop, even of a job that is cancelled."""
    write(path, f"start {context.id} {context.attempt} {os.getpid()}")
    try:
        await trio.sleep(seconds)
    finally:
        write(path, f"stop {context.id} {context.attempt} {os.getpid()}")


def in_twenty_ms(due: datetime) -> datetime:
    return due + timedelta(milliseconds=20)


def no_later(due: datetime) -> datetime:
    return due
