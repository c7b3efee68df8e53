"""Test ``ticketr --plain``, and the options that the environment has, too."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from fakes.processes import PROGRAM, environment, make_workspace, ticketr
from fakes.ptys import job_on_pty

from ticketr.app.cli import app
from ticketr.app.cli.catalogue import CATALOGUE

FILE = "# TICKET: [DEMO-1] Search that forgives\n\n## Fields\n\nStatus: To Do\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    make_workspace(tmp_path)
    (tmp_path / "DEMO-1.md").write_text(FILE, encoding="utf-8")
    return tmp_path


def test_plain_prints_tickets_and_edits_and_the_commands(workspace: Path) -> None:
    ended = ticketr("--plain", folder=workspace)

    assert ended.returncode == 0, ended.stderr
    assert "DEMO-1" in ended.stdout.splitlines()[0]
    assert ended.stderr.splitlines()[-len(app.WITHOUT_SCREEN) :] == list(app.WITHOUT_SCREEN)
    assert "\x1b" not in ended.stdout + ended.stderr


def test_plain_opens_no_screen_and_asks_nothing_in_a_terminal(workspace: Path) -> None:
    command = ["sh", "-c", 'cd "$0" && exec "$@"', str(workspace), *PROGRAM, "--plain"]
    with job_on_pty(command, environ=environment()) as pty:
        assert pty.wait_for_end() == 0

        assert "Search that forgives" in pty.output
        assert "ticketr --help: list all commands" in pty.output
        assert "\x1b[?1049h" not in pty.output


def test_plain_tells_of_a_broken_file_by_its_exit_code(workspace: Path) -> None:
    (workspace / "bad.md").write_text("<<<<<<< HEAD\n# TICKET: [DEMO-2] Two\n", encoding="utf-8")

    ended = ticketr("--plain", folder=workspace)

    assert ended.returncode == 1
    assert "bad.md:1" in ended.stderr + ended.stdout
    assert ended.stderr.splitlines()[-1] == app.WITHOUT_SCREEN[-1]


def test_the_commands_that_do_without_a_screen_exist() -> None:
    text = "\n".join(app.WITHOUT_SCREEN[1:])

    assert set(re.findall("ticketr ([a-z]+)", text)) <= CATALOGUE.keys()


@pytest.mark.parametrize(
    ("option", "name"), [("--ascii", "TICKETR_ASCII"), ("--no-mouse", "TICKETR_NO_MOUSE")]
)
def test_an_option_does_what_its_variable_does(
    option: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "")

    app.cli.main([option, "completion", "bash"], standalone_mode=False)

    assert os.environ[name] == "1"
