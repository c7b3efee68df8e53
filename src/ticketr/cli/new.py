"""``ticketr new``: write a draft to fill in and push."""

from __future__ import annotations

import os
import re
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ticketr.cli.help import Command
from ticketr.cli.output import echo_json, printable
from ticketr.cli.settings import resolve, workspace_options

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_IN_NAMES = re.compile(r"[^\w]+")
#: The most characters of a file's name; each may take four of the 255 bytes that a name has.
_LONGEST_NAME = 60


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
    from ticketr.cleaning import clean
    from ticketr.tickets import Ticket, is_key, render

    words = clean(" ".join(title)).strip()
    if not words:
        raise click.BadParameter("the title is empty", param_hint="TITLE")
    if parent is not None and not is_key(parent):
        raise click.BadParameter("it has to be a key like PROJ-123", param_hint="--parent")
    resolved = resolve(workspace=workspace, folder=folder)
    fields = {"Type": kind or resolved.story_type, **({"Parent": parent} if parent else {})}
    text = render([Ticket(title=words, fields=fields)])
    target = resolved.root if folder is not None else _target_folder(resolved.root)
    path = _write(target, _file_names(words), text)
    if as_json:
        echo_json({"folder": str(resolved.root), "path": str(path)})
    else:  # a script gets the exact bytes of the path
        click.echo(printable(str(path)) if sys.stdout.isatty() else os.fsencode(path))


def _write(target: Path, names: Iterator[str], text: str) -> Path:
    """Write a file under the first of some names that is free."""
    from ticketr.sync import write_new_file

    path = target / next(names)
    while not write_new_file(path, text):
        path = target / next(names)
    return path


def _target_folder(root: Path) -> Path:
    """Return the current folder if a push finds files in it, else the workspace."""
    here = Path.cwd()
    if not here.is_relative_to(root):
        return root
    is_hidden = any(part.startswith(".") for part in here.relative_to(root).parts)
    return root if is_hidden else here


def _file_names(title: str) -> Iterator[str]:
    """Yield a file name for a title, then numbered ones."""
    from ticketr.tickets import is_key

    stem = _NOT_IN_NAMES.sub("-", title.casefold()).strip("-_")[:_LONGEST_NAME].rstrip("-_")
    if not stem or is_key(stem.upper()):  # some file systems ignore case
        stem = f"draft-{stem}".rstrip("-")
    yield f"{stem}.md"
    yield from (f"{stem}-{number}.md" for number in count(2))
