"""Guards for the faults of the engine that ticketr works round.

Each test shows a fault in the stock engine, or what of it is replaced, and that ours is without it.
One that fails after an upgrade says that its way round is to be looked at again.
"""

from __future__ import annotations

import inspect
import logging
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import coredis
import pytest
import streaq
import trio
from coredis.exceptions import ResponseError
from fakes import cluster_jobs as jobs
from fakes.clusters import SECRET, new_name, open_cluster, until

from ticketr import JobStatus
from ticketr.cluster import _engine
from ticketr.cluster._address import ServerAddress
from ticketr.cluster._connection import Connection, open_client, open_connection
from ticketr.cluster._engine import Engine
from ticketr.cluster._keys import LEVELS, QueueKeys
from ticketr.cluster._secret import Secret

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fakes.valkeys import Valkey
    from streaq.types import StreamMessage

SOURCE = inspect.getsource(streaq.Worker)


def stock(**options: Any) -> streaq.Worker[None]:
    return streaq.Worker(anyio_backend="trio", **options)


async def ignore(message: StreamMessage) -> None: ...


def engine(connection: Connection, stop: trio.Event, deliver: Any = ignore) -> Engine:
    return Engine(
        connection,
        worker="w",
        concurrency=2,
        idle=5.0,
        held=dict,
        deliver=deliver,
        stop=stop,
    )


@pytest.fixture
def unconnected() -> Connection:
    address = ServerAddress(host="localhost", port=1)
    return Connection("q", address, Secret(SECRET), coredis.Redis())


def test_the_versions_are_those_that_were_looked_at() -> None:
    assert version("streaq").startswith("7.2.")
    assert version("coredis").startswith("6.")


@pytest.mark.parametrize(
    "name",
    [
        "run_task",
        "signal_handler",
        "schedule_delayed_tasks",
        "renew_idle_timeouts",
        "_read_streams_legacy",
    ],
)
def test_what_is_replaced_is_there(name: str) -> None:
    """The engine calls these itself, with these arguments."""
    theirs = inspect.signature(getattr(streaq.Worker, name))
    ours = inspect.signature(getattr(Engine, name))
    assert list(ours.parameters) == list(theirs.parameters)
    assert f"self.{name}" in SOURCE


async def test_fault_1_it_prefetches_twice_as_many(url: str) -> None:
    assert stock(concurrency=2).prefetch == 4
    name = new_name()
    async with open_cluster(url, workers=0, name=name) as queue:
        handles = await queue.submit_many(jobs.forever_or_fail, [1] * 6)
        async with open_cluster(url, workers=2, name=name), client_of(url, name) as client:
            for handle in handles[:2]:
                await until(handle, JobStatus.RUNNING)
            summary: Any = await client.xpending(f"streaq:{name}:queues:normal", "workers")
            assert summary.pending == 2
            for handle in handles:
                await handle.cancel_and_wait()


async def test_fault_2_what_cannot_be_pickled_ends_no_worker(url: str) -> None:
    with pytest.raises(streaq.StreaqError):
        await stock().serialize({"r": lambda: None})
    async with open_cluster(url, workers=1) as queue:
        for job in (jobs.give_lock, jobs.fail_oddly):
            assert (await (await queue.submit(job)).wait()).status is JobStatus.FAILED
        assert await queue.run(jobs.echo, 1) == 1


async def test_faults_3_and_4_many_waiters_share_one_connection(url: str, valkey: Any) -> None:
    assert "pubsub" in inspect.getsource(streaq.Worker.result_by_id)
    async with open_cluster(url, workers=0, detach=True) as queue:
        results = 0

        async def wait() -> None:
            nonlocal results
            await queue.run(jobs.echo)
            results += 1

        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(wait)
            while (await queue.totals())[JobStatus.PENDING] < 100:  # noqa: ASYNC110 - it is asked
                await trio.sleep(0.01)
            assert b"pubsub_clients:0" in valkey.command("INFO", "clients")
            for snapshot in queue.jobs():
                nursery.start_soon(queue.request_cancel, snapshot.id)
            nursery.cancel_scope.cancel()


async def test_fault_5_a_cancelled_worker_gives_its_jobs_back(url: str) -> None:
    """The stock engine shields a job that runs when the nursery around it is cancelled."""
    assert "shield=True" in inspect.getsource(streaq.Worker.run_task)
    name = new_name()
    async with open_cluster(url, workers=0, name=name, detach=True) as queue:
        with trio.CancelScope() as scope:
            async with open_cluster(url, name=name, detach=True) as other:
                handle = await other.submit(jobs.forever, id="mine")
                await until(handle, JobStatus.RUNNING)
                scope.cancel()
        again = await queue.attach("mine")
        assert again.status is JobStatus.PENDING
        await again.cancel_and_wait()


async def test_fault_6_a_cancelled_block_ends_in_order(url: str) -> None:
    for number in range(10):
        with trio.move_on_after(0.004 * number) as scope:
            async with open_cluster(url, workers=1, detach=True):
                await trio.sleep_forever()
        assert scope.cancelled_caught


