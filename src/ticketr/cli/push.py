"""``ticketr push`` and ``ticketr sync``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ticketr.cli import exits
from ticketr.cli.job_options import (
    CommonOptions,
    common_options,
    find_job_arguments,
    strategy_option,
)
from ticketr.cli.losses import accept_loss_option, with_accepted_losses
from ticketr.cli.output import echo, shown
from ticketr.config import CONFIRM_ABOVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticketr.sync import PushJob, PushResult, SyncJob

#: The error, for scripts, of more than that without a yes.
UNCONFIRMED = "Unconfirmed"
#: What is said when the answer was no.
NOTHING = "Nothing was sent."


@click.command(short_help="Bring what you edited to Jira.")
@common_options
@accept_loss_option
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would be sent.")
@click.option(
    "-y", "--yes", is_flag=True, help=f"Do not ask, even for more than {CONFIRM_ABOVE} writes."
)
@click.pass_context
def push(
    context: click.Context,
    options: CommonOptions,
    *,
    accept_loss: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Bring what you edited to Jira: create drafts, send changed fields, move statuses.

    A ticket that Jira has changed meanwhile is left alone: pull first, or use sync. Stop it at any
    time: the next push goes on from there and creates nothing twice.
    """
    from ticketr.cli.job_runner import run_jobs
    from ticketr.cli.report import as_objects, tell_how_to_merge, tell_how_to_resolve, tell_push
    from ticketr.sync import PushJob, PushResult

    sessions = find_job_arguments(options)
    jobs = {
        name: PushJob(**each, dry_run=dry_run, accept_loss=accept_loss)
        for name, each in sessions.ready.items()
    }
    nothing = PushResult(0)
    if not dry_run:
        ask_first(
            jobs, yes=yes, as_json=options.as_json, others=as_objects(sessions.failed, nothing)
        )
        jobs = with_accepted_losses(jobs, accept_loss=accept_loss)

    def told(result: PushResult) -> None:
        if dry_run:
            _tell_plan(result)
        tell_push(result, dry_run=dry_run)
        tell_how_to_merge(result.conflicts)
        tell_how_to_resolve(result.conflicts)

    context.exit(run_jobs(jobs, told, failed=sessions.failed, nothing=nothing, options=options))


@click.command(short_help="Pull, merge and push in one go.")
@common_options
@strategy_option
@accept_loss_option
@click.option("--full", is_flag=True, help="Fetch every ticket again, changed or not.")
@click.option("--prune", is_flag=True, help="Move unedited files of deleted tickets away.")
@click.option(
    "-y", "--yes", is_flag=True, help=f"Do not ask, even for more than {CONFIRM_ABOVE} writes."
)
@click.pass_context
def sync(
    context: click.Context,
    options: CommonOptions,
    *,
    accept_loss: bool,
    full: bool,
    prune: bool,
    yes: bool,
) -> None:
    """Pull, merge and push in one go.

    What Jira has changed comes into the files, field by field; what you changed goes to Jira. What
    both have changed differently is a conflict: it is left alone on both sides and listed.
    """
    from ticketr.cli.job_runner import run_jobs
    from ticketr.cli.report import (
        as_objects,
        nothing_pulled,
        tell_how_to_resolve,
        tell_pull,
        tell_push,
    )
    from ticketr.sync import PushResult, SyncJob, SyncResult

    sessions = find_job_arguments(options)
    jobs = {name: SyncJob(**each, full=full, prune=prune) for name, each in sessions.ready.items()}
    nothing = SyncResult(nothing_pulled(), PushResult(0))
    ask_first(jobs, yes=yes, as_json=options.as_json, others=as_objects(sessions.failed, nothing))
    jobs = with_accepted_losses(jobs, accept_loss=accept_loss)

    def told(result: SyncResult) -> None:
        tell_pull(result.pull, prune=prune)
        tell_push(result.push)
        tell_how_to_resolve((*result.pull.conflicts, *result.push.conflicts))

    context.exit(run_jobs(jobs, told, failed=sessions.failed, nothing=nothing, options=options))


def ask_first(
    jobs: Mapping[str, PushJob] | Mapping[str, SyncJob],
    *,
    yes: bool,
    as_json: bool,
    others: Mapping[str, dict[str, object]],
) -> None:
    """Ask before many issues are written; scripts have to say yes beforehand.

    Args:
        jobs: What is about to run, by the names of workspaces.
        yes: Whether that has been said.
        as_json: Whether to print as JSON too that nothing was begun.
        others: The objects of workspaces that could not have begun anyway.

    Raises:
        click.UsageError: Nobody is there to be asked.
        click.exceptions.Exit: The answer was no.
        click.Abort: Ctrl+C was the answer.
    """
    from ticketr.cli.local_status import count_writes
    from ticketr.cli.settings import is_interactive

    writes = 0 if yes else sum(count_writes(job.root) for job in jobs.values())
    if writes <= CONFIRM_ABOVE:
        return
    site = " and ".join(dict.fromkeys(job.site for job in jobs.values()))
    if not is_interactive():
        reason = (
            f"this would create or change {writes} tickets in {site}; look at them with "
            "--dry-run, and say --yes if that is what you want"
        )
        if as_json:
            _print_not_begun(jobs, reason, UNCONFIRMED, others)
        raise click.UsageError(reason)
    if not click.confirm(shown(f"Create or change {writes} tickets in {site}?"), err=True):
        if as_json:
            _print_not_begun(jobs, NOTHING, None, others)
        echo(NOTHING, err=True)
        click.get_current_context().exit(exits.DONE)


def _print_not_begun(
    jobs: Mapping[str, PushJob] | Mapping[str, SyncJob],
    message: str,
    error: str | None,
    others: Mapping[str, dict[str, object]],
) -> None:
    from ticketr.cli.report import not_begun, print_all_json

    objects = {
        name: not_begun(job.root, job.so_far(), message, error) for name, job in jobs.items()
    }
    print_all_json({**objects, **others})


def _tell_plan(result: PushResult) -> None:
    from ticketr.cli.plans import plan_lines

    for action in result.planned:
        for line in plan_lines(action):
            echo(line)
