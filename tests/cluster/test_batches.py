"""Test that calls made at the same time share a round trip, and nothing else."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
from fakes.clusters import SECRET, new_name

from ticketr.cluster import ClusterUnavailable
from ticketr.cluster._batches import MOST_BYTES, MOST_CALLS, open_batches
from ticketr.cluster._connection import open_connection
from ticketr.cluster._store import RecordStore

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fakes.valkeys import Valkey

    from ticketr.cluster._batches import Batches


@asynccontextmanager
async def open_all(url: str) -> AsyncGenerator[tuple[RecordStore, Batches], None]:
    async with open_connection(url, name=new_name(), secret=SECRET) as connection:
        store = RecordStore(connection)
        await store.load_functions()
        async with open_batches(store) as batches:
            yield store, batches


def count_calls(valkey: Valkey) -> int:
    """Return how many calls of functions the server has had."""
    found = re.search(rb"cmdstat_fcall:calls=(\d+)", valkey.command("INFO", "commandstats"))
    return int(found[1]) if found else 0


async def cancel(batches: Batches, job_id: str, answers: dict[str, object]) -> None:
    """Cancel a job that there is not: a call that changes nothing."""
    try:
        answers[job_id] = await batches.call_surely("cancel", job_id, "user", "t")
    except ClusterUnavailable as error:
        answers[job_id] = error


async def test_calls_made_at_once_are_one(url: str, valkey: Valkey) -> None:
    answers: dict[str, object] = {}
    async with open_all(url) as (_, batches):
        before = count_calls(valkey)
        async with trio.open_nursery() as nursery:
            for number in range(MOST_CALLS):
                nursery.start_soon(cancel, batches, f"j{number}", answers)
        assert count_calls(valkey) == before + 1
    assert answers == {f"j{number}": b"unknown" for number in range(MOST_CALLS)}


async def test_a_batch_has_a_limit(url: str, valkey: Valkey) -> None:
    async with open_all(url) as (_, batches):
        before = count_calls(valkey)
        many = [("cancel", "j", "user", "t")] * (MOST_CALLS + 1)
        assert await batches.call_all_surely(many) == [b"unknown"] * len(many)
        assert count_calls(valkey) == before + 2

        large = [("cancel", f"{number}" * (MOST_BYTES // 2), "user", "t") for number in range(3)]
        assert await batches.call_all_surely(large) == [b"unknown"] * 3
        assert count_calls(valkey) == before + 5


async def test_each_caller_gets_its_own_answer(url: str) -> None:
    answers: dict[str, object] = {}
    async with open_all(url) as (store, batches):
        await store.client.set(f"{store.keys.prefix}job:bad", "no hash")
        async with trio.open_nursery() as nursery:
            for job_id in ("good", "bad", "fine"):
                nursery.start_soon(cancel, batches, job_id, answers)
    assert isinstance(answers["bad"], ClusterUnavailable)
    assert "overwritten its key" in str(answers["bad"])
    assert answers["good"] == answers["fine"] == b"unknown"


async def test_a_batch_that_is_refused_fails_each_call(url: str, valkey: Valkey) -> None:
    answers: dict[str, object] = {}
    async with open_all(url) as (_, batches):
        valkey.command("ACL", "SETUSER", "default", "-fcall")
        try:
            async with trio.open_nursery() as nursery:
                for job_id in ("one", "two"):
                    nursery.start_soon(cancel, batches, job_id, answers)
        finally:
            valkey.command("ACL", "SETUSER", "default", "+fcall")
        assert [type(answer) for answer in answers.values()] == [ClusterUnavailable] * 2
        assert answers["one"] is not answers["two"]


async def test_without_memory_only_the_calls_fail_that_need_some(url: str, valkey: Valkey) -> None:
    answers: dict[str, object] = {}
    async with open_all(url) as (_, batches):

        async def report() -> None:
            with pytest.raises(ClusterUnavailable, match="out of memory"):
                await batches.call_surely("report", "j", "t", 1, 2, "")
            answers["report"] = "refused"

        valkey.command("CONFIG", "SET", "maxmemory", "1")
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(report)
                nursery.start_soon(cancel, batches, "j", answers)
        finally:
            valkey.command("CONFIG", "SET", "maxmemory", "0")
    assert answers == {"report": "refused", "j": b"unknown"}


async def test_calls_wait_for_the_batch_that_is_on_its_way(url: str, valkey: Valkey) -> None:
    """One whose task is cancelled meanwhile is not sent."""
    answers: dict[str, object] = {}
    async with open_all(url) as (store, batches), trio.open_nursery() as nursery:
        before = count_calls(valkey)
        valkey.command("CLIENT", "PAUSE", "60000", "WRITE")
        nursery.start_soon(cancel, batches, "first", answers)
        await trio.testing.wait_all_tasks_blocked()
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as dropped:
                dropped.start_soon(batches.call_surely, "withdraw", "j", "dropped", "scope")
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
        for job_id in ("second", "third"):
            nursery.start_soon(cancel, batches, job_id, answers)
        await trio.testing.wait_all_tasks_blocked()
        valkey.command("CLIENT", "UNPAUSE")
        while len(answers) < 3:  # noqa: ASYNC110 - the server answers
            await trio.sleep(0.001)
        assert count_calls(valkey) == before + 2
        assert not await store.client.exists([f"{store.keys.prefix}withdrawn:dropped"])


async def test_clean_up_can_make_calls(url: str) -> None:
    with trio.CancelScope() as scope:
        async with open_all(url) as (_, batches):
            scope.cancel()
            with trio.CancelScope(shield=True):
                assert await batches.call_surely("cancel", "j", "user", "t") == b"unknown"
