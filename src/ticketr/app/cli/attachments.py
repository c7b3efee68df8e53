"""``ticketr attachments``: list, download and upload the attachments of issues."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from ticketr.app.cli import exits
from ticketr.app.cli.completion import complete_key
from ticketr.app.cli.console import echo, echo_json
from ticketr.app.cli.help import Group
from ticketr.app.cli.job_options import checked_key
from ticketr.app.cli.settings import workspace_options

if TYPE_CHECKING:
    from ticketr import Job
    from ticketr.app.cli.job_runner import JobOutcome
    from ticketr.app.sync import AttachmentResult, Note, SessionOptions

T = TypeVar("T")
R = TypeVar("R")

_keys = click.argument(
    "keys", nargs=-1, required=True, metavar="KEY...", shell_complete=complete_key
)


def _options(command: Callable[..., R]) -> Callable[..., R]:
    plain = click.option(
        "--plain", is_flag=True, help="Progress as plain lines, also in a terminal."
    )
    as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
    return workspace_options(plain(as_json(command)))


@click.group(cls=Group)
def attachments() -> None:
    """Attachments: files that are attached to issues in Jira."""


@attachments.command("list")
@_keys
@_options
@click.pass_context
def list_(
    context: click.Context,
    *,
    keys: tuple[str, ...],
    workspace: str | None,
    folder: Path | None,
    plain: bool,
    as_json: bool,
) -> None:
    """List the names and sizes of the attachments of issues."""
    from ticketr.app.sync import AttachmentList, ListAttachmentsJob, size_words

    settings = _find_options(workspace, folder)
    ended = _run_job(ListAttachmentsJob(**settings, keys=_checked_keys(keys)), plain=plain)
    attachment_list = ended.result or AttachmentList({})
    if as_json:
        listed = {
            key: [
                {"id": attachment.id, "name": attachment.name, "size": attachment.size}
                for attachment in attachments
            ]
            for key, attachments in attachment_list.by_key.items()
        }
        echo_json(
            {
                **_status_as_json(ended),
                "issues": listed,
                "failed": _notes_as_json(attachment_list.failed),
            }
        )
    else:
        for key, attachments in attachment_list.by_key.items():
            echo(
                f"{key}  {len(attachments) or 'no'} attachment{'' if len(attachments) == 1 else 's'}"
            )
            for attachment in attachments:
                echo(f"  {attachment.name}  {size_words(attachment.size)}")
        _print_failed(attachment_list.failed)
    context.exit(_exit_code(ended, attachment_list.failed))


@attachments.command()
@_keys
@_options
@click.pass_context
def get(
    context: click.Context,
    *,
    keys: tuple[str, ...],
    workspace: str | None,
    folder: Path | None,
    plain: bool,
    as_json: bool,
) -> None:
    """Download the attachments of issues, each into attachments/KEY beside the file of its ticket.

    Files that are there already are not downloaded again, and no other file is replaced. Names
    are changed where they could lead out of the folder.
    """
    from ticketr.app.sync import GetAttachmentsJob

    settings = _find_options(workspace, folder)
    _print_and_exit(
        context,
        _run_job(GetAttachmentsJob(**settings, keys=_checked_keys(keys)), plain=plain),
        verb="downloaded",
        as_json=as_json,
    )


@attachments.command()
@click.argument("key", shell_complete=complete_key)
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(dir_okay=False, path_type=Path),
)
@_options
@click.pass_context
def add(
    context: click.Context,
    *,
    key: str,
    files: tuple[Path, ...],
    workspace: str | None,
    folder: Path | None,
    plain: bool,
    as_json: bool,
) -> None:
    """Attach files to an issue.

    The size limit of the site is asked for first. Each file is sent once: if an answer is lost,
    the command looks whether Jira has the file.
    """
    from ticketr.app.sync import AddAttachmentsJob

    settings = _find_options(workspace, folder)
    _print_and_exit(
        context,
        _run_job(AddAttachmentsJob(**settings, key=checked_key(key), files=files), plain=plain),
        verb="attached",
        as_json=as_json,
    )


def _checked_keys(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(checked_key, keys)))


def _find_options(workspace: str | None, folder: Path | None) -> SessionOptions:
    from ticketr.app.cli.job_options import CommonOptions, find_job_arguments

    arguments = find_job_arguments(
        CommonOptions(workspace=workspace, folder=folder, needs_project=False)
    )
    return arguments.ready[""]


def _run_job(job: Job[T], *, plain: bool) -> JobOutcome[T]:
    from ticketr.app.cli.job_runner import run, run_one

    async def main() -> JobOutcome[T]:
        return await run_one(job, plain=plain)

    return run(main)


def _print_and_exit(
    context: click.Context, ended: JobOutcome[AttachmentResult], *, verb: str, as_json: bool
) -> None:
    """Print what was done, and end the command with its exit code."""
    from ticketr.app.sync import AttachmentResult

    result = ended.result or AttachmentResult()
    if as_json:
        echo_json(
            {
                **_status_as_json(ended),
                verb: list(result.done),
                "unchanged": result.unchanged,
                "failed": _notes_as_json(result.failed),
            }
        )
    else:
        for name in result.done:
            echo(f"{verb} {name}")
        if result.unchanged:
            echo(f"{result.unchanged} were there already")
        _print_failed(result.failed)
    context.exit(_exit_code(ended, result.failed))


def _status_as_json(ended: JobOutcome[T]) -> dict[str, object]:
    progress, error = ended.snapshot.progress, ended.snapshot.error
    status: dict[str, object] = {
        "status": ended.snapshot.status.value,
        "message": progress.message if progress else "",
    }
    return status if error is None else {**status, "error": error.type.rpartition(".")[2]}


def _notes_as_json(failed: Iterable[Note]) -> list[dict[str, object]]:
    return [
        {"key": note.key, "path": note.path, "reason": note.reason, "code": note.code}
        for note in failed
    ]


def _print_failed(failed: Iterable[Note]) -> None:
    from ticketr.app.cli.job_runner import print_messages

    print_messages(
        f"{note.key}{f' ({note.path})' if note.path else ''}: {note.reason}" for note in failed
    )


def _exit_code(ended: JobOutcome[T], failed: Iterable[Note]) -> int:
    if ended.signal is not None:
        return exits.for_signal(ended.signal)
    if ended.result is None:
        return exits.FAILED
    return exits.PARTLY if tuple(failed) else exits.DONE
