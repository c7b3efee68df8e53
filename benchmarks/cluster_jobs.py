"""The jobs of `cluster_figures.py`, which its workers import."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from ticketr import JobContext


async def start_time(context: JobContext, _: object = None) -> float:
    """Return when it starts, on the clock that all processes of a machine share."""
    return time.monotonic()


async def wait(context: JobContext) -> None:
    """Wait for a cancel."""
    await trio.sleep_forever()
