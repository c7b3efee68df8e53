"""Test ``ticketr pull`` on a real terminal, against a real server."""

from __future__ import annotations

import re
from pathlib import Path

import pyte
import pytest
from fakes.processes import PROGRAM, environment, sandbox_process
from fakes.ptys import Pty, job_on_pty


def rows_of(pty: Pty) -> list[str]:
    """Return the rows that stay on the screen."""
    screen = pyte.Screen(100, 100)
    pyte.Stream(screen).feed(pty.output)
    assert not screen.cursor.hidden
    assert screen.cursor.x == 0
    return [row.rstrip() for row in screen.display if row.strip()]


def pull(folder: Path, *options: str) -> list[str]:
    return [*PROGRAM, "pull", "--folder", str(folder), *options]


@pytest.mark.unmeasured
def test_a_pull_draws_one_line_and_leaves_its_outcome(tmp_path: Path) -> None:
    with (
        sandbox_process(tickets=300, latency=0.2) as url,
        job_on_pty(pull(tmp_path), size=(100, 24), environ=environment(url)) as pty,
    ):
        pty.wait_for(r"Connecting to Jira\.\.\. \| 0s   ctrl\+c cancel")
        pty.wait_for(r"\[█*░*\][^\r]* \d+% \(\d+/300\) Pulling tickets \| \d+s \| ETA ")
        pty.wait_for(r"300 new, 0 updated, 0 unchanged\r+\n")
        assert pty.wait_for_end() == 0
        rows = rows_of(pty)

    assert re.fullmatch(r"✓ Pull complete: 300 tickets \| \d+s", rows[0])
    assert rows[1:] == ["300 new, 0 updated, 0 unchanged"]


@pytest.mark.unmeasured
def test_ctrl_c_cancels_the_pull_and_prints_the_count(tmp_path: Path) -> None:
    with (
        sandbox_process(tickets=700, latency=0.3) as url,
        job_on_pty(pull(tmp_path), size=(100, 24), environ=environment(url)) as pty,
    ):
        pty.wait_for(r"[1-9]\d*% \(\d+/700\) Pulling tickets")
        pty.type("\x03")
        pty.wait_for(r"Cancelled: \d+/700 tickets pulled[^\r]*\r+\n")
        assert pty.wait_for_end() == 130
        rows = rows_of(pty)

    assert len(rows) == 1
    found = re.fullmatch(r"⊘ Cancelled: (\d+)/700 tickets pulled \| \d+s", rows[0])
    assert found is not None
    assert 0 < int(found[1]) < 700


def test_plain_lines_can_be_asked_for_in_a_terminal(tmp_path: Path) -> None:
    with (
        sandbox_process(tickets=30) as url,
        job_on_pty(pull(tmp_path, "--plain"), environ=environment(url)) as pty,
    ):
        pty.wait_for(r"30 new, 0 updated, 0 unchanged\r+\n")
        assert pty.wait_for_end() == 0

    assert "\x1b" not in pty.output
    assert "Found 30 tickets" in pty.output


def test_an_error_is_the_last_line(tmp_path: Path) -> None:
    with job_on_pty(pull(tmp_path), environ=environment("http://127.0.0.1:9")) as pty:
        pty.wait_for(r"127\.0\.0\.1:9[^\r]*\r+\n")
        assert pty.wait_for_end() == 1
        rows = rows_of(pty)

    assert len(rows) == 1
    assert rows[0].startswith("✗ Pull failed: ")
