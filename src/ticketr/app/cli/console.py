"""The terminal of a command: its streams, its questions, and its output, cleaned and redacted.

The text that comes out holds no control characters, and no token that this process has signed in
with, in any encoding that the client knows.
"""

from __future__ import annotations

import io
import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, TextIO

import click

from ticketr.cleaning import clean
from ticketr.tty import can_draw, wants_color

#: The message after the answer no.
NOTHING_SENT_MESSAGE = "Nothing was sent."

_IN, _OUT, _ERR = range(3)


class _ErrorIgnoringFile(io.FileIO):
    """A file whose writes never fail; data that it does not accept is lost."""

    def write(self, data: object) -> int:
        """Write data; on an error, return its length as if it was written."""
        view = memoryview(data)  # type: ignore[arg-type]  # a buffer
        try:
            return super().write(view) or 0
        except BlockingIOError:  # a terminal or pipe that is full for a moment
            raise
        except OSError:
            return view.nbytes


def reopen_streams_and_ignore_stderr_errors() -> None:
    """Open closed standard streams again, and make writes to standard error never fail.

    Otherwise a file that is opened later could get the descriptor of a closed stream, and output
    for that stream would go into the file. Writing to a standard output that was closed fails, as
    on a full disk. Output that standard error does not accept is lost.
    """
    for number, mode in ((_IN, os.O_RDONLY), (_OUT, os.O_RDONLY), (_ERR, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # gets the lowest free descriptor
    if sys.stdin is None:
        sys.stdin = open(_IN, closefd=False)  # noqa: SIM115 - it stays open
    if sys.stdout is None:
        sys.stdout = open(_OUT, "w", closefd=False)  # noqa: SIM115 - likewise
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(_ErrorIgnoringFile(_ERR, "w", closefd=False)),
        encoding=sys.stderr.encoding if sys.stderr is not None else "utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )


def is_full_screen_possible() -> bool:
    """Return whether input and output are a terminal that can do more than print lines."""
    return are_both_terminals() and can_draw(os.environ)


def are_both_terminals() -> bool:
    """Return whether input and output are a terminal."""
    return os.isatty(_IN) and os.isatty(_OUT)


def confirm(question: str) -> bool:
    """Ask a question that no answer but y or yes affirms.

    Raises:
        click.Abort: Ctrl+C or the end of the input was the answer.
    """
    with _abort_on_interrupt():
        return click.confirm(redacted_line(question), err=True)


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
            redacted_line(what), default=default, value_proc=check, hide_input=is_secret, err=True
        )
        return answer


@contextmanager
def handle_sigint(handler: Callable[[int, FrameType | None], object]) -> Generator[None]:
    """Call a function on Ctrl+C while the block runs."""
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _abort_on_interrupt() -> Generator[None]:
    """Raise `click.Abort` at the end if Ctrl+C was pressed, whatever became of its exception.

    `input()` discards a KeyboardInterrupt that is raised while it flushes the question; the answer
    that follows would count. So Ctrl+C is noted, too, and looked for after the answer.
    """
    is_interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> Any:
        nonlocal is_interrupted
        is_interrupted = True
        signal.default_int_handler(number, frame)

    with handle_sigint(interrupt):
        yield
    if is_interrupted:
        raise click.Abort


#: By what they are methods of, so that a login that is used again adds none.
_redactor_by_owner: dict[object, Callable[[str], str]] = {}


def add_redactor(redact: Callable[[str], str]) -> None:
    """Apply a redactor to all output from now on.

    Args:
        redact: Returns a text without a secret, as `Credentials.redact` does.
    """
    _redactor_by_owner[getattr(redact, "__self__", redact)] = redact


def redacted(text: str) -> str:
    """Return a text without the secrets of this process."""
    for redact in _redactor_by_owner.values():
        text = redact(text)
    return text


def redacted_line(text: str) -> str:
    """Return a text redacted and cleaned, on one line."""
    return clean(redacted(text))


def redacted_lines(text: str) -> str:
    """Return a text redacted and cleaned, with its line breaks kept."""
    return "\n".join(map(redacted_line, text.split("\n")))


def echo(line: str = "", *, err: bool = False, color: str | None = None) -> None:
    """Print a line.

    Args:
        line: The line, not cleaned yet.
        err: Whether to print on standard error.
        color: The name of the line's colour, if any.
    """
    text = redacted_line(line)
    click.echo(click.style(text, fg=color) if color else text, err=err)


def is_color_allowed_by_env() -> bool:
    """Return whether lines have colours in a terminal; click leaves them out elsewhere."""
    return wants_color(os.environ, by_default=can_draw(os.environ))


def echo_marked(mark: str, rest: str, *, color: str) -> None:
    """Print a line that begins with a mark, which has a colour in a terminal that shows colours.

    Args:
        mark: The mark, in the program's own words.
        rest: The rest of the line, not cleaned yet.
        color: The name of the mark's colour.
    """
    if is_color_allowed_by_env():
        mark = click.style(mark, fg=color)
    click.echo(mark + redacted_line(rest))


#: The fewest cells of the column of a table that gets the room that the others leave.
_MIN_FREE_COLUMN_CELLS = 10


def print_table(rows: Sequence[Sequence[str]], limits: Sequence[int | None]) -> None:
    """Print a table that is as wide as the terminal at most.

    Args:
        rows: The cells of each row, not cleaned yet. A column of empty cells is left out.
        limits: The most cells of each column; None for the one that gets what the others leave.
    """
    from ticketr.text import fit, width

    rows = [list(map(redacted_line, row)) for row in rows]
    widest = [max((width(row[column]) for row in rows), default=0) for column in range(len(limits))]
    cells = [
        size if limit is None else min(size, limit)
        for size, limit in zip(widest, limits, strict=True)
    ]
    free = limits.index(None)
    used = sum(size + 2 for column, size in enumerate(cells) if size and column != free)
    cells[free] = max(
        _MIN_FREE_COLUMN_CELLS, min(widest[free], shutil.get_terminal_size().columns - used)
    )
    for row in rows:
        columns = zip(row, cells, strict=True)
        click.echo("  ".join(fit(text, size) for text, size in columns if size).rstrip())


def print_tab_separated(rows: Iterable[Sequence[str]]) -> None:
    """Print rows of cells that are not cleaned yet, separated by tabs."""
    for row in rows:
        click.echo("\t".join(map(redacted_line, row)))


def echo_json(value: object, *, default: Callable[[object], object] | None = None) -> None:
    """Print a value as JSON.

    The output is ASCII, so it suits any encoding and holds no control characters.

    Args:
        value: A value that `json.dumps` takes.
        default: Converts objects that `json.dumps` does not take.
    """
    click.echo(json.dumps(_without_secrets(value), default=default))


def _without_secrets(value: object) -> object:
    match value:
        case str():
            return redacted(value)
        case Mapping():
            return {
                redacted(key) if isinstance(key, str) else key: _without_secrets(item)
                for key, item in value.items()
            }
        case list() | tuple():
            return [_without_secrets(item) for item in value]
        case _:
            return value


def print_messages(*lines: str) -> None:
    """Print lines for people on standard error."""
    for line in lines:
        echo(line, err=True)


def reset_redactors_and_logging() -> None:
    """Forget the redactors and the log level of an earlier command, and show logged warnings."""
    _redactor_by_owner.clear()
    logging.getLogger("ticketr").setLevel(logging.NOTSET)
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler, _RedactingLogHandler):
            root.removeHandler(handler)
    root.addHandler(_RedactingLogHandler(sys.stderr))


def show_debug_logs() -> None:
    """Show everything that ticketr logs."""
    # Not what other packages log: they log headers, and headers hold secrets.
    logging.getLogger("ticketr").setLevel(logging.DEBUG)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _RedactingLogHandler):
            handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))


class _RedactingLogHandler(logging.StreamHandler[TextIO]):
    def format(self, record: logging.LogRecord) -> str:
        return redacted_lines(super().format(record))
