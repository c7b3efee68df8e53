"""``ticketr demo``: a sandbox and a pull from it, without an account."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from ticketr.app import sync
from ticketr.app.cli import exits
from ticketr.app.cli.console import echo, is_full_screen_possible, print_messages
from ticketr.app.cli.help import command
from ticketr.app.cli.options import plain_option

#: What to try after a demo without a screen; it needs no site.
_SUGGESTED_COMMANDS = (
    "to try: cd {folder}; ticketr list status=Done; ticketr edit DEMO-1; ticketr diff"
)


@command(
    examples={
        "ticketr demo": "Open the app on 500 tickets.",
        "ticketr demo -C harbour --latency 0.3": "In this folder, with a slow Jira.",
    },
    exits=exits.TICKET_COMMAND_EXITS,
)
@click.option("--tickets", type=click.IntRange(min=0), help="How many.  [default: 500]")
@click.option("--seed", type=int, help="The same seed, the same tickets.  [default: 1]")
@click.option(
    "--latency",
    default=0.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="The wait before each response, in seconds.",
)
@click.option(
    "-C",
    "--folder",
    type=click.Path(path_type=Path),
    help="Where the files go; an earlier demo there continues. Without it, a new temporary folder.",
)
@plain_option
def demo(*, folder: Path | None, plain_progress: bool, **options: object) -> int:
    """Pull made-up tickets from a Jira stand-in on this machine; no account is needed.

    In a terminal this opens the app; else it pulls and says where the files are. A later
    demo in the same folder continues with the same Jira and all changes in it.
    """
    from ticketr.app.cli import demo_site

    demo_site.require_demo_extra("ticketr demo")
    print_messages("starting a Jira with made-up tickets on this machine...")
    from ticketr.app.cli import job_runner

    root, mark = demo_site.prepare_demo_folder_and_mark(folder)
    in_screen = is_full_screen_possible() and not plain_progress
    show = _pull_in_screen if in_screen else _pull_without_screen

    async def pull() -> int:
        async with demo_site.open_demo(root, mark, **options) as settings:
            return await show(settings)

    code = job_runner.run_with_rare_gc(pull)
    print_messages(demo_site.how_to_continue_demo(root))
    return code


async def _pull_in_screen(options: sync.SessionOptions) -> int:
    from ticketr.app.cli import screen
    from ticketr.app.tui.services.workspaces import open_workspace

    return await screen.run_screen((open_workspace("demo", options),), pull=True)


async def _pull_without_screen(options: sync.SessionOptions) -> int:
    from ticketr.app.cli.job_runner import exit_code, run_all

    (ended,) = await run_all([sync.PullJob(**options)])
    if ended.result is not None:
        root = options["root"]
        echo(f"{ended.result.total} tickets are now Markdown files in {root}")
        print_messages(_SUGGESTED_COMMANDS.format(folder=shlex.quote(str(root))))
    return exit_code(ended)
