"""Every public call with unexpected values.

Each value is refused with a TypeError or ValueError that names the argument, and nothing has
changed; or it is taken, and the queue holds a value of a built-in type. Calls that must never raise
do not. In any case the queue still works, and its block ends.
"""

from __future__ import annotations

import enum
import inspect
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NoReturn

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from ticketr import (
    JobContext,
    JobHandle,
    JobOptions,
    JobQueue,
    JobStatus,
    Keep,
    Retry,
    RetryLater,
    SqliteHistory,
    UnknownJob,
    open_job_queue,
)

# Values


class NoRepr:
    def __repr__(self) -> NoReturn:
        raise OSError("my own code")


class Colour(enum.StrEnum):
    RED = "red"


ODD: dict[str, Callable[[], Any]] = {
    "nan": lambda: math.nan,
    "inf": lambda: math.inf,
    "-inf": lambda: -math.inf,
    "-1": lambda: -1,
    "0": lambda: 0,
    "1": lambda: 1,
    "2.5": lambda: 2.5,
    "huge": lambda: 10**400,
    "-huge": lambda: -(10**5000),
    "True": lambda: True,
    "Decimal": lambda: Decimal(1),
    "Fraction": lambda: Fraction(3, 2),
    "complex": lambda: 1j,
    "text": lambda: "5",
    "no text": lambda: "",
    "bytes": lambda: b"5",
    "list": list,
    "set": lambda: {1},
    "dict": lambda: {"a": 1},
    "list of lists": lambda: [[]],
    "date": lambda: datetime.now(UTC),
    "timedelta": lambda: timedelta(seconds=1),
    "object": object,
    "class": lambda: Retry,
    "function": lambda: lambda *_: None,
    "enum": lambda: Colour.RED,
    "no repr": NoRepr,
}


# Calls


async def ok(context: JobContext) -> str:
    await trio.sleep(1)
    return "ok"


Call = Callable[[JobQueue, JobHandle[Any], Any], object]
"""A call with a value; what it gives may have to be awaited."""


def submit(name: str, **options: object) -> Call:
    def call(queue: JobQueue, _: object, value: object) -> object:
        all_options: Any = {name: value, **options}
        return queue.submit_nowait(ok, **all_options)

    return call


def opened(name: str) -> Call:
    async def call(_: object, __: object, value: object) -> None:
        options: Any = {name: value}
        async with open_job_queue(**options) as other:
            await (await other.submit(ok)).wait()
            assert all(type(job.due_at) is float for job in other.jobs())

    return call


async def report(queue: JobQueue, value: Any) -> None:
    async def job(context: JobContext) -> None:
        context.report(current=1, total=4, message="so far")
        for name in ("current", "total", "message"):
            odd: Any = {name: value}
            context.report(**odd)
        context.report(current=value, total=value, message=value)

    handle = await queue.submit(job)
    progress = (await handle.wait()).progress
    assert handle.status is JobStatus.COMPLETED
    assert progress is not None
    assert {type(progress.current), type(progress.total)} <= {int, float}
    assert 0 <= progress.current < math.inf
    assert 0 <= progress.percentage <= 100
    assert type(progress.message) is str
    assert str(progress)


def clean_up(queue: JobQueue, value: Any) -> None:
    record = queue._core.registry.by_id["live"]
    limit = JobContext(record).cleanup(value).relative_deadline
    assert type(limit) is float
    assert 0 <= limit < math.inf


