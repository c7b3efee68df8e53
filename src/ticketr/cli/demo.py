"""``ticketr demo``: everything at once, without an account."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from ticketr.cli import exits
from ticketr.cli.sandbox import require_demo_extra


@click.command(short_help="Pull made-up tickets; no Jira account is needed.")
@click.option("--tickets", default=500, show_default=True, type=click.IntRange(min=0))
@click.option("--seed", default=1, show_default=True, help="The same seed, the same tickets.")
@click.option("--latency", default=0.0, show_default=True, help="Seconds before each response.")
@click.option(
    "-C",
    "--folder",
    type=click.Path(path_type=Path),
    help="Where the files go; else a new folder for temporary files.",
)
@click.pass_context
def demo(
    context: click.Context, *, tickets: int, seed: int, latency: float, folder: Path | None
) -> None:
    """Pull made-up tickets from a Jira stand-in on this machine; no account is needed."""
    require_demo_extra("ticketr demo")
    from ticketr.cli.running import run

    root = folder.absolute() if folder else Path(tempfile.mkdtemp(prefix="ticketr-demo-"))
    context.exit(run(_demo, root, tickets, seed, latency))


async def _demo(root: Path, tickets: int, seed: int, latency: float) -> int:
    from ticketr.cli.running import run_with_lines
    from ticketr.cli.sandbox_process import open_sandbox
    from ticketr.jira import Credentials
    from ticketr.sync import PullJob

    async with open_sandbox(tickets=tickets, seed=seed, latency=latency) as url:
        credentials = Credentials(url, "demo@example.com", "demo")
        ended = await run_with_lines(PullJob(root, credentials, project="DEMO"))
    if ended.signal is not None:
        return exits.for_signal(ended.signal)
    if ended.result is None:
        return exits.FAILED
    click.echo(f"{ended.result.total} tickets are now Markdown files in {root}")
    return exits.PARTLY if ended.result.failed else exits.DONE
