"""An event at every single scheduling step leaves the queue consistent.

A scenario runs again and again; in the n-th run the event happens after the n-th step of Trio. A
sweep ends with the first run that has fewer steps. Each sweep proves that it covered both sides of
its race: runs in which the job had ended before the event, and runs in which it had not. `make
stress` sweeps once more, with another order of tasks.
"""

from __future__ import annotations

import logging
import signal
import types
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import pytest
import trio
from fakes.examples import IN_STRESS
from fakes.internals import core_of
from fakes.steps import AtStep
from trio.testing import MockClock

from ticketr import (
    CancelCause,
    CancelOutcome,
    JobContext,
    JobError,
    JobHandle,
    JobOptions,
    JobQueue,
    JobSnapshot,
    JobStatus,
    QueueClosed,
    Rate,
    RepeatHandle,
    Retry,
    RetryLater,
    open_job_queue,
)

T = TypeVar("T")

FAR_AWAY = 1e6
pytestmark = pytest.mark.laws

MANY = 5000
# In the gate every third step, under `make stress` each.
STEPS = range(1, MANY, 1 if IN_STRESS else 3)


@types.coroutine
def interrupted_at(step: int, body: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """Run a coroutine, and raise KeyboardInterrupt in it at its n-th step."""
    send: Callable[[Any], Any] = body.send
    value: object = None
    while True:
        try:
            request = body.throw(KeyboardInterrupt()) if step == 0 else send(value)
        except StopIteration as end:
            result: T = end.value
            return result
        step -= 1
        value = yield request


# What the swept job does.


async def gives_value(context: JobContext) -> str:
    return await runs[-1].maybe_interrupted(reports(context))


async def reports(context: JobContext) -> str:
    for step in range(3):
        await trio.sleep(1)
        context.report(current=step + 1, total=3)
    return "value"


async def fails(context: JobContext) -> str:
    await gives_value(context)
    raise ValueError("no good")


async def has_children(context: JobContext, children: int) -> str:
    async with trio.open_nursery() as nursery:
        for _ in range(children):
            nursery.start_soon(gives_value, context)
    return "value"


async def cleans_up(context: JobContext) -> str:
    try:
        return await gives_value(context)
    finally:
        with context.cleanup(5):
            await trio.sleep(0.5)
            context.report(current=3)


async def cleans_up_badly(context: JobContext) -> str:
    try:
        return await gives_value(context)
    except trio.Cancelled:
        raise ValueError("clean-up failed") from None


async def swallows(context: JobContext) -> str:
    try:
        return await gives_value(context)
    except trio.Cancelled:
        return "swallowed"


async def submits_more(context: JobContext) -> str:
    try:
        await runs[-1].queue.submit(runs[-1].other, 1)
    except QueueClosed:
        return "closed"
    return await gives_value(context)


async def repeats_another(context: JobContext) -> str:
    run = runs[-1]
    with suppress(QueueClosed):
        run.repeats.append(run.queue.repeat(run.other, 0.5, every=9.0, key="k"))
    return await gives_value(context)


async def fails_twice(context: JobContext) -> str:
    await gives_value(context)
    if context.attempt < 3:
        raise ValueError("no good yet")
    return "value"


async def comes_again(context: JobContext) -> str:
    await gives_value(context)
    if context.attempt < 3:
        raise RetryLater(1)
    return "value"


one_child, two_children, five_children = (partial(has_children, children=n) for n in (1, 2, 5))
delayed, keyed, inside_around, later, later_in_any_case, limited = (
    partial(gives_value) for _ in range(6)
)
# The end of a nursery is protected from interrupts: they are raised in a child.
WITH_CHILDREN = [one_child, two_children, five_children]
BODIES: dict[str, Callable[[JobContext], Awaitable[object]]] = {
    "value": gives_value,
    "error": fails,
    "one child": one_child,
    "two children": two_children,
    "five children": five_children,
    "clean-up": cleans_up,
    "bad clean-up": cleans_up_badly,
    "swallowed cancel": swallows,
    "submit": submits_more,
    "repeat": repeats_another,
    "failures": fails_twice,
    "later attempts": comes_again,
    "delay": delayed,
    "key": keyed,
    "around": inside_around,
    "after": later,
    "after any end": later_in_any_case,
    "rate": limited,
}
each_body = pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
OPTIONS: dict[object, JobOptions] = {
    fails_twice: {"retry": Retry(3, first=0.5, jitter=0, total=99), "key": "k"},
    delayed: {"delay": 0.75},
    keyed: {"key": "k", "within": 99},
    later: {"after": ["first"]},
    later_in_any_case: {"after": ["first"], "after_any_end": True},
    limited: {"key": "limited"},
}


class Events(logging.Handler):
    """Keeps what the queue logs of each job."""

    def __init__(self) -> None:
        super().__init__()
        self.of_job: dict[str, list[str]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        facts: Any = record
        self.of_job.setdefault(facts.job_id, []).append(facts.job_event)


class BodyError(Exception):
    """What the block's body raises."""


@dataclass
class Run:
    """One run of the scenario: two workers, little room, a waiting task everywhere."""

    body: Callable[[JobContext], Awaitable[object]]
    queue: JobQueue = field(init=False)
    target: JobHandle[object] = field(init=False)
    outer: trio.CancelScope = field(default_factory=trio.CancelScope)
    trigger: trio.Event = field(default_factory=trio.Event)
    calls: dict[str, int] = field(default_factory=dict)
    seen: list[JobSnapshot] = field(default_factory=list)
    told: list[JobSnapshot] = field(default_factory=list)
    outcome: CancelOutcome | None = None
    cancelled_at: float = 0.0
    repeats: list[RepeatHandle] = field(default_factory=list)
    managers: int = 0
    """The number of context managers around attempts that are entered and not left."""
    had_ended: bool = False
    too_late: bool = False
    """Whether the body had ended before the event."""
    interrupt_at: int | None = None
    error: BaseException = field(default_factory=BodyError)

    @asynccontextmanager
    async def around(self, context: JobContext) -> AsyncGenerator[None]:
        """Take a step on entering and on leaving, even if cancelled, and swallow all it can."""
        self.managers += 1
        try:
            await trio.lowlevel.checkpoint()
            with suppress(trio.Cancelled):
                yield
        finally:
            with context.cleanup(5):
                await trio.sleep(0.1)
            self.managers -= 1

    async def swept(self, context: JobContext) -> object:
        self.count(context)
        body: Any = self.body(context)
        return await (body if self.body in WITH_CHILDREN else self.maybe_interrupted(body))

    async def maybe_interrupted(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine; interrupt the first one if an interrupt is planned."""
        step, self.interrupt_at = self.interrupt_at, None
        return await (coroutine if step is None else interrupted_at(step, coroutine))

    async def other(self, context: JobContext, seconds: float) -> float:
        self.count(context)
        await trio.sleep(seconds)
        return seconds

    def count(self, context: JobContext) -> None:
        self.calls[context.id] = self.calls.get(context.id, 0) + 1

    async def main(self, instrument: AtStep, act: Callable[[], object]) -> None:
        runs.append(self)
        with trio.fail_after(FAR_AWAY):
            async with trio.open_nursery() as nursery:
                with self.outer:
                    await self.block(nursery, instrument, act)

    async def block(
        self, nursery: trio.Nursery, instrument: AtStep, act: Callable[[], object]
    ) -> None:
        async with open_job_queue(
            workers=2,
            max_pending=2,
            on_job_error=self.told.append,
            around=self.around if self.body is inside_around else None,
        ) as self.queue:
            nursery.start_soon(self.read)
            self.queue.submit_nowait(self.other, 0.5, id="first", key="k")
            if self.body is limited:
                self.queue.set_rate(Rate(1, per=0.75), "limited")
                await self.queue.run(self.other, 0, key="limited")
            self.target = self.queue.submit_nowait(self.swept, **OPTIONS.get(self.body, {}))
            nursery.start_soon(self.submit, 1)
            nursery.start_soon(self.submit, 2)
            nursery.start_soon(self.run_one, 1)
            instrument.arm(act)
            with trio.move_on_after(30):
                await self.trigger.wait()
                raise self.error
            self.too_late = True

    async def read(self) -> None:
        # Shielded: the reader has to see the end of the queue in any case.
        with trio.CancelScope(shield=True), self.queue.watch() as updates:
            async for snapshot in updates:
                self.seen.append(snapshot)

    async def submit(self, seconds: float) -> None:
        with suppress(QueueClosed):
            handle = await self.queue.submit(self.other, seconds, key="k")
            await handle.wait()

    async def run_one(self, seconds: float) -> None:
        with suppress(QueueClosed, JobError):
            await self.queue.run(self.other, seconds)

    def cancel_target(self) -> None:
        self.cancelled_at = trio.current_time()
        self.outcome = self.queue.cancel(self.target.id)

    def pause(self) -> None:
        self.had_ended = self.target.status.is_terminal
        self.queue.pause()


runs: list[Run] = []


def go(
    body: Callable[[JobContext], Awaitable[object]],
    step: int,
    act: Callable[[Run], Callable[[], object]],
    *,
    interrupt_at: int | None = None,
) -> tuple[Run, bool, BaseException | None]:
    """Run the scenario once; return the run, whether the event happened, and the error."""
    run, instrument = Run(body, interrupt_at=interrupt_at), AtStep(step)
    logger, events = logging.getLogger("ticketr.jobs"), Events()
    if body is inside_around:
        logger.addHandler(events)
        logger.setLevel(logging.DEBUG)
    left: BaseException | None = None
    try:
        trio.run(
            run.main,
            instrument,
            act(run),
            clock=MockClock(autojump_threshold=0),
            instruments=[instrument],
        )
    except BaseException as error:  # noqa: BLE001 - what comes out is what is tested
        left = error
    finally:
        runs.clear()
        logger.removeHandler(events)
        logger.setLevel(logging.NOTSET)
    check(run)
    if body is inside_around:
        check_events(run, events.of_job)
    return run, instrument.fired, left


def check(run: Run) -> None:
    """Check what holds after every run."""
    jobs = {job.id: job for job in run.queue.jobs()}
    counts = run.queue.statistics()
    ended = (counts.completed, counts.failed, counts.cancelled)
    assert (counts.pending, counts.running, counts.submitters_waiting) == (0, 0, 0)
    assert sum(ended) == len(jobs)
    assert run.managers == 0
    for repeat in run.repeats:
        latest = repeat.snapshot()
        assert latest is not None
        assert (latest.id, repeat.next_at) == (f"{repeat.id}#{repeat.runs}", None)
        assert not repeat.run_now()
    assert repr(run.queue).startswith("<JobQueue closed")
    core = core_of(run.queue)
    assert core.schedule.blocked == {}
    assert len(core.registry.keys) == (run.body is limited)  # its rate outlives its jobs

    for job in jobs.values():
        assert job.status.is_terminal
        called = run.calls.get(job.id, 0)
        assert called <= job.attempt <= (3 if job.id == run.target.id else 1)
        if job.status is not JobStatus.CANCELLED:
            assert called == job.attempt >= 1
        else:
            assert job.cancel_cause is not None
        assert job.finished_at is not None
        assert job.submitted_at <= (job.started_at or job.finished_at) <= job.finished_at
        assert (job.error is not None) == (job.status is JobStatus.FAILED)

    last: dict[str, JobSnapshot] = {}
    for snapshot in run.seen:
        before = last.get(snapshot.id)
        assert before is None or (
            not before.status.is_terminal and before.revision < snapshot.revision
        )
        last[snapshot.id] = snapshot
    if run.seen:
        assert last.items() <= jobs.items()


def check_events(run: Run, events: dict[str, list[str]]) -> None:
    """Check that each step of each job was logged once."""
    assert events == {
        job.id: ["submitted", *["started"] * job.attempt, str(job.status)]
        for job in run.queue.jobs()
    }


def errors_in(group: BaseException | None) -> list[BaseException]:
    """Return the errors of a group; of anything else none."""
    return [*group.exceptions] if isinstance(group, BaseExceptionGroup) else []


def finished_first(job: JobSnapshot) -> bool:
    return job.cancel_cause is None


def sweep(
    body: Callable[[JobContext], Awaitable[object]],
    act: Callable[[Run], Callable[[], object]],
    judge: Callable[[Run, BaseException | None], None],
) -> None:
    sides: set[bool] = set()
    for step in STEPS:
        run, fired, left = go(body, step, act)
        if not fired:
            break
        judge(run, left)
        sides.add(finished_first(run.target.snapshot()))
    else:
        pytest.fail("the sweep does not end")
    assert step > 40
    assert sides == {True, False}


@pytest.fixture(params=[1, pytest.param(2, marks=pytest.mark.stress)])
def seed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make Trio's order of tasks the same in each run, as Hypothesis does."""
    # No public switch: https://github.com/python-trio/trio/issues/32
    internals: Any = trio._core._run  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(internals, "_ALLOW_DETERMINISTIC_SCHEDULING", True)
    internals._r.seed(request.param)


@pytest.mark.unmeasured
@pytest.mark.usefixtures("seed")
@each_body
def test_cancelling_one_job_at_every_step(
    body: Callable[[JobContext], Awaitable[object]],
) -> None:
    outcomes: set[CancelOutcome | None] = set()

    def judge(run: Run, left: BaseException | None) -> None:
        assert left is None
        job, outcome = run.target.snapshot(), run.outcome
        outcomes.add(outcome)
        if outcome is CancelOutcome.CANCELLED:
            assert run.calls.get(run.target.id, 0) == job.attempt  # cancelled between two attempts
            assert job.finished_at == run.cancelled_at
            assert job.status is JobStatus.CANCELLED
        elif outcome is CancelOutcome.REQUESTED:
            assert job.cancel_cause is CancelCause.USER
        else:
            assert outcome is CancelOutcome.ALREADY_FINISHED
            assert job.cancel_cause is None
        others = [other for other in run.queue.jobs() if other.id != job.id]
        assert {other.status for other in others} == {JobStatus.COMPLETED}

    sweep(body, lambda run: run.cancel_target, judge)

    assert outcomes == {
        CancelOutcome.CANCELLED,
        CancelOutcome.REQUESTED,
        CancelOutcome.ALREADY_FINISHED,
    }


@pytest.mark.unmeasured
@pytest.mark.usefixtures("seed")
@each_body
def test_a_pause_at_every_step_until_the_block_ends(
    body: Callable[[JobContext], Awaitable[object]],
) -> None:
    sides: set[bool] = set()
    step = 0
    for step in STEPS:
        run, fired, left = go(body, step, lambda run: run.pause)
        if not fired:
            break
        assert left is None
        assert run.target.snapshot().cancel_cause is None
        assert not run.queue.statistics().cancelled
        sides.add(run.had_ended)
    assert step > 40
    assert sides == {True, False}


@pytest.mark.usefixtures("seed")
@each_body
def test_cancelling_the_outer_scope_at_every_step(
    body: Callable[[JobContext], Awaitable[object]],
) -> None:
    def judge(run: Run, left: BaseException | None) -> None:
        assert left is None
        assert run.outer.cancelled_caught or run.too_late
        assert run.target.snapshot().cancel_cause in {None, CancelCause.SCOPE}

    sweep(body, lambda run: run.outer.cancel, judge)


@pytest.mark.unmeasured
@pytest.mark.usefixtures("seed")
@each_body
def test_an_error_in_the_body_at_every_step(
    body: Callable[[JobContext], Awaitable[object]],
) -> None:
    def judge(run: Run, left: BaseException | None) -> None:
        if run.too_late:
            assert left is None
        else:
            assert errors_in(left) == [run.error]  # in a group of the scenario's own nursery
        assert run.target.snapshot().cancel_cause in {None, CancelCause.SHUTDOWN}

    sweep(body, lambda run: run.trigger.set, judge)


@pytest.mark.unmeasured
@pytest.mark.usefixtures("seed")
@each_body
def test_ctrl_c_at_every_step(body: Callable[[JobContext], Awaitable[object]]) -> None:
    def judge(run: Run, left: BaseException | None) -> None:
        # Bare if it came when the scenario's own nursery had ended.
        assert isinstance(left, KeyboardInterrupt) or (
            [type(error) for error in errors_in(left)] == [KeyboardInterrupt]
        )

    sweep(body, lambda run: lambda: signal.raise_signal(signal.SIGINT), judge)


@pytest.mark.usefixtures("seed")
@each_body
def test_an_interrupt_in_the_job_at_every_step_of_it(
    body: Callable[[JobContext], Awaitable[object]],
) -> None:
    interrupted = 0
    for step in range(1, MANY):
        run, _, left = go(body, MANY, lambda run: run.cancel_target, interrupt_at=step)
        job = run.target.snapshot()
        if left is None:
            assert finished_first(job)
            break
        interrupted += 1
        assert [type(error) for error in errors_in(left)] == [KeyboardInterrupt]
        assert job.status is JobStatus.FAILED
        assert job.error is not None
    assert interrupted >= 3
