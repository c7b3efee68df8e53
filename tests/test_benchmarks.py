"""Run each part of `make bench` with little to do: it ends well and prints figures."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.processes import environment

RUN = Path(__file__).parent.parent / "benchmarks" / "run.py"
#: These start many processes and wait for them.
LONG = {"app", "engines"}
PARTS = [
    pytest.param(part, marks=pytest.mark.stress if part in LONG else ())
    for part in re.findall(r'^    "(\w+)",$', RUN.read_text(encoding="utf-8"), re.MULTILINE)
]


@pytest.mark.unmeasured
@pytest.mark.parametrize("part", PARTS)
def test_a_part_runs_and_prints_rows_of_figures(part: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, RUN, "--toy", part],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    rows = ended.stdout.splitlines()
    assert rows
    for row in rows:
        assert re.search(r": .*\d", row), row
    assert not [*tmp_path.iterdir()]


@pytest.mark.unmeasured
@pytest.mark.parametrize("part", ["start", "sync"])  # without Trio, and with a sandbox
def test_a_row_is_printed_at_once_and_ctrl_c_ends_the_rest_cleanly(
    part: str, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, RUN, "--toy", *[part] * 100],  # so that it never ends before Ctrl+C
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        rest, errors = process.communicate()

    for row in [first, *rest.splitlines(keepends=True)]:  # of before Ctrl+C arrived
        assert re.search(r": .*\d.*\n$", row), row
    assert (process.returncode, errors) == (130, "")
