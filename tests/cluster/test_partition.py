"""Test a worker on another machine whose cable is pulled out; needs the right to lay one."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes import cluster_jobs as jobs
from fakes.clusters import SECRET, new_name, open_cluster, until, until_attempt
from fakes.networks import Network, open_network
from fakes.valkeys import Valkey
from trio.lowlevel import open_process

from ticketr import JobStatus

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

LEASE = 2.0

pytestmark = pytest.mark.stress


@asynccontextmanager
async def worker_at(network: Network, url: str, name: str) -> AsyncGenerator[None, None]:
    """Run a worker on the other machine."""
    words = ("-m", "ticketr.cluster", "worker", "--url", url, "--name", name, "--allow-plaintext")
    process = await open_process(
        network.command(sys.executable, *words, "--lease", str(LEASE), "fakes.cluster_jobs"),
        stdout=subprocess.PIPE,
        env={
            **os.environ,
            "TICKETR_CLUSTER_SECRET": SECRET,
            "PYTHONPATH": str(Path(__file__).parents[1]),
        },
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.receive_some()  # it is ready
        yield
    finally:
        process.kill()
        await process.wait()


def has_words(path: Path) -> list[tuple[str, str]]:
    """Return what the attempts did, in the order of time, and which attempt it was."""
    lines = [line.split() for line in path.read_text().splitlines()]
    return [(what, attempt) for what, _, attempt, _ in lines]


@pytest.mark.timeout(120)
async def test_a_pulled_cable_stops_the_job_before_another_worker_starts_it(tmp_path: Path) -> None:
    name, path, go = new_name(), tmp_path / "log", tmp_path / "go"
    with open_network() as network:
        valkey = Valkey(tmp_path / "v", network.address)
        try:
            async with (
                open_cluster(valkey.url, workers=0, name=name) as queue,
                worker_at(network, valkey.remote_url, name),
            ):
                handle = await queue.submit(jobs.tracked, str(path))
                await until(handle, JobStatus.RUNNING)
                async with open_cluster(valkey.url, name=name, lease=LEASE, detach=True):
                    network.pull()
                    await until_attempt(handle, 2)
                    await handle.cancel_and_wait()
                assert has_words(path) == [
                    ("start", "1"),
                    ("stop", "1"),
                    ("start", "2"),
                    ("stop", "2"),
                ]
                network.plug()  # now the worker that was cut off is the only one
                go.touch()
                assert await queue.run(jobs.until_file, str(go), "again") == "again"
        finally:
            valkey.stop()


@pytest.mark.timeout(120)
async def test_a_cancel_during_a_partition_takes_effect_when_the_lease_is_over(
    tmp_path: Path,
) -> None:
    name, path = new_name(), tmp_path / "log"
    with open_network() as network:
        valkey = Valkey(tmp_path / "v", network.address)
        try:
            async with (
                open_cluster(valkey.url, workers=0, name=name) as queue,
                worker_at(network, valkey.remote_url, name),
            ):
                handle = await queue.submit(jobs.tracked, str(path))
                await until(handle, JobStatus.RUNNING)
                network.pull()
                assert await handle.request_cancel() == "requested"
                async with open_cluster(valkey.url, name=name, lease=LEASE, detach=True):
                    assert (await handle.wait()).status is JobStatus.CANCELLED
                assert has_words(path) == [("start", "1"), ("stop", "1")]
        finally:
            valkey.stop()