OPTIONS = [name for name in JobOptions.__annotations__ if name != "once"]
CALLS: dict[str, Call] = {
    **{f"submit {name}": submit(name) for name in OPTIONS},
    **{f"submit to a key {name}": submit(name, key="k", tags=["t"]) for name in OPTIONS},
    **{
        f"open {name}": opened(name)
        for name in inspect.signature(open_job_queue).parameters
        if name not in {"rate", "store", "on_error"}
    },
    "status": lambda queue, _, value: queue.status(value),
    "snapshot": lambda queue, _, value: queue.snapshot(value),
    "run_now": lambda queue, _, value: queue.run_now(value),
    "set_priority of": lambda queue, _, value: queue.set_priority(value, 1),
    "priority": lambda queue, handle, value: queue.set_priority(handle, value),
    "jobs status": lambda queue, _, value: queue.jobs(status=value),
    "jobs key": lambda queue, _, value: queue.jobs(key=value),
    "jobs tag": lambda queue, _, value: queue.jobs(tag=value),
    "cancel_all key": lambda queue, _, value: queue.cancel_all(key=value),
    "cancel_all tag": lambda queue, _, value: queue.cancel_all(tag=value),
    "pause key": lambda queue, _, value: queue.pause(value),
    "resume key": lambda queue, _, value: queue.resume(value),
    "history limit": lambda queue, _, value: queue.history(limit=value),
    "history status": lambda queue, _, value: queue.history(status=value),
    "grace": lambda queue, _, value: queue.shutdown(grace=value),
    "time for clean-up": lambda queue, _, value: clean_up(queue, value),
    "Keep jobs": lambda *args: Keep(jobs=args[-1]),
    "Keep age": lambda *args: Keep(age=args[-1]),
    "Retry attempts": lambda *args: Retry(args[-1]).delay(3),
    "Retry first": lambda *args: Retry(3, first=args[-1]).delay(3),
    "Retry factor": lambda *args: Retry(3, factor=args[-1]).delay(3),
    "Retry cap": lambda *args: Retry(3, cap=args[-1]).delay(3),
    "Retry jitter": lambda *args: Retry(3, jitter=args[-1]).delay(3),
    "Retry on": lambda *args: Retry(3, on=args[-1]),
    "RetryLater delay": lambda *args: RetryLater(args[-1]),
    "SqliteHistory path": lambda *args: SqliteHistory(args[-1]),
    "SqliteHistory max_jobs": lambda *args: SqliteHistory("x", max_jobs=args[-1]),
    "SqliteHistory max_age": lambda *args: SqliteHistory("x", max_age=args[-1]),
    "SqliteHistory summary": lambda *args: SqliteHistory("x", summary=args[-1]),
    "SqliteHistory run_sync": lambda *args: SqliteHistory("x", run_sync=args[-1]),
    "SqliteHistory limit": lambda *args: SqliteHistory("/nowhere/x").read(limit=args[-1]),
    "SqliteHistory status": lambda *args: SqliteHistory("/nowhere/x").read(status=args[-1]),
}
NUMBERS = {
    *("priority", "grace", "history limit", "time for clean-up"),
    *("submit priority", "submit delay", "submit start_by", "submit within"),
    *("submit timeout", "open timeout"),
    *("open workers", "open max_pending", "Keep jobs", "Keep age", "Retry attempts"),
    *("Retry first", "Retry factor", "Retry cap", "Retry jitter", "SqliteHistory max_jobs"),
    *("SqliteHistory max_age", "SqliteHistory limit"),
}
NO_NUMBERS = set(ODD) - {
    *("inf", "-inf", "-1", "0", "1", "2.5", "huge", "-huge", "Fraction"),
}
OBJECTS = {"submit retry", "open keep", "open retry", "open history"}
OF_A_JOB = {
    *("status", "snapshot", "run_now", "set_priority of"),
    *("submit after", "submit to a key after"),
}
NEVER: dict[str, Call] = {
    "cancel": lambda queue, _, value: queue.cancel(value),
    "cancel reason": lambda queue, handle, value: queue.cancel(handle, reason=value),
    "handle cancel reason": lambda _, handle, value: handle.cancel(reason=value),
    "handle cancel_and_wait reason": lambda _, handle, value: handle.cancel_and_wait(reason=value),
    "cancel_all reason": lambda queue, _, value: queue.cancel_all(reason=value),
    "report": lambda queue, _, value: report(queue, value),
}


def state(queue: JobQueue) -> object:
    """Return all state that a refused call must not change."""
    core = queue._core
    jobs = [
        (job.id, job.status, job.revision, job.priority, job.waiting_for) for job in queue.jobs()
    ]
    books = (
        len(core.registry.keys),
        [slot.is_paused for slot in core.registry.keys.values()],
    )
    return jobs, queue.statistics(), books, core.phase.is_refusing


def check_plain(queue: JobQueue) -> None:
    """Check that the queue holds values of built-in types."""
    for job in queue.jobs():
        assert type(job.id) is str
        assert job.id
        assert type(job.name) is str
        assert type(job.priority) is int
        assert type(job.due_at) is float
        assert job.due_at < math.inf
        assert {type(tag) for tag in job.tags} <= {str}


@pytest.mark.parametrize("odd", ODD)
def test_an_unexpected_value_is_refused_with_a_message_or_taken(odd: str) -> None:
    for name, call in (CALLS | NEVER).items():
        trio.run(check, name, call, odd, clock=MockClock(autojump_threshold=0))


async def check(name: str, call: Call, odd: str) -> None:
    """Make one call."""
    async with open_job_queue(workers=2, max_pending=None) as queue:
        handle = queue.submit_nowait(ok, key="k", id="live")
        await wait_all_tasks_blocked()
        before = state(queue)
        try:
            result = call(queue, handle, ODD[odd]())
            if inspect.isawaitable(result):
                await result
        except (TypeError, ValueError, UnknownJob) as refusal:
            assert name not in NEVER
            assert state(queue) == before, name
            words = str(refusal)
            if isinstance(refusal, UnknownJob):
                assert name in OF_A_JOB
                assert "is known" in words
            else:
                assert " must be " in words, (name, words)
        else:
            assert name not in OBJECTS
            assert not (name in NUMBERS and odd in NO_NUMBERS), name
            check_plain(queue)

        queue.resume()
        if not queue._core.phase.is_refusing:
            assert await queue.run(ok, key="another") == "ok"
    counts = queue.statistics()
    assert (counts.pending, counts.running) == (0, 0), name
    assert len(queue._core.registry.keys) == 0, name
