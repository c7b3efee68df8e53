"""Test the help of every command, and that the catalogue is about the commands that there are."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from pkgutil import iter_modules

import click
import pytest
from fakes.commands import COMMANDS
from fakes.users import User

from ticketr.app.cli import __path__ as cli_path
from ticketr.app.cli.app import cli
from ticketr.app.cli.catalogue import CATALOGUE
from ticketr.app.cli.help import LazyCommands


def is_command(value: object) -> bool:
    return isinstance(value, click.Command)


def test_the_catalogue_has_an_entry_for_every_command() -> None:
    modules = [import_module(f"ticketr.app.cli.{each.name}") for each in iter_modules(cli_path)]
    written = {each for module in modules for each in vars(module).values() if is_command(each)}

    assert set(CATALOGUE) == set(COMMANDS)
    assert written == set(COMMANDS.values())


@pytest.mark.parametrize("words", COMMANDS)
def test_every_help_has_an_example_and_the_exit_codes(someone: User, words: str) -> None:
    told = someone.runs(*words.split(), "--help")

    assert told.code == 0
    _, _, end = told.out.partition("\nExamples:\n")
    examples, _, codes = end.partition("\n\nExit codes:\n")
    assert f"ticketr {words}".strip() in examples
    listed = re.findall(r"^  ([0-9]+) +[A-Z].*\.$", codes, re.MULTILINE)
    assert listed == list(CATALOGUE[words].exits)
    assert {"0", "1", "2", "130"} <= set(listed)


@pytest.mark.parametrize("words", COMMANDS)
def test_no_line_of_a_help_is_wider_than_a_terminal(someone: User, words: str) -> None:
    shown = someone.runs(*words.split(), "--help").out

    assert max(map(len, shown.splitlines())) <= 100


@pytest.mark.parametrize("words", COMMANDS)
def test_every_example_is_a_command_line_that_is_understood(words: str) -> None:
    for line, meaning in CATALOGUE[words].examples:
        words_of_line = shlex.split(re.split(" [>|] ", line)[0])
        first, *arguments = [each for each in words_of_line if not each.startswith("EDITOR=")]
        command: click.Command = cli
        while isinstance(command, click.Group) and arguments:
            command = command.commands[arguments.pop(0)]
        if "--help" not in arguments:
            command.make_context(command.name, arguments, resilient_parsing=False)

        assert first == "ticketr"
        assert re.fullmatch(r"[A-Z].*\.", meaning)


def test_the_list_of_commands_has_their_summaries(someone: User) -> None:
    for group in ("", "workspace"):
        told = someone.runs(*group.split(), "--help").out.partition("\nExamples:")[0]
        listed = dict(re.findall(r"^  ([a-z]+) +([A-Z].*\.)$", told, re.MULTILINE))

        own = {name: each for name, each in CATALOGUE.items() if name.rpartition(" ")[0] == group}
        assert {f"{group} {name}".strip(): words for name, words in listed.items()} == {
            name: each.summary for name, each in own.items() if name
        }


def test_a_command_that_is_added_or_taken_out_is_one_of_the_commands() -> None:
    known = LazyCommands()
    before = set(known)
    added = click.Command("other")

    known["other"] = added
    assert known["other"] is added
    assert set(known) == before | {"other"}
    assert len(known) == len(before) + 1
    del known["other"]
    del known["pull"]
    assert set(known) == before - {"pull"}
    with pytest.raises(KeyError):
        known["other"]


def test_a_command_is_imported_once() -> None:
    known = LazyCommands()

    assert known["pull"] is known["pull"]
    assert known["pull"].name == "pull"
