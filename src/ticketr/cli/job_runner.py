"""Runs the jobs of a command, one for each workspace, and tells how they ended."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from ticketr.cli import exits
from ticketr.cli.history import WorkspaceHistories, WorkspaceHistory
from ticketr.cli.queue_runner import run, run_side_by_side
from ticketr.cli.report import as_object, as_objects, exit_code, print_all_json, tell, worst
from ticketr.sync import PullResult, PushResult, SyncResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ticketr import JobContext
    from ticketr._errors import TicketrError
    from ticketr.cli.job_options import CommonOptions
    from ticketr.cli.queue_runner import JobOutcome

R = TypeVar("R", PullResult, PushResult, SyncResult)
R_co = TypeVar("R_co", covariant=True)


class WorkspaceJob(Protocol[R_co]):
    """A job that is about one workspace: a pull, a push or a sync."""

    @property
    def name(self) -> str:
        """The job's name in lists."""
        ...

    @property
    def root(self) -> Path:
        """The workspace's folder."""
        ...

    def so_far(self) -> R_co:
        """Say what it has done until now."""
        ...

    async def execute(self, context: JobContext) -> R_co:
        """Run it; the queue calls this."""
        ...


def run_jobs(
    jobs: Mapping[str, WorkspaceJob[R]],
    told: Callable[[R], None],
    *,
    failed: Mapping[str, tuple[Path, TicketrError]],
    nothing: R,
    options: CommonOptions,
) -> int:
    """Run a command's jobs side by side, tell of their results, and give the exit code.

    Args:
        jobs: The jobs, by the names of their workspaces; the only one of a
            command that is about one workspace has no name.
        told: Tells people of a result.
        failed: What keeps other workspaces from beginning, with their folders.
        nothing: The result of those.
        options: Whether progress is plain lines in a terminal, too, and whether to print the
            results as JSON.
    """
    named = _run(jobs, plain=options.plain)
    codes = [exit_code(ended) for ended in named.values()]
    codes += [exits.for_error(error) for _, error in failed.values()]
    if options.as_json:
        objects = {
            name: as_object(ended, jobs[name].root, jobs[name].so_far())
            for name, ended in named.items()
        }
        print_all_json(objects | as_objects(failed, nothing))
    else:
        for name, ended in named.items():
            if ended.result is not None:
                tell([f"{name}:"] if name else [])
                told(ended.result)
        tell(f"{name}: {error}" for name, (_, error) in failed.items())
    return worst(codes)


def _run(jobs: Mapping[str, WorkspaceJob[R]], *, plain: bool) -> dict[str, JobOutcome[R]]:
    if not jobs:
        return {}
    roots = [job.root for job in jobs.values()]
    history = WorkspaceHistory(roots[0]) if len(roots) == 1 else WorkspaceHistories(roots)
    ends = run(
        partial(
            run_side_by_side,
            list(jobs.values()),
            keys=[str(root) for root in roots],
            plain=plain,
            history=history,
        )
    )
    return dict(zip(jobs, ends, strict=True))
