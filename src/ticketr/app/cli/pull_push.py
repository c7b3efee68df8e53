"""``ticketr push`` and ``ticketr sync``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ticketr.app.cli.confirmation import accept_loss_option, with_accepted_losses
from ticketr.app.cli.console import echo
from ticketr.app.cli.help import Command
from ticketr.app.cli.job_options import (
    CommonOptions,
    common_options,
    find_job_arguments,
    keys_argument,
    refuse_every,
    refuse_malformed,
    strategy_option,
)
from ticketr.app.config import CONFIRM_ABOVE, STATE_FOLDER
from ticketr.cleaning import clean

if TYPE_CHECKING:
    from ticketr.app.sync import PushResult


def _check_query(_: click.Context, __: click.Parameter, jql: str | None) -> str | None:
    if jql is not None and not jql.strip():  # as from a script whose variable is empty
        raise click.BadParameter("the query is empty")
    return jql


def _relative_path(path: Path, root: Path) -> str:
    """Return a path relative to the workspace; later pulls find no file outside of it."""
    from ticketr.app.sync import Store

    full = Path(os.path.abspath(path))  # noqa: PTH100 - a link below the workspace is not followed
    real_root = root.resolve()
    around = [parent for parent in reversed(full.parents) if parent.resolve() == real_root]
    name = full.relative_to(around[0]).as_posix() if around else ""
    refusal = Store(root, STATE_FOLDER).refusal(name)
    if not around or full.suffix != ".md" or refusal:
        words = refusal or f"it has to be a .md file below {clean(str(root))}"
        raise click.BadParameter(words, param_hint="--output")
    return name


@click.command(cls=Command)
@keys_argument
@common_options
@strategy_option
@click.option(
    "--jql", metavar="QUERY", callback=_check_query, help="Pull what a query of your own finds."
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Put new tickets into this one file instead of one for each.",
)
@click.option("--full", is_flag=True, help="Fetch every ticket again, changed or not.")
@click.option("--prune", is_flag=True, help="Move unedited files of deleted tickets away.")
@click.pass_context
def pull(
    context: click.Context,
    options: CommonOptions,
    *,
    keys: tuple[str, ...],
    jql: str | None,
    output: Path | None,
    full: bool,
    prune: bool,
) -> None:
    """Bring tickets from Jira into Markdown files.

    Without a KEY it brings what the project or the query of the workspace has; with KEYs these
    tickets alone, changed or not. What you edited is merged with what Jira has changed, field by
    field; drafts are never touched. Stop it at any time: what has arrived stays, and the next pull
    goes on from there.
    """
    from ticketr.app.cli.job_runner import print_pull, print_resolve_hint, run_jobs
    from ticketr.app.sync import PullJob, PullResult

    refuse_every(keys, options)
    if keys and (jql is not None or full or prune):
        raise click.UsageError("KEYs go with none of --jql, --full and --prune")
    arguments = find_job_arguments(options, jql=jql)
    for settings in arguments.ready.values():
        refuse_malformed(keys, settings["root"])
    jobs = {
        name: PullJob(
            **settings,
            keys=keys or None,
            full=full,
            prune=prune,
            into=_relative_path(output, settings["root"]) if output else None,
        )
        for name, settings in arguments.ready.items()
    }

    def print_result(result: PullResult) -> None:
        print_pull(result, prune=prune)
        print_resolve_hint(result.conflicts)

    context.exit(
        run_jobs(jobs, print_result, failed=arguments.failed, empty=PullResult(), options=options)
    )


_YES = click.option(
    "-y", "--yes", is_flag=True, help=f"Do not ask, even for more than {CONFIRM_ABOVE} writes."
)


@click.command(cls=Command)
@keys_argument
@common_options
@accept_loss_option
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would be sent.")
@_YES
@click.pass_context
def push(
    context: click.Context,
    options: CommonOptions,
    *,
    keys: tuple[str, ...],
    accept_loss: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Bring what you edited to Jira: create drafts, send changed fields, move statuses.

    Without a KEY it pushes every edit; the KEY of a ticket stands for its sub-tasks, too. In a
    terminal it shows what it would send, and asks.

    A ticket that Jira has changed meanwhile is left alone: pull first, or use sync. Stop it at any
    time: the next push goes on from there and creates nothing twice.
    """
    from ticketr.app.cli.confirmation import confirm_plans, read_plans, skipped_lines
    from ticketr.app.cli.job_runner import (
        failures_as_json,
        print_merge_hint,
        print_messages,
        print_plan_hint,
        print_push,
        print_resolve_hint,
        run_jobs,
    )
    from ticketr.app.sync import PushJob, PushResult

    refuse_every(keys, options)
    arguments = find_job_arguments(options)
    jobs = {
        name: PushJob(**keywords, keys=keys or None, dry_run=dry_run, accept_loss=accept_loss)
        for name, keywords in arguments.ready.items()
    }
    empty = PushResult()
    plans = read_plans(jobs, yes=yes)
    if not dry_run:
        if not yes:
            others = failures_as_json(arguments.failed, empty)
            jobs = confirm_plans(jobs, plans, as_json=options.as_json, others=others)
        jobs = with_accepted_losses(jobs, plans, accept_loss=accept_loss)

    def print_result(result: PushResult) -> None:
        if dry_run:
            _print_plan(result)
            print_messages(line for plan in plans.values() for line in skipped_lines(plan))
        print_push(result, dry_run=dry_run)
        print_plan_hint(result.left)
        print_merge_hint(result.conflicts)
        print_resolve_hint(result.conflicts)

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
    both have changed differently is a conflict: it is left alone on both sides and listed. In a
    terminal it shows first what it would send, and asks.
    """
    from ticketr.app.cli.confirmation import confirm_plans, read_plans
    from ticketr.app.cli.job_runner import run_jobs
    from ticketr.app.sync import PullResult, PushResult, SyncJob, SyncResult

    def print_result(result: SyncResult) -> None:
        print_pull(result.pull, prune=prune)
        print_push(result.push)
        print_plan_hint(result.push.left)
        print_resolve_hint((*result.pull.conflicts, *result.push.conflicts))

    arguments = find_job_arguments(options)
    jobs = {
        name: SyncJob(**keywords, full=full, prune=prune)
        for name, keywords in arguments.ready.items()
    }
    empty = SyncResult(PullResult(), PushResult())
    plans = read_plans(jobs, yes=yes)
    if not yes:
        others = failures_as_json(arguments.failed, empty)
        jobs = confirm_plans(jobs, plans, as_json=options.as_json, others=others)
    jobs = with_accepted_losses(jobs, plans, accept_loss=accept_loss)
    context.exit(
        run_jobs(jobs, print_result, failed=arguments.failed, empty=empty, options=options)
    )


def _print_plan(result: PushResult) -> None:
    from ticketr.app.cli.confirmation import plan_lines

    for action in result.planned:
        for line in plan_lines(action):
            echo(line)
