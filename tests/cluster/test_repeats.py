"""Test repeats, which the server keeps and workers run."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import trio
from fakes import cluster_jobs as jobs
from fakes.clusters import new_name, open_cluster, until

from ticketr import JobStatus, NotSendable, QueueClosed, UnknownJob
from ticketr.cluster import ClusterMisconfigured
from ticketr.cluster._repeat_runs import RepeatRunner
from ticketr.cluster._repeat_state import KeptRepeat
from ticketr.cluster._store import pairs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from ticketr.cluster import ClusterHandle, ClusterQueue

HOUR = 3600.0


async def run_of(queue: ClusterQueue, job_id: str) -> ClusterHandle[object]:
    """Wait for a run, which a worker submits."""
    while True:
        try:
            return await queue.attach(job_id)
        except UnknownJob:
            await trio.sleep(0.005)


async def until_true(ask: Callable[[], Awaitable[bool]]) -> None:
    """Ask the server until the answer is yes."""
    while not await ask():  # noqa: ASYNC110 - another process makes it so
        await trio.sleep(0.005)


async def due(queue: ClusterQueue) -> tuple[float, KeptRepeat]:
    at, told = await queue._store.call("repeat_due")
    return float(at), KeptRepeat(pairs(told))


def starts(path: Path) -> list[str]:
    return [line.split()[1] for line in path.read_text().splitlines() if line.startswith("start")]


async def test_a_job_runs_again_and_again(url: str) -> None:
    async with open_cluster(url) as queue:
        repeat = await queue.repeat(jobs.seen, every=0.05, id="r", key="k", tags=["t"], name="me")
        first, third = await run_of(queue, "r#1"), await run_of(queue, "r#3")
        assert await first.result() == ("r#1", "me", "k", {"t"}, 1)
        assert await third.result() == ("r#3", "me", "k", {"t"}, 1)
        gap = third.snapshot().submitted_at - first.snapshot().submitted_at
        assert gap > 0.05
        assert await repeat.cancel()
        state = await repeat.state()
        assert state.has_ended
        last = await repeat.last()
        assert last is not None
        assert last.id == f"r#{state.runs}"
        await last.wait()


async def test_processes_that_declare_the_same_repeat_share_it(url: str, tmp_path: Path) -> None:
    name, path = new_name(), tmp_path / "log"
    async with open_cluster(url, name=name) as one, open_cluster(url, name=name) as two:
        for queue in (one, two):
            await queue.repeat(jobs.log, str(path), every=0.03, id="r")
        await (await run_of(one, "r#6")).wait()
        (repeat,) = await two.repeats()
        await repeat.cancel()
        await (await run_of(one, f"r#{(await repeat.state()).runs}")).wait()
        assert await one.repeats() == []
    found = starts(path)
    assert found == [f"r#{number}" for number in range(1, len(found) + 1)]


async def test_runs_do_not_overlap_and_missed_ones_are_counted(url: str, tmp_path: Path) -> None:
    go = tmp_path / "go"
    async with open_cluster(url) as queue:
        repeat = await queue.repeat(jobs.until_file, str(go), every=0.02, id="r")
        await until(await run_of(queue, "r#1"), JobStatus.RUNNING)

        async def has_missed() -> bool:
            state = await repeat.state()
            assert (state.runs, state.is_running, state.next_at) == (1, True, None)
            return state.missed >= 2

        await until_true(has_missed)
        assert not await repeat.run_now()
        go.touch()
        await run_of(queue, "r#2")
        await repeat.cancel()


async def test_a_repeat_is_paused_run_now_and_ended(url: str) -> None:
    async with open_cluster(url) as queue:
        repeat = await queue.repeat(jobs.echo, 5, every=HOUR, first=HOUR, id="r")
        state = await repeat.state()
        assert state.next_at is not None
        assert timedelta(minutes=59) < state.next_at - datetime.now(UTC) < timedelta(minutes=61)
        assert (state.runs, state.missed) == (0, 0)
        assert await repeat.last() is None

        assert (state.last_status, state.last_at) == (None, None)

        assert await repeat.run_now()
        assert await (await queue.attach("r#1")).result() == 5
        ended = await repeat.state()
        assert (ended.name, ended.last_status) == ("echo", JobStatus.COMPLETED)
        assert ended.last_at is not None
        assert abs(ended.last_at - datetime.now(UTC)) < timedelta(minutes=1)
        assert (await repeat.state()).next_at == state.next_at
        await repeat.pause()
        paused = await repeat.state()
        assert (paused.is_paused, paused.next_at) == (True, None)
        assert await repeat.run_now()
        await (await queue.attach("r#2")).wait()
        await repeat.resume()
        assert (await repeat.state()).next_at == state.next_at

        assert await repeat.cancel()
        assert not await repeat.cancel()
        assert not await repeat.run_now()
        await repeat.pause()
        ended = await repeat.state()
        assert (ended.has_ended, ended.is_paused, ended.next_at) == (True, False, None)


async def test_due_times_in_a_pause_are_not_missed(url: str) -> None:
    async with open_cluster(url, workers=0) as queue:
        repeat = await queue.repeat(jobs.echo, every=0.001, id="r")
        await repeat.pause()
        assert len(await queue._store.call("repeat_due")) == 1  # the time, and no repeat
        await repeat.resume()
        at, kept = await due(queue)
        await RepeatRunner(queue._store, queue._codec, None)._submit_run_or_skip(kept, at)
        state = await repeat.state()
        assert state.missed <= (at - float(kept.told["since"])) / 0.001 + 1


async def test_one_of_two_workers_makes_a_run(url: str) -> None:
    async with open_cluster(url, workers=0, detach=True) as queue:
        repeat = await queue.repeat(jobs.echo, every=HOUR, id="r")
        at, kept = await due(queue)
        for _ in range(2):  # both have seen that it is due
            await RepeatRunner(queue._store, queue._codec, None)._submit_run_or_skip(kept, at)
            await queue.request_cancel("r#1")  # so that no live run is in the way
        state = await repeat.state()
        assert (state.runs, state.missed) == (1, 0)
        assert (await queue.totals())[JobStatus.CANCELLED] == 1


async def test_the_server_keeps_a_repeat(url: str) -> None:
    name = new_name()
    async with open_cluster(url, workers=0, name=name) as queue:
        await queue.repeat(jobs.echo, 1, every=HOUR, id="r")
        later = datetime.now(UTC) + timedelta(hours=5)
        await queue.repeat(jobs.echo, 2, every=HOUR, first=later, id="r")  # as another start does
        await queue.repeat(jobs.echo, 1, every=HOUR, id="s")
        await queue.repeat(jobs.echo, 2, every=HOUR + 1, first=later, id="s")
    with pytest.raises(QueueClosed):
        await queue.repeat(jobs.echo, every=1, id="r")
    async with open_cluster(url, name=name) as queue:
        assert await (await run_of(queue, "r#1")).result() == 2
        found = {repeat.id: await repeat.state() for repeat in await queue.repeats()}
        assert found["s"].next_at is not None
        assert abs(found["s"].next_at - later) < timedelta(milliseconds=1)
        assert found["s"].runs == 0


async def test_a_function_gives_the_due_times(url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with open_cluster(url) as queue:
        repeat = await queue.repeat(jobs.echo, every=jobs.in_twenty_ms, id="r")
        await run_of(queue, "r#2")
        await repeat.cancel()
        with caplog.at_level(logging.ERROR):
            standing = await queue.repeat(jobs.echo, every=jobs.no_later, id="s")

            async def has_ended() -> bool:
                return (await standing.state()).has_ended

            await until_true(has_ended)
    assert "repeat 's' has ended, since every() gave no next time" in caplog.text


async def test_a_worker_leaves_what_it_may_not_import_to_others(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_cluster(url, workers=0) as queue:
        repeat = await queue.repeat(jobs.echo, every=jobs.in_twenty_ms, id="r")
        at, kept = await due(queue)
        runner = RepeatRunner(queue._store, queue._codec, {"other"})
        for _ in range(2):
            await runner._submit_run_or_skip(kept, at)
        assert caplog.text.count("repeat 'r' is left to other workers") == 1
        assert (await repeat.state()).runs == 0

        key = f"{queue._store.keys.prefix}repeat:r"
        await queue._store.client.hset(key, {"signed_every": b"x" * 32 + b'{"seconds": 1}'})
        at, kept = await due(queue)
        await RepeatRunner(queue._store, queue._codec, None)._submit_run_or_skip(kept, at)
        assert "is not signed with this queue's secret" in caplog.text
        assert (await repeat.state()).runs == 0


async def test_a_repeat_that_is_not_signed_is_not_run_now(url: str) -> None:
    async with open_cluster(url, workers=0) as queue:
        repeat = await queue.repeat(jobs.echo, every=HOUR, id="r")
        key = f"{queue._store.keys.prefix}repeat:r"
        await queue._store.client.hset(key, {"payload": b"x" * 64})

        with pytest.raises(ClusterMisconfigured, match=r"repeat 'r': the job .* is not signed"):
            await repeat.run_now()


async def test_an_id_that_is_taken_is_missed(url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with open_cluster(url, workers=0, detach=True) as queue:
        await queue.submit(jobs.echo, id="r#1")
        repeat = await queue.repeat(jobs.echo, every=HOUR, id="r")
        assert not await repeat.run_now()
        at, kept = await due(queue)
        await RepeatRunner(queue._store, queue._codec, None)._submit_run_or_skip(kept, at)
        assert "run 'r#1' was not submitted: a job has its ID" in caplog.text
        state = await repeat.state()
        assert (state.runs, state.missed) == (0, 2)


async def test_what_cannot_be_repeated_is_refused_at_the_call(url: str) -> None:
    wrong: list[tuple[type[Exception], str, dict[str, Any]]] = [
        (ValueError, "needs an id", {"every": 1}),
        (ValueError, "every must be from 0.001", {"every": 0, "id": "r"}),
        (TypeError, "repeat\\(\\) has no option 'delay'", {"every": 1, "id": "r", "delay": 1}),
        (NotSendable, "lambda", {"every": lambda due: due, "id": "r"}),
        (TypeError, "id must be", {"every": 1, "id": 5}),
    ]
    async with open_cluster(url, workers=0) as queue:
        for kind, words, options in wrong:
            with pytest.raises(kind, match=words):
                await queue.repeat(jobs.echo, **options)
        assert await queue.repeats() == []
        with pytest.raises(UnknownJob):
            await queue._repeat("none").state()
