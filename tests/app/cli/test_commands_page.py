"""Check the help, the man page and docs/commands.md against the commands."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import fields
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import click
import pytest
from fakes.commands import COMMANDS
from fakes.man_page import PAGE as MAN_PAGE, man_page
from fakes.users import User
from rows import for_each

from ticketr.app.cli import __path__ as cli_path, exits
from ticketr.app.cli.app import cli
from ticketr.app.cli.settings import Unconfirmed
from ticketr.app.config import (
    ConfigError,
    NoWorkspace,
    SettingsAccessFailed,
    TokenFailed,
    UnknownWorkspace,
    WorkspaceTaken,
)
from ticketr.app.jira import JiraError
from ticketr.app.jira.transport import AsksMissing
from ticketr.app.sync import Note
from ticketr.app.sync.errors import SyncError
from ticketr.app.sync.notes import Code
from ticketr.app.sync.state.undo import Undoable
from ticketr.app.tickets import TicketSyntaxError

PAGE = (Path(__file__).parents[3] / "docs" / "commands.md").read_text(encoding="utf-8")
OPTIONS = PAGE.partition("## Options")[2].partition("## Progress")[0]
JSON, _, ERRORS = PAGE.partition("## JSON")[2].partition("### Errors")
#: Commands whose options are described on pages of their own.
ON_OTHER_PAGES = {"sandbox", "workspace"}
NOTE = {each.name for each in fields(Note)}


def rows(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]


def keys_of(command: str) -> str:
    return next(cells[1] for cells in rows(JSON) if cells[0] == f"`{command}`")


def entries(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the objects in the lists of an object."""
    for value in told.values():
        if isinstance(value, list):
            yield from (each for each in value if isinstance(each, dict))


#: What the commands that settle conflicts raise.
SETTLING = [
    "BadPartChoice",
    "BadQuery",
    "CannotEdit",
    "CannotUndo",
    "ConflictChanged",
    "NoConflict",
    "PartsNotChosen",
    "NothingToUndo",
]


def named(names: Iterable[str], text: str) -> list[str]:
    return [name for name in names if f"`{name}`" in text]


def test_every_command_is_reported() -> None:
    told = [cells[0] for cells in rows(PAGE) if cells[0].startswith("`ticketr ")]

    assert {cell.strip("`").split()[1] for cell in told} == set(cli.commands)
    assert len(told) == len(cli.commands)


def test_every_option_of_ticketr_itself_is_reported() -> None:
    options = {name for parameter in cli.params for name in parameter.opts}

    assert [name for name in options if name not in PAGE] == []


@for_each("name", sorted(set(cli.commands) - ON_OTHER_PAGES))
def test_every_option_of_a_command_is_reported_of_that_command(name: str) -> None:
    told = {
        option
        for cells in rows(OPTIONS)
        for option in re.findall(r"`(--?[A-Za-z-]+)", " ".join(cells[:2]))
        if f"`{name}`" in cells[0] or f"`{name}`" in cells[1]
    }
    parameters = cli.commands[name].params
    shown = [one for one in parameters if isinstance(one, click.Option) and not one.hidden]

    assert told == {each for one in shown for each in one.opts}


def test_the_limits_that_the_page_names_are_those_of_the_commands() -> None:
    from ticketr.app.config import CONFIRM_ABOVE_WRITES

    limits = {each.name: each.default for each in cli.commands["jobs"].params}
    assert f"more than {CONFIRM_ABOVE_WRITES} writes" in PAGE
    assert f"{limits['limit']} by default" in PAGE


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    "command", ["pull", "push", "sync", "status", "diff", "resolve", "undo", "new"]
)
def test_no_command_prints_a_key_that_the_page_does_not_know(someone: User, command: str) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-3", "Mine")
    someone.site.edit("DEMO-3", summary="Theirs")
    someone.runs("sync")  # this is a conflict now
    someone.edits("DEMO-9.md", "Status: ", "Status: Never or ")
    someone.writes("draft.md", "# TICKET: A draft\n")
    someone.writes("other.md", "# TICKET: [OTHER-1] From elsewhere\n")
    arguments = {"new": ["Title"], "resolve": ["DEMO-3", "OTHER-1", "--take", "mine"]}

    if command == "undo":
        someone.runs("resolve", "DEMO-3", "--take", "mine")
        someone.runs("undo")
        someone.runs("resolve", "DEMO-3", "--take", "mine")

    told = someone.runs(command, *arguments.get(command, ()), "--json").json

    printed = {key for value in (told, *entries(told)) for key in value}
    notes = NOTE if "of notes" in keys_of(command) else set[str]()
    assert told["folder"] == str(someone.root)
    assert [key for key in printed - notes if f"`{key}`" not in keys_of(command)] == []


def test_every_part_of_a_note_is_reported() -> None:
    assert {*named(NOTE, JSON.partition("### Notes")[2])} == NOTE


def test_every_code_is_reported_once() -> None:
    told = [cells[0].strip("`") for cells in rows(JSON.partition("### Notes")[2])][2:]

    assert sorted(told) == sorted(Code)


def errors(kind: type[Exception]) -> Iterator[str]:
    """Return the names of an error class and its subclasses."""
    yield kind.__name__
    for each in kind.__subclasses__():
        yield from errors(each)


