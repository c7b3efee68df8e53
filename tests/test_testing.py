"""Test that the sweep finds each planted bug and passes correct code."""

from __future__ import annotations

import gc
import inspect
import re
import signal
import threading
import types
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given, settings, strategies
from trio.testing import MockClock

from ticketr import JobContext, JobFailed, JobProgress, open_job_queue, testing
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
from ticketr.testing._sweep import Run

EACH = pytest.mark.parametrize("injection", list(Injection))
SMALL = {"max_steps": 1000}


def found(function: Callable[[], Awaitable[object]], **options: Any) -> SweepFailed:
    with pytest.raises(SweepFailed) as caught:
        cancel_at_every_step(function, **options)
    return caught.value


# FakeJob.


async def test_a_fake_job_reports_each_step_at_its_time(autojump_clock: MockClock) -> None:
    seen = []
    async with open_job_queue() as queue, trio.open_nursery() as nursery:

        @nursery.start_soon
        async def read() -> None:
            with queue.progress() as reports:
                async for report in reports:
                    seen.append((trio.current_time(), report.current, report.total, report.message))

        handle = await queue.submit(FakeJob(duration=2, steps=4))
        assert await handle.result() == 4
        await queue.shutdown()

    assert seen == [(step / 2, step, 4, f"Step {step}/4") for step in range(1, 5)]
    assert handle.name == "FakeJob"


@pytest.mark.parametrize(
    ("job", "message", "at", "steps_done"),
    [
        (FakeJob(fail=ValueError("no")), "no", 1.0, 10),
        (FakeJob(fail=ValueError("no"), fail_after=5), "no", 0.5, 5),
        (FakeJob(fail=ValueError, fail_after=5), "", 0.5, 5),
        (FakeJob(fail=ValueError("no"), fail_after=0), "no", 0.0, 0),
        (FakeJob(fail_after=5), "FakeJob was told to fail after step 5", 0.5, 5),
    ],
)
async def test_a_fake_job_fails_when_it_is_told_to(
    job: FakeJob, message: str, at: float, steps_done: int, autojump_clock: MockClock
) -> None:
    async with open_job_queue() as queue:
        handle = await queue.submit(job)
        with pytest.raises(JobFailed) as failed:
            await handle.result()

        progress = handle.snapshot().progress
        assert trio.current_time() == pytest.approx(at)
        assert str(failed.value.__cause__) == message
        assert (progress.current if progress else 0) == steps_done


