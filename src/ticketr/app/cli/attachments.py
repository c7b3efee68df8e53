"""``ticketr attachments``: list, download and upload the attachments of issues."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ticketr.app import sync
from ticketr.app.cli import exits
from ticketr.app.cli.completion import complete_key
from ticketr.app.cli.console import echo, echo_json, print_messages
from ticketr.app.cli.help import Group
from ticketr.app.cli.options import (
    CommonOptions,
    arguments_without_project,
    checked_keys,
    folder_json_options,
    key_argument,
    plain_option,
)

if TYPE_CHECKING:
    from ticketr.app.cli.job_runner import JobOutcome

_required_keys_argument = click.argument(
    "keys",
    nargs=-1,
    required=True,
    metavar="KEY...",
    callback=checked_keys,
    shell_complete=complete_key,
)


@click.group(
    cls=Group,
    examples={
        "ticketr attachments list DEMO-9": "List them.",
        "ticketr attachments get DEMO-9": "Download them.",
    },
    exits=exits.TICKET_COMMAND_EXITS,
)
def attachments() -> None:
    """Attachments: files that are attached to issues in Jira."""


@attachments.command(
    "list",
    examples={"ticketr attachments list DEMO-9": "List their names and sizes."},
    exits=exits.TICKET_COMMAND_EXITS,
)
@_required_keys_argument
@folder_json_options
@plain_option
def list_(options: CommonOptions, *, keys: tuple[str, ...]) -> int:
    """List the names and sizes of the attachments of issues."""
    from ticketr.app.cli.job_runner import run_job

    job = sync.ListAttachmentsJob(**arguments_without_project(options), keys=keys)
    ended = run_job(job, plain=options.plain_progress)
    listing = ended.result or sync.AttachmentLists({})
    if options.as_json:
        listed = {
            key: [
                {"id": attachment.id, "name": attachment.name, "size": attachment.size}
                for attachment in attachments
            ]
            for key, attachments in listing.attachments_by_key.items()
        }
        echo_json({**ended.as_json(), "issues": listed, "failed": [*map(asdict, listing.failed)]})
    else:
        for key, attachments in listing.attachments_by_key.items():
            count = len(attachments)
            echo(f"{key}  {count or 'no'} attachment{'' if count == 1 else 's'}")
            for attachment in attachments:
                echo(f"  {attachment.name}  {sync.size_text(attachment.size)}")
        print_messages(*map(str, listing.failed))
    return ended.exit_code(is_partial=bool(listing.failed))


@attachments.command(
    examples={"ticketr attachments get DEMO-9 DEMO-12": "Download those of two issues."},
    exits=exits.TICKET_COMMAND_EXITS,
)
@_required_keys_argument
@folder_json_options
@plain_option
def get(options: CommonOptions, *, keys: tuple[str, ...]) -> int:
    """Download the attachments of issues.

    Each goes into attachments/KEY beside the file of its ticket. Files that are there already are
    not downloaded again, and no other file is replaced. Names are changed where they could lead out
    of the folder.
    """
    from ticketr.app.cli.job_runner import run_job

    job = sync.GetAttachmentsJob(**arguments_without_project(options), keys=keys)
    ended = run_job(job, plain=options.plain_progress)
    return _print_result(ended, verb="downloaded", as_json=options.as_json)


@attachments.command(
    examples={"ticketr attachments add DEMO-9 shot.png log.txt": "Attach two files."},
    exits=exits.TICKET_COMMAND_EXITS,
)
@key_argument
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(dir_okay=False, path_type=Path),
)
@folder_json_options
@plain_option
def add(options: CommonOptions, *, key: str, files: tuple[Path, ...]) -> int:
    """Attach files to an issue.

    The size limit of the site is asked for first. Each file is sent once: if an answer is lost,
    the command looks whether Jira has the file.
    """
    from ticketr.app.cli.job_runner import run_job

    job = sync.AddAttachmentsJob(**arguments_without_project(options), key=key, files=files)
    ended = run_job(job, plain=options.plain_progress)
    return _print_result(ended, verb="attached", as_json=options.as_json)


def _print_result(
    ended: JobOutcome[sync.AttachmentTransferResult], *, verb: str, as_json: bool
) -> int:
    """Print what was done, and return the exit code."""
    result = ended.result or sync.AttachmentTransferResult()
    if as_json:
        done = {verb: list(result.done), "unchanged": result.unchanged}
        echo_json({**ended.as_json(), **done, "failed": [*map(asdict, result.failed)]})
    else:
        for name in result.done:
            echo(f"{verb} {name}")
        if result.unchanged:
            echo(f"{result.unchanged} were there already")
        print_messages(*map(str, result.failed))
    return ended.exit_code(is_partial=bool(result.failed))
