"""Questions at the terminal. Ctrl+C at any moment of one ends the command.

`input()` discards a KeyboardInterrupt that is raised while it flushes the question; the answer
that follows would count. So Ctrl+C is noted, too, and looked for after the answer.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click

from ticketr.app.cli.output import printable


def confirm(question: str) -> bool:
    """Ask a question that no answer but y or yes affirms.

    Raises:
        click.Abort: Ctrl+C or the end of the input was the answer.
    """
    with _abort_on_interrupt():
        return click.confirm(printable(question), err=True)


def ask(
    what: str,
    *,
    default: str | None = None,
    check: Callable[[str], str] | None = None,
    is_secret: bool = False,
) -> str:
    """Ask for a text until it is valid.

    Args:
        what: What to ask for.
        default: What an empty answer means; None if there has to be one.
        check: Returns the text to use, or raises `click.BadParameter`.
        is_secret: Whether to show nothing of what is typed.

    Raises:
        click.Abort: Ctrl+C or the end of the input was the answer.
    """
    with _abort_on_interrupt():
        answer: str = click.prompt(
            printable(what), default=default, value_proc=check, hide_input=is_secret, err=True
        )
        return answer


@contextmanager
def _abort_on_interrupt() -> Generator[None]:
    """Raise `click.Abort` at the end if Ctrl+C was pressed, whatever became of its exception."""
    is_interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> Any:
        nonlocal is_interrupted
        is_interrupted = True
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if is_interrupted:
        raise click.Abort