@pytest.mark.parametrize(
    "options",
    [
        {"duration": -1},
        {"duration": float("nan")},
        {"steps": 0},
        {"fail_after": 11},
        {"fail_after": -1},
    ],
)
def test_a_fake_job_that_makes_no_sense_is_refused(options: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        FakeJob(**options)


# Sweeps of correct code.


async def three_sleeps() -> str:
    for _ in range(3):
        await trio.sleep(1)
    return "value"


def test_every_step_is_swept_with_each_injection() -> None:
    reports: list[StepReport] = []

    summary = cancel_at_every_step(three_sleeps, check=reports.append)

    assert summary == SweepSummary(steps=4, runs=12, returned=0, cancelled=12, failed=0, missed=0)
    stopped = {
        Injection.SCOPE: Outcome.CANCELLED,
        Injection.OUTER_SCOPE: Outcome.CANCELLED,
        Injection.KEYBOARD_INTERRUPT: Outcome.INTERRUPTED,
    }
    assert reports[0] == StepReport(0, None, False, Outcome.VALUE, "value")
    assert [
        (report.step, report.injected, report.fired, report.outcome) for report in reports[1:]
    ] == [
        (step, injected, True, stopped[injected]) for injected in Injection for step in range(1, 5)
    ]


@pytest.mark.parametrize("injection", [Injection.SCOPE, Injection.OUTER_SCOPE])
def test_the_scope_that_is_meant_is_cancelled(injection: Injection) -> None:
    run = Run(three_sleeps, injection=injection, inject_after_step=2, timeout=60, max_steps=100)

    trio.run(run.main, None, clock=trio.testing.MockClock(autojump_threshold=0), instruments=[run])

    inner = injection is Injection.SCOPE
    assert (run.function_scope.cancelled_caught, run.outer_scope.cancelled_caught) == (
        inner,
        not inner,
    )


def test_arguments_are_passed_on() -> None:
    values = []

    async def add(left: int, right: int) -> int:
        await trio.lowlevel.checkpoint()
        return left + right

    cancel_at_every_step(add, 1, 2, check=lambda report: values.append(report.value))

    assert values[0] == 3


@EACH
def test_tasks_of_the_function_count_and_others_do_not(injection: Injection) -> None:
    async def with_child() -> None:
        trio.lowlevel.spawn_system_task(three_sleeps)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(three_sleeps)

    summary = cancel_at_every_step(with_child, inject=[injection])

    assert summary.steps == 1 + 1 + 4
    # After the child's last step there is nothing to cancel.
    assert (summary.returned, summary.cancelled) == (1, 5)


def test_a_cancel_of_the_functions_own_is_no_injection() -> None:
    async def gives_up() -> str:
        with trio.move_on_after(1):
            await trio.sleep(5)
        return "late"

    assert cancel_at_every_step(gives_up).cancelled == 6


def test_allowed_exceptions_are_counted() -> None:
    async def raises() -> None:
        try:
            await trio.sleep(1)
        finally:
            raise ValueError("as it may")

    summary = cancel_at_every_step(raises, allowed=ValueError)

    assert (summary.runs, summary.failed, summary.cancelled) == (6, 6, 0)


def test_the_choice_of_steps_is_seeded() -> None:
    def swept(**options: Any) -> list[int]:
        steps: list[int] = []
        cancel_at_every_step(
            many_sleeps,
            check=lambda report: steps.append(report.step),
            inject=[Injection.SCOPE],
            **options,
        )
        return steps[1:]

    async def many_sleeps() -> None:
        for _ in range(29):
            await trio.sleep(1)

    assert swept() == list(range(1, 31))
    assert swept(steps=[17, 4]) == [17, 4]
    assert swept(limit=5, seed=1) == swept(limit=5, seed=1) != swept(limit=5, seed=2)
    assert len(swept(limit=5)) == 5
    assert swept(limit=500) == list(range(1, 31))
    starts = set()
    for seed in range(12):
        steps = swept(every=10, seed=seed)
        assert steps == list(range(steps[0], 31, 10))
        starts.add(steps[0])
    assert starts <= set(range(1, 11))
    assert len(starts) > 3


def test_inside_a_hypothesis_test_the_order_of_tasks_repeats() -> None:
    async def race() -> None:
        async with trio.open_nursery() as nursery:
            for number in range(9):
                nursery.start_soon(note, number)

    async def note(number: int) -> None:
        await trio.sleep(1)
        order.append(number)

    @settings(max_examples=5, deadline=None, derandomize=True, database=None)
    @given(strategies.random_module())
    def sweep(_: object) -> None:
        order.clear()
        cancel_at_every_step(race, limit=5)
        orders.append(tuple(order))

    order: list[int] = []
    orders: list[tuple[int, ...]] = []

    sweep()
    once = orders.copy()
    orders.clear()
    sweep()

    assert orders == once
    assert len(set(orders)) > 1


# Planted bugs.


@EACH
def test_a_swallowed_cancellation_is_found(injection: Injection) -> None:
    async def swallows() -> str:
        try:
            await trio.sleep(1)
        except (trio.Cancelled, KeyboardInterrupt):
            return "swallowed"
        return "value"

    error = found(swallows, inject=[injection])

    assert (error.step, error.injected) == (1, injection)
    assert error.problem == "the function swallowed the injection and returned 'swallowed'"
    assert isinstance(error.__cause__, trio.Cancelled | KeyboardInterrupt)
    assert cancel_at_every_step(swallows, inject=[injection], may_return=True).returned == 2


@pytest.mark.parametrize("injection", [Injection.SCOPE, Injection.OUTER_SCOPE])
def test_an_unshielded_clean_up_is_found(injection: Injection) -> None:
    opened = 0

    async def cleans_up(shield: bool) -> None:
        nonlocal opened
        opened = 1
        try:
            await trio.sleep(1)
        finally:
            with trio.CancelScope(shield=shield):
                await trio.sleep(0.1)
                opened = 0

    def check(report: StepReport) -> None:
        assert opened == 0, "left open"

    error = found(lambda: cleans_up(False), check=check, inject=[injection])

    assert error.step == 1
    assert error.problem.startswith("the check failed: AssertionError('left open")
    cancel_at_every_step(cleans_up, True, check=check, inject=[injection])


@EACH
def test_a_leaked_resource_is_found(injection: Injection) -> None:
    limiter = trio.CapacityLimiter(1)

    async def leaks() -> None:
        nonlocal limiter
        limiter = trio.CapacityLimiter(1)
        await limiter.acquire()
        await trio.sleep(1)
        limiter.release()

    async def check(report: StepReport) -> None:
        await trio.lowlevel.checkpoint()
        assert limiter.borrowed_tokens == 0

    error = found(leaks, check=check, inject=[injection])

    assert error.step > 1
    assert isinstance(error.__cause__, AssertionError)


def lost_wake_up(shield: bool) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        ready = trio.Event()

        async def tells() -> None:
            await trio.sleep(1)
            ready.set()

        async def waits() -> None:
            with trio.CancelScope(shield=shield):
                await ready.wait()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(tells)
            nursery.start_soon(waits)

    return run


@EACH
def test_a_lost_wake_up_is_found_though_it_is_shielded(injection: Injection) -> None:
    error = found(lost_wake_up(shield=True), inject=[injection])

    assert error.problem.startswith("the function hangs: ")
    assert "in waits (" in error.problem
    assert f"{__file__}:" in error.problem
    assert isinstance(error.__cause__, BaseExceptionGroup)
    cancel_at_every_step(lost_wake_up(shield=False), inject=[injection])


def test_a_hang_without_injection_is_found_and_ends_gently() -> None:
    cleaned = []
    reports: list[StepReport] = []

    async def hangs() -> None:
        try:
            await trio.sleep_forever()
        finally:
            cleaned.append(trio.current_time())

    error = found(hangs, timeout=60, check=reports.append)

    assert str(error).startswith("with nothing injected: the function hangs: it waits in hangs (")
    assert isinstance(error.__cause__, trio.Cancelled)
    assert cleaned == [60]
    assert reports == []


def test_a_loop_that_never_listens_is_found() -> None:
    async def busy() -> None:
        while trio.current_time() < 1:
            try:
                await trio.sleep(1)
            except trio.Cancelled:
                continue

    error = found(busy, **SMALL)

    assert error.step == 1
    assert "it waits in busy" in error.problem


@pytest.mark.parametrize("shield", [True, False])
def test_even_code_that_catches_everything_is_ended(shield: bool) -> None:
    async def evil() -> None:
        with trio.CancelScope(shield=shield):
            for _ in range(10_000):
                with suppress(BaseException):
                    await trio.sleep_forever()

    async def child() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(evil)

    for function in (evil, child):
        assert "in evil" in found(function, **SMALL).problem


def test_a_check_that_hangs_is_found() -> None:
    async def check(report: StepReport) -> None:
        await trio.sleep_forever()

    error = found(three_sleeps, check=check)

    assert error.problem.startswith("the check hangs: ")
    assert "in check (" in error.problem


@EACH
def test_an_error_in_the_clean_up_is_found(injection: Injection) -> None:
    async def breaks() -> None:
        try:
            await trio.sleep(1)
        except (trio.Cancelled, KeyboardInterrupt):
            raise ValueError("clean-up failed") from None

    error = found(breaks, inject=[injection])

    assert str(error) == (
        f"at step 1, {injection}: the function raised ValueError('clean-up failed')"
    )
    assert isinstance(error.__cause__, ValueError)


def test_a_cancellation_without_a_scope_is_found() -> None:
    async def stray() -> None:
        error: BaseException | None = None
        with trio.CancelScope() as scope:
            scope.cancel()
            try:
                await trio.sleep(1)
            except trio.Cancelled as cancelled:
                error = cancelled
                raise
        assert error is not None
        raise error

    assert found(stray).problem.startswith("the function raised Cancelled")


def test_a_sweep_whose_injection_never_happens_fails() -> None:
    error = found(three_sleeps, steps=[99])

    assert (error.step, error.injected) == (99, Injection.SCOPE)
    assert "never happened" in error.problem
    assert "never happened" in found(three_sleeps, steps=[]).problem


def test_a_step_that_a_run_does_not_reach_is_counted_as_missed() -> None:
    assert cancel_at_every_step(three_sleeps, steps=[1, 99]).missed == 3


# Edge cases.


@pytest.mark.parametrize("options", [{"every": 0}, {"limit": 0}, {"inject": []}])
def test_a_sweep_of_nothing_is_refused(options: Any) -> None:
    with pytest.raises(ValueError, match="nothing to sweep"):
        cancel_at_every_step(three_sleeps, **options)


async def test_a_sweep_inside_of_trio_is_refused() -> None:
    with pytest.raises(RuntimeError, match="from a plain function"):
        cancel_at_every_step(three_sleeps)


def test_interrupts_need_the_main_thread_and_cancellations_do_not() -> None:
    results: list[object] = []

    def sweep() -> None:
        with pytest.raises(RuntimeError, match="main thread"):
            cancel_at_every_step(three_sleeps)
        results.append(cancel_at_every_step(three_sleeps, inject=[Injection.SCOPE]).runs)

    thread = threading.Thread(target=sweep)  # noqa: TID251 - there is no Trio here
    thread.start()
    thread.join()

    assert results == [4]


def test_interrupts_come_even_where_the_shell_has_them_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        summary = cancel_at_every_step(three_sleeps, inject=[Injection.KEYBOARD_INTERRUPT])
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)

    assert summary.cancelled == 4


