"""Test that a command names its folder and site if they may be unexpected."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.pulls import URL
from fakes.users import User

from ticketr.app.config import LoginEntry, WorkspaceEntry, store_workspace, use_workspace

OTHER = "https://other.atlassian.net"
IGNORED = f"; JIRA_URL ({OTHER}) does not count there"


def elsewhere(someone: User, *, in_use: bool = True) -> Path:
    """Add another folder of the user's site, with its own login; the current one is none."""
    (someone.root / "ticketr.toml").unlink()
    folder = someone.root.parent / "acme"
    folder.mkdir()
    config = someone.root.parent / "config"
    login = LoginEntry(email="demo@example.com", token_command=("printf", "demo"))
    store_workspace(config, WorkspaceEntry("acme", folder, URL, login))
    if in_use:
        use_workspace(config, "acme")
    return folder


@pytest.mark.parametrize("command", [["pull"], ["push"], ["push", "-n"], ["sync"]])
def test_nothing_is_said_of_the_current_folder_and_its_site(
    command: list[str], someone: User
) -> None:
    assert "working in" not in someone.runs(*command).err


@pytest.mark.parametrize("command", ["pull", "push", "sync"])
def test_the_workspace_in_use_is_named_where_four_variables_speak_of_another(
    command: str, someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = elsewhere(someone)
    monkeypatch.setenv("JIRA_URL", OTHER)

    told = someone.runs(command, "-p", "DEMO")

    assert told.code == 0
    assert told.err.splitlines()[0] == (
        f"working in {folder} with {URL}, the workspace in use (acme){IGNORED}; "
        "to work in this folder, say --folder ."
    )
    assert not someone.files()


def test_the_workspace_in_use_is_named_where_the_variables_agree(someone: User) -> None:
    folder = elsewhere(someone)

    told = someone.runs("pull")

    assert told.err.splitlines()[0] == (
        f"working in {folder} with {URL}, the workspace in use (acme); "
        "to work in this folder, say --folder ."
    )


def test_a_workspace_that_was_chosen_is_named(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = elsewhere(someone, in_use=False)

    told = someone.runs("pull", "-w", "acme")
    monkeypatch.setenv("JIRA_URL", OTHER)
    differing = someone.runs("pull", "-w", "acme", "-p", "DEMO")

    assert told.err.splitlines()[0] == f"working in {folder} with {URL}"
    assert differing.err.splitlines()[0] == f"working in {folder} with {URL}{IGNORED}"


def test_a_folder_that_was_said_is_named_only_if_its_site_is_another_than_that_of_the_variables(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = elsewhere(someone, in_use=False)

    told = someone.runs("pull", "-C", str(folder))
    monkeypatch.setenv("JIRA_URL", OTHER)
    differing = someone.runs("pull", "-C", str(folder), "-p", "DEMO")

    assert "working in" not in told.err
    assert differing.err.splitlines()[0] == f"working in {folder} with {URL}{IGNORED}"


def test_a_folder_whose_site_is_not_the_one_of_the_variables_is_named(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = elsewhere(someone, in_use=False)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("JIRA_URL", OTHER)

    told = someone.runs("pull", "-p", "DEMO")

    assert told.err.splitlines()[0] == f"working in {folder} with {URL}{IGNORED}"


def test_a_folder_below_the_workspace_is_in_it(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone.runs("pull")
    (someone.root / "deep").mkdir()
    monkeypatch.chdir(someone.root / "deep")

    assert "working in" not in someone.runs("pull").err


def test_json_output_is_unchanged(someone: User) -> None:
    folder = elsewhere(someone)

    told = someone.runs("pull", "--json")

    assert told.json["folder"] == str(folder)
    assert told.err.startswith("working in ")
