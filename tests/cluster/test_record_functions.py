"""Test the functions in the server one by one: what a repeated call answers, and what time changes."""

from __future__ import annotations

import json
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from fakes.clusters import SECRET, new_name

from ticketr.cluster._connection import open_connection
from ticketr.cluster._store import RecordStore, pairs

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

WORKER = "w"


@asynccontextmanager
async def open_store(url: str) -> AsyncGenerator[RecordStore, None]:
    async with open_connection(url, name=new_name(), secret=SECRET) as connection:
        yield RecordStore(connection)


@pytest.fixture
async def store(url: str) -> AsyncGenerator[RecordStore, None]:
    async with open_store(url) as store:
        await store.call("tick", WORKER, 60, "words", 1)
        yield store


async def enter(
    store: RecordStore, job_id: str = "j", nonce: str = "n", **options: object
) -> list[bytes]:
    given = {"mode": "wait", "key": "", "delay": 0, "room": 10**9, "start_by": 0, **options}
    answer: list[bytes] = await store.call(
        *("enter", job_id, nonce, given["mode"], 0, "", given["key"], given["delay"]),
        *(given["room"], given["start_by"], 0, 0, "name", "job", "tags", json.dumps([])),
        *("priority", 0, "level", "normal", "timeout", "inf", "retry", b"", "payload", b"p"),
    )
    return answer


async def begin(
    store: RecordStore, job_id: str = "j", nonce: str = "n", token: str = "t", worker: str = WORKER
) -> list[bytes]:
    entry = await store.client.hget(f"{store.keys.prefix}job:{job_id}", "entry") or b""
    answer: list[bytes] = await store.call("begin", job_id, nonce, worker, token, "normal", entry)
    return answer


async def view(store: RecordStore, job_id: str = "j") -> dict[str, str]:
    told = pairs(await store.call("attach", job_id, ""))
    return {name: value.decode() for name, value in told.items()}


async def state(store: RecordStore, job_id: str = "j") -> tuple[str, str]:
    told = await view(store, job_id)
    return told["status"], told["attempt"]


async def count_fetched(store: RecordStore, stream: str) -> int:
    summary: Any = await store.client.xpending(stream, "workers")
    count: int = summary.pending
    return count


async def die(store: RecordStore, worker: str) -> None:
    """Let the lease of a worker be over, and another worker notice that."""
    await store.client.zadd(f"{store.keys.prefix}workers", {worker: 1})
    await store.call("tick", WORKER, 60, "words", 0)


async def keys_left(store: RecordStore) -> set[str]:
    """Return what the queue has in the server beside records of ended jobs and sums."""
    found = await store.client.keys(f"*{store.keys.queue}*")
    names = {name.decode() for name in found}
    prefix, streams = store.keys.prefix, f"{store.keys.engine}:queues:"
    known = {f"{prefix}{name}" for name in ("secret", "ended", "totals", "settings", "workers")}
    known |= {f"{prefix}hosts", f"{prefix}stops:{WORKER}"}
    left = {n for n in names if n not in known and not n.startswith((f"{prefix}job:", streams))}
    for stream in names:
        if stream.startswith(streams):
            assert await store.client.xlen(stream) == 0
    return left


async def test_a_repeated_enter_changes_nothing(store: RecordStore) -> None:
    first = await enter(store)
    assert first[0] == b"entered"
    assert await enter(store) == first
    assert await store.client.xlen(f"{store.keys.engine}:queues:normal") == 1

    await begin(store)
    assert (await enter(store))[:4] == first[:4]
    assert await state(store) == ("running", "1")


async def test_a_withdrawn_submit_does_not_enter_any_more(store: RecordStore) -> None:
    await store.call("withdraw", "j", "n", "scope")
    assert await enter(store) == [b"withdrawn"]

    await enter(store, nonce="other")
    await store.call("withdraw", "j", "n", "scope")  # of an earlier submit
    assert await state(store) == ("pending", "0")
    await store.call("withdraw", "j", "other", "scope")
    assert (await view(store))["cause"] == "scope"


async def test_a_repeated_begin_gets_the_same_answer(store: RecordStore) -> None:
    await enter(store)
    first = await begin(store)
    assert first[0] == b"run"
    again = await begin(store)
    assert (again[0], again[2:]) == (first[0], first[2:])  # all but the time that has passed
    assert await state(store) == ("running", "1")


async def test_another_delivery_of_a_running_job_is_dropped(store: RecordStore) -> None:
    await enter(store)
    await begin(store)
    assert await begin(store, token="other") == [b"drop"]
    assert await begin(store, nonce="other", token="other") == [b"drop"]
    assert await begin(store, job_id="none", token="other") == [b"drop"]
    assert await state(store) == ("running", "1")


