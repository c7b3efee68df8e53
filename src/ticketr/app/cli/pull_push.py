"""``ticketr pull``, ``ticketr push`` and ``ticketr sync``."""

from __future__ import annotations

from dataclasses import replace

import click

from ticketr.app import sync
from ticketr.app.cli import exits
from ticketr.app.cli.completion import complete_key
from ticketr.app.cli.help import command
from ticketr.app.cli.options import (
    CommonOptions,
    checked_key_option,
    find_job_arguments,
    find_named_keys_and_files,
    keys_argument,
    keys_or_files_argument,
    pull_push_options,
    refuse_keys_with_all,
    repeat_interval_option,
    strategy_option,
)
from ticketr.app.config import CONFIRM_ABOVE_WRITES

_full_option = click.option(
    "--full", is_flag=True, help="Fetch every ticket again, changed or not."
)
_prune_option = click.option(
    "--prune", is_flag=True, help="Move unedited files of deleted tickets away."
)
_accept_loss_option = click.option(
    "--accept-loss", is_flag=True, help="Send edits that remove from Jira what a file cannot hold."
)
_yes_option = click.option(
    "-y",
    "--yes",
    "skips_confirmation",
    is_flag=True,
    help=f"Do not ask, even for more than {CONFIRM_ABOVE_WRITES} writes.",
)


@command(
    examples={
        "ticketr pull": "Fetch what has changed.",
        'ticketr pull --jql "sprint in openSprints()"': "Fetch what a query finds.",
        "ticketr pull DEMO-3 DEMO-9": "Fetch these tickets alone.",
        "ticketr pull --epic DEMO-1": "Fetch an epic and what is in it.",
        "ticketr pull --all": "Fetch into every workspace.",
        "ticketr pull --every 5m": "Fetch what has changed, every five minutes.",
    },
    exits=exits.TICKET_COMMAND_EXITS,
)
@keys_argument
@pull_push_options
@repeat_interval_option
@strategy_option
@click.option("--jql", metavar="QUERY", help="Pull what a query of your own finds.")
@click.option(
    "--epic",
    metavar="KEY",
    callback=checked_key_option,
    shell_complete=complete_key,
    help="Pull an epic and what is in it.",
)
@_full_option
@_prune_option
def pull(
    options: CommonOptions,
    *,
    keys: tuple[str, ...],
    jql: str | None,
    epic: str | None,
    full: bool,
    prune: bool,
) -> int:
    """Bring tickets from Jira into Markdown files.

    Without a KEY it brings what the project or the query of the workspace has; with KEYs these
    tickets alone, changed or not. What you edited is merged with what Jira has changed, field by
    field; drafts are never touched. Stop it at any time: what has arrived stays, and the next pull
    goes on from there.
    """
    from ticketr.app.cli import job_runner

    refuse_keys_with_all(keys, options)
    if keys and (jql is not None or epic is not None or full or prune):
        raise click.UsageError("KEYs go with none of --jql, --epic, --full and --prune")
    if epic is not None:
        if jql is not None:
            raise click.UsageError("say --epic or --jql, not both")
        jql = f"key = {epic} OR parent = {epic}"
    ready, failed = find_job_arguments(options, jql=jql)
    jobs = {
        name: sync.PullJob(**settings, keys=keys or None, full=full, prune=prune)
        for name, settings in ready.items()
    }

    def print_result(result: sync.PullResult) -> None:
        job_runner.print_pull(result, prune=prune)
        job_runner.print_resolve_hint(result.conflicts)

    empty = sync.PullResult()
    return job_runner.run_jobs(jobs, print_result, failed=failed, empty=empty, options=options)


