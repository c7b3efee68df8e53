from __future__ import annotations

import re

from fakes.job_snapshots import failed, snapshot
from rows import for_each

from ticketr import JobSnapshot, JobStatus
from ticketr.statusline.plain import PlainLineSelector, progress_text

DONE = JobStatus.COMPLETED


def lines_of(*snapshots: JobSnapshot, seconds: float = 0.1) -> list[str]:
    """Return the lines for snapshots that come so many seconds apart."""
    lines = PlainLineSelector()
    found = (lines.line(each, index * seconds) for index, each in enumerate(snapshots))
    return [line for line in found if line is not None]


def going(current: float, message: str = "Going", total: float = 100) -> JobSnapshot:
    return snapshot(current=current, total=total, message=message)


@for_each(
    ("current", "total", "expected"),
    [
        (0, 0, "Working"),
        (7, 0, "Working"),
        (0, 120, "Working: 0/120 (0%)"),
        (45, 120, "Working: 45/120 (38%)"),
        (2999, 3000, "Working: 2999/3000 (99%)"),
        (3000, 3000, "Working: 3000/3000 (100%)"),
        (1.5, 3, "Working: 1.5/3 (50%)"),
        (1234567, 2000000, "Working: 1234567/2000000 (62%)"),
    ],
)
def test_progress_is_one_line_that_says_100_only_when_complete(
    current: float, total: float, expected: str
) -> None:
    assert progress_text(snapshot(current=current, total=total, message="Working")) == expected


def test_no_line_holds_a_control_character() -> None:
    hostile = "a\x1b[2Jb\nc\x9b1m\rd"

    lines = lines_of(
        snapshot(name=hostile),
        snapshot(name=hostile, message=hostile),
        snapshot(name=hostile, status=DONE, message=hostile),
        snapshot("2", name=hostile, status=JobStatus.CANCELLED),
    )

    assert len(lines) == 4
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", "".join(lines))


def test_a_new_message_is_a_line_and_the_end_is_one() -> None:
    lines = lines_of(
        snapshot(message="First"),
        snapshot(message="First"),
        snapshot(message="Second"),
        snapshot(message="All is well", status=DONE),
    )

    assert lines == ["First", "Second", "All is well"]


def test_between_them_a_line_comes_for_10_percent() -> None:
    lines = lines_of(*(going(each) for each in range(0, 30, 3)))

    assert lines == ["Going: 0/100 (0%)", "Going: 12/100 (12%)", "Going: 24/100 (24%)"]


def test_between_them_a_line_comes_every_10_seconds() -> None:
    lines = lines_of(*(going(each) for each in range(10)), seconds=4.0)

    assert lines == [f"Going: {each}/100 ({each}%)" for each in (0, 3, 6, 9)]


def test_a_message_that_changes_with_every_step_gets_no_extra_line() -> None:
    steps = [going(each, f"Step {each}/100") for each in range(101)]

    assert len(lines_of(*steps)) == 11


def test_a_message_without_a_step_is_printed_at_once() -> None:
    lines = lines_of(going(5), going(5, "Waiting 30s: too many requests"), going(6))

    assert lines == ["Going: 5/100 (5%)", "Waiting 30s: too many requests: 5/100 (5%)"]


def test_a_new_total_is_printed_at_once() -> None:
    lines = lines_of(snapshot(message="Looking"), going(0), going(1), going(0, total=50))

    assert lines == ["Looking", "Going: 0/100 (0%)", "Going: 0/50 (0%)"]


def test_of_many_messages_some_are_printed() -> None:
    flood = [snapshot(message=f"file {each}") for each in range(1000)]  # in 100 seconds

    assert 10 <= len(lines_of(*flood)) <= 60


def test_a_job_without_a_message_is_printed_by_name() -> None:
    lines = lines_of(snapshot(), snapshot(), snapshot(status=DONE))

    assert lines == ["Pull DEMO started", "Pull DEMO completed"]


def test_counts_without_a_message_get_the_name() -> None:
    assert lines_of(going(5, "")) == ["Pull DEMO: 5/100 (5%)"]


def test_an_unchanged_message_is_marked_as_done_at_the_end() -> None:
    lines = lines_of(going(0), snapshot(status=DONE, message="Going", current=100, total=100))

    assert lines == ["Going: 0/100 (0%)", "Going: 100/100 (100%), done"]


def test_failure_and_cancellation_are_printed_without_a_message() -> None:
    assert lines_of(failed(message="Going")) == ["Pull DEMO failed: ValueError: no such thing"]
    assert lines_of(
        snapshot(status=JobStatus.CANCELLED, message="Going", current=5, total=100)
    ) == ["Pull DEMO cancelled at 5/100"]
    assert lines_of(snapshot(status=JobStatus.CANCELLED)) == ["Pull DEMO cancelled"]


def test_the_last_message_is_kept_if_it_tells_the_end() -> None:
    assert lines_of(failed(message="Pull failed: no such thing")) == ["Pull failed: no such thing"]
    words = "Cancelled: 45/120 tickets pulled"
    assert lines_of(snapshot(status=JobStatus.CANCELLED, message=words)) == [words]


def test_where_several_run_at_once_each_line_has_a_name() -> None:
    lines = lines_of(
        snapshot("1", name="photos", message="Copying"),
        snapshot("2", name="letters", message="Copying"),
        snapshot("3", name="notes", status=JobStatus.PENDING, message="Copying"),
        snapshot("1", name="photos", message="Checking"),
        snapshot("2", name="letters", status=DONE),
        snapshot("1", name="photos", message="Closing"),
    )

    assert lines == [
        "Copying",
        "letters: Copying",
        "photos: Checking",
        "letters completed",
        "Closing",
    ]
