"""Errors that misbehave fail their own job, or leave unchanged, and affect nothing else."""

from __future__ import annotations

import math
import sys
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from ticketr import (
    JobContext,
    JobFailed,
    JobHandle,
    JobQueue,
    JobSnapshot,
    JobStatus,
    Keep,
    Retry,
    SqliteHistory,
    open_job_queue,
)
from ticketr.jobs._groups import leaves


@dataclass(frozen=True)
class Frozen(Exception):
    number: int = 1


class Mute(Exception):
    def __str__(self) -> str:
        raise OSError("my own code")

    __repr__ = __str__


def linked(how: str, to: BaseException) -> Exception:
    error = KeyError("linked")
    setattr(error, how, to)
    return error


ODD: dict[str, Callable[[], BaseException]] = {
    "frozen": Frozen,
    "frozen cause": lambda: linked("__cause__", Frozen()),
    "frozen in a group": lambda: ExceptionGroup("", [Frozen(), ValueError()]),
    "mute": Mute,
    "stop": StopIteration,
}
OF_A_BODY = [odd for odd in ODD if odd != "stop"]  # which cannot leave a coroutine


async def fine(context: JobContext) -> str:
    return "fine"


async def throw(context: JobContext, error: BaseException) -> None:
    raise error


async def throw_beside_a_cancel(context: JobContext, error: BaseException) -> None:
    try:
        await trio.sleep_forever()
    except trio.Cancelled as cancelled:
        raise BaseExceptionGroup("both", [cancelled, error]) from None


async def throw_in_place_of_a_cancel(context: JobContext, error: BaseException) -> None:
    try:
        await trio.sleep_forever()
    finally:
        raise error


async def left_by(
    body: Callable[[JobQueue], Awaitable[object]], **options: Any
) -> BaseException | None:
    """Return the error that leaves the block of a queue."""
    try:
        async with open_job_queue(**options) as queue:
            await body(queue)
    except BaseException as error:  # noqa: BLE001 - it is what is tested
        return error
    return None


def kinds(error: BaseException | None) -> set[str]:
    """Return the class names in an error; pytest cannot show the error itself."""
    return {type(leaf).__name__ for leaf in leaves(error)}


def told(snapshot: JobSnapshot) -> None:
    assert snapshot.error is not None
    assert type(snapshot.error.type) is type(snapshot.error.message) is str
    assert type(snapshot.error.traceback) is str


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("retry", [None, Retry(2, first=1), Retry(2, first=1, on=ValueError)])
async def test_a_misbehaving_error_fails_its_own_job_and_nothing_else(
    odd: str, retry: Retry | None, autojump_clock: MockClock
) -> None:
    async def body(queue: JobQueue) -> None:
        asked = await queue.submit(throw, ODD[odd](), retry=retry, id="a")
        await queue.submit(throw, ODD[odd](), retry=retry, id="b")

        snapshot = await asked.wait()
        assert snapshot.status is JobStatus.FAILED
        assert snapshot.error is not None
        if odd != "stop":  # Python itself turns it into a RuntimeError
            assert snapshot.error.type == type(ODD[odd]()).__name__
            assert "in throw\n" in snapshot.error.traceback
        with pytest.raises(JobFailed):
            await asked.result()
        assert await queue.run(fine) == "fine"
        await queue.wait_idle()
        assert queue.statistics().failed == 2

    assert kinds(await left_by(body, on_job_error=told)) == set()


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("job", [throw_beside_a_cancel, throw_in_place_of_a_cancel])
@pytest.mark.parametrize("how", ["cancel", "timeout", "scope"])
async def test_a_misbehaving_error_of_a_job_that_is_cancelled(
    odd: str, job: Any, how: str, autojump_clock: MockClock
) -> None:
    handles: list[JobHandle[None]] = []

    async def body(queue: JobQueue) -> None:
        limit = 1 if how == "timeout" else None
        handles.append(await queue.submit(job, ODD[odd](), timeout=limit))
        await wait_all_tasks_blocked()
        if how == "cancel":
            handles[0].cancel()
        if how == "scope":
            await trio.sleep_forever()
        assert (await handles[0].wait()).status is JobStatus.FAILED
        assert await queue.run(fine) == "fine"

    left: BaseException | None = None
    with trio.move_on_after(2 if how == "scope" else math.inf):
        left = await left_by(body, on_job_error=told)

    assert kinds(left) == ({"Cancelled"} if how == "scope" else set())
    assert handles[0].status is JobStatus.FAILED


