"""Test that a folder becomes a workspace only after the user has said so."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from fakes.processes import PROGRAM, environment, sandbox_process, ticketr
from fakes.ptys import job_on_pty

WAYS = (
    "'ticketr workspace add'",
    "'ticketr demo'",
    "JIRA_URL, JIRA_EMAIL, JIRA_API_TOKEN and JIRA_PROJECT_KEY",
    "change into its folder",
    "--folder",
)
QUESTION = r"Make this folder a workspace of that site\? \[y/N\]: "


@pytest.fixture(scope="module")
def site() -> Generator[str]:
    with sandbox_process(tickets=3) as url:
        yield url


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


def user(here: Path, url: str, **changes: str) -> dict[str, str]:
    return environment(url, TICKETR_CONFIG_DIR=str(here.parent / "config"), **changes)


def put_go_file(here: Path) -> None:
    (here / ".ticketr.yaml").write_text("defaults:\n  project_key: DEMO\n")


def put_tickets(here: Path) -> None:
    (here / "DEMO-1.md").write_text("# TICKET: [DEMO-1] x\n")


def put_own_folder(here: Path) -> None:
    (here / ".ticketr").mkdir()


@pytest.mark.parametrize("command", ["pull", "push", "sync"])
def test_without_any_configuration_the_error_names_the_ways(here: Path, command: str) -> None:
    env = user(here, "", JIRA_EMAIL="", JIRA_API_TOKEN="", JIRA_PROJECT_KEY="")

    told = ticketr(command, folder=here, env=env, in_workspace=False)

    assert told.returncode == 2
    assert told.stderr.startswith(f"ticketr: {here} is not a workspace: ")
    for way in WAYS:
        assert way in told.stderr
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("stray", [None, put_go_file, put_tickets, put_own_folder])
@pytest.mark.parametrize("command", ["pull", "sync"])
def test_the_environment_makes_no_workspace_nor_does_a_stray_file(
    here: Path, command: str, stray: Any
) -> None:
    if stray is not None:
        stray(here)
    before = sorted(here.rglob("*"))
    env = user(here, "http://127.0.0.1:9")

    told = ticketr(command, folder=here, env=env, in_workspace=False)

    assert told.returncode == 2
    assert told.stderr == (
        f"ticketr: {here} is not a workspace yet: 'ticketr workspace add' makes it one of "
        "http://127.0.0.1:9, which JIRA_URL names; for another one, change into its folder, or "
        "say --folder or --workspace\n"
    )
    assert sorted(here.rglob("*")) == before


def test_once_added_a_folder_is_used_without_a_question(here: Path, site: str) -> None:
    env = user(here, site)

    added = ticketr("workspace", "add", folder=here, env=env)
    pulled = ticketr("pull", folder=here, env=env, in_workspace=False)

    assert (added.returncode, pulled.returncode) == (0, 0), added.stderr + pulled.stderr
    assert "the token stays in the environment and is not stored" in added.stdout
    assert (here / "DEMO-1.md").is_file()


def test_a_folder_that_is_named_is_used_and_then_it_is_a_workspace(here: Path, site: str) -> None:
    env = user(here, site)

    named = ticketr("pull", "-C", "here", folder=here.parent, env=env, in_workspace=False)
    again = ticketr("pull", folder=here, env=env, in_workspace=False)

    assert (named.returncode, again.returncode) == (0, 0), named.stderr + again.stderr


def on_terminal(here: Path, url: str, *arguments: str) -> Any:
    command = ["sh", "-c", 'cd "$0" && exec "$@"', str(here), *PROGRAM, *arguments]
    return job_on_pty(command, size=(200, 24), environ=user(here, url))


def test_in_a_terminal_it_is_asked_once(here: Path, site: str) -> None:
    with on_terminal(here, site, "pull", "--plain") as pty:
        pty.wait_for(f"JIRA_URL names {site}")
        pty.wait_for(QUESTION)
        pty.type("y\r")
        pty.wait_for("ticketr.toml is for git")
        pty.wait_for("3 new")
        assert pty.wait_for_end() == 0
    with on_terminal(here, site, "pull", "--plain") as pty:
        pty.wait_for("3 unchanged")
        assert pty.wait_for_end() == 0

    assert "Make this folder" not in pty.output
    assert f'site = "{site}"\nproject = "DEMO"\n' in (here / "ticketr.toml").read_text()


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        ("n\r", 2, "is not a workspace yet"),
        ("\r", 2, "is not a workspace yet"),
        ("\x03\r", 130, ""),
    ],
    ids=["no", "enter", "ctrl+c"],
)
def test_any_other_answer_makes_no_workspace(
    here: Path, site: str, answer: str, code: int, words: str
) -> None:
    with on_terminal(here, site, "pull", "--plain") as pty:
        pty.wait_for(QUESTION)
        pty.type(answer)
        pty.wait_for(words)
        assert pty.wait_for_end() == code

    assert list(here.iterdir()) == []
    assert not (here.parent / "config").exists()
