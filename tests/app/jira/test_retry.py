"""Test the waits and limits of retries, which are pure arithmetic."""

from __future__ import annotations

import pytest

from ticketr.app.jira import errors
from ticketr.app.jira.retry import RetryPolicy, why

URL = "https://example.com"
RULE = RetryPolicy()
LOST = errors.ConnectionLost(URL, "x")
CUT = errors.BadAnswer(URL, "x", passing=True)
LOGIN = errors.Redirected(URL, "https://example.com/login")


def test_the_waits_stop_growing_and_never_overflow() -> None:
    patient = RetryPolicy(tries=10**6)
    for attempt in (6, 100, 5000):
        wait = patient.delay(LOST, attempt, reached=True, chance=lambda: 1.0)
        assert wait == patient.cap


def test_chance_spreads_the_waits_from_nothing_on() -> None:
    assert RULE.delay(LOST, 3, reached=True, chance=lambda: 0.0) == 0.0
    assert RULE.delay(LOST, 3, reached=True, chance=lambda: 0.25) == 1.0


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.RateLimited(URL, 429), "Jira asked us to slow down"),
        (errors.ServerError(URL, 503, "secret words"), "Jira is busy (503)"),
        (errors.ServerError(URL, 500, "secret words"), "Jira failed (500)"),
        (CUT, "example.com gave no usable answer (x)"),
        (LOGIN, "example.com sends to a login page"),
        (errors.ConnectFailed(URL, "x"), "cannot reach example.com"),
        (errors.ConnectionLost(URL, "x"), "example.com broke off"),
        (errors.NoAnswer(URL, 30.0), "no answer from example.com"),
    ],
)
def test_a_wait_has_a_short_reason(error: errors.JiraError, words: str) -> None:
    assert why(error) == words
