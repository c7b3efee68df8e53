"""Measure the CPU time of whole commands against the imports that they cannot do without."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from itertools import count
from pathlib import Path

import trio
from pull import EMAIL, TOKEN
from sizes import size
from table import show

from ticketr.app.cli.demo_site import open_sandbox

ROUNDS = size(9, toy=1)
TICKETS = size(214, toy=20)
#: The most CPU time that a command may take, in imports of trio, httpx and click.
GOAL = 2.0
COMMAND = str(Path(sys.executable).with_name("ticketr"))
PEER = [sys.executable, "-c", "import trio, httpx, click"]


def cpu_seconds(command: list[str], environ: dict[str, str], folder: Path) -> float:
    """Return the CPU seconds of a process, in user and in kernel mode."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, env=environ, cwd=folder, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def retitle(path: Path, number: int) -> None:
    """Edit the title of a ticket."""
    heading, _, rest = path.read_text().partition("\n")
    path.write_text(f"{heading.rpartition(' ')[0]} {number}\n{rest}")


def measure(environ: dict[str, str], folder: Path) -> None:
    """Measure each command and its peer by turns; show the table's rows."""
    run = partial(cpu_seconds, environ=environ, folder=folder)
    run([COMMAND, "pull", "--folder", "."])
    numbers = count(1)
    path = folder / "DEMO-1.md"
    # The push comes last: what it changes is read again by each pull of the next minutes.
    commands = {
        "pull with nothing new": ["pull"],
        "status": ["status"],
        "push of one title": ["push", "--yes"],
    }
    for words, arguments in commands.items():
        quotients: list[float] = []
        taken: list[float] = []
        for _ in range(ROUNDS):
            if arguments[0] == "push":
                retitle(path, next(numbers))
            taken.append(run([COMMAND, *arguments, "--folder", "."]))
            quotients.append(taken[-1] / run(PEER))
        ratio = statistics.median(quotients)
        verdict = "" if ratio <= GOAL else ": MISSED"
        show(
            f"cost: {words}, {TICKETS} tickets: {statistics.median(taken):.2f} CPU seconds, "
            f"{ratio:.2f} of import trio, httpx, click (goal: {GOAL}){verdict}"
        )


async def _run(folder: Path) -> None:
    async with open_sandbox(tickets=TICKETS, seed=1) as url:
        environ = os.environ | {
            "JIRA_URL": url,
            "JIRA_EMAIL": EMAIL,
            "JIRA_API_TOKEN": TOKEN,
            "JIRA_PROJECT_KEY": "DEMO",
            "XDG_CONFIG_HOME": str(folder / "config"),
        }
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        work = folder / "work"
        work.mkdir()
        await trio.to_thread.run_sync(measure, environ, work)


def run() -> None:
    """Measure, and show the table's rows."""
    with tempfile.TemporaryDirectory() as folder:
        trio.run(_run, Path(folder))