def test_a_real_interrupt_ends_the_sweep() -> None:
    async def pressed() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cancel_at_every_step(pressed)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_code_that_breaks_trio_is_found() -> None:
    async def breaks() -> None:
        def abort(_: object) -> trio.lowlevel.Abort:
            raise ValueError("no such thing")

        with trio.move_on_after(1):
            await trio.lowlevel.wait_task_rescheduled(abort)

    error = found(breaks)

    assert error.problem == "Trio itself failed: ValueError('no such thing')"
    assert isinstance(error.__cause__, trio.TrioInternalError)
    del error
    gc.collect()


def test_errors_thrown_by_trio_reach_the_function() -> None:
    @types.coroutine
    def nonsense() -> Generator[str, None, None]:
        yield "not for Trio"

    async def awaits_nonsense() -> None:
        try:
            await nonsense()
        except TypeError:
            await trio.sleep(1)

    assert cancel_at_every_step(awaits_nonsense).steps == 3


@EACH
def test_a_queue_and_its_job_are_swept(injection: Injection) -> None:
    async def job(context: JobContext) -> None:
        await FakeJob(steps=2).execute(context)

    async def scenario() -> None:
        async with open_job_queue() as queue:
            await queue.run(job)

    summary = cancel_at_every_step(scenario, inject=[injection])

    assert summary.cancelled > 5


