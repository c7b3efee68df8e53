"""Test the questions about a workspace on a real terminal, tokens with scopes, and that no secret leaks."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from fakes.processes import environment, sandbox_thread
from fakes.ptys import ticketr_on_pty
from fakes.recording_site import recording_site
from fakes.users import ticketr_here

from jira_sandbox import CLOUD_ID, EMAIL, SCOPED_TOKEN
from ticketr.app.config import (
    LoginEntry,
    UserConfig,
    WorkspaceEntry,
    add_or_change_workspace,
    read_user_config,
)

ME = "demo@example.com"
CANARY = "canary-7391-canary"
NOTHING = {
    "JIRA_EMAIL": "",
    "JIRA_API_TOKEN": "",
    "JIRA_PROJECT_KEY": "",
    "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
}


@pytest.fixture(scope="module")
def site() -> Generator[str]:
    with sandbox_thread(tickets=3) as url:
        yield url


def on_terminal(home: Path, *arguments: str, **changes: str) -> Any:
    """Run a command in a folder, on a real terminal, for a user without a keyring."""
    env = environment(**NOTHING | {"TICKETR_CONFIG_DIR": str(home / "config")} | changes)
    return ticketr_on_pty(home, *arguments, env=env)


def test_in_a_terminal_missing_settings_are_asked_for_and_the_token_is_hidden(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "acme"
    with (
        recording_site(tmp_path) as site,
        on_terminal(tmp_path, "workspace", "add", "--folder", str(folder)) as pty,
    ):
        pty.answer("Address of the Jira site: ", "acme")
        pty.wait_for("write it as https://you.atlassian.net")
        pty.answer("Address of the Jira site: ", site.url)
        pty.answer("E-mail address of your account: ", "mia@example.com")
        pty.answer("Key of the project: ", "DEMO")
        pty.answer(f"API token of mia@example.com for {site.url}: ", CANARY)
        pty.wait_for("the token is in tokens.toml")
        assert pty.wait_for_end() == 0
        pair = base64.b64encode(f"mia@example.com:{CANARY}".encode()).decode()
        assert site.logins() == {f"Basic {pair}"}

    assert CANARY not in pty.output
    assert "\x1b[2J" not in pty.output
    assert where_it_stands(tmp_path, CANARY) == ["config/tokens.toml"]


def where_it_stands(folder: Path, secret: str) -> list[str]:
    """Return the files below a folder that hold a secret, as text or encoded as in a login."""
    coded = base64.b64encode(f":{secret}".encode())[2:-4]
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
        and (secret.encode() in (content := path.read_bytes()) or coded in content)
        and path.name != "asked.jsonl"
    )


def test_a_token_that_the_site_does_not_take_is_asked_for_again(tmp_path: Path, site: str) -> None:
    command = ["workspace", "add", "acme", "--site", site, "--email", ME, "--project", "DEMO"]
    with on_terminal(tmp_path, *command, "--folder", str(tmp_path / "acme")) as pty:
        pty.answer("API token of ", CANARY)
        pty.wait_for(r"refused the login \(401")
        pty.answer("API token of ", "demo")
        pty.wait_for("the token is in tokens.toml")
        assert pty.wait_for_end() == 0

    assert where_it_stands(tmp_path, CANARY) == []


def test_after_three_tokens_that_are_not_taken_it_ends(tmp_path: Path, site: str) -> None:
    command = ["workspace", "add", "acme", "--site", site, "--email", ME, "--project", "DEMO"]
    with on_terminal(tmp_path, *command, "--folder", str(tmp_path / "acme")) as pty:
        for _ in range(3):
            pty.answer("API token of ", CANARY)
        assert pty.wait_for_end() == 1

    assert not (tmp_path / "config").exists()


def test_ctrl_c_at_a_question_leaves_nothing_and_the_terminal_as_it_was(
    tmp_path: Path, site: str
) -> None:
    command = ["workspace", "add", "acme", "--site", site, "--email", ME, "--project", "DEMO"]
    with on_terminal(tmp_path, *command, "--folder", str(tmp_path / "acme")) as pty:
        pty.wait_for("API token of ")
        # Enter after it: a signal just before the read is handled when the read returns.
        pty.type("\x03\r")
        assert pty.wait_for_end() == 130
        assert pty.modes() == pty.modes_before

    assert not (tmp_path / "config").exists()


def test_no_error_puts_a_secret_into_output_or_files(tmp_path: Path) -> None:
    folder = tmp_path / "acme"
    config = tmp_path / "config"
    folder.mkdir()
    config.mkdir(mode=0o700)
    with recording_site(tmp_path) as site:
        (config / "config.toml").write_text(
            f'[workspaces.acme]\nfolder = "{folder}"\nsite = "{site.url}"\nemail = "{ME}"\n'
            f'token_command = ["cat", "{config}/secret"]\n'
        )
        (config / "config.toml").chmod(0o600)
        (config / "secret").write_text(f"{CANARY}\n")
        env = environment(
            JIRA_EMAIL="", JIRA_API_TOKEN="", JIRA_PROJECT_KEY="", TICKETR_CONFIG_DIR=str(config)
        )
        told = [
            ticketr_here(*command, folder=folder, env=env)
            for command in (
                ["workspace", "check"],
                ["--debug", "pull", "--project", "DEMO"],
                ["--debug", "workspace", "add", "--project", "NOPE"],
                ["workspace", "list", "--json"],
            )
        ]
        pair = base64.b64encode(f"{ME}:{CANARY}".encode()).decode()
        assert site.logins() == {f"Basic {pair}"}

    assert [each.returncode for each in told] == [0, 1, 1, 0]
    output = "".join(each.stdout + each.stderr for each in told)
    assert "I do not know" in output  # the site repeats the login in its message
    assert CANARY not in output
    assert pair not in output
    assert where_it_stands(tmp_path, CANARY) == ["config/secret"]


def settings(home: Path, **changes: str) -> dict[str, str]:
    """Return an environment with the scoped token and no site."""
    said = {
        "JIRA_EMAIL": EMAIL,
        "JIRA_API_TOKEN": SCOPED_TOKEN,
        "JIRA_PROJECT_KEY": "",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "TICKETR_CONFIG_DIR": str(home / "config"),
    }
    return environment(**said | changes)


def runs(home: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, without a terminal."""
    return ticketr_here(*arguments, folder=home, env=settings(home, **changes))


