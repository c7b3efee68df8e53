"""Test the waits and limits of retries, which are pure arithmetic."""

from __future__ import annotations

import pytest

from ticketr.app.jira import errors
from ticketr.app.jira.retry import RetryPolicy, may_have_happened, why

URL = "https://example.com"
RULE = RetryPolicy()
LOST = errors.ConnectionLost(URL, "x")
REFUSED = errors.ConnectFailed(URL, "x")
CUT = errors.BadAnswer(URL, "x", passing=True)
LOGIN = errors.Redirected(URL, "https://example.com/login")


def delay(
    error: errors.JiraError,
    attempt: int,
    *,
    reached: bool = True,
    known: bool = True,
    repeatable: bool = True,
) -> float | None:
    return RULE.delay(
        error,
        attempt,
        reached=reached,
        known=known,
        chance=lambda: 1.0,
        repeatable=repeatable,
    )


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
        errors.Redirected(URL, "https://example.org/jira"),
        errors.WrongSite(URL, "x"),
        errors.ServerError(URL, 501),
    ],
    ids=lambda error: type(error).__name__,
)
def test_permanent_errors_are_not_retried(error: errors.JiraError) -> None:
    assert delay(error, 1) is None


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failing_server_is_tried_again_even_at_first_contact(status: int) -> None:
    error = errors.ServerError(URL, status)
    waits = [delay(error, attempt, reached=False, known=False) for attempt in range(1, 6)]
    assert waits == [1.0, 2.0, 4.0, 8.0, None]


@pytest.mark.parametrize("error", [CUT, LOGIN], ids=["cut", "login"])
@pytest.mark.parametrize(
    ("known", "waits"),
    [(True, [1.0, 2.0, 4.0, 8.0, None]), (False, [0.2, 0.4, 0.8, 1.6, None])],
)
def test_answers_of_other_servers_are_retried_quickly_at_an_unknown_address(
    error: errors.JiraError, known: bool, waits: list[float | None]
) -> None:
    assert [delay(error, attempt, known=known) for attempt in range(1, 6)] == waits


def test_a_wish_is_kept_and_a_little_more() -> None:
    assert delay(errors.RateLimited(URL, 429, retry_after=5.0), 1) == 6.0
    assert delay(errors.RateLimited(URL, 429, retry_after=300.0), 1) == 301.0
    assert delay(errors.RateLimited(URL, 429, retry_after=300.5), 1) is None
    assert delay(errors.RateLimited(URL, 429, retry_after=5.0), 5) is None


def test_the_waits_stop_growing_and_never_overflow() -> None:
    patient = RetryPolicy(tries=10**6)
    for attempt in (6, 100, 5000):
        wait = patient.delay(LOST, attempt, reached=True, chance=lambda: 1.0)
        assert wait == patient.cap


def test_chance_spreads_the_waits_from_nothing_on() -> None:
    assert RULE.delay(LOST, 3, reached=True, chance=lambda: 0.0) == 0.0
    assert RULE.delay(LOST, 3, reached=True, chance=lambda: 0.25) == 1.0


def test_a_wish_for_no_wait_at_all_is_answered_with_growing_waits() -> None:
    limited = errors.RateLimited(URL, 429, retry_after=0.0)
    assert [delay(limited, attempt) for attempt in range(1, 6)] == [1.0, 2.0, 4.0, 8.0, None]


@pytest.mark.parametrize(
    "error",
    [
        LOST,
        errors.NoAnswer(URL, 30.0),
        errors.BadAnswer(URL, "x"),
        CUT,
        *(errors.ServerError(URL, status, retry_after=1.0) for status in (500, 502, 503, 504)),
    ],
    ids=lambda error: f"{type(error).__name__}{getattr(error, 'status', error is CUT)}",
)
def test_a_request_that_may_have_happened_is_retried_only_if_idempotent(
    error: errors.JiraError,
) -> None:
    assert may_have_happened(error)
    assert delay(error, 1, repeatable=False) is None


def test_a_write_that_was_sent_to_a_login_page_is_not_repeated_unless_twice_is_as_once() -> None:
    assert delay(LOGIN, 1, repeatable=False) is None


@pytest.mark.parametrize("error", [REFUSED, errors.RateLimited(URL, 429)])
def test_a_request_that_cannot_have_happened_is_retried(error: errors.JiraError) -> None:
    assert not may_have_happened(error)
    assert [delay(error, n, repeatable=False) for n in range(1, 6)] == [1.0, 2.0, 4.0, 8.0, None]


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
