"""The command ``ticketr`` itself: its options, and what a user sees of an error."""

from __future__ import annotations

import errno
import io
import logging
import os
import signal
import sys
import traceback
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from ticketr._errors import TicketrError
from ticketr._version import __version__
from ticketr.cli import exits
from ticketr.cli.output import begin, say, show_logs, shown_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

MORE = "Try 'ticketr --help', or 'ticketr demo'."
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=CONTEXT, invoke_without_command=True)
@click.version_option(__version__, "-V", "--version", message="ticketr %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error, and what is logged.")
@click.pass_context
def cli(context: click.Context, *, debug: bool) -> None:
    """Keep Jira tickets as Markdown files.

    Without a command, in a terminal, this opens the app.

    To begin: ticketr workspace add, or set JIRA_URL, JIRA_EMAIL, JIRA_API_TOKEN and
    JIRA_PROJECT_KEY. To look around without an account: ticketr demo
    """
    if debug:
        show_logs()
    if context.invoked_subcommand is None:
        _open_app(context)


def _open_app(context: click.Context) -> None:
    from ticketr.cli.streams import is_full_screen_possible

    if not is_full_screen_possible():
        raise click.UsageError(f"the app needs a terminal; a command is needed here.\n{MORE}")
    from ticketr.cli.job_options import workspace_arguments
    from ticketr.cli.queue_runner import run
    from ticketr.cli.screen import run_screen
    from ticketr.sync import PullJob

    job = PullJob(**workspace_arguments())
    context.exit(run(partial(run_screen, job, title=job.root.name, pull=False)))


def main() -> None:
    """Run the command line and end the process with the right exit code."""
    code = _run()
    if code > exits.SIGNALLED:
        _leave_at_once(code)
    sys.exit(code)


def _run() -> int:
    begin()
    try:
        code: int | None = cli.main(prog_name="ticketr", standalone_mode=False)
    except BaseException as error:  # noqa: BLE001 - the outermost edge: no traceback for users
        return _ended_by(error)
    return code or exits.DONE


#: What of a group is told, if it is there: what the user did comes first.
_ORDER = (
    KeyboardInterrupt,
    click.exceptions.Abort,
    SystemExit,
    click.ClickException,
    TicketrError,
    BaseException,
)


def _ended_by(error: BaseException) -> int:
    """Tell of what ended a command, and give the exit code.

    A nursery, or several, may have put it into a group, maybe beside others.
    """
    leaves = list(_leaves(error))
    told = next(each for kind in _ORDER for each in leaves if isinstance(each, kind))
    match told:
        case KeyboardInterrupt() | click.exceptions.Abort():  # before or after a job
            return _interrupted(told)
        case click.exceptions.Exit():
            return told.exit_code
        case SystemExit():
            return told.code if isinstance(told.code, int) else exits.FAILED
        case click.ClickException():
            _show_usage(told)
            return told.exit_code
        case TicketrError():
            return _fail(told, str(told))
        case _:
            return _unforeseen(told)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, or the errors of a group in their order."""
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseExceptionGroup):
            waiting.extend(reversed(each.exceptions))
        else:
            yield each


def _show_usage(error: click.ClickException) -> None:
    """Show an error of usage as click does, with nothing in it that a terminal obeys."""
    told = io.StringIO()
    error.show(told)
    click.echo(shown_lines(told.getvalue()), err=True, nl=False)


def _interrupted(error: BaseException) -> int:
    if isinstance(error, click.exceptions.Abort) and error.__cause__ is None:
        click.echo(err=True)  # the line holds a question that was not answered
    _say(error, "interrupted")
    return exits.for_signal(signal.SIGINT)


def _unforeseen(error: BaseException) -> int:
    if isinstance(error, OSError) and _is_of_output(error):
        # What could not be written must not be tried once more when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        reason = "it is closed" if error.errno == errno.EBADF else error.strerror
        return _fail(error, f"cannot write the output: {reason}")
    if isinstance(error, FileNotFoundError) and _is_folder_gone():
        return _fail(error, "the current folder is not there any more; change to another")
    what = f"this should not happen ({type(error).__name__}: {error})"
    return _fail(error, f"{what}; please report it with what --debug shows")


def _is_of_output(error: OSError) -> bool:
    """Tell an error of standard output from that of a file; a pipe's is click's business."""
    echo = click.echo.__code__
    return any(frame.f_code is echo for frame, _ in traceback.walk_tb(error.__traceback__))


def _is_folder_gone() -> bool:
    """Return whether somebody has taken away the folder that the command was run in."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _leave_at_once(code: int) -> NoReturn:
    """End without taking the interpreter apart, which takes longer than all of a cancel.

    Whoever sent the signal waits for us, and everything of ours is closed already.
    """
    with suppress(OSError, AttributeError):  # the latter where there is none, as after `>&-`
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _fail(error: BaseException, words: str) -> int:
    _say(error, words)
    return exits.for_error(error)


def _say(error: BaseException, words: str) -> None:
    if "--debug" in sys.argv:
        logging.getLogger("ticketr").error("%s", words, exc_info=error)
    say(f"ticketr: {words}")


def _add_commands() -> None:
    from ticketr.cli.completion import completion
    from ticketr.cli.demo import demo
    from ticketr.cli.diff import diff
    from ticketr.cli.history import jobs
    from ticketr.cli.new import new
    from ticketr.cli.pull import pull
    from ticketr.cli.push import push, sync
    from ticketr.cli.resolve import resolve
    from ticketr.cli.sandbox import sandbox
    from ticketr.cli.status import status
    from ticketr.cli.workspace import workspace

    work = (pull, push, sync, status, diff, new, resolve)
    for command in (*work, jobs, workspace, demo, sandbox, completion):
        cli.add_command(command)


_add_commands()
