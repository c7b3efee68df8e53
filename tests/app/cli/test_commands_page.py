"""Check docs/commands.md against the commands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest
from fakes.users import User

from ticketr import FinishedJob
from ticketr.app.cli.app import cli
from ticketr.app.cli.confirmation import UNCONFIRMED
from ticketr.app.cli.diff import TicketVersions
from ticketr.app.config import (
    ConfigError,
    NoWorkspace,
    SettingsFailed,
    TokenFailed,
    UnknownWorkspace,
    WorkspaceTaken,
)
from ticketr.app.jira import JiraError
from ticketr.app.jira.transport import AsksMissing
from ticketr.app.sync import Action, Note, PullResult, PushResult, SyncResult
from ticketr.app.sync.errors import (
    BadChoice,
    BadQuery,
    CannotEdit,
    CannotUndo,
    ConflictChanged,
    NoConflict,
    NotChosen,
    NothingToUndo,
    SyncError,
)
from ticketr.app.sync.notes import Code
from ticketr.app.sync.state.undo import UndoKind
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


SETTLING = (
    BadChoice,
    BadQuery,
    CannotEdit,
    CannotUndo,
    ConflictChanged,
    NoConflict,
    NotChosen,
    NothingToUndo,
)


def named(names: Iterable[str], text: str) -> list[str]:
    return [name for name in names if f"`{name}`" in text]


def test_every_command_is_reported() -> None:
    told = [cells[0] for cells in rows(PAGE) if cells[0].startswith("`ticketr ")]

    assert {cell.strip("`").split()[1] for cell in told} == set(cli.commands)
    assert len(told) == len(cli.commands)


def test_every_option_of_ticketr_itself_is_reported() -> None:
    options = {name for parameter in cli.params for name in parameter.opts}

    assert [name for name in options if name not in PAGE] == []


@pytest.mark.parametrize("name", sorted(set(cli.commands) - ON_OTHER_PAGES))
def test_every_option_of_a_command_is_reported_of_that_command(name: str) -> None:
    told = {
        option
        for cells in rows(OPTIONS)
        for option in re.findall(r"`(--?[A-Za-z-]+)", " ".join(cells[:2]))
        if f"`{name}`" in cells[0] or f"`{name}`" in cells[1]
    }
    parameters = cli.commands[name].params
    options = {each for one in parameters if isinstance(one, click.Option) for each in one.opts}

    assert told == options


def test_the_limits_that_the_page_names_are_those_of_the_commands() -> None:
    from ticketr.app.config import CONFIRM_ABOVE

    limits = {each.name: each.default for each in cli.commands["jobs"].params}
    assert f"more than {CONFIRM_ABOVE} writes" in PAGE
    assert f"{limits['limit']} by default" in PAGE


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("pull", PullResult),
        ("push", PushResult),
        ("push", Action),
        ("sync", SyncResult),
        ("jobs", FinishedJob),
        ("diff", TicketVersions),
    ],
)
def test_every_key_of_a_result_is_reported(command: str, kind: type[Any]) -> None:
    names = [each.name for each in fields(kind)]

    assert named(names, keys_of(command)) == names


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
    notes = NOTE if command in {"pull", "push"} else set[str]()
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
    bases |= {each.__name__ for each in SETTLING}
    names = {*errors(JiraError), *errors(SyncError), *errors(TicketSyntaxError)} - bases

    # Errors of the settings of one workspace of several; the others come from adding or naming one.
    other = {each.__name__ for each in (ConfigError, NoWorkspace, UnknownWorkspace, WorkspaceTaken)}
    names |= {*errors(ConfigError), *errors(SettingsFailed), *errors(TokenFailed)} - other

    told = set(re.findall(r"`([A-Z]\w+)`", ERRORS.partition("## Exit codes")[0]))

    assert told == names | {AsksMissing.__name__, UNCONFIRMED}


def test_every_kind_of_what_can_be_undone_is_reported() -> None:
    kinds = [each.name.lower() for each in UndoKind]

    assert named(kinds, keys_of("undo")) == kinds
