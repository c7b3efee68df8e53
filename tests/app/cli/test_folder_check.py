"""Test what the first run says of a folder before it is opened."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ticketr.app.cli.first_run import FirstRun
from ticketr.app.tui.setup import FolderAnswer, FolderKind, Problem, SetupField


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [each for each in os.environ if each.startswith("JIRA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TICKETR_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "x").mkdir()
    return tmp_path


def put_tickets(folder: Path) -> None:
    (folder / "notes.md").write_text("# Some notes\n")
    (folder / "deep").mkdir()
    (folder / "deep" / "all.md").write_text("# TICKET: [DEMO-1] Search\n")


def put_notes(folder: Path) -> None:
    (folder / "notes.md").write_text("# Some notes\n")


def put_broken(folder: Path) -> None:
    (folder / "all.md").write_bytes(b"# TICKET: [DEMO-1] \xff\n")


def put_settings(folder: Path) -> None:
    (folder / "ticketr.toml").write_text('site = "https://you.atlassian.net"\n')


def put_nothing(folder: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("put", "answer"),
    [
        (put_nothing, FolderAnswer(FolderKind.EMPTY)),
        (put_notes, FolderAnswer(FolderKind.OTHER)),
        (put_broken, FolderAnswer(FolderKind.OTHER)),
        (put_tickets, FolderAnswer(FolderKind.TICKETS)),
        (put_settings, FolderAnswer(FolderKind.WORKSPACE, "you.atlassian.net")),
    ],
)
async def test_a_folder_is_what_it_holds(
    put: Callable[[Path], None], answer: FolderAnswer, home: Path
) -> None:
    put(home / "x")
    before = sorted(home.rglob("*"))

    assert await FirstRun().check_folder(Path("~/x")) == answer
    assert sorted(home.rglob("*")) == before


async def test_a_folder_in_the_users_config_is_a_workspace(home: Path) -> None:
    config = home / "config"
    config.mkdir(mode=0o700)
    (config / "config.toml").touch(mode=0o600)
    text = f'[workspaces.x]\nfolder = "{home / "x"}"\nsite = "https://you.atlassian.net"\n'
    (config / "config.toml").write_text(text)

    answer = await FirstRun().check_folder(home / "x")

    assert answer == FolderAnswer(FolderKind.WORKSPACE, "you.atlassian.net")


async def test_a_folder_that_does_not_exist_is_new(home: Path) -> None:
    assert await FirstRun().check_folder(home / "y") == FolderAnswer(FolderKind.NEW)


async def test_a_file_and_settings_that_cannot_be_used_are_problems(home: Path) -> None:
    (home / "file").touch()
    (home / "x" / "ticketr.toml").write_text("this is not TOML")

    file = await FirstRun().check_folder(home / "file")
    broken = await FirstRun().check_folder(home / "x")

    assert isinstance(file, Problem)
    assert (file.field, "it is a file" in file.words) == (SetupField.FOLDER, True)
    assert isinstance(broken, Problem)
    assert "ticketr.toml" in broken.words
