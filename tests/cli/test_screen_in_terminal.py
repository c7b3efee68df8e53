"""What the app leaves behind in a real terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.processes import PROGRAM, environment
from fakes.ptys import job_on_pty

if TYPE_CHECKING:
    from pathlib import Path


def test_a_job_that_failed_in_the_app_leaves_no_traceback_behind(tmp_path: Path) -> None:
    command = ["sh", "-c", 'cd "$0" && exec "$@"', str(tmp_path), *PROGRAM]
    with job_on_pty(command, size=(100, 24), environ=environment("http://127.0.0.1:9")) as pty:
        pty.wait_for("pull")
        pty.type("p")
        pty.wait_for("cannot reach")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert "Traceback" not in pty.output
