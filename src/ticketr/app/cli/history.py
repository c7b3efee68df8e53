"""``ticketr jobs``: the ended jobs of a workspace."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ticketr.app.cli.console import echo, echo_json
from ticketr.app.cli.help import Command
from ticketr.app.cli.settings import resolve, workspace_options
from ticketr.app.cli.workspace_history import HISTORY
from ticketr.app.config import STATE_FOLDER

if TYPE_CHECKING:
    from ticketr import FinishedJob


@click.command(cls=Command)
@workspace_options
@click.option("--limit", default=20, show_default=True, type=click.IntRange(min=1))
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def jobs(*, workspace: str | None, folder: Path | None, limit: int, as_json: bool) -> None:
    """List the jobs of a workspace that have ended, the newest first."""
    from ticketr import SqliteHistory
    from ticketr.app.cli.job_runner import run
    from ticketr.app.cli.ownership import own_mark
    from ticketr.app.sync import readable

    root = resolve(workspace=workspace, folder=folder).root
    finished_jobs: list[FinishedJob] = []
    with readable(root / STATE_FOLDER / HISTORY) as path:
        if path is not None:
            own_mark(root)
            finished_jobs = run(partial(SqliteHistory(path).read, limit=limit))
    if as_json:
        objects = [{**asdict(job), "tags": sorted(job.tags)} for job in finished_jobs]
        echo_json(objects, default=_as_json)
        return
    for job in finished_jobs:
        echo(_history_line(job))
    if not finished_jobs:
        echo("no job has ended here yet")


def _as_json(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()


def _history_line(job: FinishedJob) -> str:
    when = f"{job.finished_at.astimezone():%Y-%m-%d %H:%M:%S}"
    message = job.error_message or job.message or ""
    return f"{when}  {job.status.value:9}  {job.name}: {message}"