@pytest.mark.parametrize("odd", OF_A_BODY)
async def test_a_misbehaving_error_of_the_body_leaves_unchanged(
    odd: str, autojump_clock: MockClock
) -> None:
    error = ODD[odd]()
    before = vars(error).copy() if odd == "frozen" else None

    running: list[JobHandle[None]] = []

    async def body(queue: JobQueue) -> None:
        running.append(await queue.submit(throw_in_place_of_a_cancel, Frozen()))
        await wait_all_tasks_blocked()
        raise error

    assert await left_by(body) is error
    assert running[0].status is JobStatus.FAILED
    assert before is None or vars(error) == before


async def test_a_misbehaving_error_of_a_callback_is_logged(
    caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    for make in ODD.values():
        error = make()

        def fall_over(_: object, error: BaseException = error) -> bool:
            raise error

        retry = Retry(2, on=fall_over)
        async with open_job_queue(on_job_error=fall_over, keep=Keep(jobs=0)) as queue:
            await queue.submit(throw, ValueError(), retry=retry)
            await wait_all_tasks_blocked()
            assert await queue.run(fine) == "fine"

    assert len(caplog.records) == 2 * len(ODD)


# What is reported


async def test_a_failure_that_is_printed_names_the_line_of_the_job(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue() as queue:
        with pytest.raises(JobFailed) as caught:
            await queue.run(throw, ValueError("why"))

    text = "".join(traceback.format_exception(caught.value))
    assert f'File "{__file__}"' in text
    assert "in throw\n    raise error\n" in text
    assert str(caught.value) == "job 'job-1' (throw) failed: ValueError: why"


# What ends the program


async def in_place(function: Callable[[], Any]) -> Any:
    return function()


def leave(code: int = 3) -> Callable[[JobSnapshot], NoReturn]:
    def on_job_error(snapshot: JobSnapshot) -> NoReturn:
        sys.exit(code)

    return on_job_error


async def test_an_exit_of_on_job_error_leaves_beside_the_error_of_the_body(
    caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    error = ValueError("the body's")

    async def body(queue: JobQueue) -> None:
        for _ in range(3):
            queue.submit_nowait(throw, KeyError())
        try:
            await trio.sleep_forever()
        finally:
            raise error from None

    both = await left_by(body, on_job_error=leave())
    assert isinstance(both, BaseExceptionGroup)
    assert both.exceptions[0] is error
    assert [type(member) for member in both.exceptions] == [ValueError, SystemExit]
    texts = [record.getMessage() for record in caplog.records]
    assert ["job-2" in texts[0], "job-3" in texts[1], len(texts)] == [True, True, 2]


async def test_an_exit_of_a_summary_ends_the_queue_and_the_job_has_ended(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    opened: list[JobQueue] = []

    async def body(queue: JobQueue) -> None:
        opened.append(queue)
        await queue.run(fine)
        await trio.sleep(9)

    history = SqliteHistory(tmp_path / "jobs", summary=lambda _: sys.exit(4), run_sync=in_place)
    assert type(await left_by(body, history=history)) is SystemExit
    assert trio.current_time() == 0
    counts = opened[0].statistics()
    assert (counts.completed, counts.running, counts.pending) == (1, 0, 0)


# The block


async def test_a_block_is_entered_once(autojump_clock: MockClock) -> None:
    block = open_job_queue()
    async with block as queue:
        with pytest.raises(RuntimeError, match="entered once: call open_job_queue"):
            await block.__aenter__()
        assert await queue.run(fine) == "fine"
    with pytest.raises(RuntimeError, match="entered once"):
        async with block:
            pytest.fail("it was entered")
