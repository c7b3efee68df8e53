"""What is logged about the steps of a job, and what is summed up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Any

import pytest
import trio
from fakes.small_jobs import nothing, quiet, sleep, tidy
from trio.testing import MockClock

from ticketr import JobContext, JobStatus, RetryLater, open_job_queue

LOGGER = logging.getLogger("ticketr.jobs")
FACTS = ("id", "name", "key", "attempt", "event", "seconds")


class Collector(logging.Handler):
    """Keeps the records, and calls what a test asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.warnings: list[tuple[float, str]] = []
        self.act: Callable[[logging.LogRecord], object] = lambda record: None

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        if record.levelno == logging.WARNING:
            self.warnings.append((trio.current_time(), record.getMessage()))
        self.act(record)

    @property
    def lines(self) -> list[str]:
        return [f"{record.levelname}: {record.getMessage()}" for record in self.records]

    @property
    def events(self) -> list[str]:
        return [f"{record.job_id} {record.job_event}" for record in self.records]  # type: ignore[attr-defined]


@pytest.fixture
def log() -> Generator[Collector]:
    collector = Collector()
    level = LOGGER.level
    LOGGER.addHandler(collector)
    LOGGER.setLevel(logging.DEBUG)
    yield collector
    LOGGER.removeHandler(collector)
    LOGGER.setLevel(level)


async def flaky(context: JobContext) -> None:
    await trio.sleep(2)
    if context.attempt == 1:
        raise RetryLater(7)
    raise OSError("secret")


async def test_each_step_is_logged(log: Collector, autojump_clock: MockClock) -> None:
    async with open_job_queue(on_job_error=quiet) as queue:
        queue.submit_nowait(sleep, 1.5, id="a", key="acme")
        queue.submit_nowait(flaky, id="b", key=("k", 1))
        queue.submit_nowait(sleep, id="c", name="late", within=0.5)

    assert log.lines == [
        "DEBUG: Job 'a' (sleep) of key 'acme' was submitted",
        "DEBUG: Job 'b' (flaky) of key ('k', 1) was submitted",
        "DEBUG: Job 'c' (late) was submitted",
        "DEBUG: Job 'a' (sleep) of key 'acme' starts after a wait of 0 s",
        "INFO: Job 'c' (late) cancelled after 0.5 s, cause: expired",
        "INFO: Job 'a' (sleep) of key 'acme' completed after 1.5 s",
        "DEBUG: Job 'b' (flaky) of key ('k', 1) starts after a wait of 1.5 s",
        "INFO: Job 'b' (flaky) of key ('k', 1) is retried in 7 s, the attempt took 2 s",
        "DEBUG: Job 'b' (flaky) of key ('k', 1) starts after a wait of 0 s",
        "INFO: Job 'b' (flaky) of key ('k', 1) failed after 2 s with OSError",
    ]


async def test_each_line_has_its_facts(log: Collector, autojump_clock: MockClock) -> None:
    async with open_job_queue(on_job_error=quiet) as queue:
        queue.submit_nowait(flaky, id="a", key=("k", 1))
        stuck = queue.submit_nowait(sleep, 60, id="b", key="acme")
        await trio.sleep(15)
        stuck.cancel()

    facts = [tuple(getattr(record, f"job_{name}") for name in FACTS) for record in log.records]
    assert facts == [
        ("a", "flaky", "('k', 1)", 0, "submitted", 0),
        ("b", "sleep", "acme", 0, "submitted", 0),
        ("a", "flaky", "('k', 1)", 1, "started", 0),
        ("a", "flaky", "('k', 1)", 1, "retry", 2),
        ("b", "sleep", "acme", 1, "started", 2),
        ("b", "sleep", "acme", 1, "cancelled", 13),
        ("a", "flaky", "('k', 1)", 2, "started", 6),
        ("a", "flaky", "('k', 1)", 2, "failed", 2),
    ]


async def test_at_info_only_ends_are_logged(log: Collector, autojump_clock: MockClock) -> None:
    LOGGER.setLevel(logging.INFO)
    async with open_job_queue() as queue:
        queue.submit_nowait(nothing)

    assert log.events == ["job-1 completed"]


async def test_a_job_that_is_cut_off_between_two_attempts_is_not_said_to_come_again(
    log: Collector, autojump_clock: MockClock
) -> None:
    async with open_job_queue() as queue:
        queue.submit_nowait(flaky)
        await trio.sleep(1)
        await queue.shutdown(grace=5)

    assert log.events[2:] == ["job-1 cancelled"]


@pytest.mark.parametrize("event", ["submitted", "started", "retry", "failed"])
async def test_a_handler_that_raises_harms_no_job(
    event: str, log: Collector, autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    def act(record: Any) -> None:
        if record.job_event == event:
            raise OSError("disk full")

    log.act = act
    async with open_job_queue(on_job_error=quiet) as queue:
        bad = queue.submit_nowait(flaky)
        good = queue.submit_nowait(nothing)

    assert (bad.status, good.status) == (JobStatus.FAILED, JobStatus.COMPLETED)
    assert bad.snapshot().error is not None
    assert "OSError: disk full" in capsys.readouterr().err


# What is summed up.


async def test_waits_and_runs_are_summed_up(autojump_clock: MockClock) -> None:
    async with open_job_queue(on_job_error=quiet) as queue:
        empty = queue.statistics()
        queue.submit_nowait(sleep, 4)  # runs from 0 to 4
        queue.submit_nowait(sleep, 3)  # from 4 to 7
        queue.submit_nowait(flaky)  # from 7 to 9, due at 16, from 16 to 18
        queue.submit_nowait(sleep, 1, delay=20)  # from 20 to 21
        queue.submit_nowait(nothing, delay=50, within=30)  # never
        await trio.sleep(5)
        halfway = queue.statistics()

    assert (empty.wait_seconds, empty.run_seconds) == (0, 0)
    assert (halfway.wait_seconds, halfway.run_seconds) == (4, 4)
    ended = queue.statistics()
    assert (ended.wait_seconds, ended.run_seconds) == (4 + 7, 4 + 3 + 4 + 1)
    assert (ended.completed, ended.failed, ended.cancelled) == (3, 1, 1)


# Jobs that do not stop when their queue is shut down.


async def test_a_job_that_does_not_stop_is_logged_with_the_line_it_is_at(
    log: Collector, autojump_clock: MockClock
) -> None:
    async with open_job_queue() as queue:
        await queue.submit(tidy, 40, id="x", name="slow one", key="acme")
        await trio.sleep(1)
        await queue.shutdown(grace=2)

    assert trio.current_time() == 43
    place = f"tidy ({tidy.__code__.co_filename}, line {tidy.__code__.co_firstlineno + 6})"
    text = f"Job 'x' (slow one, key 'acme') does not stop: it is at {place}"
    # 5 s after it was cancelled, then at growing intervals.
    assert log.warnings == [(8, text), (18, text), (38, text)]


async def test_the_first_child_tasks_of_a_job_are_logged(
    log: Collector, autojump_clock: MockClock
) -> None:
    async def one_more() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(7)

    async def various(context: JobContext) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(one_more)
            async with trio.open_nursery() as inner:
                for _ in range(3):
                    inner.start_soon(tidy, context, 6)

    async with open_job_queue() as queue:
        await queue.submit(various)
        await trio.sleep(1)
        await queue.shutdown(grace=0)

    ((time, text),) = log.warnings
    assert time == 6
    assert text.startswith("Job 'job-1' (various) does not stop: it is at ")
    assert text.count("tidy (") == 1  # three are at the same line
    assert text.count("one_more (") == 1