@command(
    examples={
        "ticketr push --dry-run": "Say what would be sent.",
        "ticketr push": "Send it; in a terminal, look at it first.",
        "ticketr push DEMO-3 DEMO-9": "Send these tickets alone.",
        "ticketr push pay-in-instalments.md": "Send what is in a file, such as a draft.",
    },
    exits=exits.TICKET_COMMAND_EXITS,
)
@keys_or_files_argument
@pull_push_options
@_accept_loss_option
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would be sent.")
@_yes_option
def push(options: CommonOptions, *, words: tuple[str, ...], accept_loss: bool) -> int:
    """Bring what you edited to Jira: create drafts, send changed fields, move statuses.

    Without a KEY it pushes every edit; the KEY of a ticket stands for its sub-tasks, too, a FILE or
    a folder for all tickets and drafts in it. In a terminal it shows what it would send, and asks.

    A ticket that Jira has changed meanwhile is left alone: pull first, or use sync. Stop it at any
    time: the next push goes on from there and creates nothing twice.
    """
    from ticketr.app.cli import confirmation, job_runner

    refuse_keys_with_all(words, options)
    options.refuse_absent_folder()
    ready, failed = find_job_arguments(options)
    jobs = {
        name: sync.PushJob(
            **keywords,
            keys=find_named_keys_and_files(words, keywords["root"]) or None,
            dry_run=options.dry_run,
            accept_loss=accept_loss,
        )
        for name, keywords in ready.items()
    }
    empty = sync.PushResult()
    plans = confirmation.read_plans_if_needed(jobs, skips_confirmation=options.skips_confirmation)
    if not options.dry_run:
        if not options.skips_confirmation:
            jobs = confirmation.confirm_or_exit(jobs, plans)
        jobs = confirmation.ask_and_accept_losses(jobs, plans, accept_loss=accept_loss)

    def print_result(result: sync.PushResult) -> None:
        if options.dry_run:
            confirmation.print_dry_run(result, plans.values())
        job_runner.print_push(result, dry_run=options.dry_run)
        job_runner.print_resolve_hint(result.conflicts)

    return job_runner.run_jobs(jobs, print_result, failed=failed, empty=empty, options=options)


@command(
    "sync",
    examples={
        "ticketr sync": "Bring both sides together.",
        "ticketr sync --all --yes": "In every workspace, without a question.",
        "ticketr sync --every 5m": "Every five minutes, without a question.",
    },
    exits=exits.TICKET_COMMAND_EXITS,
)
@pull_push_options
@repeat_interval_option
@strategy_option
@_accept_loss_option
@_full_option
@_prune_option
@_yes_option
def sync_(options: CommonOptions, *, accept_loss: bool, full: bool, prune: bool) -> int:
    """Pull, merge and push in one go.

    What Jira has changed comes into the files, field by field; what you changed goes to Jira. What
    both have changed differently is a conflict: it is left alone on both sides and listed. In a
    terminal it shows first what it would send, and asks; with --every it does not ask.
    """
    from ticketr.app.cli import confirmation, job_runner

    def print_result(result: sync.SyncResult) -> None:
        job_runner.print_pull(result.pull, prune=prune)
        job_runner.print_push(result.push)
        job_runner.print_resolve_hint((*result.pull.conflicts, *result.push.conflicts))

    ready, failed = find_job_arguments(options)
    jobs = {
        name: sync.SyncJob(**keywords, full=full, prune=prune) for name, keywords in ready.items()
    }
    empty = sync.SyncResult(sync.PullResult(), sync.PushResult())
    check = None
    if options.every_seconds:
        jobs = {name: replace(job, accept_loss=accept_loss) for name, job in jobs.items()}
        check = None if options.skips_confirmation else confirmation.refuse_many_writes
    else:
        plans = confirmation.read_plans_if_needed(
            jobs, skips_confirmation=options.skips_confirmation
        )
        if not options.skips_confirmation:
            jobs = confirmation.confirm_or_exit(jobs, plans)
        jobs = confirmation.ask_and_accept_losses(jobs, plans, accept_loss=accept_loss)
    return job_runner.run_jobs(
        jobs, print_result, failed=failed, empty=empty, options=options, check=check
    )
