"""Test that a bulk change may be cancelled and lose answers, with a true count."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import trio
from fakes.lossy import Lossy
from fakes.pulls import Bench

from ticketr import JobFailed, JobStatus, open_job_queue
from ticketr.sandbox import create_app, make_site
from ticketr.sync import BulkChange, BulkJob, FieldSetting, FindIssuesJob

if TYPE_CHECKING:
    from pathlib import Path

    from trio.testing import MockClock

    from ticketr.sync import BulkIssue

LOW = BulkChange((FieldSetting("Labels", "swept"),))


@pytest.fixture
def large(tmp_path: Path) -> Bench:
    return Bench(make_site(tickets=1000, seed=1), tmp_path / "work", latency=0.2)


async def find(bench: Bench) -> tuple[BulkIssue, ...]:
    async with open_job_queue() as queue:
        job = FindIssuesJob(**bench.settings(), query="project = DEMO")
        return await queue.run(job)


def swept(bench: Bench) -> int:
    return sum("swept" in each.labels for each in bench.site)


async def test_a_thousand_issues_are_changed_in_ten_requests(
    large: Bench, autojump_clock: MockClock
) -> None:
    issues = await find(large)
    job = BulkJob(**large.settings(), issues=issues, change=LOW)

    async with open_job_queue() as queue:
        result = await queue.run(job)

    assert (len(result.done), result.failed, result.unknown) == (1000, (), ())
    assert swept(large) == 1000


@pytest.mark.parametrize("seconds", [1.5, 2.5, 3.5, 5.0])
async def test_a_change_that_is_cancelled_in_the_middle_says_the_number_done(
    large: Bench, autojump_clock: MockClock, seconds: float
) -> None:
    issues = await find(large)
    job = BulkJob(**large.settings(), issues=issues, change=LOW)

    async with open_job_queue() as queue:
        handle = await queue.submit(job)
        await trio.sleep(seconds)
        handle.cancel()
        snapshot = await handle.wait()

    assert snapshot.status is JobStatus.CANCELLED
    result = job.so_far()
    assert snapshot.progress is not None
    words = f"Cancelled: {len(result.done)}/1000 tickets changed"
    assert (snapshot.progress.message or "").startswith(words)
    assert len(result.done) <= swept(large) <= len(result.done) + len(result.unknown)
    assert swept(large) < 1000


async def test_a_lost_answer_is_no_success_and_no_failure(
    bench: Bench, autojump_clock: MockClock
) -> None:
    issues = await find(bench)

    def lose(_: str, at: str) -> str | None:
        return "answer" if at == "bulk/issues/fields" else None

    settings = bench.settings(transport=Lossy(create_app(bench.site), lose))
    job = BulkJob(**settings, issues=issues, change=LOW)
    async with open_job_queue() as queue:
        with pytest.raises(JobFailed):
            await queue.run(job)

    result = job.so_far()
    assert (result.done, result.failed) == ((), ())
    assert set(result.unknown) == {each.key for each in issues}


async def test_an_issue_that_was_deleted_meanwhile_fails_alone(
    bench: Bench, autojump_clock: MockClock
) -> None:
    issues = await find(bench)
    gone = replace(issues[0], id="999", key="DEMO-999")
    job = BulkJob(**bench.settings(), issues=(gone, *issues[1:]), change=LOW)

    async with open_job_queue() as queue:
        result = await queue.run(job)

    assert [note.key for note in result.failed] == ["DEMO-999"]
    assert len(result.done) == 11
