"""``ticketr push`` and ``ticketr sync``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from ticketr.cli import exits
from ticketr.cli.sessions import session_options, session_settings

if TYPE_CHECKING:
    from pathlib import Path

    from ticketr.sync import Action, PushResult

#: Issues that a push writes without asking.
UNASKED = 20
#: How much of a part's text a plan shows.
_SHOWN = 60


@click.command(short_help="Bring what you edited to Jira.")
@session_options
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would be sent.")
@click.option("-y", "--yes", is_flag=True, help=f"Do not ask, even for more than {UNASKED} writes.")
@click.pass_context
def push(
    context: click.Context,
    *,
    workspace: str | None,
    folder: Path | None,
    project: str | None,
    strategy: str | None,
    http: str,
    plain: bool,
    as_json: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Bring what you edited to Jira: create drafts, send changed fields, move statuses.

    A ticket that Jira has changed meanwhile is left alone: pull first, or use sync. Stop it at any
    time: the next push goes on from there and creates nothing twice.
    """
    from ticketr.cli.history import open_history
    from ticketr.cli.report import exit_code, print_json, tell_how_to_resolve, tell_push
    from ticketr.cli.running import run, run_with_lines
    from ticketr.sync import PushJob

    settings = session_settings(
        workspace=workspace, folder=folder, project=project, strategy=strategy, http=http
    )
    job = PushJob(**settings, dry_run=dry_run)
    if not dry_run:
        ask_first(job.root, job.site, yes=yes)
    ended = run(partial(run_with_lines, job, plain=plain, history=open_history(job.root)))
    if as_json:
        print_json(ended, job.root)
    elif ended.result is not None:
        if dry_run:
            _tell_plan(ended.result)
        tell_push(ended.result, dry_run=dry_run)
        tell_how_to_resolve(ended.result.conflicts)
    context.exit(exit_code(ended))


@click.command(short_help="Pull, merge and push in one go.")
@session_options
@click.option("--full", is_flag=True, help="Fetch every ticket again, changed or not.")
@click.option("--prune", is_flag=True, help="Move unedited files of deleted tickets away.")
@click.option("-y", "--yes", is_flag=True, help=f"Do not ask, even for more than {UNASKED} writes.")
@click.pass_context
def sync(
    context: click.Context,
    *,
    workspace: str | None,
    folder: Path | None,
    project: str | None,
    strategy: str | None,
    http: str,
    plain: bool,
    as_json: bool,
    full: bool,
    prune: bool,
    yes: bool,
) -> None:
    """Pull, merge and push in one go.

    What Jira has changed comes into the files, field by field; what you changed goes to Jira. What
    both have changed differently is a conflict: it is left alone on both sides and listed.
    """
    from ticketr.cli.history import open_history
    from ticketr.cli.report import exit_code, print_json, tell_how_to_resolve, tell_pull, tell_push
    from ticketr.cli.running import run, run_with_lines
    from ticketr.sync import SyncJob

    settings = session_settings(
        workspace=workspace, folder=folder, project=project, strategy=strategy, http=http
    )
    job = SyncJob(**settings, full=full, prune=prune)
    ask_first(job.root, job.site, yes=yes)
    ended = run(partial(run_with_lines, job, plain=plain, history=open_history(job.root)))
    if as_json:
        print_json(ended, job.root)
    elif ended.result is not None:
        tell_pull(ended.result.pull, prune=prune)
        tell_push(ended.result.push)
        tell_how_to_resolve((*ended.result.pull.conflicts, *ended.result.push.conflicts))
    context.exit(exit_code(ended))


def ask_first(root: Path, site: str, *, yes: bool) -> None:
    """Ask before many issues are written; scripts have to say yes beforehand.

    Raises:
        click.UsageError: nobody is there to be asked.
        click.exceptions.Exit: the answer was no.
        click.Abort: Ctrl+C was the answer.
    """
    from ticketr.cli.offline import count_writes
    from ticketr.cli.settings import is_interactive

    writes = 0 if yes else count_writes(root)
    if writes <= UNASKED:
        return
    if not is_interactive():
        raise click.UsageError(
            f"this would create or change {writes} tickets in {site}; look at them with "
            "--dry-run, and say --yes if that is what you want"
        )
    if not click.confirm(f"Create or change {writes} tickets in {site}?", err=True):
        click.echo("Nothing was sent.", err=True)
        click.get_current_context().exit(exits.DONE)


def _tell_plan(result: PushResult) -> None:
    from ticketr.text import clean

    for action in result.planned:
        for line in _plan_lines(action):
            click.echo(clean(line))


def _plan_lines(action: Action) -> list[str]:
    name = f"{action.key} {action.title}" if action.key else action.title
    lines = [f"{action.action} {name} ({action.path})"]
    for part, old, new in action.changes:
        if action.action == "create":
            lines.append(f"    {part}: {_short(new)}")
        else:
            lines.append(f"    {part}: {_short(old) or '(empty)'} -> {_short(new) or '(empty)'}")
    return lines


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 3]}..."
