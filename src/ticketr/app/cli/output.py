"""Cleans and redacts all text that a command prints, logs or stores.

The text that comes out holds no control characters, and no token that this process has signed in
with, in any encoding that the client knows.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from typing import TextIO

import click

from ticketr.cleaning import clean
from ticketr.tty import can_draw, wants_color

#: By what they are methods of, so that a login that is used again adds none.
_redactors: dict[object, Callable[[str], str]] = {}


def add_redactor(redact: Callable[[str], str]) -> None:
    """Apply a redactor to all output from now on.

    Args:
        redact: Returns a text without a secret, as `Credentials.redact` does.
    """
    _redactors[getattr(redact, "__self__", redact)] = redact


def redacted(text: str) -> str:
    """Return a text without the secrets of this process."""
    for redact in _redactors.values():
        text = redact(text)
    return text


def printable(text: str) -> str:
    """Return a text redacted and cleaned, on one line."""
    return clean(redacted(text))


def printable_lines(text: str) -> str:
    """Return a text redacted and cleaned, with its line breaks kept."""
    return "\n".join(map(printable, text.split("\n")))


def echo(line: str = "", *, err: bool = False, color: str | None = None) -> None:
    """Print a line.

    Args:
        line: The line, not cleaned yet.
        err: Whether to print on standard error.
        color: The name of the line's colour, if any.
    """
    click.echo(click.style(printable(line), fg=color) if color else printable(line), err=err)


def is_colored() -> bool:
    """Return whether lines have colours in a terminal; click leaves them out elsewhere."""
    return wants_color(os.environ, by_default=can_draw(os.environ))


def echo_marked(mark: str, rest: str, *, color: str) -> None:
    """Print a line that begins with a mark, which has a colour in a terminal that shows colours.

    Args:
        mark: The mark, in the program's own words.
        rest: The rest of the line, not cleaned yet.
        color: The name of the mark's colour.
    """
    if is_colored():
        mark = click.style(mark, fg=color)
    click.echo(mark + printable(rest))


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


def print_message(line: str) -> None:
    """Print a line for people on standard error, and flush."""
    print(printable(line), file=sys.stderr, flush=True)  # noqa: T201 - a command talks to people


def reset_output() -> None:
    """Forget the redactors of an earlier command, and show logged warnings."""
    _redactors.clear()
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _LogHandler)]:
        root.removeHandler(handler)
    root.addHandler(_LogHandler())


def show_logs() -> None:
    """Show everything that ticketr logs."""
    # Not what other packages log: they log headers, and headers hold secrets.
    logging.getLogger("ticketr").setLevel(logging.DEBUG)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _LogHandler):
            handler.setFormatter(_Formatter(logging.BASIC_FORMAT))


class _LogHandler(logging.StreamHandler[TextIO]):
    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(_Formatter())


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return printable_lines(super().format(record))
