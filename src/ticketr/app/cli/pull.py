"""``ticketr pull``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ticketr.app.cli.help import Command
from ticketr.app.cli.job_options import (
    CommonOptions,
    common_options,
    find_job_arguments,
    strategy_option,
)
from ticketr.app.cli.keys import keys_argument, refuse_every, refuse_malformed
from ticketr.app.config import STATE_FOLDER
from ticketr.cleaning import clean


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
