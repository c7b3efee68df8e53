"""``ticketr jobs``, and the histories of jobs that it lists, which bear the user's mark."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from pathlib import Path

import click

import ticketr
from ticketr._errors import HistoryFailed, TicketrError
from ticketr.app import sync
from ticketr.app.cli import ownership
from ticketr.app.cli.console import echo, echo_json, redacted
from ticketr.app.cli.help import command
from ticketr.app.cli.options import CommonOptions, folder_json_options
from ticketr.app.cli.ownership import HISTORY_FILE
from ticketr.app.config import STATE_FOLDER, config_folder, read_or_make_owner_mark


@command(
    examples={
        "ticketr jobs --limit 5": "List the last five.",
        "ticketr jobs --json": "List them for a script.",
    },
)
@folder_json_options
@click.option("--limit", default=20, show_default=True, type=click.IntRange(min=1))
def jobs(options: CommonOptions, *, limit: int) -> None:
    """List the jobs of a workspace that have ended, the newest first."""
    import trio

    root = options.find_workspace().root
    finished_jobs: list[ticketr.FinishedJob] = []
    with sync.readable_database(root / STATE_FOLDER / HISTORY_FILE) as path:
        if path is not None:
            ownership.owner_mark_refusing_foreign_state(root)
            finished_jobs = trio.run(partial(ticketr.SqliteHistory(path).read, limit=limit))
    if options.as_json:
        objects = [{**asdict(job), "tags": sorted(job.tags)} for job in finished_jobs]
        echo_json(objects, default=_moment_as_json)
        return
    for job in finished_jobs:
        when = f"{job.finished_at.astimezone():%Y-%m-%d %H:%M:%S}"
        message = job.error_message or job.message or ""
        echo(f"{when}  {job.status.value:9}  {job.name}: {message}")
    if not finished_jobs:
        echo("no job has ended here yet")


def _moment_as_json(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()


class WorkspaceHistories:
    """The histories of workspaces, for one queue in which a job's key is its folder.

    They hold no secrets, and no file stays open. A file gets the user's mark, and one that another
    user has made is neither read nor written.

    Args:
        roots: The folders of the workspaces.
        without: The tag of jobs that are not stored.
    """

    def __init__(self, roots: Sequence[Path], *, without: str = "") -> None:
        self._without = without
        # The queue escapes what is not UTF-8 in the key of a finished job.
        self._roots = {
            str(root).encode("utf-8", "backslashreplace").decode(): root for root in roots
        }
        self._marked: set[Path] = set()

    def summary(self, result: object) -> str:
        """Return the name of a result's type; its content may be private."""
        return type(result).__name__

    async def write(self, jobs: Sequence[ticketr.FinishedJob], /) -> None:
        """Store each job in the history of its workspace, also of one that is new here.

        Raises:
            HistoryFailed: A history could not be written; the others were.
        """
        failed: list[HistoryFailed] = []
        jobs = [job for job in jobs if self._without not in job.tags]
        for key in dict.fromkeys(job.key for job in jobs if job.key is not None):
            root = self._roots.setdefault(key, Path(key))
            try:
                await self._write(root, [job for job in jobs if job.key == key])
            except HistoryFailed as error:
                failed.append(error)
        if failed:
            raise failed[0]

    async def _write(self, root: Path, jobs: Sequence[ticketr.FinishedJob]) -> None:
        import trio

        file = _history_of(root)
        if root not in self._marked:
            await _refuse_history_of_other_user(root)
            await file.write([])  # makes the file
            await trio.to_thread.run_sync(_add_owner_mark_if_storable, root, abandon_on_cancel=True)
            self._marked.add(root)
        await file.write([_without_secrets(job) for job in jobs])

    async def read(
        self, *, limit: int, status: ticketr.JobStatus | None
    ) -> list[ticketr.FinishedJob]:
        """Return the jobs of all workspaces that ended last, newest first.

        Raises:
            HistoryFailed: No history could be read.
        """
        jobs: list[ticketr.FinishedJob] = []
        failed: list[HistoryFailed] = []
        for root in tuple(self._roots.values()):
            try:
                await _refuse_history_of_other_user(root)
                jobs += await _history_of(root).read(limit=limit, status=status)
            except HistoryFailed as error:
                failed.append(error)
        if failed and len(failed) == len(self._roots):
            raise failed[0]
        return sorted(jobs, key=lambda job: job.finished_at, reverse=True)[:limit]


def _history_of(root: Path) -> ticketr.SqliteHistory:
    return ticketr.SqliteHistory(root / STATE_FOLDER / HISTORY_FILE)


async def _refuse_history_of_other_user(root: Path) -> None:
    """Raise `HistoryFailed` if another user has made the history of a workspace."""
    import trio

    if not await trio.to_thread.run_sync(_may_use_job_history, root, abandon_on_cancel=True):
        problem = "ticketr does not know that you made it; if you did: ticketr workspace trust"
        raise HistoryFailed(str(root / STATE_FOLDER / HISTORY_FILE), problem)


def _may_use_job_history(root: Path) -> bool:
    mark = _owner_mark_if_storable()
    return mark is None or ownership.has_marked_or_empty_history(root, mark)


def _add_owner_mark_if_storable(root: Path) -> None:
    if (mark := _owner_mark_if_storable()) is not None:
        ownership.add_owner_mark_to_job_history(root, mark)


def _owner_mark_if_storable() -> str | None:
    """Return the user's mark; None if it cannot be stored, so that later runs would not know it."""
    try:
        return read_or_make_owner_mark(config_folder(os.environ))
    except TicketrError:
        return None


def _without_secrets(job: ticketr.FinishedJob) -> ticketr.FinishedJob:
    return replace(
        job,
        name=_redacted_utf8(job.name),
        key=job.key and _redacted_utf8(job.key),
        message=job.message and _redacted_utf8(job.message),
        error_message=job.error_message and _redacted_utf8(job.error_message),
        tags=frozenset(map(_redacted_utf8, job.tags)),
    )


def _redacted_utf8(text: str) -> str:
    """Return a text redacted and encodable; the name of a folder need not be UTF-8."""
    return redacted(text).encode("utf-8", "replace").decode()
