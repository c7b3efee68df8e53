"""Test what the app leaves on a real terminal."""

from __future__ import annotations

from pathlib import Path

from fakes.processes import PROGRAM, environment, make_workspace, sandbox_process
from fakes.ptys import job_on_pty


def test_a_job_that_failed_in_the_app_leaves_no_traceback_behind(tmp_path: Path) -> None:
    make_workspace(tmp_path)
    command = ["sh", "-c", 'cd "$0" && exec "$@"', str(tmp_path), *PROGRAM]
    with (
        sandbox_process(tickets=1) as url,
        job_on_pty(command, environ=environment(url, JIRA_API_TOKEN="expired")) as pty,
    ):
        pty.wait_for("No tickets here yet")
        pty.type("P")
        pty.wait_for("✗")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert "Traceback" not in pty.output


def test_a_key_that_cannot_be_is_named_before_the_screen_opens(tmp_path: Path) -> None:
    make_workspace(tmp_path)
    settings = tmp_path / "settings"
    settings.mkdir(mode=0o700)
    file = settings / "config.toml"
    file.touch(mode=0o600)
    file.write_text('[keys]\npush = "P"\n')
    command = ["sh", "-c", 'cd "$0" && exec "$@"', str(tmp_path), *PROGRAM]
    environ = environment("http://127.0.0.1:1", TICKETR_CONFIG_DIR=str(settings))

    with job_on_pty(command, environ=environ) as pty:
        assert pty.wait_for_end() == 2

        assert "config.toml:2: P would be both pull and push in the main screen" in pty.output
        assert "\x1b[?1049h" not in pty.output
