"""The jobs of `engines.py`, on Trio and not, and the ledger in which they write what happens when."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import trio

if TYPE_CHECKING:
    from ticketr import JobContext

#: The environment variable that names the file.
LEDGER: Final = "TICKETR_BENCHMARK_LEDGER"


def note(event: str, name: str) -> None:
    """Append a line in one write, so that processes do not mix theirs."""
    descriptor = os.open(os.environ[LEDGER], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{event} {name} {time.time():.6f}\n".encode())
    os.close(descriptor)


def times(event: str) -> dict[str, float]:
    """Return when something happened to each job."""
    path = Path(os.environ[LEDGER])
    lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    return {name: float(at) for what, name, at in lines if what == event}


async def nothing(_: JobContext, name: str) -> None:
    note("start", name)


def plain_nothing(name: str) -> None:
    note("start", name)


async def plain_async_nothing(name: str) -> None:
    note("start", name)


async def endless(_: JobContext, name: str) -> None:
    note("start", name)
    try:
        await trio.sleep_forever()
    finally:
        note("cancelled", name)
