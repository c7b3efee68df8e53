from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from jira_sandbox.data.model import to_millis
from jira_sandbox.jql.dates import read_date, read_period

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
KOLKATA = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-5m", datetime(2026, 1, 15, 11, 55, tzinfo=UTC)),
        ("-2h", datetime(2026, 1, 15, 10, 0, tzinfo=UTC)),
        ("-1d", datetime(2026, 1, 14, 12, 0, tzinfo=UTC)),
        ("-1w 2d", datetime(2026, 1, 6, 12, 0, tzinfo=UTC)),
        ("4W 2D", datetime(2026, 2, 14, 12, 0, tzinfo=UTC)),
        ("+1h", datetime(2026, 1, 15, 13, 0, tzinfo=UTC)),
        ("2026-01-02", datetime(2026, 1, 1, 18, 30, tzinfo=UTC)),
        ("2026/1/2", datetime(2026, 1, 1, 18, 30, tzinfo=UTC)),
        ("2026-01-02 10:00", datetime(2026, 1, 2, 4, 30, tzinfo=UTC)),
        (" 2026/01/02 23:59 ", datetime(2026, 1, 2, 18, 29, tzinfo=UTC)),
        ("1767348000000", datetime(2026, 1, 2, 10, 0, tzinfo=UTC)),
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_date_is_an_instant_read_in_the_users_zone(text: str, expected: datetime) -> None:
    assert read_date(text, now=NOW, zone=KOLKATA) == to_millis(expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "-5",
        "5x",
        "2026-13-01",
        "2026-02-30",
        "2026-01-02 25:00",
        "10:00",
        "999999w9d",
        "-",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    found = read_date(text, now=NOW, zone=KOLKATA)

    assert found == (-5 if text == "-5" else None)


@given(st.text(max_size=20))
def test_any_text_is_a_date_or_none(text: str) -> None:
    assert isinstance(read_date(text, now=NOW, zone=KOLKATA), int | None)


@given(st.integers(0, 9999), st.sampled_from("wdhm"))
def test_a_minus_turns_a_period_round(count: int, unit: str) -> None:
    period = read_period(f"{count}{unit}")

    assert period is not None
    assert read_period(f"-{count}{unit}") == -period
