from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ticketr import JobContext, JobProgress, JobSnapshot, open_job_queue
from ticketr.cli.plain import PlainLines, progress_text

if TYPE_CHECKING:
    from trio.testing import MockClock


def progress(current: float, total: float, message: str = "Working") -> JobProgress:
    return JobProgress(job_id="1", current=current, total=total, message=message, revision=1)


async def snapshot_of(*reports: tuple[float, float, str]) -> list[JobSnapshot]:
    """What a watcher sees of a job that reports these, one at a time."""

    async def job(context: JobContext) -> None:
        import trio

        for current, total, message in reports:
            context.report(current=current, total=total, message=message)
            await trio.sleep(1)

    async with open_job_queue() as queue:
        with queue.watch() as updates:
            await queue.submit(job)
            snapshots = []
            async for snapshot in updates:
                snapshots.append(snapshot)
                if snapshot.status.is_terminal:
                    break
    return snapshots


def lines_of(snapshots: list[JobSnapshot], *, seconds: float) -> list[str]:
    lines = PlainLines()
    found = (lines.line(each, index * seconds) for index, each in enumerate(snapshots))
    return [line for line in found if line is not None]


@pytest.mark.parametrize(
    ("current", "total", "expected"),
    [
        (0, 0, "Working"),
        (7, 0, "Working"),
        (0, 120, "Working: 0/120 (0%)"),
        (45, 120, "Working: 45/120 (38%)"),
        (2999, 3000, "Working: 2999/3000 (99%)"),
        (3000, 3000, "Working: 3000/3000 (100%)"),
        (1.5, 3, "Working: 1.5/3 (50%)"),
    ],
)
def test_progress_is_one_line_that_says_100_only_when_complete(
    current: float, total: float, expected: str
) -> None:
    assert progress_text(progress(current, total)) == expected


def test_a_hostile_message_is_cleaned() -> None:
    assert progress_text(progress(0, 0, "a\x1b[2Jb\nc")) == "ab c"


async def test_a_new_message_is_a_line_and_the_end_is_one(autojump_clock: MockClock) -> None:
    snapshots = await snapshot_of((0, 0, "First"), (0, 0, "First"), (0, 0, "Second"))

    assert lines_of(snapshots, seconds=0.1) == ["First", "Second", "Second"]


async def test_between_them_a_line_comes_for_10_percent_or_10_seconds(
    autojump_clock: MockClock,
) -> None:
    snapshots = await snapshot_of(*((each, 100, "Going") for each in range(0, 30, 3)))

    assert lines_of(snapshots, seconds=0.1) == [
        "Going: 0/100 (0%)",
        "Going: 12/100 (12%)",
        "Going: 24/100 (24%)",
        "Going",
    ]
    assert len(lines_of(snapshots, seconds=11.0)) > 10


async def test_a_job_that_says_nothing_has_no_lines(autojump_clock: MockClock) -> None:
    assert lines_of(await snapshot_of(), seconds=1.0) == []
