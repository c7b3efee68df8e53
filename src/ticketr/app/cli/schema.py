"""``ticketr schema``: list the fields that the issues of a project can have."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

import click

from ticketr.app import config, jira, sync
from ticketr.app.cli import exits
from ticketr.app.cli.console import echo, echo_json, printable
from ticketr.app.cli.help import Command
from ticketr.app.cli.options import CommonOptions, workspace_arguments, workspace_options

#: The most cells of a name and of a kind in a table.
_NAME_CELLS, _KIND_CELLS = 28, 20


@click.command(
    cls=Command,
    examples={
        "ticketr schema": "List the fields, with their allowed values.",
    },
    exits=exits.REMOTE,
)
@workspace_options
@click.option("--json", "as_json", is_flag=True, help="Print the fields as JSON.")
def schema(options: CommonOptions) -> None:
    """List the fields of the project's issues: the name, the kind, and the allowed values.

    `+` marks the fields that your files keep, `-` those that no file can hold. The others can be
    added to `fields` in ticketr.toml. `*` marks a field that a new issue of some type needs.
    """
    from ticketr.app.cli.job_runner import run

    settings = workspace_arguments(replace(options, needs_project=False))
    fields = run(_fetch_fields, settings)
    if options.as_json:
        echo_json([asdict(field) for field in fields])
    elif sys.stdout.isatty():
        for line in _table_lines(fields, shutil.get_terminal_size().columns):
            echo(line)
    else:
        for field in fields:
            cells = (_marks(field), field.name, field.kind, field.id, _values(field))
            click.echo("\t".join(map(printable, cells)))


async def _fetch_fields(settings: sync.SessionOptions) -> tuple[sync.SchemaField, ...]:
    project = settings["project"]
    if project is None:
        raise config.MissingSetting(("project",), "the key of the project, in ticketr.toml")
    async with (
        jira.open_jira(settings["credentials"], transport=settings["transport"]) as client,
        sync.project_errors(
            client,
            project,
            place=settings["project_place"],
            site=settings["browse"] or settings["credentials"].site,
        ),
    ):
        return await sync.read_schema(client, project, settings["fields"])


def _marks(field: sync.SchemaField) -> str:
    kept = "+" if field.is_kept else "-" if field.reason else " "
    return kept + ("*" if field.required else " ")


def _values(field: sync.SchemaField) -> str:
    """Return the allowed values, or why no file can hold the field."""
    return field.reason or field.values_text


def _table_lines(fields: Sequence[sync.SchemaField], width: int) -> Iterator[str]:
    from ticketr.text import clip, fit, width as cells_of

    if not fields:
        return
    names = min(max(cells_of(printable(field.name)) for field in fields), _NAME_CELLS)
    kinds = min(max(cells_of(printable(field.kind)) for field in fields), _KIND_CELLS)
    for field in fields:
        row = f"{_marks(field)} {fit(printable(field.name), names)}  {fit(printable(field.kind), kinds)}"
        yield clip(f"{row}  {printable(_values(field))}", width).rstrip()
