"""Test ``python -m ticketr.cluster`` status, drain and web."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import httpx
import pytest
import trio
from fakes import cluster_jobs as jobs
from fakes.clusters import SECRET, new_name, open_cluster, until
from fakes.page_sources import REPEATS, WORKER

from ticketr import JobStatus, Rate
from ticketr.cluster import _command_line
from ticketr.cluster._commands import main
from ticketr.cluster._list import JobList
from ticketr.cluster._status_command import Status, in_words

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "the token of the tests"


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETR_CLUSTER_SECRET", SECRET)
    monkeypatch.setenv("TICKETR_CLUSTER_WEB_TOKEN", TOKEN)
    monkeypatch.delenv("TICKETR_CLUSTER_URL", raising=False)


async def run(*arguments: str) -> int:
    """Run a command beside the queue of the test, in a thread with a Trio run of its own."""
    return await trio.to_thread.run_sync(partial(main, arguments))


async def test_status_shows_the_jobs_and_the_workers(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name = new_name()
    async with open_cluster(url, name=name, workers=3) as queue:
        handle = await queue.submit(jobs.forever)
        await until(handle, JobStatus.RUNNING)

        assert await run("status", "--url", url, "--name", name) == 0
        words = capsys.readouterr().out
        assert await run("status", "--url", url, "--name", name, "--json") == 0
        facts = json.loads(capsys.readouterr().out)

        await queue.request_cancel(handle)

    assert words.startswith("0 pending, 1 running, 0 completed, 0 failed, 0 cancelled\nworker ")
    assert re.search(r"1 running  \(.*, process \d+, 3 jobs at most; lease \d+\.\d s\)\n$", words)
    assert facts["jobs"] == {
        "pending": 0,
        "running": 1,
        "completed": 0,
        "failed": 0,
        "cancelled": 0,
    }
    [worker] = facts["workers"]
    assert worker.keys() == {"id", "where", "running", "lease"}
    assert worker["running"] == 1


async def test_status_shows_pauses_rates_and_repeats(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name = new_name()
    async with open_cluster(url, name=name, workers=1) as queue:
        await queue.pause()
        await queue.pause("a key, and \033]0;x\007")
        await queue.set_rate(Rate(10, per=2.0, burst=3))
        await queue.set_rate(Rate(1, per=60.0), key="k")
        await queue.repeat(jobs.echo, every=3600.0, first=3600.0, id="later")
        held = await queue.repeat(jobs.echo, every=1.0, first=3600.0, id="held", name="e")
        await held.pause()

        assert await run("status", "--url", url, "--name", name) == 0
        words = capsys.readouterr().out.splitlines()
        assert await run("status", "--url", url, "--name", name, "--json") == 0
        facts = json.loads(capsys.readouterr().out)
        await queue.resume()

    assert words[1:3] == ["queue paused", r"key 'a key, and \x1b]0;x\x07' paused"]
    assert words[3:5] == [
        "queue starts a job every 0.2 s, 3 at once",
        "key 'k' starts a job every 60 s, 1 at once",
    ]
    assert re.fullmatch(
        r"repeat 'later'  next \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
        r"  \(no run has ended; 0 runs, 0 missed\)",
        words[5],
    )
    assert words[6] == "repeat 'held'  paused  (no run has ended; 0 runs, 0 missed)"
    assert facts["paused"] == [None, "a key, and \033]0;x\007"]
    assert facts["rates"] == [
        {"key": None, "interval": 0.2, "burst": 3},
        {"key": "k", "interval": 60, "burst": 1},
    ]
    later, paused = facts["repeats"]
    assert datetime.fromisoformat(later.pop("next_at")).tzinfo is UTC
    assert later == {
        "id": "later",
        "name": "echo",
        "last_status": None,
        "last_at": None,
        "runs": 0,
        "missed": 0,
        "running": False,
        "paused": False,
    }
    assert (paused["id"], paused["name"], paused["paused"]) == ("held", "e", True)
    assert paused["next_at"] is None


def test_status_says_that_no_worker_runs() -> None:
    assert in_words(Status({JobStatus.PENDING: 7}, [], [], [])) == "7 pending\nno worker runs"


def test_status_shows_the_ends_of_repeats_and_the_first_of_many() -> None:
    many = [*REPEATS, *[REPEATS[2]] * 20]

    words = in_words(Status({}, [], many, [WORKER])).splitlines()

    assert words[1] == (
        r"repeat '<i>night</i>\x1b]0;x\x07#1?'  next 2026-11-28 02:00:00 UTC"
        "  (last failed 2026-11-27 02:00:07 UTC; 12 runs, 3 missed)"
    )
    assert words[2] == "repeat 'now'  runs now  (no run has ended; 1 runs, 0 missed)"
    assert words[21:] == [
        "... and 3 more",
        "worker w1  2 running  (host 7 <4>; lease 10.0 s)",
    ]


async def test_drain_waits_until_the_queue_is_empty(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name = new_name()
    async with open_cluster(url, name=name, workers=1) as queue, trio.open_nursery() as nursery:
        handles = [await queue.submit(jobs.forever, id=str(n)) for n in range(2)]
        await until(handles[0], JobStatus.RUNNING)

        assert await run("drain", "--url", url, "--name", name, "--timeout", "0.1") == 1
        said = capsys.readouterr()
        assert said.out == "1 pending, 1 running\n"
        assert said.err == "error: jobs are left after 0.1 s\n"
        for handle in handles:
            nursery.start_soon(queue.request_cancel, handle.id)
        for handle in handles:
            await handle.wait()
        assert await run("drain", "--url", url, "--name", name) == 0

    assert capsys.readouterr().out == "no job is pending or running\n"


async def test_a_server_that_goes_away_is_told(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_: JobList) -> None:
        await trio.sleep_forever()

    monkeypatch.setattr(JobList, "totals", silent)
    monkeypatch.setattr(_command_line, "PATIENCE", 0.05)
    for command in ("status", "drain"):
        assert await run(command, "--url", url, "--name", new_name()) == 1

        said = capsys.readouterr().err
        assert said.endswith("cannot be used now: it gives no answer for 0.05 s\n")


@pytest.mark.parametrize("given", ["-1", "nan", "x"])
def test_drain_refuses_another_time(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["drain", "--url", "unix:///nowhere", f"--timeout={given}"])

    assert caught.value.code == 2
    assert "argument --timeout: " in capsys.readouterr().err


@pytest.mark.parametrize("command", ["status", "drain", "web"])
def test_a_server_that_is_not_there_is_told(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--url", "unix:///nowhere/x.sock", *NOWHERE[command]]) == 1

    assert capsys.readouterr().err == (
        "error: the server unix:///nowhere/x.sock?db=0 cannot be used now:"
        " No such file or directory\n"
    )


NOWHERE = {"status": [], "drain": [], "web": ["--bind", "127.0.0.1:0"]}


def test_the_url_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["status"])
    assert "the following arguments are required: --url" in capsys.readouterr().err

    monkeypatch.setenv("TICKETR_CLUSTER_URL", "unix://ann:hidden@/nowhere")
    assert main(["status"]) == 1
    said = capsys.readouterr().err
    assert "unix://ann@/nowhere" in said
    assert "hidden" not in said


def test_web_names_its_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in [name for name in sys.modules if name.startswith("ticketr.cluster.web")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "jinja2", None)

    assert main(["web", "--url", "unix:///nowhere"]) == 2

    assert capsys.readouterr().err == (
        "error: the pages need more packages: in a clone of ticketr, run: pip install '.[cluster-web]'\n"
    )


def processes(url: str, name: str) -> Callable[..., subprocess.Popen[str]]:
    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error", "-m", "ticketr.cluster", *arguments]
        return subprocess.Popen(
            [*command, "--url", url, "--name", name], stdout=subprocess.PIPE, text=True
        )

    return start


async def test_web_serves_the_jobs_until_a_signal(url: str) -> None:
    name = new_name()
    async with open_cluster(url, name=name, workers=1) as queue:
        handle = await queue.submit(jobs.forever, id="r")
        await until(handle, JobStatus.RUNNING)
        process = await trio.to_thread.run_sync(
            processes(url, name), "web", "--bind", "127.0.0.1:0"
        )
        with process:
            assert process.stdout is not None
            line = await trio.to_thread.run_sync(process.stdout.readline)
            address = line.removeprefix("listening on ").strip()
            async with httpx.AsyncClient(
                base_url=address, headers={"Authorization": f"Bearer {TOKEN}"}
            ) as client:
                page = await client.get("/queue")
                assert 'href="/job/r"' in page.text
                answer = await client.delete("/job/r")
                assert "It was asked to stop." in answer.text
                assert (await client.get("/workers")).text.count("jobs at most") == 1
            assert (await handle.wait()).status is JobStatus.CANCELLED

            process.send_signal(signal.SIGTERM)

            assert await trio.to_thread.run_sync(process.wait) == 0


async def test_web_makes_a_token_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TICKETR_CLUSTER_WEB_TOKEN")
    process = await trio.to_thread.run_sync(
        processes(url, new_name()), "web", "--bind", "127.0.0.1:0"
    )
    with process:
        assert process.stdout is not None
        token = await trio.to_thread.run_sync(process.stdout.readline)
        line = await trio.to_thread.run_sync(process.stdout.readline)
        process.send_signal(signal.SIGINT)

        assert await trio.to_thread.run_sync(process.wait) == 0

    assert re.fullmatch(r"token: [\w-]{32}\n", token)
    assert re.fullmatch(r"listening on http://127\.0\.0\.1:\d+\n", line)
