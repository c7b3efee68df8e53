"""Use the public names as users do, for mypy and pyright; nothing here is run.

An ``assert_type`` holds the type that a checker infers. A call that must be refused has a comment
with the error of each checker; the checker reports a comment that is no longer needed.
"""

# mypy: disable-error-code="empty-body"

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, assert_type

import trio

import ticketr
from ticketr import (
    CancelCause,
    CancelOutcome,
    FinishedJob,
    GiveUp,
    Job,
    JobContext,
    JobErrorInfo,
    JobFailed,
    JobHandle,
    JobHistory,
    JobOptions,
    JobProgress,
    JobQueue,
    JobSnapshot,
    JobStatus,
    JobTimedOut,
    Keep,
    OnConflict,
    QueueStatistics,
    Rate,
    RepeatHandle,
    Retry,
    RetryLater,
    SqliteHistory,
    Updates,
    drain_on_signals,
    open_job_queue,
)
from ticketr.portal import JobFuture, PortalQueue
from ticketr.statusline import LineStyle, StatusLine, StatusModel
from ticketr.testing import (
    FakeContext,
    FakeJob,
    Injection,
    Outcome,
    StepReport,
    SweepFailed,
    SweepSummary,
    cancel_at_every_step,
    make_context,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager
    from typing import TextIO


async def no_arguments(context: JobContext) -> None: ...
async def measure(context: JobContext, path: str, factor: float = 1.0) -> int: ...
async def copy(context: JobContext, *paths: str, deep: bool = False) -> list[str]: ...
async def no_context() -> int: ...
async def keyword_only(context: JobContext, *, path: str) -> int: ...
def not_async(context: JobContext) -> int: ...


@dataclass(frozen=True)
class Pull:
    """A job with a field for a name."""

    name: str

    async def execute(self, context: JobContext) -> dict[str, int]: ...


class Push:
    """A job with a property for a name."""

    @property
    def name(self) -> str: ...

    async def execute(self, context: JobContext) -> bytes: ...


class Nameless:
    async def execute(self, context: JobContext) -> bytes: ...


class Service:
    async def work(self, context: JobContext, number: int) -> str: ...


@asynccontextmanager
async def session(context: JobContext) -> AsyncGenerator[int]:
    yield 1


async def opening() -> None:
    manager: AbstractAsyncContextManager[JobQueue] = open_job_queue(
        workers=3,
        max_pending=None,
        keep=Keep(jobs=10, age=60),
        retry=Retry(attempts=3),
        timeout=1.5,
        history=SqliteHistory("jobs.sqlite"),
        on_job_error=print,
        around=session,
    )
    async with manager as queue:
        assert_type(queue, JobQueue)
    async with open_job_queue() as other:
        assert_type(other, JobQueue)
    ticketr.open_jobs  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  # noqa: B018
    open_job_queue(3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    open_job_queue(rate=Rate(10))
    open_job_queue(workers="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    open_job_queue(around=measure)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    open_job_queue(history="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def functions(queue: JobQueue) -> None:
    assert_type(await queue.submit(no_arguments), JobHandle[None])
    assert_type(await queue.submit(copy, "a", "b"), JobHandle[list[str]])
    assert_type(await queue.submit(Service().work, 3), JobHandle[str])
    assert_type(queue.submit_nowait(measure, "a", 2.0), JobHandle[int])
    assert_type(await queue.run(measure, "a", 2.0), int)
    assert_type(await (await queue.submit(measure, "a", 2.0)).result(), int)

    with_keywords = functools.partial(copy, deep=True)
    assert_type(await queue.submit(with_keywords, "a"), JobHandle[list[str]])

    await queue.submit(measure, 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await queue.submit(not_async)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await queue.submit(no_context)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await queue.submit(no_context())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await queue.submit(keyword_only)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await queue.submit(copy, "a", deep=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    queue.submit_nowait(measure)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await queue.run(measure, "a", "b")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def in_other_threads(portal: PortalQueue) -> None:
    assert_type(portal.submit(measure, "a", 2.0, timeout=3, on_progress=print), JobFuture[int])
    assert_type(portal.submit(Push()), JobFuture[bytes])
    portal.submit(measure, 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    portal.submit(no_context)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def maps(queue: JobQueue, addresses: AsyncIterator[str]) -> None:
    async def count(context: JobContext, word: str) -> int:
        return len(word)

    async with queue.map(count, ["a", "b"]) as numbers:
        assert_type(numbers, AsyncIterator[int])
        assert_type([number async for number in numbers], list[int])
    async with queue.map(count, addresses, ordered=False, outcomes=False, key="a") as numbers:
        assert_type(await anext(numbers), int)
    async with queue.map(count, addresses, outcomes=True) as jobs:
        assert_type(await anext(jobs), JobSnapshot[int])
        assert_type((await anext(jobs)).result, int | None)

    queue.map(count, [1])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    queue.map(count, 1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    queue.map(count, ["a"], urgent=True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]


async def classes(queue: JobQueue, job: Job[object]) -> None:
    assert_type(await queue.submit(Pull("pull")), JobHandle[dict[str, int]])
    assert_type(queue.submit_nowait(Push()), JobHandle[bytes])
    assert_type(await queue.run(Pull("pull"), key="acme"), dict[str, int])
    assert_type(await queue.submit(job), JobHandle[object])
    wider: list[Job[object]] = [Pull("pull"), Push(), FakeJob()]
    assert_type([await queue.submit(one) for one in wider], list[JobHandle[object]])

    await queue.submit(Nameless())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await queue.submit(Pull)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def options(queue: JobQueue) -> None:
    await queue.submit(
        measure,
        "a",
        2.0,
        id="a",
        name="measuring",
        priority=1,
        key=("any", "hashable"),
        on_conflict=OnConflict.JOIN,
        delay=1.5,
        start_by=trio.current_time() + 60,
        within=60.0,
        tags=["x", "y"],
        timeout=30,
        retry=Retry(attempts=3, on=(OSError, ValueError)),
    )
    shared: JobOptions = {"tags": {"nightly"}, "priority": -1}
    assert_type(await queue.run(Push(), **shared), bytes)
    assert_type(queue.submit_nowait(measure, "a", 2.0, **shared), JobHandle[int])

    repeat = queue.repeat(measure, "a", 2.0, every=60.0, first=5, **shared)
    assert_type(repeat, RepeatHandle)
    assert_type(queue.repeat(Push(), every=lambda due: due, first=datetime.now(UTC)), RepeatHandle)
    assert_type(repeat.next_at, datetime | None)
    assert_type(repeat.run_now(), bool)
    queue.repeat(Push(), every="daily")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    await queue.submit(Push(), urgent=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await queue.submit(Push(), priority="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await queue.submit(Push(), on_conflict="join")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await queue.submit(Push(), retry=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await queue.submit(Push(), key=[])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Retry(attempts=3, on=BaseException)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Retry(3, on=lambda error: isinstance(error, OSError))
    Retry(total=60.0, jitter=0)
    Keep(jobs=1).jobs = 2  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


async def handles(handle: JobHandle[int], other: JobHandle[str]) -> None:
    assert_type(handle.id, str)
    assert_type(handle.name, str)
    assert_type(handle.status, JobStatus)
    assert_type(handle.status.is_terminal, bool)
    assert_type(handle.snapshot(), JobSnapshot[int])
    assert_type(handle.snapshot().result, int | None)
    assert_type(handle.cancel(reason="Esc"), CancelOutcome)
    assert_type(await handle.cancel_and_wait(), JobSnapshot[int])
    assert_type(await handle.wait(), JobSnapshot[int])
    assert_type(await handle.result(), int)
    assert_type(handle.watch(), Updates[JobSnapshot[int]])
    wider: trio.abc.ReceiveChannel[JobSnapshot] = handle.watch()
    await wider.aclose()
    several: Sequence[JobHandle[int | str]] = [handle, other]
    assert_type([await one.result() for one in several], list[int | str])

    handle.id = "b"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    narrower: JobHandle[bool] = handle  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    del narrower


async def control(queue: JobQueue) -> None:
    assert_type(queue.cancel("a", reason="Esc"), CancelOutcome)
    outcomes = queue.cancel_all(key="a", tag="b")
    assert_type(outcomes["a"], CancelOutcome)
    assert_type(queue.status("a"), JobStatus)
    assert_type(queue.snapshot("a"), JobSnapshot[object])
    assert_type(queue.handle("a"), JobHandle[object])
    assert_type(queue.jobs(status=JobStatus.FAILED, key="a", tag="b"), list[JobSnapshot])
    assert_type(queue.set_priority("a", 3), bool)
    assert_type(queue.run_now("a"), bool)
    assert_type(queue.statistics(), QueueStatistics)
    assert_type(queue.statistics().running, int)
    assert_type(queue.statistics().wait_seconds, float)
    queue.pause()
    queue.resume("key")
    queue.set_rate(Rate(10, per=1.0, burst=2), key="key")
    queue.set_rate(None)
    first = queue.submit_nowait(no_arguments)
    queue.submit_nowait(no_arguments, after=[first, "an ID"], after_any_end=True)
    queue.set_rate(10)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await queue.wait_idle()
    await queue.shutdown(grace=5)

    queue.cancel(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await queue.shutdown(5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    JobQueue()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def snapshots(job: JobSnapshot) -> None:
    assert_type(job.id, str)
    assert_type(job.status, JobStatus)
    assert_type(job.revision, int)
    assert_type(job.key, Hashable)
    assert_type(job.tags, frozenset[str])
    assert_type(job.attempt, int)
    assert_type(job.progress, JobProgress | None)
    assert_type(job.waiting_for, str | None)
    assert_type(job.cancel_cause, CancelCause | None)
    assert_type(job.submitted_at, float)
    assert_type(job.finished_at, float | None)
    assert_type(job.error, JobErrorInfo | None)
    _: object = job.result
    assert_type(job.as_dict(), dict[str, object])
    assert_type(JobSnapshot.from_dict(job.as_dict()), JobSnapshot)
    assert_type(job.wall_offset, float | None)
    if job.progress is not None:
        assert_type(job.progress.percentage, float)
    if job.error is not None:
        assert_type(job.error.traceback, str)
    job.status = JobStatus.FAILED  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    str(job.progress.current)  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]


async def updates(queue: JobQueue) -> None:
    with queue.watch() as changes:
        assert_type(changes, Updates[JobSnapshot])
        assert_type(changes.missed, int)
        async for snapshot in changes:
            assert_type(snapshot, JobSnapshot)
    with queue.progress(until_idle=True) as reports:
        assert_type(await anext(reports), JobProgress)
    assert_type(queue.watch(until_idle=True), Updates[JobSnapshot])
    queue.watch(True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def history(queue: JobQueue, kept: SqliteHistory) -> None:
    assert_type(await queue.history(limit=3, status=JobStatus.FAILED), list[FinishedJob])
    assert_type(await queue.history(id="a"), list[FinishedJob])
    (job,) = await kept.read(id="a")
    assert_type(job.finished_at, datetime)
    assert_type(job.result, str | None)
    any_history: JobHistory = kept
    assert_type(any_history.summary(3), str)


async def inside_a_job(context: JobContext) -> None:
    assert_type(context.id, str)
    assert_type(context.name, str)
    assert_type(context.key, Hashable)
    assert_type(context.tags, frozenset[str])
    assert_type(context.attempt, int)
    assert_type(context.cancel_requested, bool)
    context.report(current=1, total=3.5, message="one")
    with context.cleanup(5) as scope:
        assert_type(scope, trio.CancelScope)
    context.report(1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    context.report(total=3)
    raise RetryLater(3) if context.attempt < 3 else GiveUp("no use")


async def errors(handle: JobHandle[int]) -> None:
    try:
        await handle.result()
    except JobFailed as error:
        assert_type((error.job_id, error.name), tuple[str, str])
        assert_type((error.error_type, error.message), tuple[str, str])
    except JobTimedOut as error:
        assert_type(error.timeout, float)
    try:
        await handle.result()
    except* ticketr.TicketrError as group:
        assert_type(group, ExceptionGroup[ticketr.TicketrError])


async def service(queue: JobQueue) -> None:
    async with drain_on_signals(queue, grace=10), drain_on_signals(queue, grace=None):
        pass
    drain_on_signals(queue, 10)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def status_line(queue: JobQueue, stream: TextIO) -> None:
    async with StatusLine(queue, stream=stream, style=LineStyle(color=False), hint="Esc") as line:
        assert_type(line, StatusLine)
        with line.hidden():
            pass
    async with open_job_queue() as own, StatusLine(own, plain=True):
        pass
    StatusLine()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def own_screen(model: StatusModel, snapshot: JobSnapshot) -> None:
    model = model.see(snapshot, 0.0)
    assert_type(model, StatusModel)
    assert_type(model.line(80, 0.0, LineStyle()), str)


async def testing_kit(queue: JobQueue) -> None:
    assert_type(await queue.submit(FakeJob(duration=2, steps=3, fail=OSError)), JobHandle[int])

    context = make_context(id="a", name="b", key=("c", 1), tags=["d"], attempt=2)
    assert_type(context, FakeContext)
    assert_type(await measure(context, "a"), int)
    assert_type(context.reports, list[JobProgress])
    context.cancel_requested = True
    make_context("a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

    def check(report: StepReport) -> None:
        assert_type(report.outcome, Outcome)
        assert_type(report.injected, Injection | None)

    async def transfer(amount: int, to: str) -> None: ...

    summary = cancel_at_every_step(transfer, 3, "x", check=check, inject=[Injection.SCOPE])
    assert_type(summary, SweepSummary)
    assert_type(summary.cancelled, int)
    assert_type(SweepFailed(1, None, "").injected, Injection | None)
    cancel_at_every_step(transfer, "x", 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
