"""The help of commands, with examples and exit codes, and commands that are imported when needed."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import final

import click
from click.shell_completion import CompletionItem

from ticketr.app.cli.catalogue import CATALOGUE, Entry

#: The most cells of an example that has its explanation beside it.
_EXAMPLE_CELLS = 44


class Command(click.Command):
    """A command whose help ends with the examples and exit codes of the catalogue."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples and the exit codes."""
        _write_end(ctx, formatter)


class Group(click.Group):
    """A group of commands; its help and its completion read the catalogue alone."""

    command_class = Command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _summary_of(ctx, name)) for name in self.list_commands(ctx)])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples and the exit codes."""
        _write_end(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command, without importing one, or an option."""
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        items = [CompletionItem(name, help=_summary_of(ctx, name)) for name in names]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]


@final
class LazyCommands(MutableMapping[str, click.Command]):
    """The commands of ``ticketr``, by their names; each is imported when it is looked up."""

    def __init__(self) -> None:
        self._places = {name: entry.place for name, entry in CATALOGUE.items() if entry.place}
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            module, _, attribute = self._places[name].partition(":")
            self._loaded[name] = getattr(import_module(f"ticketr.app.cli.{module}"), attribute)
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._places.setdefault(name, "")
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._places[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def entry_of(context: click.Context) -> Entry:
    """Return the catalogue's entry of a command that runs or explains itself."""
    return CATALOGUE[_words(context)]


def _words(context: click.Context) -> str:
    """Return the words of a command after ``ticketr``."""
    return context.command_path.partition(" ")[2]


def _summary_of(context: click.Context, name: str) -> str:
    return CATALOGUE[f"{_words(context)} {name}".strip()].summary


def _write_end(context: click.Context, formatter: click.HelpFormatter) -> None:
    entry = entry_of(context)
    with formatter.section("Examples"):
        if all(len(line) <= _EXAMPLE_CELLS for line, _ in entry.examples):
            formatter.write_dl(entry.examples, col_max=_EXAMPLE_CELLS)
        else:
            for line, words in entry.examples:
                formatter.write(f"  {line}\n      {words}\n")
    with formatter.section("Exit codes"):
        formatter.write_dl([*entry.exits.items()])
