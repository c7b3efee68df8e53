"""When a failure is reported, and what it does to the other jobs."""

from __future__ import annotations

import math
import sys
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trio
from fakes.durable import in_place
from fakes.small_jobs import fail, forever, give, nothing
from trio.testing import MockClock, wait_all_tasks_blocked

from ticketr import (
    CancelCause,
    JobContext,
    JobFailed,
    JobHandle,
    JobQueue,
    JobSnapshot,
    JobStatus,
    Keep,
    OnConflict,
    Retry,
    SqliteHistory,
    SqliteStore,
    Updates,
    open_job_queue,
)
from ticketr.jobs._groups import leaves

T = TypeVar("T")

queue_of: Any = open_job_queue


class Reports:
    """The reported failures, with the time of each."""

    def __init__(self) -> None:
        self.times: list[tuple[str, float]] = []

    def __call__(self, snapshot: JobSnapshot) -> None:
        assert snapshot.status is JobStatus.FAILED
        self.times.append((snapshot.id, trio.current_time()))


@pytest.fixture
def reports() -> Reports:
    return Reports()


# Reported at its end


@pytest.mark.parametrize("is_held", [False, True])
async def test_a_failure_is_reported_at_its_end(
    is_held: bool, reports: Reports, autojump_clock: MockClock
) -> None:
    async with open_job_queue(on_job_error=reports) as queue:
        handle = await queue.submit(fail, 3)
        if not is_held:
            del handle
        await trio.sleep(10)

        assert reports.times == [("job-1", 3)]

    assert reports.times == [("job-1", 3)]


