"""``ticketr push`` and ``ticketr sync``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ticketr.cli import exits
from ticketr.cli.help import Command
from ticketr.cli.job_options import (
    CommonOptions,
    common_options,
    find_job_arguments,
    strategy_option,
)
from ticketr.cli.losses import accept_loss_option, with_accepted_losses
from ticketr.cli.output import echo
from ticketr.config import CONFIRM_ABOVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticketr.sync import PushJob, PushResult, SyncJob

#: The error in JSON of many writes that were not confirmed.
UNCONFIRMED = "Unconfirmed"
#: The message after the answer no.
NOTHING_SENT = "Nothing was sent."

_YES = click.option(
    "-y", "--yes", is_flag=True, help=f"Do not ask, even for more than {CONFIRM_ABOVE} writes."
)


@click.command(cls=Command)
@common_options
@accept_loss_option
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would be sent.")
@_YES
@click.pass_context
def push(
    context: click.Context, options: CommonOptions, *, accept_loss: bool, dry_run: bool, yes: bool
) -> None:
    """Bring what you edited to Jira: create drafts, send changed fields, move statuses.

    A ticket that Jira has changed meanwhile is left alone: pull first, or use sync. Stop it at any
    time: the next push goes on from there and creates nothing twice.
    """
    from ticketr.cli import report
    from ticketr.cli.job_runner import run_jobs
    from ticketr.sync import PushJob, PushResult

    arguments = find_job_arguments(options)
    jobs = {
        name: PushJob(**each, dry_run=dry_run, accept_loss=accept_loss)
        for name, each in arguments.ready.items()
    }
    empty = PushResult()
    if not dry_run:
        others = report.failures_as_json(arguments.failed, empty)
        confirm_writes(jobs, yes=yes, as_json=options.as_json, others=others)
        jobs = with_accepted_losses(jobs, accept_loss=accept_loss)

    def print_result(result: PushResult) -> None:
        if dry_run:
            _print_plan(result)
        report.print_push(result, dry_run=dry_run)
        report.print_merge_hint(result.conflicts)
        report.print_resolve_hint(result.conflicts)

    context.exit(
        run_jobs(jobs, print_result, failed=arguments.failed, empty=empty, options=options)
    )


@click.command(cls=Command)
@common_options
@strategy_option
@accept_loss_option
@click.option("--full", is_flag=True, help="Fetch every ticket again, changed or not.")
@click.option("--prune", is_flag=True, help="Move unedited files of deleted tickets away.")
@_YES
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
    from ticketr.cli import report
    from ticketr.cli.job_runner import run_jobs
    from ticketr.sync import PullResult, PushResult, SyncJob, SyncResult

    arguments = find_job_arguments(options)
    jobs = {name: SyncJob(**each, full=full, prune=prune) for name, each in arguments.ready.items()}
    empty = SyncResult(PullResult(), PushResult())
    others = report.failures_as_json(arguments.failed, empty)
    confirm_writes(jobs, yes=yes, as_json=options.as_json, others=others)
    jobs = with_accepted_losses(jobs, accept_loss=accept_loss)

    def print_result(result: SyncResult) -> None:
        report.print_pull(result.pull, prune=prune)
        report.print_push(result.push)
        report.print_resolve_hint((*result.pull.conflicts, *result.push.conflicts))

    context.exit(
        run_jobs(jobs, print_result, failed=arguments.failed, empty=empty, options=options)
    )


def confirm_writes(
    jobs: Mapping[str, PushJob] | Mapping[str, SyncJob],
    *,
    yes: bool,
    as_json: bool,
    others: Mapping[str, dict[str, object]],
) -> None:
    """Ask before many issues are written; scripts pass ``--yes``.

    Args:
        jobs: The jobs that are about to run, by the names of their workspaces.
        yes: Whether ``--yes`` was given.
        as_json: Whether to print an unconfirmed start as JSON, too.
        others: The JSON objects of workspaces whose jobs could not start.

    Raises:
        click.UsageError: No terminal is there to ask in.
        click.exceptions.Exit: The answer was no.
        click.Abort: Ctrl+C was the answer.
    """
    from ticketr.cli.local_status import count_writes
    from ticketr.cli.questions import confirm
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
            _print_not_started(jobs, reason, UNCONFIRMED, others)
        raise click.UsageError(reason)
    if not confirm(f"Create or change {writes} tickets in {site}?"):
        if as_json:
            _print_not_started(jobs, NOTHING_SENT, None, others)
        echo(NOTHING_SENT, err=True)
        click.get_current_context().exit(exits.DONE)


def _print_not_started(
    jobs: Mapping[str, PushJob] | Mapping[str, SyncJob],
    message: str,
    error: str | None,
    others: Mapping[str, dict[str, object]],
) -> None:
    from ticketr.cli import report

    objects = {
        name: report.not_started_as_json(job.root, job.so_far(), message, error)
        for name, job in jobs.items()
    }
    report.print_all_json({**objects, **others})


def _print_plan(result: PushResult) -> None:
    from ticketr.cli.plans import plan_lines

    for action in result.planned:
        for line in plan_lines(action):
            echo(line)
