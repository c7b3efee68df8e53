"""``ticketr schema``: list the fields that the issues of a project can have."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace

from ticketr.app import config, jira, sync
from ticketr.app.cli import exits
from ticketr.app.cli.console import echo_json, print_tab_separated, print_table
from ticketr.app.cli.help import command
from ticketr.app.cli.options import CommonOptions, folder_json_options, workspace_arguments

#: The most cells of the columns of a table: a name with its marks, the kind, the values.
_COLUMN_CELL_LIMITS = (31, 20, None)


@command(
    examples={
        "ticketr schema": "List the fields, with their allowed values.",
    },
    exits=exits.REMOTE_EXITS_WITHOUT_PARTLY,
)
@folder_json_options
def schema(options: CommonOptions) -> None:
    """List the fields of the project's issues: the name, the kind, and the allowed values.

    `+` marks the fields that your files keep, `-` those that no file can hold. The others can be
    added to `fields` in ticketr.toml. `*` marks a field that a new issue of some type needs.
    """
    from ticketr.app.cli.job_runner import run_with_rare_gc

    settings = workspace_arguments(replace(options, needs_project=False))
    fields = run_with_rare_gc(_fetch_fields, settings)
    if options.as_json:
        echo_json([asdict(field) for field in fields])
    elif sys.stdout.isatty():
        rows = [
            (
                f"{_kept_and_required_marks(field)} {field.name}",
                field.kind,
                _allowed_values_or_unsupported_reason(field),
            )
            for field in fields
        ]
        print_table(rows, _COLUMN_CELL_LIMITS)
    else:
        print_tab_separated(
            (
                _kept_and_required_marks(field),
                field.name,
                field.kind,
                field.id,
                _allowed_values_or_unsupported_reason(field),
            )
            for field in fields
        )


async def _fetch_fields(settings: sync.SessionOptions) -> tuple[sync.SchemaField, ...]:
    project = settings["project"]
    if project is None:
        raise config.MissingSetting(("project",), "the key of the project, in ticketr.toml")
    credentials = settings["credentials"]
    async with jira.open_jira(credentials, transport=settings["transport"]) as client:
        try:
            return await sync.read_schema(client, project, settings["fields"])
        except (jira.BadRequest, jira.NotFound):
            site = settings["browser_site"] or credentials.site
            await sync.raise_if_project_is_cause(  # noqa: ASYNC120 - a cancellation wins
                client, project, place=settings["project_place"], site=site
            )
            raise


def _kept_and_required_marks(field: sync.SchemaField) -> str:
    kept = "+" if field.is_kept else "-" if field.reason else " "
    return kept + ("*" if field.required else " ")


def _allowed_values_or_unsupported_reason(field: sync.SchemaField) -> str:
    """Return the allowed values, or why no file can hold the field."""
    return field.reason or field.values_text
