from __future__ import annotations

import math

import pytest
from fakes.job_snapshots import failed, snapshot

from ticketr import JobSnapshot, JobStatus
from ticketr.statusline import LineStyle, StatusModel

STYLE = LineStyle()
STILL = LineStyle(motion=False)


def after(*snapshots: JobSnapshot) -> StatusModel:
    model = StatusModel()
    for each in snapshots:
        model = model.see(each, 10.0)
    return model


def ended(id: str, status: JobStatus = JobStatus.COMPLETED) -> JobSnapshot:  # noqa: A002
    return snapshot(id, status=status, message=f"{id} has ended", finished=3.0)


def test_no_job_is_named_while_none_runs() -> None:
    assert StatusModel().named_job is None
    assert after(snapshot(status=JobStatus.PENDING)).named_job is None
    assert after(snapshot(), ended("1")).named_job is None


def test_the_oldest_running_job_is_the_one_named() -> None:
    model = after(
        snapshot("b", started=2.0), snapshot("a", started=1.0), snapshot("c", started=3.0)
    )

    assert model.named_job == "a"
    assert model.see(ended("a"), 11.0).named_job == "b"


def test_see_does_not_change_the_old_model() -> None:
    before = after(snapshot("1"))
    before.see(ended("1"), 11.0)

    assert before.named_job == "1"


def test_the_last_result_is_kept_until_the_next_job_runs() -> None:
    model = after(snapshot("1"), ended("1"))
    assert "1 has ended" in model.line(80, 10.0, STYLE)

    model = model.see(snapshot("2", status=JobStatus.PENDING), 11.0)
    assert "1 has ended" in model.line(80, 11.0, STYLE)

    model = model.see(snapshot("2", message="On it"), 12.0)
    assert "1 has ended" not in model.line(80, 12.0, STYLE)


def test_a_job_that_waits_for_its_next_attempt_does_not_run() -> None:
    model = after(snapshot("1"), snapshot("1", status=JobStatus.PENDING))

    assert model.named_job is None
    assert model.line(10, 0.0, STYLE) == " " * 10


def test_failures_are_counted_while_others_run() -> None:
    model = after(snapshot("1"), snapshot("2"), failed("2"))
    assert "| 1 failed" in model.line(80, 10.0, STYLE)

    model = model.see(failed("1"), 11.0)
    assert model.line(80, 10.0, STYLE).rstrip().endswith("| 12s | 1 failed")

    assert "| 1 failed" not in model.see(snapshot("3"), 12.0).line(80, 10.0, STYLE)


def test_the_hint_is_the_callers() -> None:
    model = after(snapshot(message="Working"))

    assert "   ctrl+c cancel " in model.line(80, 0.0, STYLE, hint="ctrl+c cancel")
    assert model.line(80, 0.0, STYLE, hint="").rstrip().endswith("| 0s")


def test_a_line_changes_by_itself_only_while_a_job_runs() -> None:
    assert StatusModel().next_change(10.0, STYLE) == math.inf
    assert after(snapshot(), ended("1")).next_change(10.0, STYLE) == math.inf


def test_a_spinner_turns_ten_times_a_second() -> None:
    model = after(snapshot())

    assert model.next_change(10.0, STYLE) == pytest.approx(10.1)
    assert model.next_change(10.15, STYLE) == pytest.approx(10.2)


def test_without_a_spinner_the_seconds_are_what_changes() -> None:
    counted = after(snapshot(started=0.5, current=1, total=2, message="Going"))

    assert counted.next_change(10.0, STYLE) == pytest.approx(10.5)
    assert after(snapshot(started=0.5)).next_change(10.0, STILL) == pytest.approx(10.5)


@pytest.mark.parametrize("style", [STYLE, STILL])
def test_each_change_brings_a_new_line(style: LineStyle) -> None:
    model, now = after(snapshot(started=0.3)), 0.3

    for _ in range(1000):
        later = model.next_change(now, style)
        assert model.line(40, later, style) != model.line(40, now, style)
        assert later - now < 1.001
        now = later
