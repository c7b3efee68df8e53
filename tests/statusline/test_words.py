from __future__ import annotations

import pytest
from fakes.job_snapshots import failed, snapshot
from rows import for_each

from ticketr import JobErrorInfo, JobStatus
from ticketr.statusline.render import count_text, duration, last_message_or_outcome, message_or_name


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (7, "7"), (7.0, "7"), (1.5, "1.5"), (0.333, "0.33"), (1234567, "1234567")],
)
def test_a_number_has_decimals_only_where_it_needs_them(value: float, text: str) -> None:
    assert count_text(value) == text


def test_a_huge_number_is_short() -> None:
    assert count_text(1e300) == "1e+300"


@for_each(
    ("seconds", "text"),
    [
        (-1, "0s"),
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m00s"),
        (125, "2m05s"),
        (3599, "59m59s"),
        (3600, "1h00m"),
        (4020, "1h07m"),
        (86399, "23h59m"),
        (86400, "1d00h"),
        (273600, "3d04h"),
    ],
)
def test_a_time_has_its_two_largest_parts(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_job_without_a_message_has_its_name() -> None:
    assert message_or_name(snapshot(name="a\x1b[2Jb")) == "ab"
    assert message_or_name(snapshot(message="")) == "Pull DEMO"
    assert message_or_name(snapshot(message="a\nb")) == "a b"


def test_a_failure_without_a_message_is_reported_by_its_kind() -> None:
    error = JobErrorInfo("ValueError", "", "")

    assert (
        last_message_or_outcome(snapshot(status=JobStatus.FAILED, error=error))
        == "Pull DEMO failed: ValueError"
    )


def test_an_ending_is_clean() -> None:
    job = snapshot(status=JobStatus.FAILED, error=JobErrorInfo("Odd\x1b[2J", "a\x07\nb", ""))

    assert last_message_or_outcome(job) == "Pull DEMO failed: Odd: a\ufffd b"
    assert last_message_or_outcome(failed()) == "Pull DEMO failed: ValueError: no such thing"
