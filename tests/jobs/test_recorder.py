"""No job is affected by its history, whatever that does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from ticketr import FinishedJob, JobContext, JobStatus, open_job_queue
from ticketr.jobs._sqlite import history as _recorder


async def value(context: JobContext, given: object = None) -> object:
    return given


async def sleep(context: JobContext, seconds: float) -> None:
    await trio.sleep(seconds)


class Memory:
    """A history in memory, which can fail or be slow."""

    def __init__(self, *, failures: int = 0, seconds: float = 0) -> None:
        self.failures = failures
        self.seconds = seconds
        self.tries: list[float] = []
        self.batches: list[list[str]] = []
        self.jobs: list[FinishedJob] = []

    def summary(self, result: object) -> str:
        if isinstance(result, Exception):
            raise result
        return str(result)

    async def write(self, jobs: Sequence[FinishedJob], /) -> None:
        self.tries.append(trio.current_time())
        await trio.sleep(self.seconds)
        if self.failures:
            self.failures -= 1
            raise OSError("disk full")
        self.batches.append([job.name for job in jobs])
        self.jobs += jobs

    async def read(self, *, limit: int, status: JobStatus | None) -> list[FinishedJob]:
        await trio.lowlevel.checkpoint()
        found = [job for job in self.jobs if status is None or job.status is status]
        return found[::-1][:limit]


def names(jobs: list[FinishedJob]) -> list[str]:
    return [job.name for job in jobs]


async def test_jobs_are_written_in_batches(autojump_clock: MockClock) -> None:
    history = Memory()

    async with open_job_queue(history=history) as queue:
        for name in ("a", "b"):
            await queue.run(value, name=name)
        await trio.sleep(0.5)
        await queue.run(value, name="c")
        assert history.batches == [["a", "b"]]

    assert history.batches == [["a", "b"], ["c"]]
    assert [job.number for job in history.jobs] == [1, 2, 3]
    assert len({job.run for job in history.jobs}) == 1
    assert trio.current_time() == pytest.approx(0.5)


async def test_what_is_not_written_yet_is_in_the_history(autojump_clock: MockClock) -> None:
    history = Memory(seconds=1)

    async with open_job_queue(history=history) as queue:
        await queue.run(value, name="a")
        await trio.sleep(0.2)  # "a" is being written
        await queue.run(value, name="b")
        await queue.submit(sleep, 1, name="c")
        queue.cancel("job-3")
        await queue.wait_idle()

        assert names(await queue.history()) == ["c", "b", "a"]
        assert names(await queue.history(limit=1)) == ["c"]
        assert names(await queue.history(status=JobStatus.COMPLETED)) == ["b", "a"]
        await trio.sleep(5)
        assert names(await queue.history()) == ["c", "b", "a"]

    assert names(await queue.history()) == ["c", "b", "a"]


async def test_a_failing_history_is_retried_with_growing_pauses(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    history = Memory(failures=8)

    async with open_job_queue(history=history) as queue:
        await queue.run(value, name="a")
        await trio.sleep(1000)
        assert names(history.jobs) == ["a"]
        assert queue.statistics().unrecorded == 0

    assert history.tries == pytest.approx([0.1, 1.1, 3.1, 7.1, 15.1, 31.1, 63.1, 123.1, 183.1])
    assert [(record.name, record.message) for record in caplog.records] == [
        ("ticketr.jobs", "The history of jobs is not complete: disk full")
    ]


async def test_the_end_waits_for_the_history_for_a_bounded_time(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_job_queue(history=Memory(seconds=1e5)) as queue:
        await queue.run(value)
        await trio.sleep(1)  # it is being written

    assert trio.current_time() == pytest.approx(1 + _recorder.FLUSH_SECONDS)
    assert queue.statistics().unrecorded == 1
    assert await queue.history() == []
    assert "took longer than 5 s" in caplog.text


async def test_a_summary_that_raises_costs_one_record(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    history = Memory()

    async with open_job_queue(history=history) as queue:
        await queue.run(value, ValueError("no words"), name="a")
        await queue.run(value, name="b")

    assert names(history.jobs) == ["b"]
    assert queue.statistics().unrecorded == 1
    assert "no words" in caplog.text


@pytest.mark.parametrize("seconds", [0, 0.05])
async def test_a_queue_that_is_busier_than_batches_are_long_loses_nothing(
    seconds: float, autojump_clock: MockClock
) -> None:
    history = Memory(seconds=seconds)

    async with open_job_queue(workers=3, max_pending=100, history=history) as queue:
        for number in range(9_000):
            await queue.submit(value, name=str(number))
            if not number % 1000:
                await trio.sleep(seconds / 5)

    assert sorted(map(int, names(history.jobs))) == [*range(9_000)]
    assert [job.number for job in history.jobs] == [*range(1, 9_001)]
    assert queue.statistics().unrecorded == 0
    assert history.tries[1] - history.tries[0] == pytest.approx(seconds)  # without a pause


async def test_jobs_of_an_id_are_found_whether_written_or_not(autojump_clock: MockClock) -> None:
    history = Memory()

    async with open_job_queue(history=history) as queue:
        for name in "abc":
            await queue.run(value, name=name, id="b" if name == "b" else "a")
            await trio.sleep(1 if name != "c" else 0)
        handle = await queue.submit(value, name="d", id="a")
        await handle.wait()
        assert names(history.jobs) == ["a", "b"]

        assert names(await queue.history(id="a")) == ["d", "c", "a"]
        assert names(await queue.history(id=handle)) == ["d", "c", "a"]
        assert names(await queue.history(id="a", limit=2)) == ["d", "c"]
        assert names(await queue.history(id="b", limit=1)) == ["b"]
        assert await queue.history(id="a", status=JobStatus.FAILED) == []
        assert names(await queue.history(id="b")) == ["b"]
        assert await queue.history(id="c") == await queue.history(id="") == []
        for wrong in (5, object()):
            with pytest.raises(TypeError, match="id must be text"):
                await queue.history(id=wrong)  # type: ignore[arg-type]
        async with open_job_queue() as other:
            stranger = await other.submit(value, id="a")
            assert await queue.history(id=stranger) == []
            await stranger.wait()
            assert [job.id for job in await other.history(id="a")] == ["a"]
            assert await other.history(id="b") == []
        await trio.sleep(5)
        assert names(history.jobs) == [*"abcd"]
        assert names(await queue.history(id="b", limit=1)) == ["b"]


async def test_a_batch_that_comes_back_does_not_widen_the_bound(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_recorder, "BACKLOG", 3)
    history = Memory(seconds=1, failures=1)

    async with open_job_queue(history=history) as queue:
        for name in "abc":
            await queue.run(value, name=name)
        await trio.sleep(0.5)  # these are being written
        for name in "def":
            await queue.run(value, name=name)
        await trio.sleep(1)  # and have come back
        await queue.run(value, name="g")

        assert names(await queue.history()) == ["g", "f", "e"]
        assert queue.statistics().unrecorded == 4


async def test_without_a_history_the_queue_tells_what_it_remembers(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue() as queue:
        await queue.run(value, 5, name="a")
        queue.submit_nowait(sleep, 9, name="b").cancel()

        jobs = await queue.history()
        assert [(job.name, job.number, job.result) for job in jobs] == [
            ("b", 2, None),
            ("a", 1, "5"),
        ]
        assert names(await queue.history(status=JobStatus.COMPLETED)) == ["a"]
        word: Any = "completed"
        assert names(await queue.history(status=word)) == ["a"]
        assert [job.id for job in queue.jobs(status=word)] == ["job-1"]
        assert names(await queue.history(limit=1)) == ["b"]
        with pytest.raises(ValueError, match="limit"):
            await queue.history(limit=-1)