async def test_a_worker_that_is_taken_for_dead_begins_nothing(store: RecordStore) -> None:
    await enter(store)
    assert await begin(store, worker="unknown") == [b"over"]
    assert await state(store) == ("pending", "0")
    assert await store.call("tick", "unknown", 60, "", 0) == [b"over"]


async def test_one_job_has_a_key_however_they_are_delivered(store: RecordStore) -> None:
    await enter(store, key="key")
    await enter(store, "delivered", key="key")  # too, since neither has begun
    await begin(store)
    assert await begin(store, "delivered", token="other") == [b"drop"]
    await enter(store, "late", key="key")
    for job_id in ("delivered", "late"):
        told = await view(store, job_id)
        assert (told["status"], told["waiting"]) == ("pending", "key")

    await store.call("finish", "j", "t", "completed", "", b"r", b"", 0, 0, 0, "")
    assert (await view(store, "delivered"))["waiting"] == "worker"
    assert (await view(store, "late"))["waiting"] == "key"
    assert (await begin(store, "delivered", token="other"))[0] == b"run"


async def test_a_repeated_put_back_changes_nothing(store: RecordStore) -> None:
    await enter(store)
    await begin(store)
    assert await store.call("put_back", "j", "t", 0, 1) == 1
    assert await store.call("put_back", "j", "t", 0, 1) == 1
    assert await state(store) == ("pending", "1")
    assert await store.client.xlen(f"{store.keys.engine}:queues:normal") == 1

    await begin(store, token="t2")
    assert await store.call("put_back", "j", "t", 0, 1) == 1
    assert await state(store) == ("running", "2")


async def test_a_repeated_finish_changes_nothing(store: RecordStore) -> None:
    await enter(store)
    await begin(store)
    finish = ("finish", "j", "t", "completed", "", b"r", b"", 1, 5, 5, "done")
    assert await store.call(*finish) == 1
    told = await view(store)
    assert (told["status"], told["result"], told["message"]) == ("completed", "r", "done")
    assert await store.call(*finish) == 1
    assert await view(store) == told
    assert (await store.call("totals"))[2] == 1
    assert await store.call("finish", "j", "late", "failed", "", b"", b"e", 0, 0, 0, "") == 0
    assert await view(store) == told


async def test_a_report_of_an_old_attempt_is_refused(store: RecordStore) -> None:
    await enter(store)
    await begin(store)
    assert await store.call("report", "j", "t", 1, 2, "one") == 1
    assert await store.call("report", "j", "old", 2, 2, "two") == 0
    assert (await view(store))["message"] == "one"


async def test_a_repeated_cancel_repeats_its_answer(store: RecordStore) -> None:
    await enter(store)
    assert await store.call("cancel", "j", "user", "c1") == b"cancelled"
    assert await store.call("cancel", "j", "user", "c1") == b"cancelled"
    assert await store.call("cancel", "j", "user", "c2") == b"already finished"

    await enter(store, nonce="n2")
    await begin(store, nonce="n2")
    assert await store.call("cancel", "j", "user", "c1") == b"requested"
    assert await store.call("cancel", "j", "user", "c1") == b"requested"
    assert await store.call("cancel", "j", "user", "c2") == b"already requested"
    assert (await store.call("tick", WORKER, 60, "", 0))[3:] == [b"t"]


async def test_a_cancel_before_a_put_back_ends_the_job(store: RecordStore) -> None:
    await enter(store)
    await begin(store)
    assert await store.call("cancel", "j", "user", "c") == b"requested"
    assert await store.call("put_back", "j", "t", 0, 1) == 1
    assert await state(store) == ("cancelled", "1")
    assert await store.call("put_back", "j", "t", 0, 1) == 1


async def test_nothing_is_left_after_the_end(store: RecordStore) -> None:
    for number in range(3):
        await enter(store, f"j{number}", key="k", start_by=2**40)
    await enter(store, "late", delay=1000)
    await begin(store, "j0")
    await store.call("report", "j0", "t", 1, 2, "")
    await store.call("finish", "j0", "t", "completed", "", b"r", b"", 0, 0, 0, "")
    await begin(store, "j1")
    await store.call("cancel", "j1", "user", "c")
    await store.call("finish", "j1", "t", "cancelled", "", b"", b"", 0, 0, 0, "")
    for job_id in ("j2", "late"):
        assert await store.call("cancel", job_id, "user", uuid.uuid4().hex) == b"cancelled"

    assert await keys_left(store) == set()
    assert await store.call("totals") == [0, 0, 1, 0, 3]


async def test_the_jobs_of_a_dead_worker_are_given_to_others(store: RecordStore) -> None:
    await store.call("tick", "dead", 60, "", 1)
    await enter(store)
    await enter(store, "k")
    await begin(store, worker="dead")
    await begin(store, "k", worker="dead", token="t2")
    await store.call("cancel", "k", "user", "c")

    await die(store, "dead")
    assert await state(store) == ("pending", "1")
    assert await state(store, "k") == ("cancelled", "1")
    assert await store.call("tick", "dead", 60, "", 0) == [b"over"]
    assert await store.call("finish", "j", "t", "completed", "", b"", b"", 0, 0, 0, "") == 0
    assert await store.call("put_back", "j", "t", 0, 1) == 0
    assert (await begin(store, token="t3"))[0] == b"run"


