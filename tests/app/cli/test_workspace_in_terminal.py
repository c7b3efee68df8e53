"""Test the questions of ``ticketr workspace`` on a real terminal, and that it leaks no secret."""

from __future__ import annotations

import base64
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from fakes.processes import PROGRAM, environment, sandbox_process, ticketr
from fakes.ptys import Pty, job_on_pty
from fakes.recording_site import recording_site

from ticketr.app.config import WorkspaceEntry, read_user_config, store_workspace

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
    with sandbox_process(tickets=20) as url:
        yield url


def on_terminal(home: Path, *arguments: str, **changes: str) -> Any:
    """Run a command in a folder, on a real terminal, for a user without a keyring."""
    env = environment(**NOTHING | {"TICKETR_CONFIG_DIR": str(home / "config")} | changes)
    command = ["sh", "-c", 'cd "$0" && exec "$@"', str(home), *PROGRAM, *arguments]
    return job_on_pty(command, size=(200, 24), environ=env)


def answer(pty: Pty, question: str, text: str) -> None:
    pty.wait_for(question)
    pty.type(f"{text}\r")


def test_in_a_terminal_missing_settings_are_asked_for_and_the_token_is_hidden(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "acme"
    with (
        recording_site(tmp_path) as site,
        on_terminal(tmp_path, "workspace", "add", "--folder", str(folder)) as pty,
    ):
        answer(pty, "Address of the Jira site: ", "acme")
        pty.wait_for("write it as https://you.atlassian.net")
        answer(pty, "Address of the Jira site: ", site.url)
        answer(pty, "E-mail address of your account: ", "mia@example.com")
        answer(pty, "Key of the project: ", "DEMO")
        answer(pty, f"API token of mia@example.com for {site.url}: ", CANARY)
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
        answer(pty, "API token of ", CANARY)
        answer(pty, "Does it have scopes", "n")
        pty.wait_for(r"refused the login \(401")
        answer(pty, "API token of ", "demo")
        pty.wait_for("the token is in tokens.toml")
        assert pty.wait_for_end() == 0

    assert where_it_stands(tmp_path, CANARY) == []


def test_after_three_tokens_that_are_not_taken_it_ends(tmp_path: Path, site: str) -> None:
    command = ["workspace", "add", "acme", "--site", site, "--email", ME, "--project", "DEMO"]
    with on_terminal(tmp_path, *command, "--folder", str(tmp_path / "acme")) as pty:
        answer(pty, "API token of ", CANARY)
        answer(pty, "Does it have scopes", "")
        for _ in range(2):
            answer(pty, "API token of ", CANARY)
        assert pty.wait_for_end() == 1

    assert not (tmp_path / "config").exists()


def test_ctrl_c_at_a_question_leaves_nothing_and_the_terminal_as_it_was(
    tmp_path: Path, site: str
) -> None:
    command = ["workspace", "add", "acme", "--site", site, "--email", ME, "--project", "DEMO"]
    with on_terminal(tmp_path, *command, "--folder", str(tmp_path / "acme")) as pty:
        pty.wait_for("API token of ")
        pty.type("\x03")
        assert pty.wait_for_end() == 130
        assert pty.modes() == pty.modes_before

    assert not (tmp_path / "config").exists()


def test_a_site_that_only_a_file_names_is_asked_about_once(tmp_path: Path, site: str) -> None:
    (tmp_path / "ticketr.toml").write_text(f'site = "{site}"\nproject = "DEMO"\n')
    login = {"JIRA_EMAIL": ME, "JIRA_API_TOKEN": "demo"}

    with on_terminal(tmp_path, "workspace", "check", **login) as pty:
        pty.wait_for(f"ticketr.toml names the Jira site {site}")
        answer(pty, "may your login be sent there", "y")
        assert pty.wait_for_end() == 0
    with on_terminal(tmp_path, "workspace", "check", **login) as again:
        assert again.wait_for_end() == 0

    assert "login be sent" not in again.output
    assert f'site = "{site}"' in (tmp_path / "config" / "config.toml").read_text()


def test_a_site_that_has_changed_is_asked_about_with_the_one_before(
    tmp_path: Path, site: str
) -> None:
    before = "https://before.example"
    store_workspace(tmp_path / "config", WorkspaceEntry("acme", tmp_path, before))
    (tmp_path / "ticketr.toml").write_text(f'site = "{site}"\n')

    with on_terminal(tmp_path, "workspace", "check", JIRA_API_TOKEN="demo") as pty:
        pty.wait_for(f"For this folder you have confirmed {before} before")
        answer(pty, "may your login be sent there", "y")
        pty.wait_for("JIRA_EMAIL is not set: .*, or 'ticketr workspace add'")
        assert pty.wait_for_end() == 2

    assert read_user_config(tmp_path / "config").workspaces["acme"].site == site


def test_a_no_is_the_end_and_is_not_remembered_as_a_yes(tmp_path: Path) -> None:
    with recording_site(tmp_path) as site:
        (tmp_path / "ticketr.toml").write_text(f'site = "{site.url}"\nproject = "DEMO"\n')
        login = {"JIRA_EMAIL": ME, "JIRA_API_TOKEN": CANARY}
        for refusal in ("n", ""):
            with on_terminal(tmp_path, "workspace", "check", **login) as pty:
                answer(pty, "may your login be sent there", refusal)
                assert pty.wait_for_end() == 2

        assert site.asked() == []
    assert not (tmp_path / "config").exists()


def test_where_the_keyring_is_broken_a_token_is_asked_for_all_the_same(
    tmp_path: Path, site: str
) -> None:
    login = {"JIRA_URL": site, "JIRA_EMAIL": ME, "JIRA_PROJECT_KEY": "DEMO"}
    broken = {
        "PYTHON_KEYRING_BACKEND": "fakes.keyrings.BrokenKeyring",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }

    with on_terminal(tmp_path, "workspace", "check", **login, **broken) as pty:
        pty.wait_for(r"no token from the keyring: it failed \(OSError\); unlock or mend it")
        answer(pty, f"API token of {ME} for {site}: ", "demo")
        pty.wait_for("token from the prompt")
        assert pty.wait_for_end() == 0


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
            ticketr(*command, folder=folder, env=env)
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
