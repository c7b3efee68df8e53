"""The command ``ticketr`` itself: its options, and how errors are reported."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import NoReturn

import click

from ticketr._errors import TicketrError
from ticketr._version import __version__
from ticketr.app.cli import console, exit_interrupted, exits
from ticketr.app.cli.help import COMMAND_GROUPS, Group, LazyCommands

#: The variable by which a shell asks for a completion; click reads it.
COMPLETION_VARIABLE = "_TICKETR_COMPLETE"
CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(
    cls=Group,
    commands=LazyCommands(),
    context_settings=CONTEXT_SETTINGS,
    invoke_without_command=True,
    examples={
        "ticketr": "Open the app.",
        "ticketr demo": "Look around, with made-up tickets.",
        "ticketr workspace add": "Begin with a project of your own.",
        "ticketr pull --help": "Explain a command.",
    },
    exits=exits.TICKET_COMMAND_EXITS,
)
@click.version_option(__version__, "-V", "--version", message="ticketr %(version)s")
@click.option(
    "--plain", is_flag=True, help="Print lines in place of the app, as for a screen reader."
)
@click.option("--ascii", "only_ascii", is_flag=True, help="Show only ASCII, as TICKETR_ASCII does.")
@click.option(
    "--no-mouse", is_flag=True, help="Leave the mouse to the terminal, as TICKETR_NO_MOUSE does."
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error, and what is logged.")
@click.pass_context
def cli(
    context: click.Context, *, plain: bool, only_ascii: bool, no_mouse: bool, debug: bool
) -> int:
    """Keep Jira tickets as Markdown files.

    Without a command, in a terminal, this opens the app. Where nothing is set up yet, the app
    shows the ways to begin; one of them needs no account.

    Without the app: ticketr workspace add, which takes JIRA_URL, JIRA_EMAIL, JIRA_API_TOKEN and
    JIRA_PROJECT_KEY, or ticketr demo
    """
    if debug:
        console.show_debug_logs()
    for is_wanted, name in ((only_ascii, "TICKETR_ASCII"), (no_mouse, "TICKETR_NO_MOUSE")):
        if is_wanted:
            os.environ[name] = "1"
    if context.invoked_subcommand is not None:
        return exits.DONE
    return _print_app_as_lines(context) if plain else _open_app()


def _print_app_as_lines(context: click.Context) -> int:
    """Print what the app shows first, and which commands do what its keys do."""
    from ticketr.app.cli.listing import list_
    from ticketr.app.cli.status import status

    code: int = max(context.invoke(list_), context.invoke(status))
    console.print_messages("Without a screen, these commands do the same as the app:")
    for name, (_, words) in COMMAND_GROUPS["Daily"].items():
        console.print_messages(f"ticketr {name}: {words}")
    console.print_messages("ticketr --help: list all commands")
    return code


def _open_app() -> int:
    if not console.is_full_screen_possible():
        what = "a terminal"
        if console.are_both_terminals():
            what += f", and TERM={os.environ.get('TERM', '')} is none that can show a screen"
        raise click.UsageError(f"the app needs {what}; give a command, such as 'ticketr demo'")
    from ticketr.app.cli import job_runner, screen

    return job_runner.run_with_rare_gc(screen.run_screen, screen.find_app_workspaces())


def main() -> None:
    """Run the command line and end the process with the right exit code."""
    code = _run()
    if code > exits.SIGNAL_OFFSET:
        _exit_fast(code)
    sys.exit(code)


def _run() -> int:
    console.reset_redactors_and_logging()
    # Ctrl+C raises KeyboardInterrupt here, instead of exiting at once, unless it is ignored.
    exits_at_once = signal.getsignal(signal.SIGINT) is exit_interrupted
    raising = console.handle_sigint(signal.default_int_handler)
    try:
        with raising if exits_at_once else nullcontext():
            if COMPLETION_VARIABLE in os.environ:
                from ticketr.app.cli.completion import register_completion_scripts

                register_completion_scripts()
            code: int | None = cli.main(prog_name="ticketr", standalone_mode=False)
    except BaseException as error:  # noqa: ASYNC103, BLE001 - the outermost edge: no traceback for users
        return _handle_error(error)  # noqa: ASYNC104 - the user has seen it
    return code or exits.DONE


#: The error of a group that is reported is of the first of these types that occurs in it.
_REPORTED_ERROR_PRECEDENCE = (
    KeyboardInterrupt,
    click.exceptions.Abort,
    SystemExit,
    click.ClickException,
    TicketrError,
    BaseException,
)


def _handle_error(error: BaseException) -> int:
    """Report the error that ended a command, and return the exit code.

    Nurseries may have wrapped it in exception groups, together with other errors.
    """
    leaves = list(_leaf_errors(error))
    reported = next(
        exception
        for kind in _REPORTED_ERROR_PRECEDENCE
        for exception in leaves
        if isinstance(exception, kind)
    )
    match reported:
        case KeyboardInterrupt() | click.exceptions.Abort():  # before or after a job
            if isinstance(reported, click.exceptions.Abort) and reported.__cause__ is None:
                click.echo(err=True)  # ends the line of the unanswered question
            _print_error(reported, "interrupted")
            return exits.for_signal(signal.SIGINT)
        case click.exceptions.Exit():
            return reported.exit_code
        case SystemExit():
            return reported.code if isinstance(reported.code, int) else exits.FAILURE
        case click.ClickException():
            _print_usage_error(reported)
            return reported.exit_code
        case TicketrError():
            return _report_failure(reported, str(reported))
        case _:
            return _report_unexpected(reported)


def _leaf_errors(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, or the errors of a group in their order."""
    waiting = [error]
    while waiting:
        member = waiting.pop()
        if isinstance(member, BaseExceptionGroup):
            waiting.extend(reversed(member.exceptions))
        else:
            yield member


