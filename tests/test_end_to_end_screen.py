"""Run the app as users do: a real terminal, a real server, real signals."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from fakes.processes import PROGRAM
from fakes.ptys import job_on_pty

from ticketr.app.tickets import parse

#: A number of tickets that shows that the pull is running and far from its end.
SOME = r"\(([1-9]\d*)/1500\) Pulling tickets"


def demo(folder: Path, *, tickets: int = 1500, latency: float = 0.8) -> list[str]:
    return [
        *PROGRAM,
        "demo",
        f"--tickets={tickets}",
        f"--latency={latency}",
        f"--folder={folder}",
    ]


def issues_in(folder: Path) -> int:
    """Count the issues in a folder; fail if a file is incomplete."""
    files = folder.glob("*.md")
    return sum(t.count() for path in files for t in parse(path.read_text()).tickets)


@pytest.mark.unmeasured
def test_escape_in_mid_pull_leaves_an_honest_count_on_the_screen(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    with job_on_pty(demo(folder), size=(100, 24)) as pty:
        pty.wait_for(SOME)
        pty.type("\x1b")
        cancelled = pty.wait_for(r"Cancelled: (\d+)/1500 tickets pulled")
        count = issues_in(folder)
        pty.type("q")
        code = pty.wait_for_end()

        assert int(cancelled[1]) == count
        assert 0 < count < 1500
        assert code == 0
        assert pty.is_restored()


@pytest.mark.unmeasured
@pytest.mark.parametrize("key", ["q", "\x03"], ids=["q", "ctrl-c"])
def test_leaving_in_mid_pull_prints_the_count_and_ends_with_0(key: str, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    with job_on_pty(demo(folder), size=(100, 24)) as pty:
        pty.wait_for(SOME)
        pty.type(key)
        code = pty.wait_for_end()
        last = re.findall(r"Cancelled: (\d+)/1500 tickets pulled", pty.output)[-1]

        assert (code, int(last)) == (0, issues_in(folder))
        assert pty.is_restored()


@pytest.mark.unmeasured
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_mid_pull_restores_the_terminal(number: signal.Signals, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    with job_on_pty(demo(folder), size=(100, 24)) as pty:
        pty.wait_for(SOME)
        os.kill(pty.pid, number)
        code = pty.wait_for_end()

        assert code == 128 + number
        assert pty.is_restored()
        assert issues_in(folder) > 0


@pytest.mark.unmeasured
def test_a_suspend_during_a_pull_restores_the_terminal_and_fg_continues(tmp_path: Path) -> None:
    with job_on_pty(demo(tmp_path / "work"), size=(100, 24)) as pty:
        pty.wait_for(SOME)
        pty.type("\x1a")
        pty.wait_for_report("stopped")
        pty.wait_for(r"\x1b\[\?1049l")
        assert pty.is_restored()

        pty.command("fg")
        pty.wait_for(r"\x1b\[\?1049h")
        pty.wait_for(SOME)
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert pty.is_restored()


@pytest.mark.unmeasured
def test_a_whole_pull_shows_its_tickets_and_can_be_read(tmp_path: Path) -> None:
    with job_on_pty(demo(tmp_path / "work", tickets=40, latency=0), size=(100, 24)) as pty:
        pty.wait_for("Pull complete: 40 tickets")
        pty.type("\r|")
        pty.wait_for("# TICKET: ")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert pty.is_restored()
