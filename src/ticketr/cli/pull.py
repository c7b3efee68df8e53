"""``ticketr pull``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from ticketr.cli.sessions import session_options, session_settings

if TYPE_CHECKING:
    from pathlib import Path


def _some_query(_: click.Context, __: click.Parameter, jql: str | None) -> str | None:
    if jql is not None and not jql.strip():  # as of a script whose variable is not set
        raise click.BadParameter("the query is empty")
    return jql


@click.command(short_help="Bring tickets from Jira into Markdown files.")
@session_options
@click.option(
    "--jql", metavar="QUERY", callback=_some_query, help="Pull what a query of your own finds."
)
@click.option("--full", is_flag=True, help="Fetch every ticket again, changed or not.")
@click.option("--prune", is_flag=True, help="Move unedited files of deleted tickets away.")
@click.pass_context
def pull(
    context: click.Context,
    *,
    workspace: str | None,
    folder: Path | None,
    project: str | None,
    strategy: str | None,
    http: str,
    plain: bool,
    as_json: bool,
    jql: str | None,
    full: bool,
    prune: bool,
) -> None:
    """Bring tickets from Jira into Markdown files.

    What you edited is merged with what Jira has changed, field by field; drafts are never touched.
    Stop it at any time: what has arrived stays, and the next pull goes on from there.
    """
    from ticketr.cli.history import open_history
    from ticketr.cli.report import exit_code, print_json, tell_pull
    from ticketr.cli.running import run, run_with_lines
    from ticketr.sync import PullJob

    settings = session_settings(
        workspace=workspace, folder=folder, project=project, jql=jql, strategy=strategy, http=http
    )
    job = PullJob(**settings, full=full, prune=prune)
    history = open_history(job.root)
    ended = run(partial(run_with_lines, job, plain=plain, history=history))
    if as_json:
        print_json(ended, job.root)
    elif ended.result is not None:
        tell_pull(ended.result)
    context.exit(exit_code(ended))
