"""``ticketr pull``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from ticketr.cli.sessions import session_options, session_settings
from ticketr.text import clean


def _some_query(_: click.Context, __: click.Parameter, jql: str | None) -> str | None:
    if jql is not None and not jql.strip():  # as of a script whose variable is not set
        raise click.BadParameter("the query is empty")
    return jql


def _inside(path: Path, root: Path) -> str:
    """Give a path relative to the workspace; one outside of it would never be found again."""
    full = path.resolve()
    if not full.is_relative_to(root.resolve()) or full.suffix != ".md":
        raise click.BadParameter(
            f"it has to be a .md file below {clean(str(root))}", param_hint="--output"
        )
    return full.relative_to(root.resolve()).as_posix()


@click.command(short_help="Bring tickets from Jira into Markdown files.")
@session_options
@click.option(
    "--jql", metavar="QUERY", callback=_some_query, help="Pull what a query of your own finds."
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
    *,
    workspace: str | None,
    folder: Path | None,
    project: str | None,
    strategy: str | None,
    http: str,
    plain: bool,
    as_json: bool,
    jql: str | None,
    output: Path | None,
    full: bool,
    prune: bool,
) -> None:
    """Bring tickets from Jira into Markdown files.

    What you edited is merged with what Jira has changed, field by field; drafts are never touched.
    Stop it at any time: what has arrived stays, and the next pull goes on from there.
    """
    from ticketr.cli.history import open_history
    from ticketr.cli.report import exit_code, print_json, tell_how_to_resolve, tell_pull
    from ticketr.cli.running import run, run_with_lines
    from ticketr.sync import PullJob

    settings = session_settings(
        workspace=workspace, folder=folder, project=project, jql=jql, strategy=strategy, http=http
    )
    into = _inside(output, settings["root"]) if output else None
    job = PullJob(**settings, full=full, prune=prune, into=into)
    history = open_history(job.root)
    ended = run(partial(run_with_lines, job, plain=plain, history=history))
    if as_json:
        print_json(ended, job.root)
    elif ended.result is not None:
        tell_pull(ended.result, prune=prune)
        tell_how_to_resolve(ended.result.conflicts)
    context.exit(exit_code(ended))
