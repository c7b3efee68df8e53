"""Test the context that a test makes to call a job's function without a queue."""

from __future__ import annotations

import inspect
import threading
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from ticketr import JobContext, JobProgress, open_job_queue
from ticketr.testing import FakeContext, FakeJob, make_context


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
