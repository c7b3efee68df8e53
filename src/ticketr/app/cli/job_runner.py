"""Runs the jobs of a command, one for each workspace, and reports their outcomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from ticketr._errors import TicketrError
from ticketr.app.cli import exits
from ticketr.app.cli.queue_runner import JobOutcome, run, run_all
from ticketr.app.cli.report import (
    exit_code,
    failures_as_json,
    outcome_as_json,
    print_all_json,
    print_messages,
    worst_exit_code,
)
from ticketr.app.cli.workspace_history import WorkspaceHistories, WorkspaceHistory
from ticketr.app.sync import PullResult, PushResult, SyncResult

if TYPE_CHECKING:
    from ticketr import JobContext
    from ticketr.app.cli.job_options import CommonOptions

R = TypeVar("R", PullResult, PushResult, SyncResult)
R_co = TypeVar("R_co", covariant=True)


class WorkspaceJob(Protocol[R_co]):
    """A pull, a push or a sync of one workspace."""

    @property
    def name(self) -> str:
        """Return the job's name in lists."""
        ...

    @property
    def root(self) -> Path:
        """Return the workspace's folder."""
        ...

    @property
    def tags(self) -> frozenset[str]:
        """Return what to find the job by."""
        ...

    def so_far(self) -> R_co:
        """Return what the job has done until now."""
        ...

    async def execute(self, context: JobContext) -> R_co:
        """Run the job; the queue calls this."""
        ...


def run_jobs(
    jobs: Mapping[str, WorkspaceJob[R]],
    print_result: Callable[[R], None],
    *,
    failed: Mapping[str, tuple[Path, TicketrError]],
    empty: R,
    options: CommonOptions,
) -> int:
    """Run a command's jobs side by side, report their outcomes, and return the exit code.

    Args:
        jobs: The jobs, by the names of their workspaces. The name is empty if the command is
            about one workspace.
        print_result: Prints a result for people.
        failed: The folders of workspaces whose jobs could not start, and why.
        empty: The result that these report.
        options: `plain` and `as_json` count.
    """
    named = _run_in_queue(jobs, plain=options.plain)
    codes = [exit_code(ended) for ended in named.values()]
    codes += [exits.for_error(error) for _, error in failed.values()]
    if options.as_json:
        objects = {
            name: outcome_as_json(ended, jobs[name].root, jobs[name].so_far())
            for name, ended in named.items()
        }
        print_all_json(objects | failures_as_json(failed, empty))
    else:
        for name, ended in named.items():
            if ended.result is not None:
                print_messages([f"{name}:"] if name else [])
                print_result(ended.result)
        print_messages(f"{name}: {error}" for name, (_, error) in failed.items())
    return worst_exit_code(codes)


def _run_in_queue(jobs: Mapping[str, WorkspaceJob[R]], *, plain: bool) -> dict[str, JobOutcome[R]]:
    if not jobs:
        return {}
    roots = [job.root for job in jobs.values()]
    history = WorkspaceHistory(roots[0]) if len(roots) == 1 else WorkspaceHistories(roots)
    ends = run(
        partial(
            run_all,
            list(jobs.values()),
            keys=[str(root) for root in roots],
            tags=[job.tags for job in jobs.values()],
            plain=plain,
            history=history,
        )
    )
    return dict(zip(jobs, ends, strict=True))
