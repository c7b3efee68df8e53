"""Test what the app leaves on a real terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.processes import PROGRAM, environment, make_workspace, sandbox_process
from fakes.ptys import job_on_pty

if TYPE_CHECKING:
    from pathlib import Path


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
