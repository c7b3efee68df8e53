"""Test ``pull`` and ``sync`` with ``--every``: runs again and again, by our own queue."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from fakes.held_sandbox import Hold
from fakes.processes import (
    PROGRAM,
    environment,
    make_workspace,
    reserved_port,
    sandbox_process,
    sandbox_thread,
)
from fakes.ptys import wait_until
from fakes.users import User, ticketr_here

WHEN = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


@contextmanager
def running(
    *arguments: str, folder: Path, env: Mapping[str, str]
) -> Generator[subprocess.Popen[str]]:
    """Run a command in a workspace for the length of the block."""
    make_workspace(folder)
    with subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=folder,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def lines_of(stream: IO[str] | None, count: int) -> list[str]:
    """Return the next lines of a process."""
    assert stream is not None
    return [stream.readline() for _ in range(count)]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_each_run_is_one_line_until_a_signal_comes(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with (
        sandbox_thread(tickets=10) as url,
        running("pull", "--every", "1s", folder=tmp_path, env=environment(url)) as process,
    ):
        lines = lines_of(process.stderr, 2)
        process.send_signal(number)
        rest = process.communicate()[1]

    assert process.returncode == code
    assert all(re.fullmatch(rf"{WHEN}  Pull complete: 10 tickets\n", line) for line in lines)
    assert "Traceback" not in rest
    told = ticketr_here("jobs", "--json", folder=tmp_path, env=environment(url))
    assert len(json.loads(told.stdout)) >= 2


def test_a_run_that_is_cancelled_says_how_far_it_got(tmp_path: Path) -> None:
    with (
        sandbox_thread(tickets=10, holds=[Hold(tmp_path / "never", path="", answered=0)]) as url,
        running("pull", "--every", "1s", folder=tmp_path, env=environment(url)) as process,
    ):
        lock = tmp_path / ".ticketr" / "state.db"
        wait_until(lock.exists)  # the run is under way
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate()

    assert process.returncode == 143
    assert re.fullmatch(rf"{WHEN}  Cancelled: no ticket pulled yet\n", told)


def test_an_outage_ends_no_later_run(tmp_path: Path) -> None:
    with (
        reserved_port() as port,
        running(
            "pull", "--every", "1s", folder=tmp_path, env=environment(f"http://127.0.0.1:{port}")
        ) as process,
    ):
        (failed,) = lines_of(process.stderr, 1)
        with sandbox_process(tickets=10, arguments=[f"--port={port}"]):
            while "Pull complete" not in lines_of(process.stderr, 1)[0]:
                assert process.poll() is None

    assert "Pull failed: cannot reach" in failed


def test_a_login_that_is_refused_is_not_sent_again(someone: User) -> None:
    someone.monkeypatch.setenv("JIRA_API_TOKEN", "wrong")

    told = someone.runs("pull", "--every", "1s")

    assert told.code == 1
    assert re.fullmatch(rf"{WHEN}  Pull failed: .*\(401\).*\n", told.err)


def test_a_run_of_a_sync_sends_as_much_as_a_script_may(tmp_path: Path) -> None:
    with sandbox_thread(tickets=10) as url:
        for number in range(21):
            (tmp_path / f"new{number}.md").write_text(f"# TICKET: New {number}\n")
        env = environment(url)
        with running("sync", "--every", "1s", folder=tmp_path, env=env) as process:
            (refused,) = lines_of(process.stderr, 1)
        with running("sync", "--every", "1s", "--yes", folder=tmp_path, env=env) as process:
            (sent,) = lines_of(process.stderr, 1)

    assert "this would create or change 21 tickets" in refused
    assert sent.endswith("Sync complete: 10 tickets pulled, 21 pushed\n")


def test_json_is_an_object_a_line_for_each_run_of_each_workspace(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "config.toml").touch(mode=0o600)
    with sandbox_thread(tickets=10) as url:
        entries = [
            f'[workspaces.{name}]\nfolder = "{tmp_path / name}"\nsite = "{url}"\n'
            for name in ("gone", "one", "two")
        ]
        (config / "config.toml").write_text("\n".join(entries))
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            make_workspace(tmp_path / name)
        env = environment(url, TICKETR_CONFIG_DIR=str(config))
        command = ("pull", "--all", "--every", "1s")
        with running(*command, "--json", folder=tmp_path, env=env) as process:
            objects = [json.loads(line) for line in lines_of(process.stdout, 3)]
        with running(*command, folder=tmp_path, env=env) as process:
            told = lines_of(process.stderr, 3)

    assert objects[0]["error"] == "BadSetting"
    assert {each["folder"] for each in objects[1:]} == {str(tmp_path / n) for n in ("one", "two")}
    assert {each["total"] for each in objects[1:]} == {10}
    assert told[0].startswith("gone: ")
    assert {line.split()[2] for line in told[1:]} == {"one:", "two:"}


@pytest.mark.parametrize("text", ["5", "0m", "m", "1.5h", "5 m", "999999d"])
def test_a_time_that_makes_no_sense_is_refused(someone: User, text: str) -> None:
    told = someone.runs("pull", f"--every={text}")

    assert told.code == 2
    assert "write the time like 30s, 5m, 2h or 1d" in told.err
