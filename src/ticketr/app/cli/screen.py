"""Opens the full-screen app for a command."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from ticketr import open_job_queue
from ticketr.app import config
from ticketr.app.cli import exits
from ticketr.app.cli.console import print_message
from ticketr.app.cli.demo_site import how_to_continue_demo
from ticketr.app.cli.first_run import FirstRun
from ticketr.app.cli.history import WorkspaceHistories
from ticketr.app.tui.app import App
from ticketr.app.tui.key_settings import keymap_of
from ticketr.app.tui.keymap import KeyMap
from ticketr.app.tui.services.setup_runner import SetupRunner
from ticketr.app.tui.services.workspaces import ClosedWorkspace, OpenWorkspace
from ticketr.app.tui.theme import Theme
from ticketr.statusline import LineStyle
from ticketr.terminal import Terminal, open_terminal, sgr

if TYPE_CHECKING:
    from ticketr import JobSnapshot

#: How many jobs run at once, each in a workspace of its own.
WORKERS = 2

_log = logging.getLogger("ticketr")


async def run_screen(
    workspaces: Sequence[OpenWorkspace | ClosedWorkspace],
    roots: Sequence[Path],
    *,
    pull: bool = False,
) -> int:
    """Run the app in the terminal until the user leaves.

    Jobs that still run then are cancelled, and the last progress of each is printed.

    Args:
        workspaces: The workspaces, the one to show first; none for the first run.
        roots: The folders whose histories of jobs are shown.
        pull: Whether to start with a pull of the first one.

    Returns:
        The exit code.

    Raises:
        ConfigError: The user's keys cannot be used.
        NotATerminal: There is no terminal to run it in.
        SettingsFailed: The file of the user's keys could not be read.
    """
    keymap = await trio.to_thread.run_sync(read_keymap)
    history = WorkspaceHistories(roots)
    first_run = FirstRun()
    async with trio.open_nursery() as outlasting:
        async with open_job_queue(workers=WORKERS, history=history, on_job_error=_note) as queue:
            async with open_terminal() as terminal:
                style = line_style(terminal)
                theme = Theme(partial(sgr, colors=terminal.colors), style)
                setup = SetupRunner(first_run, outlasting)
                app = App(terminal, queue, workspaces, theme=theme, keymap=keymap, setup=setup)
                await app.run(pull=pull)
            await queue.shutdown(grace=0)
        outlasting.cancel_scope.cancel()
    for words in last_words(queue.jobs()):
        print_message(words)
    if first_run.demo is not None:
        print_message(how_to_continue_demo(first_run.demo))
    return exits.DONE if app.ended_by is None else exits.for_signal(app.ended_by)


def read_keymap() -> KeyMap:
    """Return the keys of the app, those that the user has changed included.

    Raises:
        ConfigError: A setting of a key, or the file, cannot be used.
        SettingsFailed: The file could not be read.
    """
    return keymap_of(config.read_keys(config.config_folder(os.environ)))


def last_words(jobs: Iterable[JobSnapshot]) -> list[str]:
    """Return the last progress message of each job that was cancelled."""
    cancelled = (job.progress for job in jobs if job.cancel_requested)
    return [progress.message for progress in cancelled if progress is not None]


def _note(failed: JobSnapshot) -> None:
    """Log a failed job's traceback; the status line shows the error itself."""
    if failed.error is not None:
        _log.debug("the job failed:\n%s", failed.error.traceback)


def line_style(terminal: Terminal) -> LineStyle:
    """Return the style of the status line: the terminal's abilities, the user's wishes."""
    wanted = LineStyle.of(os.environ, sys.stdout)
    return replace(wanted, unicode=terminal.unicode, color=terminal.colors)
