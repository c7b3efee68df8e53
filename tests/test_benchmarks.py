"""Run each part of `make bench` with little to do: it ends well and prints figures."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
from fakes.processes import environment
from fakes.ptys import wait_until

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


#: Python imports this as `sitecustomize` in each process at its start.
HOLD = """
import pathlib, time
here = pathlib.Path(__file__).parent
while not (here / "go").exists():
    (here / "held").touch()
    time.sleep(0.02)
"""


@pytest.mark.unmeasured
@pytest.mark.parametrize("part", ["start", "sync"])  # without Trio, and with a sandbox
def test_a_row_is_printed_at_once_and_ctrl_c_ends_the_rest_cleanly(
    part: str, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(HOLD, encoding="utf-8")
    (tmp_path / "go").touch()
    with subprocess.Popen(
        [sys.executable, RUN, "--toy", *[part] * 100],  # so that it starts processes until Ctrl+C
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        process_group=0,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        (tmp_path / "go").unlink()
        wait_until((tmp_path / "held").exists)
        more = os.read(process.stdout.fileno(), 1 << 16) if is_readable(process.stdout) else b""
        os.killpg(process.pid, signal.SIGINT)
        rest, errors = process.communicate()

    for row in (first + more).splitlines(keepends=True):
        assert re.search(rb": .*\d.*\n$", row), row
    assert (process.returncode, rest, errors) == (130, b"", b"")


def is_readable(pipe: IO[bytes]) -> bool:
    return bool(select.select([pipe], [], [], 0)[0])
