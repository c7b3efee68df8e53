"""Test tokens with scopes: the cloud ID is requested and stored in the user's own config."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.jira_raw import raw_site, reply
from fakes.processes import PROGRAM, environment, sandbox_process, ticketr
from fakes.ptys import Pty, job_on_pty
from fakes.recording_site import recording_site

from jira_sandbox import CLOUD_ID, EMAIL, SCOPED_TOKEN
from ticketr.app.config import (
    LoginEntry,
    UserConfig,
    WorkspaceEntry,
    read_user_config,
    store_workspace,
)

QUESTION = "Does it have scopes, and may it be sent there?"


@pytest.fixture(scope="module")
def site() -> Generator[str]:
    with sandbox_process(tickets=5) as url:
        yield url


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
    return ticketr(*arguments, folder=home, env=settings(home, **changes))


def on_terminal(home: Path, *arguments: str, **changes: str) -> Any:
    """Run a command in a folder, on a real terminal."""
    command = ["sh", "-c", 'cd "$0" && exec "$@"', str(home), *PROGRAM, *arguments]
    return job_on_pty(command, size=(200, 24), environ=settings(home, **changes))


def answer(pty: Pty, question: str, text: str) -> None:
    pty.wait_for(question)
    pty.type(f"{text}\r")


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
    store_workspace(tmp_path / "config", entry)

    assert runs(tmp_path, *add(site, "--scoped")).returncode == 0

    assert cloud_ids(tmp_path) == [CLOUD_ID]


def test_without_a_terminal_the_error_names_the_option(tmp_path: Path, site: str) -> None:
    told = runs(tmp_path, *add(site))

    assert told.returncode == 1
    assert "for one with scopes there is 'ticketr workspace add --scoped'" in told.stderr
    assert not (tmp_path / "config").exists()


def test_a_site_without_a_cloud_id_is_reported_and_gets_no_login(
    tmp_path: Path,
) -> None:
    with recording_site(tmp_path) as site:
        told = runs(tmp_path, *add(site.url, "--scoped"))

        logged_in = [(path, bool(login)) for path, login in site.asked()]
        assert logged_in == [("/_edge/tenant_info", False)]
    assert told.returncode == 2
    assert told.stderr.strip().endswith(
        f"--cloud-id is not set: {site.url}/_edge/tenant_info tells none (status 400); "
        "open it in a browser, or ask who runs the site"
    )
    assert not (tmp_path / "config").exists()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (reply({"cloudId": "../../evil"}), "no cloud ID"),
        (reply({"cloudId": CLOUD_ID}, status=302), "it sends elsewhere"),
    ],
)
async def test_any_other_answer_is_refused(said: Any, why: str, tmp_path: Path) -> None:
    async with raw_site(said) as site:
        told = await trio.run_process(
            [*PROGRAM, *add(site.url, "--scoped")],
            cwd=tmp_path,
            env=settings(tmp_path),
            check=False,
            capture_stderr=True,
        )

    assert told.returncode == 2
    assert f"tells none ({why})" in told.stderr.decode()
    assert all(b"authorization" not in request.lower() for request in site.connections[0].requests)


def test_to_ask_and_to_give_the_cloud_id_are_not_said_at_once(tmp_path: Path) -> None:
    told = runs(tmp_path, *add("http://127.0.0.1:9", "--scoped", "--cloud-id", "11-22"))

    assert told.returncode == 2
    assert "say --scoped or --cloud-id, not both" in told.stderr


def test_in_a_terminal_add_offers_the_gateway_for_a_token_that_is_not_taken(
    tmp_path: Path, site: str
) -> None:
    with on_terminal(tmp_path, *add(site), JIRA_API_TOKEN="") as pty:
        answer(pty, "API token of ", SCOPED_TOKEN)
        pty.wait_for(f"the gateway alone: {site}/ex/jira/{CLOUD_ID}")
        answer(pty, QUESTION, "y")
        pty.wait_for("the token is in tokens.toml")
        assert pty.wait_for_end() == 0

    assert cloud_ids(tmp_path) == [CLOUD_ID]
    assert SCOPED_TOKEN not in pty.output


def test_a_no_leaves_the_token_at_the_site(tmp_path: Path, site: str) -> None:
    with on_terminal(tmp_path, *add(site)) as pty:
        answer(pty, QUESTION, "")
        assert pty.wait_for_end() == 1

    assert "refused the login (401" in pty.output
    assert not (tmp_path / "config").exists()


def test_a_site_without_a_gateway_raises_no_question(tmp_path: Path) -> None:
    with recording_site(tmp_path, refused=["/rest/api/3/myself"]) as site:
        with on_terminal(tmp_path, *add(site.url)) as pty:
            assert pty.wait_for_end() == 1
        paths = [path for path, _ in site.asked()]
        assert paths == ["/rest/api/3/myself", "/rest/api/2/serverInfo", "/_edge/tenant_info"]

    assert QUESTION not in pty.output


def test_in_a_terminal_check_finds_the_cloud_id_and_keeps_it(tmp_path: Path, site: str) -> None:
    store_workspace(tmp_path / "config", WorkspaceEntry("acme", tmp_path, site))

    with on_terminal(tmp_path, "workspace", "check") as pty:
        answer(pty, QUESTION, "y")
        pty.wait_for(f"the cloud ID {CLOUD_ID} is in your config now")
        assert pty.wait_for_end() == 0
    with on_terminal(tmp_path, "workspace", "check") as again:
        assert again.wait_for_end() == 0

    assert cloud_ids(tmp_path) == [CLOUD_ID]
    assert QUESTION not in again.output


def test_check_keeps_no_cloud_id_of_a_site_that_the_environment_alone_names(
    tmp_path: Path, site: str
) -> None:
    with on_terminal(tmp_path, "workspace", "check", JIRA_URL=site) as pty:
        answer(pty, QUESTION, "y")
        pty.wait_for(f"to keep the cloud ID: ticketr workspace add --cloud-id {CLOUD_ID}")
        assert pty.wait_for_end() == 0

    assert not (tmp_path / "config").exists()
