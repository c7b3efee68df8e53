"""Test reading a site's rate limits from answers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ticketr.app.jira.rate_limits import (
    LimitScope,
    asked_to_wait,
    is_near,
    reason_of,
    retry_after,
    scope_of,
)

NOW = datetime(2026, 1, 25, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Sun, 25 Jan 2026 10:00:30 GMT"}, 30.0),
        ({"retry-after": "Sun, 25 Jan 2026 09:00:00 GMT"}, 0.0),
        ({"retry-after": "Sun, 25 Jan 2026 10:00:30"}, None),
        (
            {
                "retry-after": "Sun, 25 Jan 2026 10:00:30 GMT",
                "date": "Sun, 25 Jan 2026 10:00:20 GMT",
            },
            10.0,
        ),
    ],
)
def test_a_wish_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, now=NOW) == seconds
    assert asked_to_wait(headers, now=NOW) == seconds


@pytest.mark.parametrize("prefix", ["x-", "beta-", "x-beta-", "beta-x-", ""])
@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        ("2026-01-25T10:01:00Z", 60.0),
        ("2026-01-25T10:02Z", 120.0),
        ("2026-01-25T11:00:05+01:00", 5.0),
        ("2026-01-25T10:00:00Z", None),
        ("2026-01-25T09:00:00Z", None),
        ("2026-01-25T10:01:00", None),
        ("60", None),
        ("soon", None),
    ],
)
def test_without_a_wish_the_time_of_the_reset_counts_if_it_is_still_to_come(
    prefix: str, reset: str, seconds: float | None
) -> None:
    assert asked_to_wait({f"{prefix}ratelimit-reset": reset}, now=NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "near"),
    [
        ({}, False),
        ({"x-ratelimit-nearlimit": "true"}, True),
        ({"x-beta-ratelimit-nearlimit": " True "}, True),
        ({"x-ratelimit-nearlimit": "false", "x-ratelimit-remaining": "12"}, False),
        ({"x-ratelimit-remaining": "0"}, True),
        ({"x-other-remaining": "0"}, False),
    ],
)
def test_an_answer_tells_when_the_limit_is_near(headers: dict[str, str], *, near: bool) -> None:
    assert is_near(headers) is near


@pytest.mark.parametrize(
    ("headers", "scope"),
    [
        ({}, LimitScope.ENDPOINT),
        ({"ratelimit-reason": "jira-burst-based"}, LimitScope.ENDPOINT),
        ({"beta-ratelimit-reason": '"Jira-Burst-Based"'}, LimitScope.ENDPOINT),
        ({"ratelimit-reason": "jira-per-issue-on-write"}, LimitScope.ISSUE),
        ({"x-beta-ratelimit-reason": "jira-quota-global-based"}, LimitScope.SITE),
        ({"ratelimit-reason": "jira-quota-tenant-based"}, LimitScope.SITE),
        ({"ratelimit-reason": "a new one"}, LimitScope.ENDPOINT),
    ],
)
def test_a_reason_names_the_scope_of_a_limit(headers: dict[str, str], scope: LimitScope) -> None:
    assert scope_of(reason_of(headers)) is scope
