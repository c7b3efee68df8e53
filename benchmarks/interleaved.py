"""What the benchmarks of the queue share: jobs, and measuring two things by turns."""

from __future__ import annotations

import gc
import statistics
import time
from typing import TYPE_CHECKING

import trio
from sizes import size

if TYPE_CHECKING:
    from collections.abc import Callable

WORKERS = 3
ROOM = 100
ROUNDS = size(9, toy=1)


async def nothing(_: object = None) -> None:
    """Do nothing: the smallest job, for the queue and its peers."""


async def ten_checkpoints(_: object = None) -> None:
    for _each in range(10):
        await trio.lowlevel.checkpoint()


async def sleep_forever(_: object = None) -> None:
    await trio.sleep_forever()


def seconds(run: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def ratio(top: Callable[[], float], bottom: Callable[[], float], rounds: int = ROUNDS) -> float:
    """Return the median of many quotients, each of two figures measured right after each other."""
    return statistics.median(top() / bottom() for _ in range(rounds))
