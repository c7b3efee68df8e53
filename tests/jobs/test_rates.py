"""Rates and their buckets."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, strategies as st

from ticketr.jobs._scheduling.schedule import Bucket, Rate

rate: Any = Rate


def starts(bucket: Bucket, number: int, now: float = 0.0) -> list[float]:
    """Take starts as soon as the bucket holds one, and return the times."""
    times: list[float] = []
    for _ in range(number):
        now = max(now, bucket.ready_at())
        bucket.take(now)
        times.append(now)
    return times


def test_rounding_errors_do_not_add_up() -> None:
    assert starts(Bucket(Rate(10, burst=1)), 100_001)[-1] == 100_000 * 0.1


@pytest.mark.parametrize(("burst", "later"), [(1, [0.5, 1.0]), (8, [0, 0, 0.5])])
def test_a_new_rate_keeps_what_the_old_bucket_held(burst: int, later: list[float]) -> None:
    old = Bucket(Rate(4, burst=4))
    starts(old, 2)  # two are left

    if burst == 1:
        starts(old, 2)
    assert starts(Bucket(Rate(2, burst=burst), old, 0.0), len(later)) == later


@given(
    count=st.integers(1, 50),
    per=st.floats(0.01, 100),
    burst=st.integers(1, 50),
    pauses=st.lists(st.floats(0, 200), max_size=60),
)
def test_no_span_has_more_than_the_burst_and_the_count(
    count: int, per: float, burst: int, pauses: list[float]
) -> None:
    bucket, now, times = Bucket(Rate(count, per, burst)), 0.0, []
    for pause in pauses:
        now += pause
        times += starts(bucket, 3, now)
        now = times[-1]

    for index, start in enumerate(times):
        within = [time for time in times[index:] if time < start + per * (1 - 1e-6)]
        assert len(within) <= burst + count - 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"count": 0}, ValueError),
        ({"count": "10"}, TypeError),
        ({"count": 1, "per": 0}, ValueError),
        ({"count": 1, "per": math.inf}, ValueError),
        ({"count": 1, "burst": 0.5}, ValueError),
        ({"count": 1, "burst": math.inf}, ValueError),
        ({"count": 1e300, "per": 1e-300}, ValueError),
    ],
)
def test_what_is_no_rate_is_refused(arguments: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises((error, ValueError)):
        rate(**arguments)
