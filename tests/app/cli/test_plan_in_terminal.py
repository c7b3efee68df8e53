"""Test the plan that ``ticketr push`` and ``ticketr sync`` show in a terminal before they ask."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest
from fakes.processes import PROGRAM, environment, sandbox_process
from fakes.ptys import job_on_pty

CHANGED = "it has changed since the plan was shown"


@pytest.fixture
def site() -> Generator[str]:
    with sandbox_process(tickets=5) as url:
        yield url


def ticketr(site: str, folder: Path, *arguments: str, code: int = 0) -> str:
    """Run a command without a terminal, and return its standard output."""
    command = [*PROGRAM, *arguments, "--folder", str(folder)]
    ended = subprocess.run(
        command, env=environment(site), check=False, capture_output=True, text=True
    )
    assert ended.returncode == code
    return ended.stdout


def retitle(folder: Path, key: str, title: str) -> None:
    path = folder / f"{key}.md"
    _, _, rest = path.read_text().partition("\n")
    path.write_text(f"# TICKET: [{key}] {title}\n{rest}")


@pytest.mark.unmeasured
@pytest.mark.parametrize("command", ["push", "sync"])
def test_the_plan_is_shown_and_only_what_it_says_is_sent(
    command: str, site: str, tmp_path: Path
) -> None:
    ticketr(site, tmp_path, "pull")
    old = (tmp_path / "DEMO-1.md").read_text().partition("] ")[2].partition("\n")[0]
    retitle(tmp_path, "DEMO-1", "Mine")
    retitle(tmp_path, "DEMO-3", "Mine too")
    path = tmp_path / "DEMO-3.md"
    path.write_text(path.read_text().replace("Status: To Do", "Status: In Progress"))
    (tmp_path / "new.md").write_text("# TICKET: New\n")
    (tmp_path / "bad.md").write_text("# TICKET: Bad\n<<<<<<< mine\n")
    arguments = [*PROGRAM, command, "--folder", str(tmp_path)]

    with job_on_pty(arguments, size=(200, 40), environ=environment(site)) as pty:
        pty.wait_for(rf"Create or change 3 tickets in {site}\? \[y/N\]: ")
        retitle(tmp_path, "DEMO-1", "Another")
        (tmp_path / "later.md").write_text("# TICKET: Later\n")
        pty.type("y\r")
        pty.wait_for("1 created")
        assert pty.wait_for_end() == 3

    told = pty.output.replace("\r", "").split("\n")
    begin = told.index("update DEMO-1 Mine (DEMO-1.md)")
    assert told[begin + 1] == f"    Title: {old} -> Mine"
    assert told[begin + 2] == "update DEMO-3 Mine too (DEMO-3.md)"
    assert told[begin + 4 : begin + 7] == [
        "    Status: To Do -> In Progress",
        "create New (new.md)",
        "    Title: New",
    ]
    assert told[begin + 7].startswith("left alone: bad.md: bad.md:2:1: this file holds a git")
    assert f"left alone: DEMO-1 (DEMO-1.md): {CHANGED}" in told
    assert 'left alone: draft "Later" (later.md): it is not in the plan that was shown' in told
    assert told[-2] == "to see a new plan, with what was left alone: ticketr push"
    listed = ticketr(site, tmp_path, "push", "--dry-run", code=3).split("\n")
    assert [line for line in listed if not line.startswith(" ")] == [
        "update DEMO-1 Another (DEMO-1.md)",
        "create Later (later.md)",
        "",
    ]


def test_nothing_is_asked_where_nothing_would_be_sent(site: str, tmp_path: Path) -> None:
    arguments = [*PROGRAM, "push", "--folder", str(tmp_path)]

    with job_on_pty(arguments, environ=environment(site)) as pty:
        pty.wait_for("0 created, 0 updated")
        assert pty.wait_for_end() == 0

    assert "y/N" not in pty.output


@pytest.mark.unmeasured
def test_a_conflict_is_left_alone_unless_a_sync_has_a_strategy(site: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for folder in (tmp_path / "mine", other):
        ticketr(site, folder, "pull")
    retitle(other, "DEMO-1", "Theirs")
    ticketr(site, other, "push")
    mine = tmp_path / "mine"
    retitle(mine, "DEMO-1", "Mine")
    ticketr(site, mine, "pull", code=3)

    with job_on_pty(
        [*PROGRAM, "push", "--folder", str(mine)], size=(200, 40), environ=environment(site)
    ) as pty:
        pty.wait_for("0 created, 0 updated, 1 in conflict")
        assert pty.wait_for_end() == 3
    reason = "it is in conflict with Jira (Title); run ticketr resolve DEMO-1"
    assert f"left alone: DEMO-1 (DEMO-1.md): {reason}" in pty.output

    with job_on_pty(
        [*PROGRAM, "sync", "--strategy", "local", "--folder", str(mine)],
        size=(200, 40),
        environ=environment(site),
    ) as pty:
        pty.wait_for(r"Create or change 1 ticket in [^ ]+\? \[y/N\]: ")
        pty.type("y\r")
        pty.wait_for(r"1 updated \(DEMO-1\)")
        assert pty.wait_for_end() == 0
