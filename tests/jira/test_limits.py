"""How patient to be: pure arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ticketr.jira import errors
from ticketr.jira.limits import RetryRule, retry_after

URL = "https://example.com"
RULE = RetryRule()
LOST = errors.ConnectionLost(URL, "x")
REFUSED = errors.ConnectFailed(URL, "x")


def delay(error: errors.JiraError, attempt: int, *, reached: bool = True) -> float | None:
    return RULE.delay(error, attempt, reached=reached, chance=lambda: 1.0)


@pytest.mark.parametrize("error", [LOST, REFUSED])
def test_a_known_site_that_is_lost_is_tried_again_with_growing_waits(
    error: errors.JiraError,
) -> None:
    assert [delay(error, attempt) for attempt in range(1, 6)] == [1.0, 2.0, 4.0, 8.0, None]


@pytest.mark.parametrize("error", [LOST, REFUSED])
def test_an_unknown_site_is_given_up_soon(error: errors.JiraError) -> None:
    waits = [delay(error, attempt, reached=False) for attempt in range(1, 4)]
    assert waits == [0.2, 0.2, None]


@pytest.mark.parametrize(
    "error",
    [
        errors.TlsFailed(URL, "x"),
        errors.AuthenticationFailed(URL, 401),
        errors.Forbidden(URL, 403),
        errors.BadRequest(URL, 400),
        errors.BadAnswer(URL, "x"),
        errors.Redirected(URL, "x"),
        errors.WrongSite(URL, "x"),
        errors.ServerError(URL, 500),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_will_not_change_is_not_tried_again(error: errors.JiraError) -> None:
    assert delay(error, 1) is None


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_busy_gateway_is_tried_again_even_at_first_contact(status: int) -> None:
    assert delay(errors.ServerError(URL, status), 1, reached=False) == 1.0


def test_a_wish_is_kept_and_a_little_more() -> None:
    assert delay(errors.RateLimited(URL, 429, retry_after=5.0), 1) == 6.0
    assert delay(errors.RateLimited(URL, 429, retry_after=301.0), 1) is None
    assert delay(errors.RateLimited(URL, 429, retry_after=5.0), 5) is None


def test_the_waits_stop_growing_and_never_overflow() -> None:
    patient = RetryRule(tries=10**6)
    for attempt in (6, 100, 5000):
        wait = patient.delay(LOST, attempt, reached=True, chance=lambda: 1.0)
        assert wait == patient.cap


def test_chance_spreads_the_waits_from_nothing_on() -> None:
    assert RULE.delay(LOST, 3, reached=True, chance=lambda: 0.0) == 0.0
    assert RULE.delay(LOST, 3, reached=True, chance=lambda: 0.25) == 1.0


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
    now = datetime(2026, 1, 25, 10, tzinfo=UTC)
    assert retry_after(headers, now=now) == seconds


def test_a_wish_for_a_date_is_counted_from_this_machines_clock_if_need_be() -> None:
    assert retry_after({"retry-after": "Mon, 01 Jan 2001 00:00:00 GMT"}) == 0.0
