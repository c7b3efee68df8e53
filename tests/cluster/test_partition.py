"""Test a worker on another machine whose cable is pulled out; needs the right to lay one."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes import cluster_jobs as jobs
from fakes.clusters import SECRET, new_name, open_cluster, until_attempt, until_lines
from fakes.networks import Network, open_network
from fakes.valkeys import Valkey
from trio.lowlevel import open_process

from ticketr import JobStatus

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from contextlib import AbstractAsyncContextManager

    from ticketr.cluster import ClusterHandle, ClusterQueue

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


@dataclass(frozen=True)
class Remote:
    """A job that runs on the other machine.

    Attributes:
        network: The cable to it.
        url: Where this machine finds the server.
        queue: The queue that the job was submitted to, without a worker on this machine.
        handle: The job.
        path: Where its attempts write what they do.
    """

    network: Network
    url: str
    queue: ClusterQueue
    handle: ClusterHandle[None]
    path: Path

    @property
    def name(self) -> str:
        return self.queue._store.keys.queue

    def words(self) -> list[tuple[str, str]]:
        """Return what the attempts did, in the order of time, and which attempt it was."""
        lines = [line.split() for line in self.path.read_text().splitlines()]
        return [(what, attempt) for what, _, attempt, _ in lines]

    def open_worker(self) -> AbstractAsyncContextManager[ClusterQueue]:
        """Run a worker on this machine, too."""
        return open_cluster(self.url, name=self.name, lease=LEASE, detach=True)


@asynccontextmanager
async def open_remote(tmp_path: Path) -> AsyncGenerator[Remote, None]:
    """Have a job run on the other machine; skip the test where there can be none."""
    name, path = new_name(), tmp_path / "log"
    with open_network() as network:
        valkey = Valkey(tmp_path / "v", network.address)
        try:
            async with (
                open_cluster(valkey.url, workers=0, name=name) as queue,
                worker_at(network, valkey.remote_url, name),
            ):
                handle = await queue.submit(jobs.tracked, str(path))
                assert await until_lines(path, 1) == ["start"]
                yield Remote(network, valkey.url, queue, handle, path)
        finally:
            valkey.stop()


@pytest.mark.timeout(120)
async def test_a_pulled_cable_stops_the_job_before_another_worker_starts_it(tmp_path: Path) -> None:
    go = tmp_path / "go"
    async with open_remote(tmp_path) as remote:
        async with remote.open_worker():
            remote.network.pull()
            await until_attempt(remote.handle, 2)
            assert await until_lines(remote.path, 3) == ["start", "stop", "start"]
            await remote.handle.cancel_and_wait()
        assert remote.words() == [("start", "1"), ("stop", "1"), ("start", "2"), ("stop", "2")]
        remote.network.plug()  # now the worker that was cut off is the only one
        go.touch()
        assert await remote.queue.run(jobs.until_file, str(go), "again") == "again"


@pytest.mark.timeout(120)
async def test_a_cancel_during_a_partition_takes_effect_when_the_lease_is_over(
    tmp_path: Path,
) -> None:
    async with open_remote(tmp_path) as remote:
        remote.network.pull()
        assert await remote.handle.request_cancel() == "requested"
        async with remote.open_worker():
            assert (await remote.handle.wait()).status is JobStatus.CANCELLED
        assert remote.words() == [("start", "1"), ("stop", "1")]
