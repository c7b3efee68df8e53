"""Compare the speed of the queue in two source trees, in interleaved pairs."""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import sys
import tarfile
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import trio
from interleaved import nothing, ten_checkpoints

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent
PAIRS = 25
JOBS = 2_000
RUNS = 9  # in one process, after a warm-up; the quickest counts, as the least disturbed one


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


def measure() -> None:
    """Print the CPU seconds of each kind of job with this process's ticketr."""
    from queue_speed import ours  # noqa: PLC0415 - which imports the ticketr to be measured

    for job, count in ((nothing, JOBS), (ten_checkpoints, JOBS // 4)):
        run = partial(trio.run, ours, job, count)
        run()
        print(min(cpu_seconds(run) for _ in range(RUNS)))


def cpu_seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def measured(tree: Path) -> list[float]:
    """Run :func:`measure` in a process that imports this tree's ticketr; return what it prints."""
    source = tree / "src"
    child = (
        "import sys, ticketr, against;"
        "sys.exit('measures ' + ticketr.__file__) if not ticketr.__file__.startswith(sys.argv[1])"
        " else against.measure()"
    )
    path = os.pathsep.join([str(source), str(Path(__file__).parent)])
    ran = subprocess.run(
        [sys.executable, "-c", child, str(source)],
        check=True,
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )
    return [float(line) for line in ran.stdout.split()]


def rows(other: str) -> list[str]:
    """Measure this tree and the other by turns, and return the table's rows."""
    with TemporaryDirectory() as folder:
        trees = [ROOT, tree_of(other, folder)]
        pairs: list[list[float]] = []
        for number in range(PAIRS):
            order = (0, 1) if number % 2 else (1, 0)
            taken = {side: measured(trees[side]) for side in order}
            pairs.append([old / new for new, old in zip(taken[0], taken[1], strict=True)])
    words = ("no-op jobs", "ten checkpoints each")
    return [
        f"queue: {statistics.median(ratios):.3f} of the jobs/s of {other}, {what}"
        f" ({PAIRS} pairs, half of them from {low:.3f} to {high:.3f})"
        for what, ratios in zip(words, zip(*pairs, strict=True), strict=True)
        for low, _, high in [statistics.quantiles(ratios, n=4)]
    ]
