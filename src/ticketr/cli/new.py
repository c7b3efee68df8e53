"""``ticketr new``: a draft, ready to be filled in and pushed."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path

import click

from ticketr.cli.settings import resolve, workspace_options

_NOT_IN_NAMES = re.compile(r"[^\w]+")
#: How much of a title becomes a file's name.
_LONGEST_NAME = 60


@click.command(short_help="Write a draft to fill in.")
@click.argument("title", nargs=-1, required=True)
@click.option("-t", "--type", "kind", metavar="NAME", help="The type of the issue, such as Story.")
@click.option("--parent", metavar="KEY", help="The epic that it belongs to.")
@workspace_options
def new(
    *,
    title: tuple[str, ...],
    kind: str | None,
    parent: str | None,
    workspace: str | None,
    folder: Path | None,
) -> None:
    """Write a draft to fill in; the next push creates the issue and writes its key into the file.

    The file is named after the title, in the current folder if that lies in the workspace.
    """
    from ticketr.sync import write_new_file
    from ticketr.tickets import Ticket, render

    words = " ".join(title).strip()
    if not words:
        raise click.BadParameter("the title is empty", param_hint="TITLE")
    resolved = resolve(workspace=workspace, folder=folder)
    fields = {"Type": kind or resolved.story_type, **({"Parent": parent} if parent else {})}
    text = render([Ticket(title=words, fields=fields)])
    here = Path.cwd()
    where = here if here.is_relative_to(resolved.root) and folder is None else resolved.root
    for name in _names(words):
        if write_new_file(where / name, text):
            click.echo(str(where / name))
            return


def _names(title: str) -> list[str]:
    stem = _NOT_IN_NAMES.sub("-", title.casefold()).strip("-_")[:_LONGEST_NAME].rstrip("-")
    stem = stem or "draft"
    numbers = count(2)
    return [f"{stem}.md", *(f"{stem}-{next(numbers)}.md" for _ in range(1000))]
