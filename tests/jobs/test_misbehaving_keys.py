"""Keys whose own code raises, at the submit or later."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from ticketr import DuplicateJob, JobStatus, OnConflict, Retry, open_job_queue

if TYPE_CHECKING:
    from trio.testing import MockClock

    from ticketr import JobContext, JobQueue


class Key:
    """All have the same hash, so that they are compared; those of one name are equal."""

    broken: frozenset[str] = frozenset()
    shift = 0

    def __init__(self, name: str) -> None:
        self.name = name

    def __hash__(self) -> int:
        if "hash" in self.broken:
            raise ZeroDivisionError("hash")
        return 1 + self.shift

    def __eq__(self, other: object) -> bool:
        if "eq" in self.broken:
            raise ZeroDivisionError("eq")
        return isinstance(other, Key) and other.name == self.name

    def __repr__(self) -> str:
        if "repr" in self.broken:
            raise ZeroDivisionError("repr")
        return self.name


@pytest.fixture(autouse=True)
def sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin and end each test with working keys."""
    monkeypatch.setattr(Key, "broken", frozenset())
    monkeypatch.setattr(Key, "shift", 0)


async def second(context: JobContext) -> None:
    await trio.sleep(1)


async def fails_once(context: JobContext) -> None:
    await trio.sleep(1)
    if context.attempt == 1:
        raise ValueError


@pytest.mark.parametrize("broken", ["hash", "eq"])
async def test_a_key_that_breaks_at_the_submit_fails_it(
    broken: str, autojump_clock: MockClock
) -> None:
    async with open_job_queue() as queue:
        await queue.submit(second, key=Key("a"))
        await wait_all_tasks_blocked()
        numbers, counts = queue._core.schedule.pending, queue.statistics()
        Key.broken = frozenset({broken})
        for submit in (queue.submit, queue.run):
            with pytest.raises(ZeroDivisionError):
                await submit(second, key=Key("b"))
        with pytest.raises(ZeroDivisionError):
            queue.submit_nowait(second, key=Key("b"))
        for call in (queue.pause, queue.resume):
            with pytest.raises(ZeroDivisionError):
                call(Key("b"))

        assert (queue._core.schedule.pending, queue.statistics()) == (numbers, counts)
        assert len(queue._core.registry.keys) == 1
        Key.broken = frozenset()
        await queue.run(second, key=Key("b"))

    assert len(queue._core.registry.keys) == 0


class OnceKey(Key):
    """Can be hashed twice, for the check and the look-up, but not a third time."""

    left = 2

    def __hash__(self) -> int:
        self.left -= 1
        if self.left < 0:
            raise ZeroDivisionError("hash")
        return 1


async def test_a_key_that_breaks_when_it_is_stored_fails_the_submit(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue() as queue:
        with pytest.raises(ZeroDivisionError):
            queue.submit_nowait(second, key=OnceKey("a"))

        assert queue.statistics().pending == 0
        assert queue.jobs() == []
        assert (await queue.submit(second)).id == "job-1"


@pytest.mark.parametrize("shift", [0, 5])
@pytest.mark.parametrize("when", [0, 0.5, 1.5, 2.5, 3.5])
@pytest.mark.parametrize("end", ["leave", "shutdown", "raise", "cancel"])
async def test_a_key_that_breaks_later_affects_no_other_job(
    shift: int, when: float, end: str, autojump_clock: MockClock
) -> None:
    async def body(queue: JobQueue) -> None:
        for name in ("a", "b", "a"):
            queue.submit_nowait(second, key=Key(name))
        queue.submit_nowait(fails_once, key=Key("a"), retry=Retry(2, first=0.2, jitter=0))
        old = queue.submit_nowait(second, key=Key("c"), delay=3)
        paused = queue.submit_nowait(second, key=Key("p"))
        queue.pause(paused.snapshot().key)
        queue.submit_nowait(second, key=Key("c"), on_conflict=OnConflict.SUPERSEDE)
        assert old.status is JobStatus.CANCELLED
        await trio.sleep(when)
        Key.broken, Key.shift = frozenset({"hash", "eq", "repr"}), shift
        for job in queue.jobs():
            queue.set_priority(job.id, 3)
        await trio.sleep(1)
        if end == "shutdown":
            await queue.shutdown(grace=1)
        if end == "cancel":
            queue.cancel_all()
        if end == "raise":
            raise LookupError

    queues: list[JobQueue] = []
    with pytest.raises(LookupError) if end == "raise" else nullcontext():
        async with open_job_queue(workers=2, max_pending=None) as opened:
            queues.append(opened)
            await body(opened)

    [queue] = queues
    counts = queue.statistics()
    assert (counts.pending, counts.running) == (0, 0)
    assert all(job.status.is_terminal for job in queue.jobs())
    if end == "leave":
        assert counts.completed == 6
    assert len(queue._core.registry.keys) == 0


async def test_a_key_whose_hash_changes_is_still_its_job_s(autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=2) as queue:
        key = Key("a")
        first = queue.submit_nowait(second, key=key)
        later = queue.submit_nowait(second, key=key)
        Key.shift = 1
        await first.wait()
        await later.wait()

    assert trio.current_time() == 2
    assert len(queue._core.registry.keys) == 0


async def test_a_broken_key_does_not_affect_calls_about_another_key(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue() as queue:
        await queue.run(second, key=Key("a"))
        queue.submit_nowait(second, key=Key("b"))
        other = queue.submit_nowait(second, key="other")
        Key.broken = frozenset({"hash", "eq"})

        assert [job.id for job in queue.jobs(key="other")] == [other.id]
        assert queue.cancel_all(key="other") == {other.id: "cancelled"}
        queue.pause("other")
        queue.resume("other")


async def test_a_pause_of_a_key_holds_between_its_jobs(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        first = queue.submit_nowait(second, key="k")
        await wait_all_tasks_blocked()
        queue.pause("k")
        await first.wait()
        later = queue.submit_nowait(second, key="k")
        await trio.sleep(5)

        assert later.snapshot().waiting_for == "paused"
        later.cancel()
        queue.resume("k")
        assert len(queue._core.registry.keys) == 0


async def test_a_conflict_about_a_key_without_a_repr_is_reported(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue() as queue:
        queue.submit_nowait(second, key=Key("a"), id="x")
        with pytest.raises(DuplicateJob) as caught:
            queue.submit_nowait(second, key=Key("a"), on_conflict=OnConflict.REJECT)

        Key.broken = frozenset({"repr"})
        assert str(caught.value).startswith("job 'x' of the same key ")
