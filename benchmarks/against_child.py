"""Measure the work of one source tree; `against.py` runs this in a process that imports it.

The other tree may be old, so this imports only what both have, and each part imports its own.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ticketr.app.jira import Credentials

JOBS = 2_000
DRAFTS = 100
WARM_UP = 20  # tickets
RUNS = 5  # of short work, after a warm-up; the quickest counts, as the least disturbed one


def quickest(run: Callable[[], object]) -> float:
    """Return the lowest CPU seconds of some runs."""
    run()
    return min(cpu_seconds(run) for _ in range(RUNS))


def cpu_seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def queue_speed() -> list[float]:
    from interleaved import nothing, ten_checkpoints
    from queue_speed import ours

    kinds = ((nothing, JOBS), (ten_checkpoints, JOBS // 4))
    return [quickest(partial(trio.run, ours, job, count)) for job, count in kinds]


def statusline() -> list[float]:
    from statusline import ours

    trio.run(ours, "ours", "drawn")
    return [min(trio.run(ours, "ours", name) for _ in range(RUNS)) for name in ("drawn", "flood")]


def pull(*login: str) -> list[float]:
    """Measure a first pull and one with nothing new."""
    return trio.run(in_folder, pulls, *login)


def sync(*login: str) -> list[float]:
    """Measure a push of drafts, and one of an edited title in each."""
    return trio.run(in_folder, pushes, *login)


async def in_folder(measure: Callable[..., Awaitable[list[float]]], *login: str) -> list[float]:
    gc.freeze()  # as the command does, with the numbers of `job_runner`
    gc.set_threshold(1_000, 2, 2_500)
    with tempfile.TemporaryDirectory() as folder:
        return await measure(Path(folder), of_app("jira").Credentials(*login))


def of_app(name: str) -> Any:
    """Import a package of the app, which was beside the library's modules once."""
    within = "ticketr.app" if find_spec("ticketr.app") else "ticketr"
    return import_module(f"{within}.{name}")


async def pulls(root: Path, login: Credentials) -> list[float]:
    job_of = of_app("sync").PullJob
    few = job_of(root / "few", login, jql=f"project = DEMO AND key <= DEMO-{WARM_UP}")
    for _ in range(2):
        await run(few)
    every = job_of(root / "all", login, project="DEMO")
    (first, pulled), (second, left) = [await run(every) for _ in range(2)]
    assert pulled.total == left.unchanged > WARM_UP, left
    return [first, second]


async def pushes(root: Path, login: Credentials) -> list[float]:
    await created_and_edited(root / "few", WARM_UP, login)
    return await created_and_edited(root / "all", DRAFTS, login)


async def created_and_edited(folder: Path, count: int, login: Credentials) -> list[float]:
    job = of_app("sync").PushJob(folder, login, project="DEMO")
    write_drafts(folder, count)
    creating, created = await run(job)
    edit_titles(folder)
    updating, updated = await run(job)
    assert len(created.created) == len(updated.updated) == count, updated
    return [creating, updating]


def write_drafts(folder: Path, count: int) -> None:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.md").write_text(f"# TICKET: Draft {number}\n", encoding="utf-8")


def edit_titles(folder: Path) -> None:
    for path in folder.glob("*.md"):
        path.write_text(path.read_text("utf-8").replace("Draft", "Edited"), encoding="utf-8")


async def run(job: Any) -> tuple[float, Any]:
    """Run a job in a queue; return the CPU seconds of all threads, and its result."""
    from ticketr import open_job_queue

    start = time.process_time()
    async with open_job_queue(workers=1) as queue:
        result = await queue.run(job)
    return time.process_time() - start, result


def main() -> None:
    """Measure the named part, and write its CPU seconds to a file descriptor."""
    import ticketr

    source, part, *login, descriptor = sys.argv[1:]
    if not ticketr.__file__.startswith(source):
        sys.exit(f"measures {ticketr.__file__}")
    os.write(int(descriptor), " ".join(map(str, globals()[part](*login))).encode())


if __name__ == "__main__":
    main()
