"""Test what the program says of the commands of the Go program."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner
from rows import for_each

from ticketr.app.cli.app import cli
from ticketr.app.cli.go_commands import REPLACEMENT_BY_GO_COMMAND


@for_each("line", REPLACEMENT_BY_GO_COMMAND)
def test_a_command_line_of_the_go_program_names_what_replaces_it(line: str) -> None:
    _, *words = line.split()

    ended = CliRunner().invoke(cli, [*words, "some", "thing"], prog_name="ticketr")

    assert ended.exit_code == 2
    last = ended.output.splitlines()[-1]
    assert (
        last
        == f"Error: '{words[-1]}' was in the Go program Ticketr; now: {REPLACEMENT_BY_GO_COMMAND[line]}"
    )


@pytest.mark.parametrize("line", ["ticketr pull --full --alias X", "ticketr bulk A-1 --ids A-2"])
def test_it_does_so_for_an_option_behind_others_too(line: str) -> None:
    ended = CliRunner().invoke(cli, line.split()[1:], prog_name="ticketr")

    assert "was in the Go program Ticketr; now: " in ended.output


def test_no_command_and_option_that_exist_are_replaced() -> None:
    for line in REPLACEMENT_BY_GO_COMMAND:
        command: click.Command = cli
        for word in line.split()[1:-1]:
            assert isinstance(command, click.Group)
            command = command.commands[word]
        word = line.split()[-1]
        commands = command.commands if isinstance(command, click.Group) else {}
        options = {name for parameter in command.params for name in parameter.opts}
        assert word not in {*commands, *options}, line