def _print_usage_error(error: click.ClickException) -> None:
    """Print what is wrong with the arguments, then the command that explains them."""
    words = error.format_message()
    if not isinstance(error, click.exceptions.NoArgsIsHelpError):  # its words are the whole help
        words = f"ticketr: {words}"
        if isinstance(error, click.UsageError) and error.ctx is not None:
            words = f"{words}\ntry '{error.ctx.command_path} --help'"
    click.echo(console.redacted_lines(words), err=True)


def _report_unexpected(error: BaseException) -> int:
    if isinstance(error, OSError) and _is_output_error(error):
        # The interpreter would flush what could not be written once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        reason = "it is closed" if error.errno == errno.EBADF else error.strerror
        return _report_failure(error, f"cannot write the output: {reason}")
    if isinstance(error, FileNotFoundError) and _is_cwd_deleted():
        return _report_failure(error, "the current folder is not there any more; change to another")
    what = f"this should not happen ({type(error).__name__}: {error})"
    words = f"{what}; please report it with what --debug shows"
    path = _log_bug_in_workspace(error)
    return _report_failure(error, f"{words}, and with {path}" if path else words)


def _log_bug_in_workspace(error: BaseException) -> Path | None:
    """Log an error of ticketr itself; return the file, None if there is no workspace for it."""
    from ticketr.app import config

    with suppress(Exception):
        root = config.resolve_workspace_folder(os.environ, Path.cwd())
        if not (root / config.STATE_FOLDER).is_dir():
            return None
        log = config.SupportLog(root, os.environ)
        log.write_failure_without_messages("ticketr", error)
        log.close()
        return log.path
    return None


def _is_output_error(error: OSError) -> bool:
    """Return whether an error comes from standard output; click handles a broken pipe."""
    echo = click.echo.__code__
    return any(frame.f_code is echo for frame, _ in traceback.walk_tb(error.__traceback__))


def _is_cwd_deleted() -> bool:
    """Return whether the current folder was deleted."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _exit_fast(code: int) -> NoReturn:
    """Exit without the interpreter's clean-up, which takes longer than a cancellation.

    The sender of the signal waits, and every resource is closed already.
    """
    with suppress(OSError, AttributeError):  # AttributeError: there is no stream, as after `>&-`
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _report_failure(error: BaseException, words: str) -> int:
    _print_error(error, words)
    return exits.for_error(error)


def _print_error(error: BaseException, words: str) -> None:
    if "--debug" in sys.argv:
        logging.getLogger("ticketr").error("%s", words, exc_info=error)
    console.print_messages(f"ticketr: {words}")
