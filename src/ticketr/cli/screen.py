"""Opens the full-screen app for a command."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ticketr import open_job_queue
from ticketr.cli import exits
from ticketr.cli.history import WorkspaceHistory
from ticketr.cli.output import print_message
from ticketr.config import STATE_FOLDER
from ticketr.statusline import LineStyle
from ticketr.sync import PullJob, PushJob, Store, SyncJob
from ticketr.terminal import open_terminal, sgr
from ticketr.text import clean
from ticketr.tui.app import App, OpenWorkspace
from ticketr.tui.job_request import JobKind, JobRequest
from ticketr.tui.theme import Theme

if TYPE_CHECKING:
    from ticketr import Job, JobSnapshot
    from ticketr.sync import OnWritten, SessionOptions
    from ticketr.terminal import Terminal

_log = logging.getLogger("ticketr")


async def run_screen(job: PullJob, *, title: str, pull: bool) -> int:
    """Run the app in the terminal until the user leaves.

    A job that still runs then is cancelled, and its last progress is printed.

    Args:
        job: A pull of the workspace, from which pushes and syncs are derived.
        title: The workspace's title in the first row.
        pull: Whether to start with a pull.

    Returns:
        The exit code.

    Raises:
        NotATerminal: There is no terminal to run it in.
    """
    workspace = OpenWorkspace(
        name=clean(title),
        store=Store(job.root, STATE_FOLDER, job.mark),
        make_job=partial(_job_for, job),
        site=clean((job.browse or job.credentials.site).removeprefix("https://")),
        project=clean(job.project or ""),
        prefer=job.prefer,
        address=job.browse or job.credentials.site,
    )
    history = WorkspaceHistory(job.root)
    async with open_job_queue(workers=2, history=history, on_job_error=_note) as queue:
        async with open_terminal() as terminal:
            style = line_style(terminal)
            theme = Theme(partial(sgr, colors=terminal.colors), style)
            app = App(terminal, queue, (workspace,), theme=theme)
            await app.run(pull=pull)
        await queue.shutdown(grace=0)
    cancelled = [each.progress for each in queue.jobs() if each.cancel_requested and each.progress]
    if cancelled:
        print_message(cancelled[-1].message)
    return exits.DONE if app.ended_by is None else exits.for_signal(app.ended_by)


def _note(failed: JobSnapshot) -> None:
    """Log a failed job's traceback; the status line shows the error itself."""
    if failed.error is not None:
        _log.debug("the job failed:\n%s", failed.error.traceback)


def _job_for(job: PullJob, request: JobRequest, on_written: OnWritten) -> Job[object]:
    options: SessionOptions = {**job.options(), "on_written": on_written}
    match request.kind:
        case JobKind.PULL:
            return PullJob(**options, keys=request.keys or None)
        case JobKind.PUSH:
            return PushJob(
                **options,
                accept_loss=request.accepted,
                confirmed=request.confirmed,
                keys=request.keys or None,
            )
        case JobKind.SYNC:
            return SyncJob(**options, accept_loss=request.accepted, confirmed=request.confirmed)


def line_style(terminal: Terminal) -> LineStyle:
    """Return the style of the status line: the terminal's abilities, the user's wishes."""
    wanted = LineStyle.of(os.environ, sys.stdout)
    return replace(wanted, unicode=terminal.unicode, color=terminal.colors)
