"""The command ``ticketr`` itself: its options, and what a user sees of an error."""

from __future__ import annotations

import logging
import os
import sys

import click

from ticketr._errors import TicketrError
from ticketr._version import __version__
from ticketr.cli import exits
from ticketr.text import clean

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, "-V", "--version", message="ticketr %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error, and what is logged.")
@click.pass_context
def cli(context: click.Context, *, debug: bool) -> None:
    """Keep Jira tickets as Markdown files.

    Jira's address and your login come from the environment: JIRA_URL, JIRA_EMAIL and
    JIRA_API_TOKEN. To look around without an account: ticketr demo
    """
    context.obj = debug
    if debug:
        logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)


def main() -> None:
    """Run the command line and end the process with the right exit code."""
    debug = "--debug" in sys.argv
    try:
        cli(prog_name="ticketr")
    except TicketrError as error:
        _fail(error, str(error), debug=debug)
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(exits.FAILED)
    except Exception as error:  # noqa: BLE001  (the outermost edge: no traceback for users)
        what = f"this should not happen ({type(error).__name__}: {error})"
        _fail(error, f"{what}; please report it with what --debug shows", debug=debug)


def _fail(error: Exception, words: str, *, debug: bool) -> None:
    if debug:
        logging.getLogger("ticketr").error("%s", words, exc_info=error)
    print(f"ticketr: {clean(words)}", file=sys.stderr)  # noqa: T201
    sys.exit(exits.for_error(error))


def _add_commands() -> None:
    from ticketr.cli.demo import demo
    from ticketr.cli.pull import pull
    from ticketr.cli.sandbox import sandbox

    for command in (pull, demo, sandbox):
        cli.add_command(command)


_add_commands()
