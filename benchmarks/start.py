"""Measure how long the commands and the library take to start."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from interleaved import ratio
from sizes import size
from table import show

ROUNDS = size(15, toy=1)
#: The most that a command may take, in starts of a Python that imports click.
GOAL = 2.5
COMMAND = str(Path(sys.executable).with_name("ticketr"))
COMPLETE = {"_TICKETR_COMPLETE": "bash_complete", "COMP_CWORD": "1"}


def once(command: list[str], more: dict[str, str] | None = None) -> float:
    """Return the seconds that a process takes; the machine may be busy, so they vary."""
    start = time.perf_counter()
    environ = os.environ | (more or {})
    # In a session of its own, where Ctrl+C does not reach it: this process kills it.
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, env=environ, start_new_session=True
    )
    return time.perf_counter() - start


def imported(statement: str) -> float:
    return once([sys.executable, "-c", statement])


def row(words: str, part: float) -> str:
    verdict = "" if part <= GOAL else ": MISSED"
    return f"start: {words} takes {part:.2f} of import click (goal: {GOAL}){verdict}"


def run() -> None:
    """Measure, and show the table's rows."""
    click = partial(imported, "import click")
    commands = {
        "ticketr --version": partial(once, [COMMAND, "--version"]),
        "ticketr --help": partial(once, [COMMAND, "--help"]),
        "ticketr pull --help": partial(once, [COMMAND, "pull", "--help"]),
        "completing a command": partial(once, [COMMAND], COMPLETE | {"COMP_WORDS": "ticketr pu"}),
        "completing a filter": partial(
            once, [COMMAND], COMPLETE | {"COMP_WORDS": "ticketr list st"}
        ),
        "completing a key": partial(once, [COMMAND], COMPLETE | {"COMP_WORDS": "ticketr show A"}),
    }
    for words, command in commands.items():
        show(row(words, ratio(command, click, ROUNDS)))
    queue = ratio(
        partial(imported, "from ticketr import open_job_queue"),
        partial(imported, "import trio"),
        ROUNDS,
    )
    show(f"start: the queue's import from ticketr takes {queue:.2f} of import trio")
