"""``ticketr resolve``: settle what both sides have changed; Jira is not asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ticketr.cli.settings import resolve as resolve_workspace, workspace_options

if TYPE_CHECKING:
    from pathlib import Path

_DONE = {
    "local": "{path} stays as it is; the next push brings it to Jira",
    "remote": "{path} has Jira's version now; the old one is in .ticketr/trash",
    "merge": "{path} has both versions between conflict markers; edit it, then push",
}


@click.command(short_help="Settle a conflict.")
@click.argument("keys", nargs=-1, metavar="KEY...")
@click.option("--all", "every", is_flag=True, help="Settle every conflict.")
@click.option(
    "--take",
    type=click.Choice(tuple(_DONE)),
    help="Your version, Jira's, or both between conflict markers.",
)
@workspace_options
def resolve(
    *,
    keys: tuple[str, ...],
    every: bool,
    take: str | None,
    workspace: str | None,
    folder: Path | None,
) -> None:
    """Settle what both sides have changed. Without a KEY it lists the conflicts.

    Only what clashes is settled by a side; other edits of the ticket stay edits.
    """
    from ticketr.cli.offline import open_state, open_store
    from ticketr.sync import Take, resolve as settle
    from ticketr.text import clean

    store = open_store(resolve_workspace(workspace=workspace, folder=folder).root)
    with open_state(store) as state:
        conflicts = state.conflicts.all()
        wanted = [each.key for each in conflicts] if every else list(keys)
        if wanted and take is None:
            raise click.UsageError("say --take local, --take remote or --take merge")
        if not wanted:
            for each in conflicts:
                click.echo(clean(f"{each.key} ({each.path}): {', '.join(each.parts)}"))
            if not conflicts:
                click.echo("there is no conflict")
            return
        with store.lock():
            for key in wanted:
                path = settle(store, state, key, Take(take))
                click.echo(clean(f"{key}: {_DONE[take or ''].format(path=path)}"))