def test_the_example_in_the_docs_fails_as_it_says_and_its_fix_helps() -> None:
    page = (Path(__file__).parent.parent / "docs" / "testing.md").read_text(encoding="utf-8")
    example, fix, *_ = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    promised = re.search(r"^at step \d+, (.+)$", page, re.MULTILINE)
    assert promised is not None
    assert "    print(error)\n" in example
    imports = "from ticketr.testing import SweepFailed, cancel_at_every_step\n"
    assert imports in example

    with pytest.raises(SweepFailed) as caught:
        exec(example.replace("    print(error)\n", "    raise\n"), {})
    use = example[example.index("async def use") :].replace("    print(error)\n", "    raise\n")
    exec(imports + fix + use, {})

    assert str(caught.value).endswith(promised[1])
    assert isinstance(caught.value.__cause__, AssertionError)


def test_the_docs_name_everything_that_is_public() -> None:
    page = (Path(__file__).parent.parent / "docs" / "testing.md").read_text(encoding="utf-8")

    assert [name for name in testing.__all__ if f"`{name}" not in page] == []
    members = [*Injection.__members__, *Outcome.__members__]
    assert [name for name in members if f"`{name}`" not in page] == []


class Unprintable:
    def __str__(self) -> str:
        raise OSError("no")

    def __repr__(self) -> str:
        return "unprintable"


