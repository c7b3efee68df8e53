"""Processes with a store that are killed: no job is lost, and no file is damaged."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import pytest
from fakes import durable
from fakes.processes import unmeasured

CHILD = Path(durable.__file__).with_name("durable_child.py")


def start(path: Path, log: Path, prefix: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", str(CHILD), str(path), str(log), prefix, str(count)]
    return subprocess.Popen(command, env=unmeasured(), stderr=subprocess.PIPE, text=True)


def kill_some_time(process: subprocess.Popen[str], log: Path, seconds: float) -> None:
    """Kill a process so many seconds after it has opened its store, or let it end by itself."""
    while f"open {process.pid}\n" not in read(log):
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.005)
            break
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    _, said = process.communicate()
    assert said == ""


def read(log: Path) -> str:
    return log.read_text() if log.exists() else ""


@pytest.mark.parametrize("kills", [3, pytest.param(200, marks=pytest.mark.stress)])
def test_every_submitted_job_ends_whatever_is_killed(kills: int, tmp_path: Path) -> None:
    path, log = tmp_path / "jobs.sqlite", tmp_path / "log"
    chance = random.Random(kills)

    for number in range(kills):
        kill_some_time(start(path, log, f"{number}-", 20), log, chance.uniform(0, 0.15))
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    last = start(path, log, "last-", 0)
    _, said = last.communicate(timeout=300)

    lines = [line.split() for line in log.read_text().splitlines()]
    submitted = {line[1] for line in lines if line[0] == "submitted"}
    starts = Counter(line[1] for line in lines if line[0] == "start")
    ended = Counter(line[1] for line in lines if line[0] == "end")
    attempts = {(line[1], line[2]) for line in lines if line[0] == "start"}
    assert (said, last.returncode) == ("", 0)
    assert len(submitted) > kills
    assert submitted <= set(ended)
    assert len(attempts) == sum(starts.values())  # no attempt has the number of another
    # A job is started again only if a kill came between its start and the writing of its end.
    assert sum(starts.values()) - len(starts) <= kills * 4 * 5
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM jobs WHERE finished_at IS NULL").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM links").fetchone() == (0,)
