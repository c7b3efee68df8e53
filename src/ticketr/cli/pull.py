"""``ticketr pull``."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ticketr.cli import exits

if TYPE_CHECKING:
    from ticketr.cli.running import Ended
    from ticketr.sync import PullJob, PullResult

#: Notes about single tickets that are printed before the rest is only counted.
NOTES = 20


def _some_query(_: click.Context, __: click.Parameter, jql: str | None) -> str | None:
    if jql is not None and not jql.strip():  # as of a script whose variable is not set
        raise click.BadParameter("the query is empty")
    return jql


@click.command(short_help="Bring tickets from Jira into Markdown files.")
@click.option("-p", "--project", metavar="KEY", help="The project; else JIRA_PROJECT_KEY.")
@click.option(
    "--jql", metavar="QUERY", callback=_some_query, help="Pull what a query of your own finds."
)
@click.option(
    "-C",
    "--folder",
    type=click.Path(path_type=Path),
    help="The folder of the tickets; else the workspace around the current folder.",
)
@click.option("--full", is_flag=True, help="Fetch every ticket again, changed or not.")
@click.option("--plain", is_flag=True, help="Progress as plain lines, also in a terminal.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def pull(
    context: click.Context,
    *,
    project: str | None,
    jql: str | None,
    folder: Path | None,
    full: bool,
    plain: bool,
    as_json: bool,
) -> None:
    """Bring tickets from Jira into Markdown files.

    Files that you edited and tickets that Jira does not know are never overwritten. Stop it at
    any time: what has arrived stays, and the next pull goes on from there.
    """
    from ticketr.cli.settings import pull_from_settings

    job = pull_from_settings(project=project, jql=jql, folder=folder, full=full)
    context.exit(run_pull(job, plain=plain, as_json=as_json))


def run_pull(job: PullJob, *, plain: bool, as_json: bool) -> int:
    """Run a pull to its end, tell about it, and give the exit code."""
    from ticketr.cli.running import run, run_with_lines

    ended = run(partial(run_with_lines, job, plain=plain))
    if as_json:
        # All ASCII: any output takes it, and nothing in it is obeyed by a terminal.
        click.echo(json.dumps(_as_json(ended, job)))
    elif ended.result is not None:
        _tell(ended.result)
    return exit_code(ended)


def exit_code(ended: Ended[PullResult]) -> int:
    """Give the exit code for how a pull ended."""
    if ended.signal is not None:
        return exits.for_signal(ended.signal)
    if ended.result is None:
        return exits.FAILED
    return exits.PARTLY if ended.result.failed or ended.result.conflicts else exits.DONE


def _as_json(ended: Ended[PullResult], job: PullJob) -> dict[str, object]:
    progress = ended.snapshot.progress
    return {
        "status": ended.snapshot.status.value,
        "message": progress.message if progress else "",
        "folder": str(job.root),
        **(asdict(ended.result) if ended.result else {}),
    }


def _tell(result: PullResult) -> None:
    from ticketr.cli.running import say
    from ticketr.text import clean

    merged = f", {result.merged} merged with edits here" if result.merged else ""
    say(f"{result.new} new, {result.updated} updated{merged}, {result.unchanged} unchanged")
    notes = [
        *(f"conflict: {each.key} ({each.path}): {each.reason}" for each in result.conflicts),
        *(f"failed: {each.key}: {each.reason}" for each in result.failed),
        *(f"kept: {each.key} ({each.path}): {each.reason}" for each in result.kept),
        *(f"gone from the query, file kept: {key}" for key in result.gone),
    ]
    for note in notes[:NOTES]:
        say(clean(note))
    if len(notes) > NOTES:
        say(f"... and {len(notes) - NOTES} more; --json lists them all")
