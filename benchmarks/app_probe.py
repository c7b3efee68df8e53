"""Run the app as a command does, and write what it cost into a file.

Usage: app_probe.py REPORT pull FOLDER TICKETS, or app_probe.py REPORT open FOLDER
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import trio
from stretches import place_of

from ticketr.app.cli.app import cli
from ticketr.app.cli.job_runner import run_with_rare_gc
from ticketr.app.cli.screen import run_screen
from ticketr.app.jira import Credentials
from ticketr.app.sync import SessionOptions
from ticketr.app.tui.app import App
from ticketr.app.tui.services.workspaces import open_workspace
from ticketr.app.tui.workspace import WorkspaceView
from ticketr.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ticketr.app.tui.messages import FilesRead

#: The parts of the app, by the name of their task: what draws, and what changes the state.
DRAWING, CHANGING = "App._paint", "App.run"
#: The commands in whose task the app runs.
RUNNING_APP = {"ticketr.app.cli.demo._demo", "ticketr.app.cli.screen.run_screen"}


class Costs(trio.abc.Instrument):
    """Sums the CPU time of Trio's thread by task, and finds the longest step.

    Attributes:
        seconds: The CPU time of each task.
        longest: The longest step of each task, and where it ended.
        has_user: Whether somebody can press a key now; other steps are no pauses.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.longest: dict[str, tuple[float, str]] = {}
        self.has_user = False
        self._begun = 0.0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._begun = time.thread_time()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        took = time.thread_time() - self._begun
        name = task.name.rpartition("tui.app.")[2]
        if name in RUNNING_APP:
            name = CHANGING
        if not self._begun:  # the instrument starts in the middle of a step
            return
        self.seconds[name] = self.seconds.get(name, 0.0) + took
        if self.has_user and took > self.longest.get(name, (0.0, ""))[0]:
            self.longest[name] = (took, place_of(task))


class Times:
    """Notes when the first frame has been drawn, and when the list was complete.

    Before the first frame and after the app nobody can press a key.
    """

    def __init__(self, costs: Costs) -> None:
        self._costs = costs
        self.begun = time.perf_counter()
        self.first_frame: float | None = None
        self.complete: float | None = None
        self.complete_cpu: float | None = None
        self._cpu = time.process_time()

    def watch(self) -> None:
        """Look at what the app draws and handles from now on."""
        draw, with_files, run_app = Terminal.draw, WorkspaceView.with_files, App.run

        async def drawn(terminal: Terminal, rows: Sequence[str]) -> None:
            await draw(terminal, rows)
            if self.first_frame is None:
                self.first_frame = time.perf_counter() - self.begun
                self._costs.has_user = True

        def completed(view: WorkspaceView, read: FilesRead, now: float) -> WorkspaceView:
            if self.complete is None:
                self.complete = time.perf_counter() - self.begun
                self.complete_cpu = time.process_time() - self._cpu
            return with_files(view, read, now)

        async def left(app: App, *, pull: bool = False) -> None:
            await run_app(app, pull=pull)
            self._costs.has_user = False

        setattr(App, "run", left)  # noqa: B010 - as the next one
        setattr(Terminal, "draw", drawn)  # noqa: B010 - the type checker would refuse it otherwise
        setattr(WorkspaceView, "with_files", completed)  # noqa: B010


def probe(report: Path, main: Callable[[], object]) -> None:
    """Run a command with the instrument, and write the report."""
    costs = Costs()
    times = Times(costs)
    times.watch()
    run_trio = partial(trio.run, instruments=[costs])
    setattr(trio, "run", run_trio)  # noqa: B010
    try:
        main()
    finally:
        found = {
            "cpu": time.process_time(),
            "main": sum(costs.seconds.values()),
            "tasks": costs.seconds,
            "longest": costs.longest,
            "first_frame": times.first_frame,
            "complete": times.complete,
            "complete_cpu": times.complete_cpu,
        }
        report.write_text(json.dumps(found), encoding="utf-8")


def pull(folder: Path, tickets: str) -> None:
    """Run the demo, which pulls so many tickets into a folder from a sandbox beside the app."""
    arguments = ["demo", f"--folder={folder}", f"--tickets={tickets}"]
    cli.main(arguments, standalone_mode=False)


def look(root: Path) -> None:
    """Open the app on a folder; its site is never asked."""
    login = Credentials("http://127.0.0.1:9", "me@example.com", "t")
    options: SessionOptions = {"root": root, "credentials": login, "project": "DEMO"}
    run_with_rare_gc(run_screen, (open_workspace("demo", options),))


def main() -> None:
    _, report, what, folder, *rest = sys.argv
    begin = partial(pull, Path(folder), *rest) if what == "pull" else partial(look, Path(folder))
    probe(Path(report), begin)


if __name__ == "__main__":
    main()
