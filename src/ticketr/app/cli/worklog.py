"""``ticketr worklog`` and ``ticketr comment``: what is added to an issue in Jira."""

from __future__ import annotations

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import click

from ticketr.app import config, sync
from ticketr.app.cli import exits
from ticketr.app.cli.console import NOTHING_SENT_MESSAGE, echo, echo_json
from ticketr.app.cli.help import command
from ticketr.app.cli.options import (
    CommonOptions,
    arguments_without_project,
    folder_json_options,
    key_argument,
)
from ticketr.app.cli.ticket import run_editor


@command(
    examples={
        'ticketr worklog DEMO-9 2h "Wrote the tests"': "Two hours that end now.",
        'ticketr worklog DEMO-9 1d 4h --started "2026-03-01 09:00"': "Begun at another time.",
    },
    exits=exits.REMOTE_EXITS_WITHOUT_PARTLY,
)
@key_argument
@click.argument("words", nargs=-1, required=True, metavar="TIME... [TEXT]")
@click.option("--started", metavar="MOMENT", default="", help="When the work began; else now.")
@folder_json_options
def worklog(options: CommonOptions, *, key: str, words: tuple[str, ...], started: str) -> int:
    """Record work on an issue: a time such as 2h or 1d 4h 30m, and a text on it.

    The record is sent once: if the answer is lost, the command looks whether Jira has it. MOMENT
    is like 2026-03-01 09:00, in the time zone of your account.
    """
    from ticketr.app.cli.job_runner import run_job

    try:
        spent, text = sync.split_time_and_text(" ".join(words))
    except sync.UnsendableWorkOrComment as error:
        raise click.UsageError(str(error)) from None
    arguments = arguments_without_project(options)
    job = sync.LogWorkJob(**arguments, key=key, time_spent=spent, comment=text, typed_start=started)
    ended = run_job(job)
    done = ended.result
    if options.as_json:
        record = {"id": done.id if done else None, "spent": done.spent if done else None}
        echo_json({**ended.as_json(), "key": key, **record})
    elif done is not None:
        echo(f"logged {done.spent or spent} on {key}")
    return ended.exit_code()


@command(
    examples={
        'ticketr comment DEMO-9 -m "Fixed in *1.2*"': "Say it on the command line.",
        "ticketr comment DEMO-9": "Write it in your editor.",
        'ticketr comment DEMO-9 -m "$(git log -1)"': "Send what another command prints.",
    },
    exits=exits.REMOTE_EXITS_WITHOUT_PARTLY,
)
@key_argument
@click.option("-m", "--message", metavar="TEXT", help="The comment in Markdown; - reads it.")
@folder_json_options
def comment(options: CommonOptions, *, key: str, message: str | None) -> int:
    """Add a comment to an issue in Jira, at once.

    Without -m it opens the editor that VISUAL or EDITOR names; an empty text sends nothing. The
    comment is sent once: if the answer is lost, the command looks whether Jira has it. If the files
    keep comments, the ticket is pulled, so that its file has it. Comments that you have written
    into files are sent by a push, not by this.
    """
    from ticketr.app.cli.job_runner import run_job

    arguments = arguments_without_project(options)
    file = None
    if message == "-":
        message = sys.stdin.read()
    elif message is None:
        file = _let_user_write_comment(key)
        message = file.read_text(encoding="utf-8", errors="replace").removeprefix(
            _issue_comment_file_header(key)
        )
    if not message.strip():
        _delete_comment_file(file)
        echo(NOTHING_SENT_MESSAGE, err=True)
        return exits.DONE
    ended = run_job(sync.CommentJob(**arguments, key=key, text=message.strip()))
    done = ended.result
    if done is None and file is not None:
        echo(f"your text is in {file}", err=True)
    else:
        _delete_comment_file(file)
    for warning in done.mention_warnings if done is not None else ():
        echo(f"warning: {warning}", err=True)
    code = ended.exit_code()
    if done is not None and arguments.get("comments"):
        code = _pull_if_pulled_before(arguments, key)
    if options.as_json:
        echo_json({**ended.as_json(), "key": key, "id": done.id if done else None})
    elif done is not None:
        echo(f"commented on {key}")
    return code


def _pull_if_pulled_before(arguments: sync.SessionOptions, key: str) -> int:
    """Pull a ticket, if it was pulled before; return the exit code."""
    from ticketr.app.cli.job_runner import exit_code, run_job

    store = sync.Store(arguments["root"], config.STATE_FOLDER, arguments.get("state_owner_mark"))
    with sync.read_state(store) as state:
        is_known = key in {issue.key for issue in state.known_issues_by_id().values()}
    return exit_code(run_job(sync.PullJob(**arguments, keys=[key]))) if is_known else exits.DONE


def _let_user_write_comment(key: str) -> Path:
    """Let the user write a comment into a new file outside of the workspace; return the file."""
    with tempfile.NamedTemporaryFile(
        "w", prefix=f"{key}-comment-", suffix=".md", encoding="utf-8", delete=False
    ) as file:
        file.write(_issue_comment_file_header(key))
    run_editor(file.name, line=2)
    return Path(file.name)


def _issue_comment_file_header(key: str) -> str:
    return f"<!-- A comment on {key}, in Markdown, below this line. Without a text, nothing is sent. -->\n"


def _delete_comment_file(file: Path | None) -> None:
    if file is not None:
        with suppress(OSError):
            file.unlink()
