"""The due times of repeats."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, strategies as st

from ticketr.jobs._maps.due_times import Calendar, DueTimes, Interval, make_due_times

OFFSET = 1_700_000_000.0
"""Wall-clock time minus that of Trio's clock."""
START = datetime.fromtimestamp(OFFSET, UTC)


def calendar(every: Callable[[datetime], Any]) -> Calendar:
    return Calendar(START, every, OFFSET)


def make(every: object, first: object = 0.0, now: float = 0.0) -> DueTimes:
    return make_due_times(every, first, now, OFFSET, lambda function, due: function(due))


def test_due_times_of_an_interval_do_not_drift() -> None:
    times = Interval(0.3, 0.1)

    for _ in range(100_000):
        times.advance(times.due_at, OFFSET)

    assert times.due_at == 0.3 + 100_000 * 0.1


@given(
    first=st.floats(0, 1e6),
    every=st.floats(0.001, 1e5),
    waits=st.lists(st.floats(0, 1e6), min_size=1, max_size=20),
)
def test_interval_gives_the_first_due_time_that_is_not_past(
    first: float, every: float, waits: list[float]
) -> None:
    times, number = Interval(first, every), 0
    for wait in waits:
        now = times.due_at + wait
        skipped = times.advance(now, OFFSET)
        number += skipped + 1
        assert times.due_at == first + number * every >= now
        assert not skipped or first + (number - 1) * every < now


def test_calendar_follows_a_wall_clock_that_was_set() -> None:
    times = calendar(lambda due: due + timedelta(hours=1))

    times.advance(0.0, OFFSET + 600)  # the clock was set ten minutes ahead

    assert times.due_at == 3000.0


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        (START, ValueError, "must return a later time than it is given"),
        (START - timedelta(seconds=1), ValueError, "must return a later time"),
        (datetime(2100, 1, 1), ValueError, "must have a time zone.*set for summer"),  # noqa: DTZ001
        (
            datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5))),
            ValueError,
            "must be a time in UTC, and 9999-12-31 23:00:00-05:00 is beyond its years",
        ),
        (None, TypeError, "must be a datetime, not None"),
        (60.0, TypeError, r"must be a datetime, not 60\.0"),
    ],
    ids=str,
)
def test_function_gives_a_later_time_with_a_zone(
    value: object, kind: type[Exception], words: str
) -> None:
    times = calendar(lambda due: value)

    with pytest.raises(kind, match=words):
        times.advance(0.0, OFFSET)
    assert times.due_at == 0.0


def test_cron_library_in_local_time_keeps_its_hour_when_clocks_are_set() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 24, 7, 30, tzinfo=berlin)

    def every(due: datetime) -> datetime:
        return next(CronSim("30 7 * * *", due.astimezone(berlin)))

    times = Calendar(first.astimezone(UTC), every, 0.0)
    seconds = []
    for _ in range(3):
        before = times.due_at
        times.advance(before, 0.0)
        seconds.append(times.due_at - before)

    assert seconds == [25 * 3600, 24 * 3600, 24 * 3600]


def test_first_may_be_a_datetime() -> None:
    first = (START + timedelta(minutes=5)).astimezone(ZoneInfo("Asia/Tokyo"))

    for every in (60.0, lambda due: due + timedelta(hours=1)):
        times = make(every, first, now=10.0)
        assert (times.due_at, times.wall_time(OFFSET)) == (300.0, first)


@pytest.mark.parametrize("every", [0, -1, 0.0005, math.inf, math.nan, 1e10], ids=str)
def test_interval_is_a_time(every: float) -> None:
    with pytest.raises(ValueError, match="every must be"):
        make(every)


def test_function_of_the_due_time_is_not_async() -> None:
    async def every(due: datetime) -> datetime:
        return due

    with pytest.raises(TypeError, match="every is not awaited"):
        make(every)


@pytest.mark.parametrize("first", [-1, math.inf, math.nan, 1e10, datetime(2100, 1, 1)], ids=str)  # noqa: DTZ001
def test_first_is_a_time(first: object) -> None:
    with pytest.raises(ValueError, match="first must"):
        make(60.0, first)
