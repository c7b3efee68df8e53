"""Test which due time of a repeat has a run, and which is the next."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ticketr.cluster._repeat_times import LATEST, Step, next_step


def every_minute(due: datetime) -> datetime:
    return due + timedelta(minutes=1)


@pytest.mark.parametrize("every", [60.0, every_minute])
@pytest.mark.parametrize(
    ("now", "since", "is_running", "expected"),
    [
        pytest.param(0.0, 0.0, False, Step(True, 0, 60.0), id="on time"),
        pytest.param(9.0, 0.0, False, Step(True, 0, 60.0), id="late"),
        pytest.param(LATEST + 1, 0.0, False, Step(False, 1, 60.0), id="too late"),
        pytest.param(121.0, 0.0, False, Step(True, 2, 180.0), id="the last one alone has a run"),
        pytest.param(121.0, 0.0, True, Step(False, 3, 180.0), id="a run has not ended"),
        pytest.param(150.0, 0.0, False, Step(False, 3, 180.0), id="all are too late"),
        pytest.param(121.0, 61.0, False, Step(True, 0, 180.0), id="two were in a pause"),
        pytest.param(121.0, 121.0, False, Step(False, 0, 180.0), id="all were in a pause"),
    ],
)
def test_a_step(every: object, now: float, since: float, is_running: bool, expected: Step) -> None:
    step = next_step(
        every,  # type: ignore[arg-type]
        first=0.0,
        due=0.0,
        since=since,
        now=now,
        is_running=is_running,
    )
    assert step == expected


def test_due_times_are_counted_from_the_first() -> None:
    step = next_step(0.1, first=0.0, due=0.1 * 3, since=0.0, now=0.95, is_running=False)
    assert step == Step(True, 6, 1.0)


def test_a_function_goes_on_step_by_step() -> None:
    step = next_step(every_minute, first=0.0, due=0.0, since=0.0, now=60_000.0, is_running=False)
    assert step == Step(False, 100, 6000.0)


def test_a_function_that_gives_no_later_time_is_refused() -> None:
    with pytest.raises(ValueError, match="must return a later time"):
        next_step(lambda due: due, first=0.0, due=0.0, since=0.0, now=1.0, is_running=False)