async def report_oddly(context: JobContext) -> None:
    """Report what a queue changes or ignores."""
    odd: Any = Unprintable()
    context.report(message="begin")
    context.report(current=2, total=4)
    context.report(current=1)
    context.report(current=odd, total=odd, message=odd)
    context.report(current=9, message="\ud800")
    context.report(current=0, total=10**400)
    context.report(total=0)


def test_a_context_is_made_outside_trio() -> None:
    context = make_context(id="a", name="copy", key=("k", 1), tags=["x", "y"], attempt=3)

    assert isinstance(context, JobContext)
    assert (context.id, context.name, context.key) == ("a", "copy", ("k", 1))
    assert (context.tags, context.attempt) == (frozenset({"x", "y"}), 3)
    assert (context.reports, context.cancel_requested) == ([], False)
    assert repr(context) == "<JobContext of 'copy', id='a'>"


def test_a_context_has_defaults() -> None:
    context = make_context()

    assert (context.id, context.name, context.key) == ("job-1", "job", None)
    assert (context.tags, context.attempt) == (frozenset(), 1)


async def test_reports_are_those_of_a_queue(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        handle = queue.submit_nowait(report_oddly)
        with handle.watch() as updates:
            ended = [update async for update in updates][-1]
    context = make_context()
    await report_oddly(context)

    assert [str(report) for report in context.reports] == [
        "(0) begin",
        "50% (2/4) begin",
        "50% (2/4) begin",
        "50% (2/4) unprintable",
        "100% (4/4) \ud800",
        "100% (4/4) \ud800",
        "(4) \ud800",
    ]
    assert context.reports[-1] == ended.progress


async def test_a_job_object_runs_without_a_queue(autojump_clock: MockClock) -> None:
    context = make_context()

    assert await FakeJob(duration=2, steps=2).execute(context) == 2
    assert trio.current_time() == 2
    assert [report.message for report in context.reports] == ["Step 1/2", "Step 2/2"]


async def test_clean_up_is_that_of_a_queue(autojump_clock: MockClock) -> None:
    async def tidy(context: JobContext) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with context.cleanup(3):
                await trio.sleep(9)

    with trio.move_on_after(2):
        await tidy(make_context())

    assert trio.current_time() == 5
    with pytest.raises(ValueError, match="time for clean-up"):
        make_context().cleanup(-1)


def test_a_test_asks_the_job_to_stop() -> None:
    context = make_context()
    seen = []
    for asked in (True, False):
        context.cancel_requested = asked
        seen.append(context.cancel_requested)

    assert seen == [True, False]
    assert make_context().cancel_requested is False


def test_a_thread_may_report() -> None:
    context = make_context()
    thread = threading.Thread(target=context.report, kwargs={"current": 1, "total": 1})  # noqa: TID251 - of no Trio run
    thread.start()
    thread.join()

    assert context.reports == [JobProgress("job-1", 1, 1, "", 3)]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"id": 3}, TypeError),
        ({"name": 3}, TypeError),
        ({"key": []}, TypeError),
        ({"tags": "one"}, TypeError),
        ({"tags": [1]}, TypeError),
        ({"attempt": 0}, ValueError),
        ({"attempt": 1.5}, TypeError),
    ],
)
def test_an_invalid_argument_is_refused(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=f"(a )?{next(iter(options)).removesuffix('s')}"):
        make_context(**options)


def test_all_of_a_context_works_without_a_queue() -> None:
    context = make_context()
    names = [name for name in dir(JobContext) if not name.startswith("_")]

    values = {name: getattr(context, name) for name in names}

    assert {name for name, value in values.items() if inspect.ismethod(value)} == {
        "report",
        "cleanup",
    }
    assert set(names) < {*dir(FakeContext)}
