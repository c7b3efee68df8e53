"""The status line on a fake clock: exact frames at exact virtual times."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import trio

from ticketr import (
    JobContext,
    JobFailed,
    JobSnapshot,
    JobStatus,
    WouldDeadlock,
    open_job_queue,
)
from ticketr.statusline import LineStyle, StatusLine
from ticketr.statusline.status_line import FIRST_REPORT_WAIT_SECONDS, FRAME_INTERVAL_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio.testing import MockClock

    from ticketr import JobQueue

PLAIN = LineStyle(color=False)


class FakeOutput:
    """An output that records the frames and their times."""

    def __init__(self, columns: int = 80) -> None:
        self.width = columns
        self.frames: list[tuple[float, str]] = []
        self.left: str | None = None
        self.has_room = True
        self.room = trio.Event()
        self.redraw: Callable[[], object] = lambda: None

    def open(self, redraw: Callable[[], object]) -> None:
        self.redraw = redraw

    def columns(self) -> int:
        return self.width

    def try_draw(self, line: str, *, fills_width: bool) -> bool:
        assert fills_width is (len(re.sub("\x1b[^m]*m", "", line)) == self.width)
        if self.has_room:
            self.frames.append((round(trio.current_time(), 3), line))
        return self.has_room

    async def wait_writable(self) -> None:
        await self.room.wait()

    def close(self, line: str) -> None:
        self.left = line

    @property
    def lines(self) -> list[str]:
        return [line for _, line in self.frames if line]


def status_line(queue: JobQueue, output: FakeOutput, style: LineStyle = PLAIN) -> StatusLine:
    return StatusLine(queue, output=output, style=style, hint="esc cancel")


async def steps(context: JobContext, count: int, seconds: float = 1.0) -> None:
    """Report each step until all are done."""
    context.report(current=0, total=count, message="Stepping")
    for step in range(1, count + 1):
        await trio.sleep(seconds)
        context.report(current=step, message="All done" if step == count else None)


async def silent(context: JobContext, seconds: float) -> None:
    await trio.sleep(seconds)


async def fails(context: JobContext, seconds: float) -> None:
    await trio.sleep(seconds)
    raise ValueError("no such thing")


async def test_each_step_is_drawn_when_it_comes(autojump_clock: MockClock) -> None:
    output = FakeOutput()

    async with open_job_queue() as queue, status_line(queue, output):
        await queue.submit(steps, 4, 0.9)

    assert output.frames == [
        (0.0, "[░░░░░░░░░░░░░░░░░░░░] 0% (0/4) Stepping | 0s | ETA --:--   esc cancel"),
        (0.9, "[█████░░░░░░░░░░░░░░░] 25% (1/4) Stepping | 0s | ETA --:--   esc cancel"),
        (1.0, "[█████░░░░░░░░░░░░░░░] 25% (1/4) Stepping | 1s | ETA --:--   esc cancel"),
        (1.8, "[██████████░░░░░░░░░░] 50% (2/4) Stepping | 1s | ETA --:--   esc cancel"),
        (2.0, "[██████████░░░░░░░░░░] 50% (2/4) Stepping | 2s | ETA --:--   esc cancel"),
        (2.7, "[███████████████░░░░░] 75% (3/4) Stepping | 2s | ETA 1s   esc cancel"),
        (3.0, "[███████████████░░░░░] 75% (3/4) Stepping | 3s | ETA 1s   esc cancel"),
        (3.6, "✓ All done | 3s"),
    ]
    assert output.left == "✓ All done | 3s"


@pytest.mark.parametrize("plain", [False, True])
async def test_a_job_is_shown_as_the_program_says(plain: bool, autojump_clock: MockClock) -> None:
    output, stream = FakeOutput(), io.StringIO()

    def view(snapshot: JobSnapshot) -> JobSnapshot:
        if snapshot.status is not JobStatus.COMPLETED or snapshot.progress is None:
            return snapshot
        progress = replace(snapshot.progress, message="All refused")
        return replace(snapshot, status=JobStatus.FAILED, progress=progress)

    async with (
        open_job_queue() as queue,
        StatusLine(queue, stream=stream, output=None if plain else output, style=PLAIN, view=view),
    ):
        await queue.submit(steps, 1)

    assert output.left == (None if plain else "✗ All refused | 1s")
    assert not plain or stream.getvalue().splitlines()[-1] == "All refused"


async def test_a_spinner_turns_while_the_total_is_unknown(autojump_clock: MockClock) -> None:
    output = FakeOutput()

    async with open_job_queue() as queue, status_line(queue, output):
        await queue.submit(silent, 0.35)

    assert output.frames == [
        (0.02, "⠋ silent | 0s   esc cancel"),
        (0.1, "⠙ silent | 0s   esc cancel"),
        (0.2, "⠹ silent | 0s   esc cancel"),
        (0.3, "⠸ silent | 0s   esc cancel"),
    ]


async def late(context: JobContext, seconds: float) -> None:
    """Report so many seconds after the start."""
    await trio.sleep(seconds)
    context.report(current=1, total=2, message="Ready")
    await trio.sleep(0.5)


async def test_a_job_that_reports_soon_is_not_shown_by_its_name(autojump_clock: MockClock) -> None:
    output = FakeOutput()

    async with open_job_queue() as queue, status_line(queue, output):
        await queue.submit(late, FIRST_REPORT_WAIT_SECONDS * 0.9)

    assert output.frames[0] == (
        0.018,
        "[██████████░░░░░░░░░░] 50% (1/2) Ready | 0s | ETA --:--   esc cancel",
    )


async def test_a_job_that_reports_later_is_shown_by_its_name_until_then(
    autojump_clock: MockClock,
) -> None:
    output = FakeOutput()

    async with open_job_queue() as queue, status_line(queue, output):
        await queue.submit(late, 0.3)

    assert output.frames[0] == (0.02, "⠋ late | 0s   esc cancel")
    assert next(time for time, line in output.frames if "Ready" in line) == 0.3


@pytest.mark.parametrize(
    ("seconds", "lines"),
    [
        (FIRST_REPORT_WAIT_SECONDS * 0.9, ["Ready: 1/2 (50%)", "Ready: 1/2 (50%), done"]),
        (
            FIRST_REPORT_WAIT_SECONDS * 1.1,
            ["late started", "Ready: 1/2 (50%)", "Ready: 1/2 (50%), done"],
        ),
    ],
)
async def test_in_plain_lines_a_job_that_reports_soon_is_not_told_by_its_name(
    seconds: float, lines: list[str], autojump_clock: MockClock
) -> None:
    out = io.StringIO()

    async with open_job_queue() as queue, StatusLine(queue, stream=out):
        await queue.submit(late, seconds)

    assert out.getvalue().splitlines() == lines


async def test_without_motion_a_silent_job_is_drawn_once_a_second(
    autojump_clock: MockClock,
) -> None:
    output = FakeOutput()

    async with (
        open_job_queue() as queue,
        status_line(queue, output, LineStyle(color=False, motion=False)),
    ):
        await queue.submit(silent, 2.5)

    assert output.frames == [
        (0.02, "• silent | 0s   esc cancel"),
        (1.0, "• silent | 1s   esc cancel"),
        (2.0, "• silent | 2s   esc cancel"),
        (2.5, "✓ silent completed | 2s"),
    ]


async def test_a_flood_of_reports_is_drawn_5_times_a_second(autojump_clock: MockClock) -> None:
    output = FakeOutput()

    async with open_job_queue() as queue, status_line(queue, output):
        await queue.submit(steps, 10_000, 0.001)

    times = [time for time, _ in output.frames]
    assert 49 <= len(times) <= 52
    # A report comes up to 0.001 s late, five times a second; each whole second is in time.
    assert all(
        after - before > FRAME_INTERVAL_SECONDS - 0.0051 for before, after in pairwise(times)
    )
    # The frame shows the newest state, not that of a frame ago.
    for time, line in output.frames[1:-1]:
        assert f"({round(time * 1000)}/" in line or f"({round(time * 1000) - 1}/" in line


async def test_an_idle_queue_draws_nothing_and_wakes_no_task(autojump_clock: MockClock) -> None:
    output = FakeOutput()
    steps_taken = 0

    class Counter(trio.abc.Instrument):
        def before_task_step(self, task: trio.lowlevel.Task) -> None:
            nonlocal steps_taken
            steps_taken += 1

    async with open_job_queue() as queue, status_line(queue, output):
        await queue.run(silent, 1.0)
        await trio.sleep(1.0)
        frames = len(output.frames)
        trio.lowlevel.add_instrument(counter := Counter())
        await trio.sleep(3600.0)
        trio.lowlevel.remove_instrument(counter)

    assert len(output.frames) == frames
    assert steps_taken == 1  # this test's own


async def test_before_the_first_job_nothing_is_drawn(autojump_clock: MockClock) -> None:
    output = FakeOutput()

    async with open_job_queue() as queue, status_line(queue, output):
        await trio.sleep(10)

    assert output.lines == []
    assert output.left == ""


async def test_leaving_the_block_waits_for_the_jobs(autojump_clock: MockClock) -> None:
    output = FakeOutput()

    async with open_job_queue() as queue:
        async with status_line(queue, output):
            await queue.submit(silent, 5)
            await queue.submit(silent, 5)
        assert trio.current_time() == pytest.approx(10)

    assert output.left == "✓ silent completed | 5s"


async def test_every_job_that_has_ended_is_counted_at_the_end(autojump_clock: MockClock) -> None:
    out = io.StringIO()

    async with open_job_queue(workers=9, max_pending=None) as queue, StatusLine(queue, stream=out):
        for number in range(50):
            await queue.submit(silent, 1, name=f"job {number}")

    assert out.getvalue().splitlines()[-1] == "50 jobs completed"


async def test_what_leaves_the_block_is_the_bodys_own_error(autojump_clock: MockClock) -> None:
    output = FakeOutput()
    error = ValueError("own")

    with pytest.raises(ValueError, match="own") as caught:  # noqa: PT012
        async with open_job_queue() as queue, status_line(queue, output):
            await queue.submit(silent, 100)
            await trio.sleep(1)
            raise error

    assert caught.value is error
    assert output.left == ""  # the job had not ended
    assert trio.current_time() == 1


async def test_a_result_stays_though_an_error_follows(autojump_clock: MockClock) -> None:
    output = FakeOutput()

    with pytest.raises(JobFailed):
        async with open_job_queue() as queue, status_line(queue, output):
            await queue.run(fails, 1.0)

    assert output.left == "✗ fails failed: ValueError: no such thing | 1s"


async def test_a_cancellation_from_outside_erases_the_line(autojump_clock: MockClock) -> None:
    output = FakeOutput()

    with trio.move_on_after(2) as scope:
        async with open_job_queue() as queue, status_line(queue, output):
            await queue.submit(silent, 100)

    assert scope.cancelled_caught
    assert output.left == ""
    assert trio.current_time() == 2


async def test_a_cancelled_job_is_drawn_as_cancelling_then_cancelled(
    autojump_clock: MockClock,
) -> None:
    output = FakeOutput()

    async def slow_to_leave(context: JobContext) -> None:
        try:
            await trio.sleep(100)
        finally:
            with context.cleanup(5):
                await trio.sleep(1)

    async with open_job_queue() as queue, status_line(queue, output):
        handle = await queue.submit(slow_to_leave)
        await trio.sleep(2)
        handle.cancel()

    assert (2.0, "⠋ slow_to_leave | 2s   cancelling") in output.frames
    assert output.left == "⊘ slow_to_leave cancelled | 3s"


async def test_a_stalled_terminal_blocks_no_task(autojump_clock: MockClock) -> None:
    output = FakeOutput()

    async with open_job_queue() as queue, status_line(queue, output):
        handle = await queue.submit(steps, 10)
        await trio.sleep(2.5)
        output.has_room = False
        await handle.wait()
        assert trio.current_time() == 10
        await queue.submit(steps, 10)
        await trio.sleep(5.5)
        output.has_room = True
        frames = len(output.frames)
        output.room.set()
        await trio.sleep(0.3)
        # Once the terminal accepts output, the frame shows the state of that time.
        assert output.frames[frames][0] == pytest.approx(15.7)
        assert "(5/10)" in output.frames[frames][1]


async def test_a_new_width_is_drawn_at_the_next_change(autojump_clock: MockClock) -> None:
    output = FakeOutput()

    async with open_job_queue() as queue, status_line(queue, output):
        await queue.submit(steps, 4, 0.9)
        await trio.sleep(1.5)
        output.width = 20
        await trio.sleep(0.4)
        assert output.frames[-1] == (1.8, "50% (2/4) Stepping")


async def test_a_line_that_was_printed_over_is_drawn_again(autojump_clock: MockClock) -> None:
    output = FakeOutput()

    async with open_job_queue() as queue, status_line(queue, output):
        await queue.run(silent, 0.45)
        await trio.sleep(10)
        output.redraw()
        await trio.sleep(1)

    assert output.frames[-2:] == [
        (0.5, "✓ silent completed | 0s"),
        (10.45, "✓ silent completed | 0s"),
    ]


async def test_a_hidden_line_is_not_drawn_until_it_comes_back(autojump_clock: MockClock) -> None:
    output = FakeOutput()

    async with open_job_queue() as queue, status_line(queue, output) as line:
        await queue.submit(steps, 4)
        await trio.sleep(0.5)
        with line.hidden():
            await trio.sleep(2)
        await trio.sleep(0.1)

    hidden = [frame for frame in output.frames if 0.5 <= frame[0] < 2.6]
    assert hidden[0] == (0.5, "")
    assert [(time, "(2/4)" in text) for time, text in hidden[1:]] == [(2.5, True)]


async def test_of_two_jobs_the_older_has_the_line(autojump_clock: MockClock) -> None:
    output = FakeOutput()

    async with open_job_queue(workers=2) as queue, status_line(queue, output):
        await queue.submit(silent, 3, name="older")
        await trio.sleep(1)
        await queue.submit(silent, 3, name="newer")

    at = dict(output.frames)
    assert at[0.5].startswith("⠴ older | 0s   ")
    assert at[1.5].startswith("⠴ older | 1s | +1 more   ")
    assert at[3.5].startswith("⠴ newer | 2s   ")


async def test_colours_are_put_around_what_is_drawn(autojump_clock: MockClock) -> None:
    output = FakeOutput()

    async with open_job_queue() as queue, status_line(queue, output, LineStyle()):
        await queue.submit(silent, 1)
        await queue.submit(steps, 2)

    assert output.frames[0][1] == "\x1b[36m⠋\x1b[m silent | 0s   esc cancel"
    assert "\x1b[36m[██████████░░░░░░░░░░]\x1b[m 50% (1/2)" in "".join(output.lines)
    assert output.left == "\x1b[32m✓\x1b[m All done | 2s"


async def test_without_a_terminal_the_jobs_are_reported_in_plain_lines(
    autojump_clock: MockClock,
) -> None:
    out = io.StringIO()

    async with open_job_queue() as queue, StatusLine(queue, stream=out):
        await queue.submit(steps, 100, 0.5)

    assert out.getvalue().splitlines() == [
        "Stepping: 0/100 (0%)",
        *(f"Stepping: {each}/100 ({each}%)" for each in range(10, 100, 10)),
        "All done",
    ]


async def test_a_pipe_that_breaks_does_not_stop_the_jobs(autojump_clock: MockClock) -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    async with open_job_queue() as queue, StatusLine(queue, stream=Broken()):
        await queue.run(steps, 3)

    assert queue.statistics().completed == 1


async def test_an_error_of_the_line_is_logged_and_does_not_stop_the_jobs(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    output = FakeOutput()
    output.try_draw = lambda line, *, fills_width: 1 / 0  # type: ignore[assignment,method-assign,return-value]

    async with open_job_queue() as queue, status_line(queue, output):
        await queue.run(steps, 3)

    assert queue.statistics().completed == 1
    assert "ZeroDivisionError" in caplog.text


async def test_without_any_stream_it_is_silent(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr", None)  # as in a process that starts with it closed

    async with open_job_queue() as queue, StatusLine(queue):
        await queue.run(steps, 3)

    assert queue.statistics().completed == 1


async def test_a_queue_that_was_shut_down_is_left_at_once(autojump_clock: MockClock) -> None:
    output = FakeOutput()

    async with open_job_queue() as queue, status_line(queue, output):
        await queue.submit(silent, 100)
        await queue.shutdown(grace=2)

    assert trio.current_time() == 2
    assert output.left == "⊘ silent cancelled | 2s"


async def test_inside_a_job_the_block_would_wait_for_itself(autojump_clock: MockClock) -> None:
    async def shows_itself(context: JobContext, queue: JobQueue) -> None:
        async with status_line(queue, FakeOutput()):
            pass

    async with open_job_queue() as queue:
        handle = await queue.submit(shows_itself, queue)
        with pytest.raises(JobFailed) as caught:
            await handle.result()

    assert isinstance(caught.value.__cause__, WouldDeadlock)


async def test_reports_are_drawn_five_times_a_second(autojump_clock: MockClock) -> None:
    output = FakeOutput()

    async with open_job_queue() as queue, status_line(queue, output):
        await queue.submit(steps, 8, 0.11)

    assert [time for time, _ in output.frames] == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8])


async def test_news_in_a_rest_are_drawn_soon_after_though_nothing_follows(
    autojump_clock: MockClock,
) -> None:
    async def once(context: JobContext) -> None:
        context.report(current=0, total=2)
        await trio.sleep(0.05)
        context.report(current=1)
        await trio.sleep(0.7)

    output = FakeOutput()

    async with open_job_queue() as queue, status_line(queue, output):
        await queue.submit(once)

    assert [time for time, line in output.frames if "(1/2)" in line] == pytest.approx([0.2])


async def test_a_line_does_not_keep_a_failure_from_being_reported(
    autojump_clock: MockClock,
) -> None:
    async def fail(context: JobContext) -> None:
        await trio.sleep(3)
        raise ValueError

    reported: list[tuple[str, float]] = []
    async with (
        open_job_queue(
            on_job_error=lambda job: reported.append((job.id, trio.current_time()))
        ) as queue,
        StatusLine(queue, stream=io.StringIO()),
    ):
        await queue.submit(fail)
        await trio.sleep(10)

        assert reported == [("job-1", 3.0)]
