"""The way out of a command: whatever is printed, logged or kept goes through here.

Text on its way out is cleaned, so that a terminal obeys nothing in it, and holds no token that
this process has signed in with, whoever put it there and however it is spelt.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

import click

from ticketr.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

_redactors: list[Callable[[str], str]] = []


def hide(redact: Callable[[str], str]) -> None:
    """Show nothing any more that a redactor takes out.

    Args:
        redact: Gives a text without a secret, as `Credentials.redact`.
    """
    _redactors.append(redact)


def hidden(text: str) -> str:
    """Take the secrets of this process out of a text; the text itself if it holds none."""
    for redact in _redactors:
        text = redact(text)
    return text


def shown(text: str) -> str:
    """Make a text fit to be shown on one line."""
    return clean(hidden(text))


def shown_lines(text: str) -> str:
    """Make a text fit to be shown on its lines."""
    return "\n".join(map(shown, text.split("\n")))


def echo(line: str = "", *, err: bool = False, color: str | None = None) -> None:
    """Print a line.

    Args:
        line: The line, whatever it holds.
        err: Whether it goes to standard error.
        color: The name of its colour.
    """
    click.echo(click.style(shown(line), fg=color) if color else shown(line), err=err)


def echo_json(value: object, *, default: Callable[[object], object] | None = None) -> None:
    """Print a value as JSON.

    In ASCII: any output takes it, and nothing in it is obeyed by a terminal.

    Args:
        value: What `json.dumps` takes.
        default: What makes the rest into that.
    """
    click.echo(json.dumps(_without_secrets(value), default=default))


def _without_secrets(value: object) -> object:
    match value:
        case str():
            return hidden(value)
        case Mapping():
            return {
                hidden(key) if isinstance(key, str) else key: _without_secrets(each)
                for key, each in value.items()
            }
        case list() | tuple():
            return [_without_secrets(each) for each in value]
        case _:
            return value


def say(line: str) -> None:
    """Print a line for people: on standard error, at once."""
    print(shown(line), file=sys.stderr, flush=True)  # noqa: T201 - a command talks to people


def begin() -> None:
    """Begin a command: it knows no secret yet, and shows warnings that are logged."""
    _redactors.clear()
    root = logging.getLogger()
    for each in [each for each in root.handlers if isinstance(each, _Logs)]:
        root.removeHandler(each)
    root.addHandler(_Logs())


def show_logs() -> None:
    """Show all that ticketr logs."""
    # Ours alone: those of the packages below show headers, and headers hold secrets.
    logging.getLogger("ticketr").setLevel(logging.DEBUG)
    for each in logging.getLogger().handlers:
        if isinstance(each, _Logs):
            each.setFormatter(_Formatter(logging.BASIC_FORMAT))


class _Logs(logging.StreamHandler[TextIO]):
    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(_Formatter())


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return shown_lines(super().format(record))
