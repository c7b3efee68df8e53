"""Test a server that answers and takes no calls: a full disk, a replica, other rights, a busy script."""

from __future__ import annotations

import re
import socket
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest
import trio
from coredis.exceptions import (
    BusyLoadingError,
    ClusterDownError,
    ConnectionError as LineBroken,
    ResponseError,
    WrongTypeError,
)
from fakes import cluster_jobs as jobs
from fakes.clusters import SECRET, new_name, open_cluster, until

from ticketr import JobStatus
from ticketr.cluster import ClusterUnavailable, JobLost, open_cluster_queue
from ticketr.cluster._refusals import refusal_of
from ticketr.cluster._store import LONGEST_PAUSE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from fakes.valkeys import Valkey

MENDED = {  # what a submit says, by why
    "disk": "whether its disk is full",
    "replicas": "fewer replicas follow it",
    "rights": "the user may not do what a queue needs",
    "password": "it does not take the user or the password",
}
PASSING = {
    "replica": "it is a replica, which takes no writes",
    "script": "it is busy with a script that does not end",
}


@pytest.fixture
def url(valkey: Valkey) -> Iterator[str]:
    """Return the URL of a user whose rights and password the test may change."""
    valkey.command("ACL", "SETUSER", "ann", "reset", "on", ">pw", "~*", "&*", "+@all")
    yield f"unix://ann:pw@{valkey.socket}"
    valkey.command("ACL", "DELUSER", "ann")


@contextmanager
def full_disk(server: Valkey) -> Iterator[None]:
    obstacle = server.folder / "dump.rdb" / "x"
    obstacle.mkdir(parents=True)
    server.command("CONFIG", "SET", "save", "1 1")
    server.command("BGSAVE")
    while not server.command("SET", "x", "1").startswith(b"-MISCONF"):
        pass
    try:
        yield
    finally:
        server.command("CONFIG", "SET", "save", "")
        obstacle.rmdir()
        obstacle.parent.rmdir()


@contextmanager
def new_password(server: Valkey) -> Iterator[None]:
    server.command("ACL", "SETUSER", "ann", "resetpass", ">other")
    server.command("CLIENT", "KILL", "USER", "ann")
    try:
        yield
    finally:
        server.command("ACL", "SETUSER", "ann", "resetpass", ">pw")


@contextmanager
def busy_script(server: Valkey) -> Iterator[None]:
    server.command("CONFIG", "SET", "busy-reply-threshold", "1")
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(server.socket))
        line.sendall(b"EVAL 'while true do end' 0\r\n")
        while not server.command("GET", "x").startswith(b"-BUSY"):
            pass
        try:
            yield
        finally:
            server.command("SCRIPT", "KILL")


@contextmanager
def after(server: Valkey, command: str, back: str) -> Iterator[None]:
    server.command(*command.split())
    try:
        yield
    finally:
        server.command(*back.split())


def refusing(server: Valkey, why: str) -> AbstractContextManager[None]:
    """Return a block during which the server takes no calls."""
    match why:
        case "disk":
            return full_disk(server)
        case "replicas":
            setting = "CONFIG SET min-replicas-to-write"
            return after(server, f"{setting} 1", f"{setting} 0")
        case "rights":
            return after(server, "ACL SETUSER ann -fcall", "ACL SETUSER ann +fcall")
        case "password":
            return new_password(server)
        case "script":
            return busy_script(server)
        case _:
            return after(server, "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE")


def refused(server: Valkey) -> int:
    """Return how many calls the server has refused since it has no replicas."""
    found = re.search(rb"errorstat_NOREPLICAS:count=(\d+)", server.command("INFO", "errorstats"))
    return int(found[1]) if found else 0


def said(caplog: pytest.LogCaptureFixture, words: str) -> list[str]:
    """Return what was logged of the server with these words."""
    texts = [record.getMessage() for record in caplog.records]
    return [text for text in texts if words in text and text.startswith("the server unix://")]


async def until_said(caplog: pytest.LogCaptureFixture, words: str) -> None:
    while not said(caplog, words):  # noqa: ASYNC110 - a worker says it
        await trio.sleep(0.01)


