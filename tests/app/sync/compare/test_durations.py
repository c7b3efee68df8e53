from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from ticketr.app.sync.compare.times import duration_text, read_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0m"), (59, "1m"), (60, "1m"), (3600, "1h"), (9000, "2h 30m"), (57600, "16h")],
)
def test_seconds_are_written_as_hours_and_minutes(seconds: int, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("2h 30m", 9000), ("2h30m", 9000), ("2 h 30 m", 9000), ("1.5H", 5400), ("90m", 5400)),
        *(("0m", 0), (" 1h ", 3600), ("0.0001h", 0)),
        *((each, None) for each in ("", " ", "h", "1d", "1w 2h", "30", "-1h", "1h 1h", "30m 1h")),
        *((each, None) for each in ("1e3h", "٣h", "9999999h", "1.5m", "1h\n2m")),
    ],
)
def test_hours_and_minutes_are_read_as_people_type_them(text: str, seconds: int | None) -> None:
    assert read_duration(text) == seconds


@given(st.integers(0, 10**7))
def test_whole_minutes_are_read_as_they_are_written(minutes: int) -> None:
    assert read_duration(duration_text(minutes * 60)) == minutes * 60
