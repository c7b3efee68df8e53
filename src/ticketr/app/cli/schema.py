"""``ticketr schema``: list the fields that the issues of a project can have."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ticketr.app.cli.console import echo, echo_json, printable
from ticketr.app.cli.help import Command
from ticketr.app.cli.settings import workspace_options

if TYPE_CHECKING:
    from ticketr.app.sync import SchemaField, SessionOptions

#: The most cells of a name and of a kind in a table.
_NAME_CELLS, _KIND_CELLS = 28, 20


@click.command(cls=Command)
@click.option("--write", is_flag=True, help="Write the list into ticketr.toml, as comments.")
@workspace_options
@click.option("--json", "as_json", is_flag=True, help="Print the fields as JSON.")
def schema(*, write: bool, workspace: str | None, folder: Path | None, as_json: bool) -> None:
    """List the fields of the project's issues: the name, the kind, and the allowed values.

    `+` marks the fields that your files keep, `-` those that no file can hold. The others can be
    added to `fields` in ticketr.toml. `*` marks a field that a new issue of some type needs.
    """
    from ticketr.app.cli.job_options import CommonOptions, workspace_arguments
    from ticketr.app.cli.job_runner import run

    settings = workspace_arguments(
        CommonOptions(workspace=workspace, folder=folder, needs_project=False)
    )
    fields = run(_fetch_fields, settings)
    if write:
        from ticketr.app.config import write_schema

        write_schema(settings["root"], [_comment(field) for field in fields])
    if as_json:
        echo_json([asdict(field) for field in fields])
    elif write:
        echo(f"{len(fields)} fields are now comments in {settings['root'] / 'ticketr.toml'}")
    elif sys.stdout.isatty():
        for line in _table_lines(fields, shutil.get_terminal_size().columns):
            echo(line)
    else:
        for field in fields:
            cells = (_marks(field), field.name, field.kind, field.id, _values(field))
            click.echo("\t".join(map(printable, cells)))


async def _fetch_fields(settings: SessionOptions) -> tuple[SchemaField, ...]:
    from ticketr.app.config import MissingSetting
    from ticketr.app.jira import open_jira
    from ticketr.app.sync import naming_project, read_schema

    project = settings["project"]
    if project is None:
        raise MissingSetting(("project",), "the key of the project, in ticketr.toml")
    async with (
        open_jira(settings["credentials"], transport=settings["transport"]) as jira,
        naming_project(
            jira,
            project,
            place=settings["project_place"],
            site=settings["browse"] or settings["credentials"].site,
        ),
    ):
        return await read_schema(jira, project, settings["fields"])


def _marks(field: SchemaField) -> str:
    kept = "+" if field.is_kept else "-" if field.reason else " "
    return kept + ("*" if field.required else " ")


def _values(field: SchemaField) -> str:
    """Return the allowed values, or why no file can hold the field."""
    return field.reason or field.values_text


def _comment(field: SchemaField) -> str:
    values = f": {_values(field)}" if _values(field) else ""
    required = f", needed by {', '.join(field.required)}" if field.required else ""
    return printable(f"{_marks(field)} {field.name} ({field.kind}{required}){values}")


def _table_lines(fields: Sequence[SchemaField], width: int) -> Iterator[str]:
    from ticketr.text import clip, fit, width as cells_of

    if not fields:
        return
    names = min(max(cells_of(printable(field.name)) for field in fields), _NAME_CELLS)
    kinds = min(max(cells_of(printable(field.kind)) for field in fields), _KIND_CELLS)
    for field in fields:
        row = f"{_marks(field)} {fit(printable(field.name), names)}  {fit(printable(field.kind), kinds)}"
        yield clip(f"{row}  {printable(_values(field))}", width).rstrip()