def test_every_error_that_can_end_a_run_is_reported() -> None:
    bases = {JiraError.__name__, SyncError.__name__}
    # Errors of settling a conflict, changing a field, taking that back or filtering by a query,
    # which no run does.
    bases |= {*SETTLING}
    names = {*errors(JiraError), *errors(SyncError), *errors(TicketSyntaxError)} - bases

    # Errors of the settings of one workspace of several; the others come from adding or naming one.
    other = {each.__name__ for each in (ConfigError, NoWorkspace, UnknownWorkspace, WorkspaceTaken)}
    names |= {*errors(ConfigError), *errors(SettingsAccessFailed), *errors(TokenFailed)} - other

    told = set(re.findall(r"`([A-Z]\w+)`", ERRORS.partition("## Exit codes")[0]))

    assert told == names | {AsksMissing.__name__, Unconfirmed.__name__}


def test_every_kind_of_what_can_be_undone_is_reported() -> None:
    kinds = [each.stored_name.lower() for each in Undoable]

    assert named(kinds, keys_of("undo")) == kinds


def is_command(value: object) -> bool:
    return isinstance(value, click.Command)


def test_the_list_of_commands_has_every_command() -> None:
    modules = [import_module(f"ticketr.app.cli.{each.name}") for each in iter_modules(cli_path)]
    written = {each for module in modules for each in vars(module).values() if is_command(each)}

    assert written == set(COMMANDS.values())


@for_each("words", COMMANDS)
def test_every_help_has_an_example_and_the_exit_codes_and_fits(someone: User, words: str) -> None:
    told = someone.runs(*words.split(), "--help")

    assert told.code == 0
    assert max(map(len, told.out.splitlines())) <= 100
    _, _, end = told.out.partition("\nExamples:\n")
    examples, _, codes = end.partition("\n\nExit codes:\n")
    assert f"ticketr {words}".strip() in examples
    listed = re.findall(r"^  ([0-9]+) +[A-Z].*\.$", codes, re.MULTILINE)
    assert listed == list(COMMANDS[words].exits)
    assert {"0", "1", "2"} <= set(listed)
    assert ("130" in listed) == (words != "sandbox")  # which a signal ends as it has to


@for_each("words", COMMANDS)
def test_every_example_is_a_command_line_that_is_understood(words: str) -> None:
    for line, meaning in COMMANDS[words].examples.items():
        words_of_line = shlex.split(re.split(" [>|] ", line)[0])
        first, *arguments = [each for each in words_of_line if not each.startswith("EDITOR=")]
        command: click.Command = cli
        while isinstance(command, click.Group) and arguments:
            command = command.commands[arguments.pop(0)]
        if "--help" not in arguments:
            command.make_context(command.name, arguments, **cli.context_settings)

        assert first == "ticketr"
        assert re.fullmatch(r"[A-Z].*\.", meaning)


@pytest.mark.parametrize("group", ["", "attachments", "workspace"])
def test_the_list_of_commands_has_their_summaries(someone: User, group: str) -> None:
    told = someone.runs(*group.split(), "--help").out.partition("\nExamples:")[0]
    listed = dict(re.findall(r"^  ([a-z]+) +([A-Z].*\.)$", told, re.MULTILINE))

    own = {words for words in COMMANDS if words and words.rpartition(" ")[0] == group}
    assert {f"{group} {name}".strip() for name in listed} == own


needs_groff = pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")


def shown(page: str) -> str:
    """Return a page as man shows it, without styles."""
    command = ["groff", "-man", "-ww", "-k", "-Tutf8", "-P-cbou", "-rLL=200n"]
    done = subprocess.run(command, input=page, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


@needs_groff
def test_the_page_has_what_the_help_of_every_command_has(someone: User) -> None:
    page = " ".join(shown(man_page()).split())

    for words, command in COMMANDS.items():
        for line, meaning in command.examples.items():
            assert " ".join(line.split()) in page
            assert meaning in page
        helped = someone.runs(*words.split(), "--help").out
        assert helped.partition("\n")[0].removeprefix("Usage: ") in page
        for paragraph in cleandoc(command.help or "").replace("\b\n", "").split("\n\n"):
            assert " ".join(paragraph.split()) in page
        for option in command.params:
            if isinstance(option, click.Option):
                assert " ".join((option.help or "").split()) in page
                assert all(name in page for name in option.opts)
    for code, meaning in exits.TICKET_COMMAND_EXITS.items():
        assert f"{code} {meaning}" in page


@needs_groff
def test_no_text_is_taken_for_a_request_of_roff() -> None:
    page = shown(man_page())

    assert "\\" not in page
    assert "ticketr workspace add" in page


def test_the_page_begins_with_what_man_and_apropos_look_for() -> None:
    lines = man_page().splitlines()

    assert lines[0].startswith(".TH TICKETR 1 ")
    assert lines[3:5] == [".SH NAME", r"ticketr \- keep Jira tickets as Markdown files"]


def test_the_page_that_is_shipped_says_what_the_commands_say() -> None:
    assert MAN_PAGE.read_text(encoding="utf-8") == man_page(), "run: make manpage"
