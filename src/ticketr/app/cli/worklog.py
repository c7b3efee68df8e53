"""``ticketr log``: record work on an issue."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ticketr.app.cli import exits
from ticketr.app.cli.completion import complete_key
from ticketr.app.cli.console import echo, echo_json
from ticketr.app.cli.help import Command
from ticketr.app.cli.job_options import checked_key
from ticketr.app.cli.settings import workspace_options

if TYPE_CHECKING:
    from ticketr.app.cli.job_runner import JobOutcome
    from ticketr.app.jira import Worklog

_TIME = re.compile(r"[0-9.]+[A-Za-z]+")


@click.command(cls=Command)
@click.argument("key", shell_complete=complete_key)
@click.argument("words", nargs=-1, required=True, metavar="TIME... [TEXT]")
@click.option("--started", metavar="MOMENT", default="", help="When the work began; else now.")
@workspace_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def log(
    context: click.Context,
    *,
    key: str,
    words: tuple[str, ...],
    started: str,
    workspace: str | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Record work on an issue: a time such as 2h or 1d 4h 30m, and a text on it.

    The record is sent once: if the answer is lost, the command looks whether Jira has it. MOMENT
    is like 2026-03-01 09:00, in the time zone of your account.
    """
    from ticketr.app.cli.job_options import CommonOptions, find_job_arguments
    from ticketr.app.cli.job_runner import run, run_one
    from ticketr.app.sync import LogWorkJob

    spent, text = _split_time(words)
    key = checked_key(key)
    settings = find_job_arguments(
        CommonOptions(workspace=workspace, folder=folder, needs_project=False)
    ).ready[""]
    job = LogWorkJob(**settings, key=key, spent=spent, text=text, started=started)
    ended = run(run_one, job)
    if as_json:
        echo_json(_as_json(key, ended))
    elif ended.result is not None:
        echo(f"logged {ended.result.spent or spent} on {key}")
    if ended.signal is not None:
        context.exit(exits.for_signal(ended.signal))
    context.exit(exits.DONE if ended.result is not None else exits.FAILED)


def _split_time(words: tuple[str, ...]) -> tuple[str, str]:
    """Split the words after the key into the time and the text."""
    from ticketr.app.sync import BadWork, checked_time

    at = next((at for at, word in enumerate(words) if not _is_time(word)), len(words))
    at = max(at, 1)
    try:
        return checked_time(" ".join(words[:at])), " ".join(words[at:])
    except BadWork as error:
        raise click.UsageError(str(error)) from None


def _is_time(word: str) -> bool:
    return all(_TIME.fullmatch(part) for part in word.split()) and bool(word.strip())


def _as_json(key: str, ended: JobOutcome[Worklog]) -> dict[str, object]:
    progress, error, done = ended.snapshot.progress, ended.snapshot.error, ended.result
    status: dict[str, object] = {
        "status": ended.snapshot.status.value,
        "message": progress.message if progress else "",
        "key": key,
        "id": done.id if done else None,
        "spent": done.spent if done else None,
    }
    return status if error is None else {**status, "error": error.type.rpartition(".")[2]}