async def test_readers_do_not_keep_a_failure_from_being_reported(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async def read(updates: Updates[Any]) -> None:
        with updates:
            async for _ in updates:
                pass

    async with (
        trio.open_nursery() as nursery,
        open_job_queue(on_job_error=reports) as queue,
    ):
        handle = await queue.submit(fail, 3)
        for updates in (queue.watch(), queue.progress(), handle.watch()):
            nursery.start_soon(read, updates)
        unread = queue.watch()
        await trio.sleep(10)

        assert reports.times == [("job-1", 3)]
        assert unread.receive_nowait().status is JobStatus.FAILED


async def test_a_cancelled_wait_does_not_count(reports: Reports, autojump_clock: MockClock) -> None:
    async with open_job_queue(on_job_error=reports) as queue:
        handle = await queue.submit(fail, 3)
        with trio.move_on_after(1):
            await handle.wait()
        await trio.sleep(9)

        assert reports.times == [("job-1", 3)]


async def test_what_a_map_does_not_raise_is_reported(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async def stubborn(context: JobContext, after: float) -> None:
        try:
            await trio.sleep(after)
        finally:
            raise ValueError

    async with open_job_queue(workers=2, on_job_error=reports) as queue:
        with pytest.raises(JobFailed):
            async with queue.map(stubborn, [1, 5]) as results:
                await anext(results)

        assert reports.times == [("job-2", 1)]


# Not reported, since a task waits for it


@pytest.mark.parametrize("how", ["result", "wait", "run", "cancel_and_wait", "map"])
async def test_a_task_that_waits_gets_the_failure(
    how: str, reports: Reports, autojump_clock: MockClock
) -> None:
    async def stubborn(context: JobContext, after: float) -> None:
        try:
            await trio.sleep(after)
        finally:
            raise ValueError

    async with open_job_queue(on_job_error=reports) as queue:
        with suppress(JobFailed):
            if how == "run":
                await queue.run(stubborn, 3)
            elif how == "map":
                async with queue.map(stubborn, [3]) as results:
                    await anext(results)
            else:
                handle = await queue.submit(stubborn, 3)
                await getattr(handle, how)()
        await trio.sleep(10)

    assert reports.times == []


@pytest.mark.parametrize("way", ["submit", "submit_nowait", "for room", "join", "store"])
async def test_a_wait_that_begins_before_the_next_checkpoint_is_in_time(
    way: str, reports: Reports, tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Trio runs the tasks of a step in random order, so it is done many times."""
    store = SqliteStore(tmp_path / "store.sqlite", run_sync=in_place) if way == "store" else None
    async with open_job_queue(workers=2, max_pending=1, store=store, on_job_error=reports) as queue:
        for _ in range(30):
            if way == "for room":
                queue.submit_nowait(nothing)
            if way == "join":
                queue.submit_nowait(fail, id="x")
                handle = await queue.submit(fail, id="x", on_conflict=OnConflict.JOIN)
            elif way == "submit_nowait":
                handle = queue.submit_nowait(fail)
            else:
                handle = await queue.submit(fail)
            with pytest.raises(JobFailed):
                await handle.result()
            await trio.sleep(1)

    assert reports.times == []


@pytest.mark.parametrize("patience", range(1, 25, 2))
async def test_a_failure_is_raised_or_reported_wherever_a_durable_wait_ends(
    patience: int, reports: Reports, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async def slowly(function: Callable[[], T], /) -> T:
        await trio.sleep(4)
        return function()

    raised = 0
    store = SqliteStore(tmp_path / "store.sqlite", run_sync=slowly)
    async with open_job_queue(store=store, on_job_error=reports) as queue:
        handle = await queue.submit(fail, 2)
        with trio.move_on_after(patience):
            try:
                await handle.result()
            except JobFailed:
                raised = 1
        await trio.sleep(60)

    assert len(reports.times) + raised == 1


async def test_on_job_error_may_submit_another_job(autojump_clock: MockClock) -> None:
    ran: list[str] = []

    async def note(context: JobContext) -> None:
        ran.append(context.id)

    async with open_job_queue(
        on_job_error=lambda snapshot: queue.submit_nowait(note, id=f"after {snapshot.id}")
    ) as queue:
        await queue.submit(fail)

    assert ran == ["after job-1"]


# The first failure cancels the rest


def errors_of(group: BaseException | None) -> list[type]:
    assert isinstance(group, ExceptionGroup)
    return [type(error) for error in group.exceptions]


CANCELS: dict[str, Any] = {"workers": 3, "on_error": "cancel"}


async def test_the_first_failure_cancels_body_and_jobs(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async def body(queue: JobQueue) -> None:
        await queue.submit(fail, 5)
        handles.append(await queue.submit(forever))
        handles.append(await queue.submit(forever, delay=60))
        await trio.sleep_forever()

    handles: list[JobHandle[None]] = []
    left = await left_by(body, on_job_error=reports, **CANCELS)

    assert errors_of(left) == [ValueError]
    assert trio.current_time() == 5
    ends = [(handle.status, handle.snapshot().cancel_cause) for handle in handles]
    assert ends == [(JobStatus.CANCELLED, CancelCause.SHUTDOWN)] * 2
    assert reports.times == []


async def test_a_failure_that_is_waited_for_cancels_the_rest_too(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async def body(queue: JobQueue) -> None:
        await queue.run(fail)

    left = await left_by(body, on_job_error=reports, **CANCELS)

    assert errors_of(left) == [ValueError]


async def test_an_error_of_the_body_is_beside_it(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async def body(queue: JobQueue) -> None:
        await queue.submit(fail, 1)
        try:
            await trio.sleep_forever()
        finally:
            raise KeyError

    left = await left_by(body, on_job_error=reports, **CANCELS)

    assert errors_of(left) == [KeyError, ValueError]


async def test_what_fails_while_it_is_cancelled_is_reported(
    reports: Reports, autojump_clock: MockClock
) -> None:
    async def untidy(context: JobContext) -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise KeyError

    async def body(queue: JobQueue) -> None:
        await queue.submit(untidy)
        await queue.submit(fail, 1)

    left = await left_by(body, on_job_error=reports, **CANCELS)

    assert errors_of(left) == [ValueError]
    assert reports.times == [("job-1", 1)]


@pytest.mark.parametrize("value", ["stop", None, True, 5])
def test_what_is_no_policy_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="on_error must be 'report' or 'cancel'"):
        queue_of(on_error=value)


variable: ContextVar[object] = ContextVar("variable", default="the submitter's")


async def test_on_job_error_runs_in_no_job_s_context(autojump_clock: MockClock) -> None:
    told: list[object] = []

    def set_it(job: JobSnapshot) -> None:
        told.append(variable.get())
        variable.set("the callback's")

    async def fail_after_setting_it(context: JobContext) -> None:
        variable.set("the job's")
        raise ValueError

    async def see(context: JobContext) -> object:
        return variable.get()

    async with open_job_queue(on_job_error=set_it) as queue:
        queue.submit_nowait(fail_after_setting_it)
        handle = queue.submit_nowait(see)

        assert await handle.result() == "the submitter's"
    assert told == ["the submitter's"]


# Errors that misbehave fail their own job, or leave unchanged, and affect nothing else.


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
        assert await queue.run(give, "fine") == "fine"
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
        assert await queue.run(give, "fine") == "fine"

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
            assert await queue.run(give, "fine") == "fine"

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

    both = await left_by(body, on_job_error=lambda _: sys.exit(3))
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
        await queue.run(nothing)
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
        assert await queue.run(give, "fine") == "fine"
    with pytest.raises(RuntimeError, match="entered once"):
        async with block:
            pytest.fail("it was entered")
