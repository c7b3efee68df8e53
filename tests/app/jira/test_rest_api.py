"""Retries of requests, in virtual time, and the silence of a site."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from fakes.jira_app import SITE, Answer, ScriptedApp
from rows import for_each
from trio.testing import MockClock

from ticketr.app.jira import BadRequest, Credentials, JiraError, RateLimited, errors, open_jira
from ticketr.app.jira.errors import NoAnswer
from ticketr.app.jira.retry import MAX_EXPONENTIAL_WAIT, RetryPolicy, wait_reason

ACCOUNT = Credentials(SITE, "mia@example.com", "a-token")
ME = Answer({"accountId": "1", "displayName": "Mia"})
PAGE = Answer(b"<html>Log in</html>", headers={"content-type": "text/html"})
TO_LOGIN = Answer(status=302, headers={"location": "/login?os_destination=x"})
Clock = trio.testing.MockClock


async def test_a_429_is_repeated_after_what_it_asks_for(autojump_clock: Clock) -> None:
    waits: list[tuple[float, str]] = []
    app = ScriptedApp(Answer(status=429, headers={"retry-after": "7"}), ME)
    async with open_jira(
        ACCOUNT,
        transport=app.transport(),
        retry=RetryPolicy(chance=lambda: 0.5),
        on_wait=lambda seconds, why: waits.append((seconds, why)),
    ) as jira:
        await jira.myself()
    assert app.times == [0.0, 7.5]
    assert waits == [(7.5, "Jira asked us to slow down")]


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (Answer(status=500), "Jira failed (500)"),
        (Answer(status=504), "Jira is busy (504)"),
        (PAGE, "127.0.0.1:8080 gave no usable answer (a web page instead of JSON)"),
        (
            Answer(b'{"accountId": "1'),
            "127.0.0.1:8080 gave no usable answer (JSON that stops in the middle, at character 14)",
        ),
        (TO_LOGIN, "127.0.0.1:8080 sends to a login page"),
    ],
    ids=["500", "504", "page", "cut", "login"],
)
async def test_a_known_site_without_an_answer_of_jira_is_retried_with_growing_waits(
    broken: Answer, told: str, autojump_clock: Clock
) -> None:
    waits: list[tuple[float, str]] = []
    app = ScriptedApp(ME, broken, broken, broken, broken, ME)
    async with open_jira(
        ACCOUNT,
        transport=app.transport(),
        retry=RetryPolicy(chance=lambda: 1.0),
        on_wait=lambda seconds, why: waits.append((seconds, why)),
    ) as jira:
        await jira.myself()
        assert (await jira.myself()).display_name == "Mia"
    assert app.times == [0.0, 0.0, 1.0, 3.0, 7.0, 15.0]
    assert waits == [(1.0, told), (2.0, told), (4.0, told), (8.0, told)]


@pytest.mark.parametrize("broken", [PAGE, TO_LOGIN], ids=["page", "login"])
async def test_an_address_that_never_answered_as_jira_does_is_doubted_within_seconds(
    broken: Answer, autojump_clock: Clock
) -> None:
    app = ScriptedApp(broken)
    async with open_jira(
        ACCOUNT, transport=app.transport(), retry=RetryPolicy(chance=lambda: 1.0)
    ) as jira:
        with pytest.raises(JiraError, match=r"address of a Jira site\? If it is, .* in trouble"):
            await jira.myself()
    assert app.times == pytest.approx([0.0, 0.2, 0.6, 1.4, 3.0])


@pytest.mark.parametrize("broken", [PAGE, TO_LOGIN], ids=["page", "login"])
async def test_the_address_of_a_site_that_has_answered_is_not_doubted(
    broken: Answer, autojump_clock: Clock
) -> None:
    app = ScriptedApp(ME, broken)
    async with open_jira(
        ACCOUNT, transport=app.transport(), retry=RetryPolicy(chance=lambda: 1.0)
    ) as jira:
        await jira.myself()
        with pytest.raises(JiraError, match="is in trouble, try again later") as caught:
            await jira.myself()
    assert "the address of" not in str(caught.value)
    assert app.times == [0.0, 0.0, 1.0, 3.0, 7.0, 15.0]


async def test_a_wait_for_a_better_answer_can_be_cancelled(autojump_clock: Clock) -> None:
    app = ScriptedApp(ME, PAGE)
    async with open_jira(
        ACCOUNT, transport=app.transport(), retry=RetryPolicy(chance=lambda: 1.0)
    ) as jira:
        await jira.myself()
        with trio.move_on_after(2.5) as scope:
            await jira.myself()
    assert scope.cancelled_caught
    assert app.times == [0.0, 0.0, 1.0]


async def test_a_500_holds_up_its_own_request_alone(autojump_clock: Clock) -> None:
    app = ScriptedApp(Answer(status=500), Answer({"key": "A"}))
    async with (
        open_jira(
            ACCOUNT, transport=app.transport(), retry=RetryPolicy(chance=lambda: 1.0)
        ) as jira,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(jira.project, "A")
        await trio.sleep(0.5)
        nursery.start_soon(jira.project, "B")
    asked = [(time, one.path[-1]) for time, one in zip(app.times, app.asked, strict=True)]
    assert asked == [(0.0, "A"), (0.5, "B"), (1.0, "A")]


async def test_a_wish_that_is_too_long_is_an_error_at_once(autojump_clock: Clock) -> None:
    app = ScriptedApp(Answer(status=429, headers={"retry-after": "3600"}))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        with pytest.raises(RateLimited, match="try again in 60 minutes"):
            await jira.myself()
    assert app.times == [0.0]


async def test_others_of_the_same_kind_wait_too_and_the_rest_does_not(
    autojump_clock: Clock,
) -> None:
    limited = Answer(status=429, headers={"retry-after": "10"})
    app = ScriptedApp(limited, Answer({"key": "A", "issues": []}))
    async with (
        open_jira(
            ACCOUNT, transport=app.transport(), retry=RetryPolicy(chance=lambda: 0.0)
        ) as jira,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(jira.project, "A")
        await trio.sleep(2)
        nursery.start_soon(jira.project, "B")
        nursery.start_soon(jira.search_ids, "a = 1")
    asked = sorted(
        (time, asked.path[12:]) for time, asked in zip(app.times, app.asked, strict=True)
    )
    assert asked == [
        (0.0, "project/A"),
        (2.0, "search/jql"),
        (10.0, "project/A"),
        (10.0, "project/B"),
    ]


async def test_no_more_requests_run_at_once_than_allowed(autojump_clock: Clock) -> None:
    app = ScriptedApp(Answer({"issues": []}, after=1))
    async with (
        open_jira(ACCOUNT, transport=app.transport(), max_concurrency=2) as jira,
        trio.open_nursery() as nursery,
    ):
        for _ in range(5):
            nursery.start_soon(jira.search_ids, "a = 1")
    assert app.times == [0.0, 0.0, 1.0, 1.0, 2.0]


async def test_silence_is_bounded_and_not_tried_again_at_first_contact(
    autojump_clock: Clock,
) -> None:
    app = ScriptedApp(Answer(after=10_000))
    async with open_jira(ACCOUNT, transport=app.transport(silence_timeout=30)) as jira:
        start = trio.current_time()
        with pytest.raises(NoAnswer, match=r"did not answer for 30 s"):
            await jira.myself()
        assert trio.current_time() - start == 30


async def test_silence_of_a_known_site_is_tried_once_more(autojump_clock: Clock) -> None:
    app = ScriptedApp(ME, Answer(after=10_000))
    async with open_jira(
        ACCOUNT, transport=app.transport(silence_timeout=30), retry=RetryPolicy(chance=lambda: 1.0)
    ) as jira:
        await jira.myself()
        with pytest.raises(NoAnswer):
            await jira.myself()
    assert app.times == [0.0, 0.0, 31.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 501])
async def test_permanent_errors_are_not_retried(status: int, autojump_clock: Clock) -> None:
    app = ScriptedApp(Answer({}, status=status))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        with pytest.raises(JiraError, match=str(status)):
            await jira.fields()
    assert len(app.asked) == 1


async def test_every_request_has_user_agent_and_accept_headers(autojump_clock: Clock) -> None:
    app = ScriptedApp(ME, Answer({"issues": []}))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        await jira.myself()
        await jira.search_ids("a = 1")
    first, second = app.asked
    assert first.headers["authorization"] == "Basic bWlhQGV4YW1wbGUuY29tOmEtdG9rZW4="
    assert first.headers["accept"] == "application/json"
    assert first.headers["user-agent"].startswith("ticketr/")
    assert "content-type" not in first.headers
    assert second.headers["content-type"] == "application/json"
    assert "cookie" not in second.headers


async def test_cookies_are_not_kept(autojump_clock: Clock) -> None:
    app = ScriptedApp(Answer(ME.body, headers={"set-cookie": "session=1; Path=/"}))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        await jira.myself()
        await jira.myself()
    assert "cookie" not in app.asked[1].headers


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"words"',
        b"<html>no</html>",
        b'{"errorMessages": "no", "errors": []}',
        b'{"errorMessages": ["' + b"x" * 300_000 + b'"]}',
    ],
    ids=["nothing", "list", "text", "html", "shapes", "huge"],
)
async def test_a_refusal_without_a_message_is_reported_by_its_status(
    body: bytes, autojump_clock: Clock
) -> None:
    app = ScriptedApp(Answer(body, status=400))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        with pytest.raises(BadRequest, match=r"refused the request \(400\)"):
            await jira.myself()


async def test_a_refusal_in_plain_text_is_reported_with_it(autojump_clock: Clock) -> None:
    app = ScriptedApp(Answer(b"Basic authentication with passwords is deprecated.", status=403))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        with pytest.raises(JiraError, match="passwords is deprecated"):
            await jira.myself()


async def test_an_answer_to_one_request_ends_the_silence_of_all(autojump_clock: MockClock) -> None:
    app = ScriptedApp(
        Answer({"issues": []}, after=9),
        Answer({"issues": []}, after=3),
        Answer({"issues": []}, after=1),
    )
    start = trio.current_time()
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        assert jira.unanswered_since is None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(jira.search_ids, "a = 1")
            await trio.sleep(2)
            nursery.start_soon(jira.search_ids, "a = 1")
            await trio.sleep(1)
            assert jira.unanswered_since == start
            await trio.sleep(4)
            assert jira.unanswered_since == start + 5
        assert jira.unanswered_since is None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(jira.search_ids, "a = 1")
            await trio.sleep(0.5)
            assert jira.unanswered_since == start + 9


URL = "https://example.com"
LOST = errors.ConnectionLost(URL, "x")
CUT = errors.BadAnswer(URL, "x", transient=True)
LOGIN = errors.Redirected(URL, "https://example.com/login")


def test_the_waits_stop_growing_and_never_overflow() -> None:
    patient = RetryPolicy(tries=10**6, chance=lambda: 1.0)
    for attempt in (6, 100, 5000):
        assert patient.delay(LOST, attempt, has_answered=True) == MAX_EXPONENTIAL_WAIT


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 0.0), (0.25, 1.0)])
def test_chance_spreads_the_waits_from_nothing_on(chance: float, seconds: float) -> None:
    assert RetryPolicy(chance=lambda: chance).delay(LOST, 3, has_answered=True) == seconds


@for_each(
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
    assert wait_reason(error) == words
