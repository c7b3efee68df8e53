"""``ticketr sync --every --cluster``: one job for each workspace, which workers elsewhere run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import click

from ticketr import JobError, JobStatus
from ticketr.cli import exits, report
from ticketr.cli.queue_runner import JobOutcome, run, wait_for_all
from ticketr.cli.workspace_results import WorkspaceFailed, result_from_plain
from ticketr.config import config_folder, read_user_config
from ticketr.statusline import StatusLine

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Sequence
    from typing import Any

    from ticketr import JobSnapshot
    from ticketr.cli.job_options import CommonOptions
    from ticketr.cli.workspace_jobs import WorkspaceSync
    from ticketr.cluster import ClusterHandle
    from ticketr.config import WorkspaceEntry
    from ticketr.sync import SyncResult

#: The name of the queue in the server.
QUEUE = "ticketr"


@dataclass(frozen=True, slots=True)
class _Ended:
    """How the sync of a workspace ended.

    Attributes:
        entry: The workspace, as the user of this machine has added it.
        snapshot: The job's last snapshot.
        result: What it did; what it did until then, if it failed.
        message: What failed, for people; empty if nothing did.
        error: The name of the error; empty for none.
        exit_code: The exit code that it stands for.
    """

    entry: WorkspaceEntry
    snapshot: JobSnapshot
    result: SyncResult
    message: str
    error: str
    exit_code: int

    @property
    def status(self) -> JobStatus:
        """How the job ended."""
        return self.snapshot.status


def check_options(options: CommonOptions) -> None:
    """Refuse options that a worker cannot follow.

    Raises:
        click.UsageError: ``--every`` is missing, or one of them was given.
    """
    if not options.every:
        raise click.UsageError("--cluster goes with --every")
    if options.workspace is not None or options.folder is not None:
        raise click.UsageError("use --every, or name one workspace, not both")
    if options.project is not None or options.http != "httpx":
        raise click.UsageError(
            "--cluster goes with neither --project nor --http: the worker's own settings count"
        )


def sync_by_workers(
    url: str | None,
    make: Callable[[str], WorkspaceSync],
    print_result: Callable[[SyncResult], None],
    options: CommonOptions,
) -> int:
    """Let workers sync every workspace, report the outcomes, and return the exit code.

    SIGINT, SIGTERM and SIGHUP cancel the jobs and wait for their ends. A second signal has its
    default effect; the server knows of the cancellation by then, or the jobs go on.

    Args:
        url: Where the cluster's server is; None for ``TICKETR_CLUSTER_URL``.
        make: Returns the job of a workspace.
        print_result: Prints a result for people.
        options: `plain` and `as_json` count.

    Raises:
        click.UsageError: No workspace was added, a package is missing, or the URL, the secret or a
            setting of the server is wrong.
        ClusterUnavailable: The server cannot be reached.
    """
    entries = read_user_config(config_folder(os.environ)).workspaces
    if not entries:
        raise click.UsageError("you have added no workspace yet: 'ticketr workspace add'")
    try:
        from ticketr.cluster import ClusterMisconfigured
    except ModuleNotFoundError as error:
        raise click.UsageError(str(error)) from None
    jobs = [make(name) for name in sorted(entries)]
    try:
        ends, received = run(partial(_run_all, url, jobs, plain=options.plain))
    except ClusterMisconfigured as error:
        raise click.UsageError(str(error)) from None
    ended = {
        job.workspace: _ended_of(entries[job.workspace], *each, received)
        for job, each in zip(jobs, ends, strict=True)
    }
    if options.as_json:
        report.print_all_json({name: _as_json(each) for name, each in ended.items()})
    else:
        _print_ended(ended, print_result)
    return report.worst_exit_code(each.exit_code for each in ended.values())


#: The last snapshot of a job, its result, and the cause of its failure.
_JobEnd = tuple["JobSnapshot", "dict[str, Any] | None", "BaseException | None"]


async def _run_all(
    url: str | None, jobs: Sequence[WorkspaceSync], *, plain: bool
) -> tuple[list[_JobEnd], list[signal.Signals]]:
    """Submit the jobs and wait for their ends; return these, and the signals that came."""
    from ticketr.cluster import open_cluster_queue

    async with (
        open_cluster_queue(url, name=QUEUE) as queue,
        StatusLine(queue, plain=plain, hint="ctrl+c cancel"),
    ):
        handles = [await queue.submit(job, key=f"workspace {job.workspace}") for job in jobs]
        received = await wait_for_all(handles, lambda job_id, _: queue.request_cancel(job_id))
        return [await _wait_for_end(handle) for handle in handles], received


async def _wait_for_end(handle: ClusterHandle[dict[str, Any]]) -> _JobEnd:
    try:
        return handle.snapshot(), await handle.result(), None
    except JobError as error:
        return handle.snapshot(), None, error.__cause__


def _ended_of(
    entry: WorkspaceEntry,
    snapshot: JobSnapshot,
    data: dict[str, Any] | None,
    cause: BaseException | None,
    received: Sequence[signal.Signals],
) -> _Ended:
    """Return how a workspace's job ended, in the words of this side."""
    if data is not None:
        result = result_from_plain(data, entry.site)
        code = report.exit_code(JobOutcome(snapshot, result, None))
        return _Ended(entry, snapshot, result, "", "", code)
    if isinstance(cause, WorkspaceFailed):
        so_far = result_from_plain(cause.so_far, entry.site)
        return _Ended(entry, snapshot, so_far, cause.message, cause.error, cause.exit_code)
    nothing = result_from_plain({}, entry.site)
    if snapshot.error is not None:
        error = snapshot.error.type.rpartition(".")[2]
        words = f"{error}: {snapshot.error.message}"
        return _Ended(entry, snapshot, nothing, words, error, exits.FAILED)
    code = exits.for_signal(received[0]) if received else exits.FAILED
    words = (snapshot.progress.message if snapshot.progress else "") or "Cancelled"
    return _Ended(entry, snapshot, nothing, words, "", code)


def _as_json(ended: _Ended) -> dict[str, object]:
    message = ended.message
    if not message and ended.snapshot.progress is not None:
        message = ended.snapshot.progress.message
    return report.ended_as_json(
        ended.status, message, ended.entry.folder, ended.error or None, ended.result
    )


def _print_ended(ended: dict[str, _Ended], print_result: Callable[[SyncResult], None]) -> None:
    for name, each in ended.items():
        if each.status is JobStatus.COMPLETED:
            report.print_messages([f"{name}:"])
            print_result(each.result)
    report.print_messages(
        f"{name}: {each.message}"
        for name, each in ended.items()
        if each.status is not JobStatus.COMPLETED
    )
    cancelled = [name for name, each in ended.items() if each.status is JobStatus.CANCELLED]
    if cancelled:
        done = sum(each.status is JobStatus.COMPLETED for each in ended.values())
        failed = len(ended) - done - len(cancelled)
        words = f"{done} of {len(ended)} workspaces synced, {len(cancelled)} cancelled"
        report.print_messages([f"{words}, {failed} failed" if failed else words])
