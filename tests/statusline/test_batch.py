"""Many jobs in one line, on a fake clock: exact frames at exact virtual times."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import trio
from fakes.job_snapshots import snapshot

from ticketr import JobContext, JobQueue, QueueStatistics, Retry, open_job_queue
from ticketr.statusline import LineStyle, StatusLine, StatusModel
from ticketr.text import width

if TYPE_CHECKING:
    from trio.testing import MockClock

STYLE = LineStyle()
NONE = QueueStatistics(
    workers=4,
    pending=0,
    running=0,
    completed=0,
    failed=0,
    cancelled=0,
    evicted=0,
    submitters_waiting=0,
)


async def small(context: JobContext, seconds: float = 1.0) -> None:
    await trio.sleep(seconds)


async def fails(context: JobContext) -> None:
    await trio.sleep(1)
    raise ValueError("no such thing")


async def film(context: JobContext) -> None:
    for part in range(10):
        context.report(current=part, total=10, message="Copying film")
        await trio.sleep(2)


class Frames:
    """Records frames by time."""

    def __init__(self) -> None:
        self.frames: list[tuple[float, str]] = []
        self.left = ""

    def at(self, time: float) -> str:
        """Return the frame that is on the screen at this time."""
        return next(line for drawn, line in reversed(self.frames) if drawn <= time)

    def open(self, redraw: object) -> None: ...

    def columns(self) -> int:
        return 80

    def try_draw(self, line: str, *, fills_width: bool) -> bool:
        self.frames.append((trio.current_time(), line))
        return True

    async def wait_writable(self) -> None: ...

    def close(self, line: str) -> None:
        self.left = line


def status_line(queue: JobQueue, output: Frames) -> StatusLine:
    return StatusLine(queue, output=output, style=LineStyle(color=False))


def see(*counts: tuple[float, QueueStatistics]) -> StatusModel:
    model = StatusModel().count(NONE, 0.0)
    for now, statistics in counts:
        model = model.count(statistics, now)
    return model


def steady(failed: int = 3, cancelled: int = 0) -> StatusModel:
    """Return a model of 120 jobs that end at a constant rate; at 12 s, 54 have ended."""
    looks = []
    for second in range(13):
        ended = 54 * second // 12
        bad, lost = min(failed, ended), min(cancelled, max(ended - failed, 0))
        looks.append(
            replace(
                NONE,
                pending=116 - ended,
                running=4,
                completed=ended - bad - lost,
                failed=bad,
                cancelled=lost,
            )
        )
    return see(*((float(now), each) for now, each in enumerate(looks)))


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        (20, "54/120 | 3 failed"),
        (40, "45% 54 of 120 jobs | ETA 15s | 3 failed"),
        (60, "[████░░░░░░] 45% 54 of 120 jobs | 12s | ETA 15s | 3 failed"),
        (80, "[█████████░░░░░░░░░░░] 45% 54 of 120 jobs | 12s | ETA 15s | 3 failed"),
        (120, "[█████████░░░░░░░░░░░] 45% 54 of 120 jobs | 12s | ETA 15s | 3 failed   esc cancel"),
    ],
)
def test_many_jobs_are_one_line(cells: int, line: str) -> None:
    assert steady().line(cells, 12.0, STYLE) == line.ljust(cells)


def test_any_width_gives_a_row_of_that_width() -> None:
    hostile = "a\x1b[2Jb\x1b]0;own\x07c\nd \u5de5\u5355 \u202egnp.exe"
    model = steady(cancelled=2).see(snapshot(name=hostile), 0.0)
    done = model.count(replace(NONE, completed=115, failed=3, cancelled=2), 13.0)

    for cells in range(121):
        for row in (model.line(cells, 12.0, STYLE), done.line(cells, 13.0, STYLE)):
            assert width(row) == cells
            assert not re.search(r"[\x00-\x1f\x7f-\x9f]", row)
            if cells >= 40:
                assert "3 failed | 2 cancelled" in row


def test_a_total_that_grows_has_no_bar_until_it_is_steady() -> None:
    first = replace(NONE, pending=8, running=2)
    model = see((0.0, first), (2.0, replace(first, completed=4)))

    assert model.line(40, 2.0, STYLE, hint="") == "⠋ 4 of 14 jobs | 2s".ljust(40)
    assert model.line(40, 4.0, STYLE, hint="").startswith("29% 4 of 14 jobs | ETA ")


def test_a_waiting_submitter_makes_the_total_unknown() -> None:
    model = see((5.0, replace(NONE, pending=10, running=1, submitters_waiting=1)))

    assert model.line(40, 5.0, STYLE, hint="") == "⠋ 0 of 11 jobs | 0s".ljust(40)


def test_the_first_job_after_two_idle_seconds_begins_a_new_batch() -> None:
    done = replace(NONE, completed=9, failed=1)
    begun = [(0.0, replace(NONE, pending=10)), (1.0, done)]

    assert see(*begun, (3.0, replace(done, running=1))).batch.total == 11
    assert see(*begun, (3.1, replace(done, running=1))).batch.total == 1


async def test_a_thousand_jobs_submitted_at_once(autojump_clock: MockClock) -> None:
    output = Frames()

    async with open_job_queue(workers=100, max_pending=None) as queue, status_line(queue, output):
        for _ in range(1000):
            queue.submit_nowait(small)

    assert [output.at(time).partition(" | ETA")[0] for time in (0.1, 1.3, 5.3)] == [
        "[░░░░░░░░░░░░░░░░░░░░] 0% 0 of 1000 jobs | 0s",
        "[██░░░░░░░░░░░░░░░░░░] 10% 100 of 1000 jobs | 1s",
        "[██████████░░░░░░░░░░] 50% 500 of 1000 jobs | 5s",
    ]
    assert output.left == "✓ 1000 jobs completed | 10s"


async def test_jobs_that_were_submitted_before_the_line_are_counted(
    autojump_clock: MockClock,
) -> None:
    output = Frames()

    async with open_job_queue(max_pending=None) as queue:
        for _ in range(10):
            queue.submit_nowait(small)
        async with status_line(queue, output):
            await trio.sleep(4.5)
            assert "4 of 10 jobs" in output.at(4.3)

    assert output.left == "✓ 10 jobs completed | 10s"


async def test_failures_and_cancellations_stay_to_the_end(autojump_clock: MockClock) -> None:
    output = Frames()

    async with open_job_queue(max_pending=None) as queue, status_line(queue, output):
        handles = [queue.submit_nowait(fails), *(queue.submit_nowait(small) for _ in range(7))]
        handles[-1].cancel()
        await handles[0].wait()

    assert "3 of 8 jobs | 2s | ETA" in output.at(2.3)
    assert output.at(2.3).endswith("| 1 failed | 1 cancelled")
    assert output.left == "✗ 8 jobs ended | 7s | 1 failed | 1 cancelled"


async def test_a_job_between_two_attempts_is_not_ended(autojump_clock: MockClock) -> None:
    output = Frames()
    retry = Retry(attempts=2, first=10.0, jitter=0.0)

    async with (
        open_job_queue(workers=6, max_pending=None) as queue,
        status_line(queue, output),
    ):
        handles = [queue.submit_nowait(fails, retry=retry) for _ in range(6)]
        for handle in handles:
            await handle.wait()

    assert output.at(5.0) == "[░░░░░░░░░░░░░░░░░░░░] 0% 0 of 6 jobs | 5s | ETA --:--"
    assert output.left == "✗ 6 jobs ended | 12s | 6 failed"


async def test_run_in_a_loop_counts_on(autojump_clock: MockClock) -> None:
    output = Frames()

    async with open_job_queue() as queue, status_line(queue, output):
        for _ in range(20):
            await queue.run(small)

    assert re.fullmatch(r". 10 of 11 jobs \| 10s", output.at(10.1))
    assert output.left == "✓ 20 jobs completed | 20s"


async def test_a_fifth_job_shows_all_in_numbers(autojump_clock: MockClock) -> None:
    output = Frames()

    async with (
        open_job_queue(workers=9, max_pending=None) as queue,
        status_line(queue, output),
    ):
        queue.submit_nowait(film)  # reports every other second, to the 20th
        await trio.sleep(9)
        for _ in range(4):
            queue.submit_nowait(small, 4.0)

    assert {int(drawn) for drawn, _ in output.frames if drawn < 9.0} == {*range(9)}
    assert "0 of 5 jobs" in output.at(9.3)
    assert output.left == "✓ 5 jobs completed | 20s"


async def test_in_a_pipe_there_is_a_line_every_10_percent(autojump_clock: MockClock) -> None:
    out = io.StringIO()

    async with (
        open_job_queue(workers=10, max_pending=None) as queue,
        StatusLine(queue, stream=out),
    ):
        for _ in range(500):
            queue.submit_nowait(small, 0.1)

    assert out.getvalue().splitlines() == [
        "0 of 500 jobs (0%)",
        *(f"{each * 5} of 500 jobs ({each}%)" for each in range(10, 100, 10)),
        "500 jobs completed",
    ]


async def test_in_a_pipe_slow_jobs_have_a_line_every_10_seconds(autojump_clock: MockClock) -> None:
    out = io.StringIO()

    async with (
        open_job_queue(max_pending=None) as queue,
        StatusLine(queue, stream=out),
    ):
        handles = [queue.submit_nowait(fails), *(queue.submit_nowait(small) for _ in range(299))]
        await handles[0].wait()

    lines = out.getvalue().splitlines()
    assert lines[:3] == [
        "0 of 300 jobs (0%)",
        "10 of 300 jobs (3%), 1 failed",
        "20 of 300 jobs (7%), 1 failed",
    ]
    assert lines[-1] == "300 jobs ended, 1 failed"
    assert len(lines) <= 31


async def test_in_a_pipe_run_in_a_loop_has_few_lines(autojump_clock: MockClock) -> None:
    out = io.StringIO()

    async with open_job_queue() as queue, StatusLine(queue, stream=out):
        for _ in range(1000):
            await queue.run(small, 0.05)
        await trio.sleep(5)
        assert out.getvalue().endswith("\n1000 jobs completed\n")

    lines = out.getvalue().splitlines()
    assert len(lines) < 25
    assert lines.count("1000 jobs completed") == 1
