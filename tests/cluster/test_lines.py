"""Test broken lines: all connections cut, the server restarted, answers lost, silence."""

from __future__ import annotations

import signal
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio
from fakes import cluster_jobs as jobs
from fakes.clusters import SECRET, new_name, open_cluster, until, until_attempt, until_lines
from fakes.lossy_lines import LossyLine

from ticketr import JobStatus, Retry
from ticketr.cluster import run_worker

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.valkeys import Valkey

whole_too = pytest.mark.parametrize(
    "is_whole",
    [
        pytest.param(False, id="sample"),
        pytest.param(True, id="whole", marks=[pytest.mark.stress, pytest.mark.timeout(3600)]),
    ],
)


def starts_and_ends(path: Path) -> tuple[Counter[str], Counter[str]]:
    found = [line.split() for line in path.read_text().splitlines()]
    starts = Counter(line[1] for line in found if line[0] == "start")
    ends = Counter(line[1] for line in found if line[0] == "end")
    return starts, ends


@whole_too
async def test_all_connections_are_cut(own_valkey: Valkey, tmp_path: Path, is_whole: bool) -> None:
    path, cuts, count = tmp_path / "log", 200 if is_whole else 5, 2000 if is_whole else 60
    async with open_cluster(own_valkey.url, workers=8) as queue:
        async with trio.open_nursery() as nursery:

            async def cut() -> None:
                for _ in range(cuts):
                    await trio.sleep(0.02)
                    await trio.to_thread.run_sync(
                        own_valkey.command, "CLIENT", "KILL", "TYPE", "normal"
                    )

            nursery.start_soon(cut)
            for number in range(count):
                await queue.submit(jobs.log, str(path), 0.003, id=f"j{number}", retry=Retry(3))
        await queue.wait_idle()
        assert (await queue.totals())[JobStatus.COMPLETED] == count
        assert {snapshot.attempt for snapshot in queue.jobs()} == {1}

    starts, ends = starts_and_ends(path)
    assert len(starts) == len(ends) == count
    assert max(starts.values()) == max(ends.values()) == 1


@whole_too
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_the_server_is_restarted(
    own_valkey: Valkey, tmp_path: Path, how: signal.Signals, is_whole: bool
) -> None:
    path, rounds = tmp_path / "log", 10 if is_whole else 1
    async with open_cluster(own_valkey.url, workers=4, lease=60) as queue:
        for number in range(rounds):
            long = await queue.submit(jobs.until_file, str(tmp_path / f"go{number}"), "x")
            await until(long, JobStatus.RUNNING)
            for each in range(20):
                await queue.submit(jobs.log, str(path), 0.01, id=f"j{number}.{each}")
            if how is signal.SIGKILL:
                await trio.sleep(1.1)  # what is older than a second is on disk
            own_valkey.stop(how)
            await trio.sleep(0.1)
            await trio.to_thread.run_sync(own_valkey.start)
            (tmp_path / f"go{number}").touch()
            assert await long.result() == "x"
            await queue.wait_idle()

    _, ends = starts_and_ends(path)
    assert len(ends) == 20 * rounds
    assert max(ends.values()) == 1


async def test_a_server_that_forgets_all_gets_the_jobs_again(own_valkey: Valkey) -> None:
    async with open_cluster(own_valkey.url, workers=2, max_pending=1) as queue:
        running = await queue.submit(jobs.forever)
        await until(running, JobStatus.RUNNING)
        waiting = await queue.submit(jobs.echo, 1, delay=1000)
        await trio.to_thread.run_sync(own_valkey.command, "FLUSHALL")
        await trio.to_thread.run_sync(own_valkey.command, "CLIENT", "KILL", "TYPE", "normal")

        while await queue.request_cancel(running.id) == "unknown":  # noqa: ASYNC110 - it is asked
            await trio.sleep(0.01)
        assert (await running.wait()).status is JobStatus.CANCELLED
        assert await queue.run_now(waiting) is True
        assert await waiting.result() == 1


@whole_too
async def test_an_answer_is_lost_at_every_call(url: str, tmp_path: Path, is_whole: bool) -> None:
    """Each run loses the n-th answer of the server; the job's call has been carried out by then."""
    lost = 0
    for number in range(60) if is_whole else range(0, 40, 9):  # a run has some 45 answers
        path = tmp_path / f"log{number}"
        async with LossyLine(url) as line, open_cluster(line.url, workers=2, lease=30) as queue:
            line.lose(number)
            with trio.fail_after(60):
                one = await queue.submit(jobs.log, str(path), id="one", key="k")
                two = await queue.submit(jobs.later, 1, id="two", key="k")
                three = await queue.submit(jobs.forever, id="three")
                await until(three, JobStatus.RUNNING)
                assert await three.request_cancel() == "requested"
                assert await one.result() == "one"
                assert await two.result() == 2
                assert (await three.wait()).status is JobStatus.CANCELLED
            lost += line.lost
        starts, ends = starts_and_ends(path)
        assert (starts["one"], ends["one"]) == (1, 1), f"answer {number}"
    assert lost > 1


async def test_a_worker_that_is_cut_off_stops_its_jobs_before_others_start_them(
    url: str, tmp_path: Path
) -> None:
    name, path = new_name(), tmp_path / "log"
    async with (
        open_cluster(url, workers=0, name=name) as queue,
        LossyLine(url) as line,
        trio.open_nursery() as nursery,
    ):

        async def cut_off() -> None:
            async with open_cluster(line.url, name=name, lease=2.0, workers=1, detach=True):
                await trio.sleep_forever()

        nursery.start_soon(cut_off)
        handle = await queue.submit(jobs.tracked, str(path), id="j")
        assert await until_lines(path, 1) == ["start"]
        async with open_cluster(url, name=name, lease=2.0, workers=1, detach=True):
            line.be_silent()
            await until_attempt(handle, 2)
            assert await until_lines(path, 3) == ["start", "stop", "start"]
            await handle.cancel_and_wait()
            assert await until_lines(path, 4) == ["start", "stop", "start", "stop"]
            line.speak()
        nursery.cancel_scope.cancel()


async def test_a_worker_repairs_a_lost_delivery(url: str, valkey: Valkey) -> None:
    name = new_name()
    async with open_cluster(url, workers=0, name=name) as queue:
        handle = await queue.submit(jobs.echo, 1, delay=1000)
        valkey.command("ZREM", f"ticketr:{name}:due", handle.id)
        valkey.command("HSET", f"ticketr:{name}:job:{handle.id}", "due", "1")
        async with open_cluster(url, name=name, lease=1.0, detach=True):
            assert await handle.result() == 1


async def test_a_worker_ends_when_told_to_although_there_is_no_server(own_valkey: Valkey) -> None:
    stop, ready = trio.Event(), trio.Event()
    work = partial(
        run_worker,
        own_valkey.url,
        secret=SECRET,
        lease=0.5,
        stop=stop,
        on_ready=lambda _: ready.set(),
    )
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(work)
            await ready.wait()
            own_valkey.stop()
            await trio.sleep(1.0)  # its lease is over, and its next life waits for the server
            stop.set()
