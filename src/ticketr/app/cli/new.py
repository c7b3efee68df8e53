"""``ticketr new``: write a draft to fill in and push."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from ticketr.app.cli.console import echo_json, printable
from ticketr.app.cli.help import Command
from ticketr.app.cli.settings import resolve, workspace_options


@click.command(cls=Command)
@click.argument("title", nargs=-1, required=True)
@click.option("-t", "--type", "kind", metavar="NAME", help="The type of the issue, such as Story.")
@click.option("--parent", metavar="KEY", help="The epic that it belongs to.")
@workspace_options
@click.option("--json", "as_json", is_flag=True, help="Print the file's path as JSON.")
def new(
    *,
    title: tuple[str, ...],
    kind: str | None,
    parent: str | None,
    workspace: str | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Write a draft to fill in; the next push creates the issue and writes its key into the file.

    The file is named after the title, in the current folder if that lies in the workspace.
    """
    from ticketr.app.sync import write_draft
    from ticketr.app.tickets import Ticket, is_key
    from ticketr.cleaning import clean

    words = clean(" ".join(title)).strip()
    if not words:
        raise click.BadParameter("the title is empty", param_hint="TITLE")
    if parent is not None and not is_key(parent):
        raise click.BadParameter("it has to be a key like PROJ-123", param_hint="--parent")
    resolved = resolve(workspace=workspace, folder=folder)
    fields = {"Type": kind or resolved.story_type, **({"Parent": parent} if parent else {})}
    draft = Ticket(title=words, fields=fields)
    inner = "" if folder is not None else _inner_folder(resolved.root)
    path = write_draft(resolved.root, draft, inner)
    if as_json:
        echo_json({"folder": str(resolved.root), "path": str(path)})
    else:  # a script gets the exact bytes of the path
        click.echo(printable(str(path)) if sys.stdout.isatty() else os.fsencode(path))


def _inner_folder(root: Path) -> str:
    """Return the current folder, relative to the workspace; empty where a push finds no files."""
    from ticketr.app.sync import holds_tickets

    here = Path.cwd()
    if here == root or not here.is_relative_to(root):
        return ""
    inner = here.relative_to(root).as_posix()
    return inner if holds_tickets(inner) else ""