@pytest.mark.parametrize("why", MENDED)
async def test_a_submit_says_why_and_workers_wait_until_the_server_is_mended(
    url: str, valkey: Valkey, tmp_path: Path, caplog: pytest.LogCaptureFixture, why: str
) -> None:
    go, words = tmp_path / "go", MENDED[why]
    async with open_cluster(url, workers=2) as queue:
        handle = await queue.submit(jobs.until_file, str(go), 5)
        await until(handle, JobStatus.RUNNING)
        with refusing(valkey, why):
            with pytest.raises(ClusterUnavailable, match=words) as caught:
                await queue.submit(jobs.echo, 1)
            assert "pw" not in str(caught.value)
            go.touch()  # the job ends, and nobody can be told
            await until_said(caplog, words)
            await trio.sleep(1.2 * LONGEST_PAUSE)  # it has tried again
            assert handle.status is JobStatus.RUNNING
        assert await handle.result() == 5
        assert await queue.run(jobs.echo, 6) == 6
        assert handle.snapshot().attempt == 1
        assert (await queue.totals())[JobStatus.COMPLETED] == 2
    assert len(said(caplog, words)) == 1


@pytest.mark.parametrize("why", PASSING)
async def test_all_wait_for_what_passes_by_itself(
    url: str, valkey: Valkey, caplog: pytest.LogCaptureFixture, why: str
) -> None:
    words = PASSING[why]
    async with open_cluster(url, workers=1) as queue, trio.open_nursery() as nursery:
        values: list[object] = []

        async def run() -> None:
            values.append(await queue.run(jobs.echo, 5))

        with refusing(valkey, why):
            nursery.start_soon(run)
            await until_said(caplog, words)
            assert values == []
    assert values == [5]


async def test_an_error_of_the_body_leaves_although_its_jobs_cannot_be_cancelled(
    url: str, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ticketr.cluster._open.LAST_WORDS", 0.1)
    with ExitStack() as refused, pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block's end
        async with open_cluster_queue(url, name=new_name(), secret=SECRET) as queue:
            await queue.submit(jobs.echo, 1)
            refused.enter_context(refusing(valkey, "replicas"))
            raise ZeroDivisionError


async def test_the_life_of_a_worker_ends_when_no_call_is_taken(
    url: str, valkey: Valkey, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Others may have its jobs once its lease is over and the server is mended."""
    go = tmp_path / "go"
    async with open_cluster(url, workers=1, lease=0.5) as queue:
        handle = await queue.submit(jobs.until_file, str(go), 5)
        await until(handle, JobStatus.RUNNING)
        with refusing(valkey, "replicas"):
            while "1 jobs are stopped" not in caplog.text:  # noqa: ASYNC110 - a worker says it
                await trio.sleep(0.01)
            before = refused(valkey)
            while refused(valkey) < before + 5:  # noqa: ASYNC110 - the next life asks
                await trio.sleep(0.01)
        go.touch()
        assert await handle.result() == 5
        assert handle.snapshot().attempt == 2


async def test_jobs_that_the_server_has_forgotten_are_lost_if_it_does_not_take_them_again(
    url: str, valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    name = new_name()
    async with open_cluster_queue(url, name=name, secret=SECRET, detach=True) as queue:
        first = await queue.submit(jobs.echo, 1, delay=1000)
    async with open_cluster_queue(url, name=name, secret=SECRET) as queue:
        attached = await queue.attach(first.id)
        follower = await queue.submit(jobs.echo, 2, after=[first.id])
        valkey.command("FLUSHALL")
        valkey.command("FUNCTION", "FLUSH")
        valkey.command("CLIENT", "KILL", "USER", "ann")
        for handle in (attached, follower):
            with pytest.raises(JobLost, match="was lost: the server has forgotten it"):
                await handle.result()
    assert f"the server has forgotten job {first.id!r}, and how it ended" in caplog.text


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ResponseError("NOREPLICAS Not enough good replicas to write."), "fewer replicas"),
        (ResponseError("Command # 1 (SET) of pipeline caused error: MISCONF Errors"), "its disk"),
        (ExceptionGroup("", [ValueError(), ClusterDownError("The cluster is down")]), "is down"),
        (ResponseError("MASTERDOWN Link with MASTER is down"), "has lost its primary"),
        (BusyLoadingError("is loading the dataset in memory"), "loads its data"),
        (LineBroken("max number of clients reached"), "its maxclients is reached"),
        (
            ResponseError("WRONGTYPE ticketr:q:job:j script: f"),
            "overwritten its key 'ticketr:q:job:j':",
        ),
        (WrongTypeError("Operation against a key"), "one of its keys"),
    ],
)
def test_an_error_of_the_server_becomes_words(error: Exception, words: str) -> None:
    refusal = refusal_of(error)
    assert refusal is not None
    assert words in refusal.problem


def test_another_error_is_no_refusal() -> None:
    assert refusal_of(ResponseError("ERR wrong number of arguments")) is None
    assert refusal_of(ExceptionGroup("", [OSError("MISCONFIGURED")])) is None
