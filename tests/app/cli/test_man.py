"""Test ``ticketr man``, and that groff finds nothing wrong with the page."""

from __future__ import annotations

import shutil
import subprocess
from inspect import cleandoc

import click
import pytest
from fakes.commands import COMMANDS
from fakes.users import User

from ticketr.app.cli.catalogue import CATALOGUE

needs_groff = pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")


def shown(page: str) -> str:
    """Return a page as man shows it, without styles."""
    command = ["groff", "-man", "-ww", "-k", "-Tutf8", "-P-cbou", "-rLL=200n"]
    done = subprocess.run(command, input=page, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


@needs_groff
def test_the_page_has_what_the_help_of_every_command_has(someone: User) -> None:
    told = someone.runs("man")
    page = " ".join(shown(told.out).split())

    assert (told.code, told.err) == (0, "")
    for words, entry in CATALOGUE.items():
        for line, meaning in entry.examples:
            assert " ".join(line.split()) in page
            assert meaning in page
        helped = someone.runs(*words.split(), "--help").out
        assert helped.partition("\n")[0].removeprefix("Usage: ") in page
        command = COMMANDS[words]
        for paragraph in cleandoc(command.help or "").replace("\b\n", "").split("\n\n"):
            assert " ".join(paragraph.split()) in page
        for option in command.params:
            if isinstance(option, click.Option):
                assert " ".join((option.help or "").split()) in page
                assert all(name in page for name in option.opts)
    for code, meaning in CATALOGUE["pull"].exits.items():
        assert f"{code} {meaning}" in page


@needs_groff
def test_no_text_is_taken_for_a_request_of_roff(someone: User) -> None:
    page = shown(someone.runs("man").out)

    assert "\\" not in page
    assert "ticketr workspace add" in page


def test_the_page_begins_with_what_man_and_apropos_look_for(someone: User) -> None:
    lines = someone.runs("man").out.splitlines()

    assert lines[0].startswith(".TH TICKETR 1 ")
    assert lines[3:5] == [".SH NAME", r"ticketr \- keep Jira tickets as Markdown files"]
    assert someone.runs("man").out == someone.runs("man").out
