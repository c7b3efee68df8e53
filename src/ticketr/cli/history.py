"""``ticketr jobs``: what became of the jobs of a workspace."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from ticketr.cli.settings import resolve, workspace_options
from ticketr.config import STATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ticketr import FinishedJob, JobStatus, SqliteHistory

#: The file with the history, in ticketr's own folder.
HISTORY = "history.db"


def open_history(root: Path) -> SqliteHistory:
    """Give the history of a workspace's jobs; it holds nothing open."""
    from ticketr import SqliteHistory

    return SqliteHistory(root / STATE_FOLDER / HISTORY, summary=type_name)


class Histories:
    """The histories of several workspaces, for one queue: each job's key is its workspace."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._by_key = {str(root): open_history(root) for root in roots}

    def summary(self, result: object) -> str:
        """Say of a result what it is and no more."""
        return type_name(result)

    async def write(self, jobs: Sequence[FinishedJob], /) -> None:
        """Keep each job in the history of its workspace."""
        for key, history in self._by_key.items():
            await history.write([job for job in jobs if job.key == key])

    async def read(self, *, limit: int, status: JobStatus | None) -> list[FinishedJob]:
        """Give the jobs of all of them that ended last."""
        found = [
            job
            for history in self._by_key.values()
            for job in await history.read(limit=limit, status=status)
        ]
        return sorted(found, key=lambda job: job.finished_at, reverse=True)[:limit]


def type_name(result: object) -> str:
    """Say of a result what it is and no more: what it holds is somebody's text."""
    return type(result).__name__


@click.command(short_help="List the jobs that have ended.")
@workspace_options
@click.option("--limit", default=20, show_default=True, type=click.IntRange(min=1))
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def jobs(*, workspace: str | None, folder: Path | None, limit: int, as_json: bool) -> None:
    """List the jobs of a workspace that have ended, the newest first."""
    from ticketr import SqliteHistory
    from ticketr.cli.offline import readable
    from ticketr.cli.running import run
    from ticketr.text import clean

    root = resolve(workspace=workspace, folder=folder).root
    found: list[FinishedJob] = []
    with readable(root / STATE_FOLDER / HISTORY) as path:
        if path is not None:
            found = run(partial(SqliteHistory(path).read, limit=limit))
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], default=datetime.isoformat))
        return
    for each in found:
        click.echo(clean(_line(each)))
    if not found:
        click.echo("no job has ended here yet")


def _line(job: FinishedJob) -> str:
    when = f"{job.finished_at.astimezone():%Y-%m-%d %H:%M:%S}"
    message = job.error_message or job.message or ""
    return f"{when}  {job.status.value:9}  {job.name}: {message}"
