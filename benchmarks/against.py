"""Compare the CPU time of two source trees, in interleaved pairs of processes."""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import sys
import tarfile
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import trio
from against_child import DRAFTS
from pull import EMAIL, TOKEN
from statusline import on_terminal
from table import show

from ticketr.app.cli.demo_site import open_sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

ROOT = Path(__file__).parent.parent
CHILD = Path(__file__).with_name("against_child.py")
PAIRS = 25
TICKETS = 1_000
#: The parts that need a site: the number of its tickets, and of pairs, since each takes seconds.
SITES = {"pull": (TICKETS, 15), "sync": (0, 15)}
#: By part, the work that `against_child.py` measures, in its order.
WORK = {
    "queue_speed": ("no-op jobs", "jobs of ten checkpoints each"),
    "pull": (f"a first pull of {TICKETS}", f"a pull of {TICKETS} with nothing new"),
    "sync": (f"a push of {DRAFTS} drafts", f"a push of {DRAFTS} edited titles"),
    "statusline": ("2,000 updates, each drawn", "100,000 updates without a pause"),
}


def tree_of(other: str, folder: str) -> Path:
    """Return the source tree of a folder, or else of a commit."""
    if (Path(other) / "src" / "ticketr").is_dir():
        return Path(other).resolve()
    git = ["git", "-C", str(ROOT), "archive", other, "src"]
    packed = subprocess.run(git, check=False, stdout=subprocess.PIPE)
    if packed.returncode:
        sys.exit(f"{other} is neither a folder with src/ticketr in it nor a commit")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return Path(folder)


def measured(tree: Path, part: str, login: Sequence[str]) -> list[float]:
    """Return the CPU seconds of a part's work in a process that imports this tree's ticketr."""
    source = str(tree / "src")
    path = os.pathsep.join([source, str(CHILD.parent)])
    return on_terminal([str(CHILD), source, part, *login], {"PYTHONPATH": path})


@asynccontextmanager
async def logged_in(part: str) -> AsyncGenerator[list[str]]:
    """Yield a login to a sandbox of the present tree, to which both trees speak; [] without one."""
    if part not in SITES:
        yield []
        return
    async with open_sandbox(tickets=SITES[part][0], seed=1) as url:
        yield [url, EMAIL, TOKEN]


async def quotients(part: str, other: str) -> list[tuple[float, ...]]:
    """Measure this tree and the other by turns; return their quotients by kind of work."""
    with TemporaryDirectory() as folder:
        trees = [ROOT, tree_of(other, folder)]
        pairs: list[list[float]] = []
        async with logged_in(part) as login:
            await trio.to_thread.run_sync(measured, ROOT, part, login)  # the server warms up
            for number in range(SITES.get(part, (0, PAIRS))[1]):
                taken: dict[int, list[float]] = {}
                for side in (0, 1) if number % 2 else (1, 0):
                    taken[side] = await trio.to_thread.run_sync(measured, trees[side], part, login)
                pairs.append([new / old for new, old in zip(taken[0], taken[1], strict=True)])
    return list(zip(*pairs, strict=True))


def run(part: str, other: str) -> None:
    """Measure a part, and show the table's rows."""
    show(
        *(
            f"{part}: {statistics.median(ratios):.3f} of the CPU time of {other}, {what}"
            f" ({len(ratios)} pairs, half of them from {low:.3f} to {high:.3f})"
            for what, ratios in zip(WORK[part], trio.run(quotients, part, other), strict=True)
            for low, _, high in [statistics.quantiles(ratios, n=4)]
        )
    )
