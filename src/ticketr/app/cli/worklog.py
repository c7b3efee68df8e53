"""``ticketr worklog``: record work on an issue."""

from __future__ import annotations

import re

import click

from ticketr.app import sync
from ticketr.app.cli import exits
from ticketr.app.cli.console import echo, echo_json
from ticketr.app.cli.help import Command
from ticketr.app.cli.options import (
    CommonOptions,
    arguments_by_key,
    checked_key,
    json_option,
    key_argument,
    workspace_options,
)

_TIME = re.compile(r"[0-9.]+[A-Za-z]+")


@click.command(
    cls=Command,
    examples={
        'ticketr worklog DEMO-9 2h "Wrote the tests"': "Two hours that end now.",
        'ticketr worklog DEMO-9 1d 4h --started "2026-03-01 09:00"': "Begun at another time.",
    },
    exits=exits.REMOTE,
)
@key_argument
@click.argument("words", nargs=-1, required=True, metavar="TIME... [TEXT]")
@click.option("--started", metavar="MOMENT", default="", help="When the work began; else now.")
@workspace_options
@json_option
@click.pass_context
def worklog(
    context: click.Context,
    options: CommonOptions,
    *,
    key: str,
    words: tuple[str, ...],
    started: str,
) -> None:
    """Record work on an issue: a time such as 2h or 1d 4h 30m, and a text on it.

    The record is sent once: if the answer is lost, the command looks whether Jira has it. MOMENT
    is like 2026-03-01 09:00, in the time zone of your account.
    """
    from ticketr.app.cli.job_runner import run_job

    spent, text = _split_time(words)
    key = checked_key(key)
    job = sync.LogWorkJob(
        **arguments_by_key(options), key=key, spent=spent, text=text, started=started
    )
    ended = run_job(job)
    done = ended.result
    if options.as_json:
        record = {"id": done.id if done else None, "spent": done.spent if done else None}
        echo_json({**ended.as_json(), "key": key, **record})
    elif done is not None:
        echo(f"logged {done.spent or spent} on {key}")
    context.exit(ended.exit_code())


def _split_time(words: tuple[str, ...]) -> tuple[str, str]:
    """Split the words after the key into the time and the text."""
    at = next((at for at, word in enumerate(words) if not _is_time(word)), len(words))
    at = max(at, 1)
    try:
        return sync.checked_time(" ".join(words[:at])), " ".join(words[at:])
    except sync.BadWork as error:
        raise click.UsageError(str(error)) from None


def _is_time(word: str) -> bool:
    return all(_TIME.fullmatch(part) for part in word.split()) and bool(word.strip())
