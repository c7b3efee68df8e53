"""Test ``python -m ticketr.cluster``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import trio
from fakes import cluster_jobs as jobs
from fakes.clusters import SECRET, new_name, until

from ticketr import JobStatus
from ticketr.cluster import open_cluster_queue, run_worker
from ticketr.cluster._commands import main

TESTS = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETR_CLUSTER_SECRET", SECRET)


async def test_a_worker_runs_jobs_until_sigterm(url: str) -> None:
    name = new_name()
    process = await trio.lowlevel.open_process(
        [
            *(sys.executable, "-m", "ticketr.cluster", "worker", "--url", url, "--name", name),
            *("--workers", "2", "--lease", "5", "fakes.cluster_jobs"),
        ],
        stdout=subprocess.PIPE,
        cwd=TESTS,
        env={**os.environ},
    )
    async with open_cluster_queue(url, name=name) as queue:
        assert await queue.run(jobs.echo, 1) == 1
        assert process.stdout is not None
        assert (await process.stdout.receive_some()).endswith(b" is ready\n")
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


def test_a_module_that_is_not_there(capsys: pytest.CaptureFixture[str], url: str) -> None:
    assert main(["worker", "--url", url, "no_such_module"]) == 2
    assert "error: module no_such_module cannot be imported" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["raise ValueError('no')", "import sys; sys.exit('no')"])
def test_a_module_that_fails_when_it_is_imported(
    capsys: pytest.CaptureFixture[str],
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
) -> None:
    (tmp_path / "failing_jobs.py").write_text(line)
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["worker", "--url", url, "failing_jobs"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: module failing_jobs cannot be imported: it raises ")
    assert "('no')" in said


def test_a_lease_that_is_too_short(capsys: pytest.CaptureFixture[str], url: str) -> None:
    assert main(["worker", "--url", url, "--lease", "0.1", "fakes.cluster_jobs"]) == 2
    assert capsys.readouterr().err == "error: lease must be at least 0.5 seconds, not 0.1\n"


def test_a_server_that_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code = main(["worker", "--url", f"unix://{tmp_path}/none", "fakes.cluster_jobs"])
    assert code == 1
    assert capsys.readouterr().err.startswith("error: the server unix://")


async def test_running_jobs_get_a_grace(url: str, tmp_path: Path) -> None:
    name, go, stop = new_name(), tmp_path / "go", trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(run_worker, url, name=name, grace=60, stop=stop))
        async with open_cluster_queue(url, name=name) as queue:
            handle = await queue.submit(jobs.until_file, str(go), "x")
            await until(handle, JobStatus.RUNNING)
            stop.set()
            go.touch()
            assert await handle.result() == "x"
            assert handle.snapshot().attempt == 1
