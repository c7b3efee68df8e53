"""Test keys of a queue that another program overwrites with a value of another type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
from fakes import cluster_jobs as jobs
from fakes.clusters import new_name, open_cluster, until

from ticketr import JobStatus
from ticketr.cluster import ClusterUnavailable, JobLost

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.valkeys import Valkey


def errors_about(caplog: pytest.LogCaptureFixture, words: str) -> list[str]:
    texts = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    return [text for text in texts if words in text]


async def until_told(caplog: pytest.LogCaptureFixture, words: str) -> None:
    while not errors_about(caplog, words):  # noqa: ASYNC110 - a worker says it
        await trio.sleep(0.01)


async def test_a_worker_names_an_overwritten_record_and_goes_on(
    url: str,
    valkey: Valkey,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ticketr.cluster._store.BLOCK", 0.1)
    name, go = new_name(), tmp_path / "go"
    prefix = f"ticketr:{name}:job:"
    async with open_cluster(url, name=name, workers=3, detach=True) as queue:
        running = await queue.submit(jobs.until_file, str(go), id="running")
        await until(running, JobStatus.RUNNING)
        with_key = await queue.submit(jobs.until_file, str(go), key="k")
        await until(with_key, JobStatus.RUNNING)
        behind = await queue.submit(jobs.echo, 2, key="k")
        soon = trio.current_time() + 0.3
        await queue.submit(jobs.echo, 1, id="due", delay=0.3)
        await queue.submit(jobs.echo, 1, id="expiring", delay=1000, start_by=soon)
        await queue.submit(jobs.echo, 1, id="line", key="k", priority=1)
        await queue.submit(jobs.echo, 1, id="after", after=[with_key.id])
        for job_id in ("due", "expiring", "line", "after"):
            valkey.command("SET", prefix + job_id, "x")
        valkey.command("SET", f"{prefix}running", "x")
        go.touch()

        await until_told(caplog, f"{prefix}running")
        assert await queue.run(jobs.echo, 3) == 3
        assert await behind.result() == 2
        while b"due" in valkey.command("ZRANGE", f"ticketr:{name}:due", "0", "-1"):  # noqa: ASYNC110 - a worker does it
            await trio.sleep(0.01)

        with pytest.raises(ClusterUnavailable, match=f"overwritten its key '{prefix}running'"):
            await queue.submit(jobs.echo, 4, id="running")
        with pytest.raises(ClusterUnavailable, match="delete that key, submit the job again"):
            await queue.request_cancel("running")
        with pytest.raises(JobLost, match="the server has forgotten it"):
            await running.result()

        valkey.command("DEL", f"{prefix}running")
        assert await queue.run(jobs.echo, 5, id="running") == 5
    [said] = errors_about(caplog, f"{prefix}running")
    assert said == (
        f"the server {url}?db=0: another program has overwritten its key '{prefix}running': delete that"
        " key, submit the job again. Other jobs go on"
    )


async def test_a_worker_waits_until_an_overwritten_key_of_the_queue_is_deleted(
    url: str, valkey: Valkey
) -> None:
    name = new_name()
    key = f"ticketr:{name}:pending"
    async with open_cluster(url, name=name, workers=1) as queue:
        valkey.command("SET", key, "x")
        with pytest.raises(ClusterUnavailable, match=f"overwritten its key '{key}'"):
            await queue.submit(jobs.echo, 1)
        valkey.command("DEL", key)
        assert await queue.run(jobs.echo, 2) == 2