def config(home: Path) -> UserConfig:
    return read_user_config(home / "config")


def cloud_ids(home: Path) -> list[str | None]:
    return [entry.login.cloud_id for entry in config(home).workspaces.values()]


def add(site: str, *more: str) -> list[str]:
    return ["workspace", "add", "acme", "--site", site, "--project", "DEMO", *more]


def test_the_cloud_id_is_requested_and_used_by_every_command(tmp_path: Path, site: str) -> None:
    added = runs(tmp_path, *add(site, "--scoped"))
    pulled = runs(tmp_path, "pull")

    assert (added.returncode, pulled.returncode) == (0, 0), added.stderr + pulled.stderr
    assert f"requests go to {site}/ex/jira/{CLOUD_ID}" in added.stdout.splitlines()
    assert cloud_ids(tmp_path) == [CLOUD_ID]
    assert CLOUD_ID not in (tmp_path / "ticketr.toml").read_text()


def test_the_sites_cloud_id_replaces_the_stored_one(tmp_path: Path, site: str) -> None:
    entry = WorkspaceEntry("acme", tmp_path, site, LoginEntry(cloud_id="11-22"))
    add_or_change_workspace(tmp_path / "config", entry)

    assert runs(tmp_path, *add(site, "--scoped")).returncode == 0

    assert cloud_ids(tmp_path) == [CLOUD_ID]


def test_without_a_terminal_the_error_names_the_option(tmp_path: Path, site: str) -> None:
    told = runs(tmp_path, *add(site))

    assert told.returncode == 1
    assert "'ticketr workspace add' takes a new token (--scoped: one with scopes)" in told.stderr
    assert not (tmp_path / "config").exists()


def test_a_site_without_a_cloud_id_is_reported_and_gets_no_login(
    tmp_path: Path,
) -> None:
    with recording_site(tmp_path) as site:
        told = runs(tmp_path, *add(site.url, "--scoped"))

        logged_in = [(path, bool(login)) for path, login in site.asked()]
        assert logged_in == [("/_edge/tenant_info", False)]
    assert told.returncode == 1
    assert "refused the request (400: " in told.stderr
    assert f"{site.url}/_edge/tenant_info" in told.stderr
    assert not (tmp_path / "config").exists()


WAYS = (
    "'ticketr workspace add'",
    "'ticketr demo'",
    "JIRA_URL, JIRA_EMAIL, JIRA_API_TOKEN and JIRA_PROJECT_KEY",
    "change into its folder",
    "--folder",
)


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

    told = ticketr_here(command, folder=here, env=env, in_workspace=False)

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

    told = ticketr_here(command, folder=here, env=env, in_workspace=False)

    assert told.returncode == 2
    assert told.stderr == (
        f"ticketr: {here} is not a workspace yet: 'ticketr workspace add' makes it one of "
        "http://127.0.0.1:9, which JIRA_URL names; for another one, change into its folder, or "
        "say --folder or --workspace\n"
    )
    assert sorted(here.rglob("*")) == before


def test_a_folder_that_is_named_is_used_and_then_it_is_a_workspace(here: Path, site: str) -> None:
    env = user(here, site)

    named = ticketr_here("pull", "-C", "here", folder=here.parent, env=env, in_workspace=False)
    again = ticketr_here("pull", folder=here, env=env, in_workspace=False)

    assert (named.returncode, again.returncode) == (0, 0), named.stderr + again.stderr