def test_fault_7_the_option_for_signals_is_not_read() -> None:
    assert SOURCE.count("self.handle_signals") == 1  # where it is written


async def test_fault_7_an_event_ends_a_session(url: str) -> None:
    async with open_connection(url, name=new_name(), secret=SECRET) as connection:
        stop = trio.Event()
        session = engine(connection, stop)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(session.run_until_stopped)
            while not session._running:  # noqa: ASYNC110 - the engine has no event
                await trio.sleep(0.005)
            stop.set()


def test_fault_8_the_list_of_priorities_is_reversed(unconnected: Connection) -> None:
    priorities = ["low", "high"]
    stock(priorities=priorities)
    assert priorities == ["high", "low"]
    assert engine(unconnected, trio.Event()).priorities == ["high", "normal", "low"]
    assert LEVELS == ("low", "normal", "high")


async def test_fault_9_a_silent_line_is_noticed(unconnected: Connection) -> None:
    assert stock()._redis.connection_pool.connection_kwargs.get("stream_timeout") is None
    ours = engine(unconnected, trio.Event())
    assert ours._redis.connection_pool.connection_kwargs["stream_timeout"] == 5.0 + _engine.PATIENCE


async def test_fault_10_the_record_decides_who_is_dead() -> None:
    """Shown by test_worker_processes and test_record_functions; here the engine's own way."""
    assert "xautoclaim" in (
        await trio.Path(streaq.__file__).parent.joinpath("lua/streaq.lua").read_text()
    )


async def test_fault_11_an_abort_of_the_engine_changes_nothing(url: str) -> None:
    name = new_name()
    async with open_cluster(url, name=name) as queue:
        handle = await queue.submit(jobs.forever, id="mine")
        await until(handle, JobStatus.RUNNING)
        async with client_of(url, name) as client:
            task = next(iter(queue._mirror.live))
            await client.sadd(f"{QueueKeys(name).engine}:aborted", [task])
        assert await queue.run(jobs.echo, 1) == 1
        assert handle.status is JobStatus.RUNNING
        await handle.cancel_and_wait()


@asynccontextmanager
async def client_of(url: str, name: str) -> AsyncGenerator[coredis.Redis[bytes], None]:
    async with open_connection(url, name=name, secret=SECRET) as connection:
        yield connection.client


async def test_fault_12_a_cancelled_connect_looks_like_a_failed_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A server that accepts and says nothing, so that the handshake is cancelled."""
    caplog.set_level(logging.CRITICAL, "coredis")

    async def silent(stream: trio.SocketStream) -> None:
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        listeners: list[trio.SocketListener] = await nursery.start(trio.serve_tcp, silent, 0)
        port: int = listeners[0].socket.getsockname()[1]
        with trio.move_on_after(0.1):
            async with open_client(ServerAddress(host="127.0.0.1", port=port)) as client:
                with pytest.raises(coredis.exceptions.ConnectionError):
                    await client.ping()
        url = f"valkey://127.0.0.1:{port}"
        with trio.move_on_after(0.1) as scope:
            async with open_connection(url, name="q", secret=SECRET):
                pytest.fail("there is no server")
        assert scope.cancelled_caught
        nursery.cancel_scope.cancel()


async def test_fault_13_a_read_may_give_more_than_there_is_room_for(url: str) -> None:
    assert "queue.send_nowait(" in SOURCE
    async with open_cluster(url, workers=1) as queue:
        assert await queue.run(jobs.echo, 1) == 1  # the worker waits for messages
        await queue.pause()
        handles = [await queue.submit(jobs.echo, priority=level) for level in (-1, 0, 1)]
        await queue.resume()  # which delivers all at once
        for handle in handles:
            assert (await handle.wait()).attempt == 1


async def test_fault_14_without_memory_the_function_that_reads_is_refused(
    url: str, valkey: Valkey
) -> None:
    async with open_connection(url, name=new_name(), secret=SECRET) as connection:
        session = engine(connection, trio.Event())
        for level in LEVELS:
            stream = f"{session.stream_key}{level}"
            await connection.client.xgroup_create(stream, "workers", "0", mkstream=True)
        await connection.client.xadd(f"{session.stream_key}normal", {"task_id": "j~n"})
        async with session:
            valkey.command("CONFIG", "SET", "maxmemory", "1")
            try:
                with pytest.raises(ResponseError, match="OOM"):
                    await streaq.Worker._read_streams_legacy(session, 1)
                assert list(await session._read_streams_legacy(1)) == [
                    f"{session.stream_key}normal"
                ]
            finally:
                valkey.command("CONFIG", "SET", "maxmemory", "0")


def test_other_names_of_keys_are_noticed(
    unconnected: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streaq.worker.REDIS_STREAM", ":other:")
    with pytest.raises(RuntimeError, match="keeps its messages in 'streaq:q:other:'"):
        engine(unconnected, trio.Event())
