"""Jobs of Procrastinate for tests: each writes what it does to the file that ``$LEDGER`` names."""

from __future__ import annotations

import os
import time
from pathlib import Path

import procrastinate
import trio

from ticketr import JobContext, QueueClosed
from ticketr.procrastinate import trio_task

app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(conninfo=os.environ.get("ENGINE_URL", ""))
)


def note(what: str, job: str) -> None:
    """Append a line in one write, so that lines of many processes stay whole."""
    line = f"{what} {job} {os.getpid()} {time.time()}\n".encode()
    file = os.open(os.environ["LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line)
    os.close(file)


@trio_task(app)
async def work(context: JobContext, name: str, seconds: float) -> None:
    """Start, sleep, end."""
    note("start", name)
    try:
        await trio.sleep(seconds)
    except trio.Cancelled:
        with context.cleanup(5):
            await trio.sleep(0.01)
        note("cancel", name)
        raise
    note("end", name)


@trio_task(app)
async def held(context: JobContext, name: str) -> None:
    """Run until the test lets it go."""
    note("start", name)
    gate = Path(f"{os.environ['LEDGER']}-{name}")
    try:
        while not gate.exists():  # noqa: ASYNC110 - another process makes it
            await trio.sleep(0.01)
    except trio.Cancelled:
        note("cancel", name)
        raise
    note("end", name)


@trio_task(app, retry=3)
async def flaky(context: JobContext, name: str) -> None:
    """Fail twice."""
    note("start", name)
    ledger = Path(os.environ["LEDGER"]).read_text(encoding="utf-8")
    starts = ledger.count(f"start {name} ")
    if starts < 3:
        raise ConnectionError(f"start {starts}")
    note("end", name)


@trio_task(app, timeout=0.05)
async def slow(context: JobContext, name: str) -> None:
    """Exceed its time limit."""
    note("start", name)
    await trio.sleep_forever()


@trio_task(app, name="parent")
async def parent(context: JobContext, name: str) -> None:
    """Submit the next job from a thread of this one."""
    await trio.to_thread.run_sync(lambda: work.defer(name=name, seconds=0))


@trio_task(app)
async def closed(context: JobContext, name: str) -> None:
    """Raise what the portal raises when it refuses a job."""
    note("start", name)
    raise QueueClosed
