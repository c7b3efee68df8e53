"""Test standard streams that are closed or full: their errors change nothing else."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from fakes.processes import PROGRAM, environment, make_workspace, sandbox_process

pytestmark = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="this system has no /dev/full"
)


def shell(
    *arguments: str, streams: str, folder: Path, url: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command as a shell does that redirects its streams."""
    return subprocess.run(
        ["/bin/sh", "-c", f"exec {shlex.join([*PROGRAM, *arguments])} {streams}"],
        cwd=folder,
        env=environment(url),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "streams", "code"),
    [
        (["pull"], "2>/dev/full", 2),
        (["pull"], "2>&-", 2),
        (["nonsense"], "2>/dev/full <&-", 2),
        (["nonsense"], "2>&- <&-", 2),
        (["workspace", "list"], "2>/dev/full", 0),
    ],
)
def test_an_error_that_cannot_be_printed_changes_no_exit_code(
    command: list[str], streams: str, code: int, tmp_path: Path
) -> None:
    ended = shell(*command, streams=streams, folder=tmp_path)

    assert (ended.returncode, ended.stdout, ended.stderr) == (code, "", "")


@pytest.mark.parametrize("streams", ["2>/dev/full", "2>&- <&-"])
def test_work_is_done_although_nothing_can_be_printed(tmp_path: Path, streams: str) -> None:
    make_workspace(tmp_path)
    with sandbox_process(tickets=3, arguments=["--port", "0"]) as url:
        pulled = shell("pull", "--json", streams=streams, folder=tmp_path, url=url)
        path = tmp_path / "DEMO-1.md"
        path.write_text(path.read_text().replace("] ", "] Mine: ", 1))
        pushed = shell("push", "--json", streams=streams, folder=tmp_path, url=url)
        path.write_text(path.read_text().replace("Type: ", "Type: No ", 1))
        refused = shell("sync", streams=streams, folder=tmp_path, url=url)

    assert (pulled.returncode, json.loads(pulled.stdout)["new"]) == (0, 3)
    assert [each["key"] for each in json.loads(pushed.stdout)["updated"]] == ["DEMO-1"]
    assert (pushed.returncode, refused.returncode, refused.stdout) == (0, 3, "")
    state = (tmp_path / ".ticketr" / "state.db").read_bytes()
    assert state.startswith(b"SQLite format 3")  # no output was written into it


@pytest.mark.parametrize(
    ("command", "streams", "words"),
    [
        (["status", "--json"], ">&-", "ticketr: cannot write the output: it is closed\n"),
        (["--version"], ">&-", "ticketr: cannot write the output: it is closed\n"),
        (["status"], ">/dev/full 2>/dev/full", ""),
        (["status"], ">&- 2>&- <&-", ""),
    ],
)
def test_an_output_that_cannot_be_written_is_an_error(
    command: list[str], streams: str, words: str, tmp_path: Path
) -> None:
    ended = shell(*command, streams=streams, folder=tmp_path)

    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", words)


def test_a_command_that_writes_no_output_needs_none(tmp_path: Path) -> None:
    make_workspace(tmp_path)
    with sandbox_process(tickets=3, arguments=["--port", "0"]) as url:
        ended = shell("pull", streams=">&-", folder=tmp_path, url=url)

    assert ended.returncode == 0
    assert "3 new" in ended.stderr
    assert (tmp_path / "DEMO-1.md").exists()