async def test_a_job_whose_workers_die_is_given_up(store: RecordStore) -> None:
    await enter(store)
    for number in range(3):
        await store.call("tick", f"dead{number}", 60, "", 1)
        assert (await begin(store, worker=f"dead{number}", token=f"t{number}"))[0] == b"run"
        await die(store, f"dead{number}")
    told = await view(store)
    assert (told["status"], told["lost"]) == ("failed", "3")
    assert "error" not in told


async def test_a_worker_that_departs_counts_as_no_death(store: RecordStore) -> None:
    await enter(store)
    for number in range(5):
        await store.call("tick", f"w{number}", 60, "", 1)
        assert (await begin(store, worker=f"w{number}", token=f"t{number}"))[0] == b"run"
        await store.call("depart", f"w{number}")
    assert await state(store) == ("pending", "5")


async def test_a_lost_delivery_is_repaired(store: RecordStore) -> None:
    await enter(store)
    await store.client.hset(f"{store.keys.prefix}job:j", {"due": "1"})  # long ago
    assert await store.call("repair") == 0
    await store.client.delete([f"{store.keys.engine}:queues:normal"])
    assert await store.call("repair") == 1
    assert (await begin(store))[0] == b"run"


async def test_few_ended_jobs_are_kept(store: RecordStore) -> None:
    await store.call("open", 2, 3600)
    for number in range(5):
        await enter(store, f"j{number}")
        await store.call("cancel", f"j{number}", "user", f"c{number}")
        await store.client.hset(f"{store.keys.prefix}job:j{number}", {"finished": "1"})
    assert len(await store.call("history", 100, "")) == 2
    assert await store.call("attach", "j0", "") == []


async def test_functions_are_loaded_again(store: RecordStore) -> None:
    await store.client.function_flush()
    assert await enter(store, "again") != []


async def test_a_message_whose_fetch_had_no_answer_is_delivered_again(store: RecordStore) -> None:
    stream = f"{store.keys.engine}:queues:normal"
    await store.client.xgroup_create(stream, "workers", "0", mkstream=True)
    await enter(store)
    await enter(store, "held")
    fetched = await store.client.xreadgroup("workers", WORKER, {stream: ">"}, count=5)
    assert fetched is not None
    held = next(iter(fetched.values()))[1].identifier
    assert await store.call("resume", WORKER, 1, held) == []

    assert await count_fetched(store, stream) == 1
    assert await store.client.xlen(stream) == 2


async def test_a_job_that_its_worker_does_not_hold_is_delivered_again(store: RecordStore) -> None:
    await enter(store)
    await begin(store)
    entry = (await store.client.hget(f"{store.keys.prefix}job:j", "entry")) or b""
    assert await store.call("resume", WORKER, 1, entry, "j", "t", entry) == []
    assert await state(store) == ("running", "1")
    await store.call("resume", WORKER, 0)
    assert await state(store) == ("pending", "1")
    assert (await begin(store, token="u"))[0] == b"run"


async def test_a_message_of_an_attempt_that_is_not_known_is_delivered_again(
    store: RecordStore,
) -> None:
    stream = f"{store.keys.engine}:queues:normal"
    await store.client.xgroup_create(stream, "workers", "0", mkstream=True)
    await enter(store)
    fetched = await store.client.xreadgroup("workers", WORKER, {stream: ">"}, count=5)
    assert fetched is not None
    held = next(iter(fetched.values()))[0].identifier
    assert await store.call("resume", WORKER, 1, held, "j", "t", held) == [b"t"]

    assert await count_fetched(store, stream) == 0
    assert await store.client.xlen(stream) == 1


async def test_a_message_that_a_dead_worker_has_fetched_is_delivered_again(
    store: RecordStore,
) -> None:
    stream = f"{store.keys.engine}:queues:normal"
    await store.client.xgroup_create(stream, "workers", "0", mkstream=True)
    await store.call("tick", "dead", 60, "", 1)
    await enter(store)
    await enter(store, "gone")
    await store.client.xreadgroup("workers", "dead", {stream: ">"}, count=5)
    await store.call("cancel", "gone", "user", "c")
    await die(store, "dead")

    assert await store.client.xlen(stream) == 1
    assert await count_fetched(store, stream) == 0
    assert await store.client.xinfo_consumers(stream, "workers") == ()
    fetched = await store.client.xreadgroup("workers", WORKER, {stream: ">"}, count=5)
    assert fetched is not None
    [entry] = next(iter(fetched.values()))
    assert entry.field_values[b"task_id"] == b"j~n"
    assert (await begin(store))[0] == b"run"
