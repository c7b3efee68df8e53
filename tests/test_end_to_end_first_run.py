"""Run the app where nothing is set up, as a new user does: a real terminal, a real sandbox."""

from __future__ import annotations

import os
import signal
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from fakes.processes import PROGRAM, environment, sandbox_process
from fakes.ptys import Pty, job_on_pty

TOKEN_DOTS = "••••"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


def app(home: Path, **changes: str) -> AbstractContextManager[Pty]:
    """Run the app in a home folder that is empty; the variables of a login are not set."""
    nothing = {name: "" for name in os.environ if name.startswith("JIRA_")}
    settings = {
        "HOME": str(home),
        "TMPDIR": str(home.parent),
        "TICKETR_CONFIG_DIR": str(home.parent / "config"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    command = ["sh", "-c", 'cd "$0" && exec "$@"', str(home), *PROGRAM]
    return job_on_pty(command, size=(100, 30), environ={**nothing, **settings, **changes})


def wait_for_start(pty: Pty) -> None:
    """Wait until keys are taken; those before the first frame are dropped."""
    pty.wait_for("Try it now")
    pty.resize(100, 31)
    pty.wait_for("Try it now")


def demo_folder(home: Path) -> Path:
    (found,) = home.parent.glob("ticketr-demo-*")
    return found


@pytest.mark.unmeasured
def test_a_new_user_tries_the_sandbox_pulls_reads_and_leaves(home: Path) -> None:
    with app(home) as pty:
        wait_for_start(pty)
        pty.type("\r")
        pty.wait_for("Starting a Jira with made-up tickets")
        pty.wait_for("Pull complete: 500 tickets")
        pty.type("\r")
        pty.wait_for("Search that forgives typing errors")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert pty.is_restored()
    assert len(list(demo_folder(home).glob("DEMO-*.md"))) > 100
    assert list(home.iterdir()) == []


@pytest.mark.unmeasured
def test_leaving_while_the_sandbox_is_pulled_counts_what_has_arrived(home: Path) -> None:
    with app(home) as pty:
        wait_for_start(pty)
        pty.type("\r")
        pty.wait_for(r"/500\) Pulling tickets")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert pty.is_restored()
        pty.wait_for(r"Cancelled: \d+/500 tickets pulled")


@pytest.mark.unmeasured
def test_a_window_that_is_closed_over_the_sandbox_ends_both(home: Path) -> None:
    with app(home) as pty:
        wait_for_start(pty)
        pty.type("\r")
        pty.wait_for(r"/500\) Pulling tickets")
        pty.hang_up()

        assert pty.wait_for_end(read=False) == 128 + signal.SIGHUP


@pytest.mark.unmeasured
def test_a_new_user_connects_to_jira_and_the_token_is_never_shown(home: Path) -> None:
    with sandbox_process(tickets=5) as url, app(home) as pty:
        wait_for_start(pty)
        pty.type("c")
        pty.wait_for("Check and pull")
        pty.type(f"{url}\tdemo@example.com\tdemo\t")
        pty.wait_for("you are Demo User")
        pty.type("demo\r")
        pty.wait_for("new; ticketr.toml goes there")
        pty.type("\r")
        pty.type("\r")
        pty.wait_for("Pull complete: 5 tickets")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert TOKEN_DOTS in pty.output
    folder = home / "jira"
    assert "DEMO" in (folder / "ticketr.toml").read_text()
    assert len(list(folder.glob("DEMO-*.md"))) > 0


def test_with_jira_variables_it_asks_once_and_no_is_an_error_that_names_the_ways(
    home: Path,
) -> None:
    login = environment("http://127.0.0.1:9")
    with app(home, **{name: login[name] for name in login if name.startswith("JIRA_")}) as pty:
        pty.wait_for("Make this folder a workspace of that site?")
        pty.type("n\r")

        assert pty.wait_for_end() == 2
        assert "is not a workspace yet" in pty.output
