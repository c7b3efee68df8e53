"""All commands of ticketr, groups included."""

from __future__ import annotations

from collections.abc import Iterator

import click

from ticketr.app.cli.app import cli
from ticketr.app.cli.help import Command


def _commands(command: click.Command, words: str = "") -> Iterator[tuple[str, Command]]:
    assert isinstance(command, Command)
    yield words, command
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from _commands(each, f"{words} {name}".strip())


#: Each command, by its words after ``ticketr``.
COMMANDS = dict(_commands(cli))
