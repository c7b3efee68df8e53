"""The rate limiter, in virtual time, and how a site's limits are read from answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
import trio
import trio.testing
from fakes.jira_app import SITE, Answer, Asked, RuledApp, ScriptedApp
from rows import for_each

from ticketr.app.jira import Credentials, JiraClient, RateLimited, open_jira
from ticketr.app.jira.rate_limits import (
    GROW_AFTER_SUCCESSES,
    WHOLE_SITE,
    ApiCall,
    issue_site_or_endpoint,
    reason_of,
    retry_after,
    seconds_to_wait,
)
from ticketr.app.jira.retry import SLOW_DOWN_REASON, RetryPolicy
from ticketr.app.jira.transport import Request

ACCOUNT = Credentials(SITE, "mia@example.com", "a-token")
Clock = trio.testing.MockClock
AT_ONCE = RetryPolicy(chance=lambda: 0.0)


class Site:
    """A site with rules, a client of it, and the times of requests."""

    def __init__(self, rule: Callable[[Asked], Answer], **options: Any) -> None:
        self.app = RuledApp(rule)
        self.waits: list[tuple[float, str]] = []
        self._options = {"retry": AT_ONCE, **options}

    def open(self) -> AbstractAsyncContextManager[JiraClient]:
        return open_jira(
            ACCOUNT,
            transport=self.app.transport(),
            on_wait=lambda seconds, why: self.waits.append((seconds, why)),
            **self._options,
        )

    @property
    def log(self) -> list[tuple[float, str]]:
        """Return when each request came, and for what."""
        pairs = zip(self.app.times, self.app.asked, strict=True)
        return sorted((time, f"{asked.method} {asked.path[12:]}") for time, asked in pairs)


def refused_once(path: str, **headers: str) -> Callable[[Asked], Answer]:
    """Return a rule that refuses the first request of a path for ten seconds, and no other."""
    refused = False

    def rule(asked: Asked) -> Answer:
        nonlocal refused
        if asked.path.endswith(path) and not refused:
            refused = True
            told = {name.replace("_", "-"): value for name, value in headers.items()}
            return Answer({}, status=429, headers={"retry-after": "10", **told})
        if asked.method == "PUT" or asked.path.endswith("transitions"):
            return Answer(b"", status=204)
        return Answer({"issues": [], "key": "A", "id": "1"})

    return rule


async def in_turn(jira: JiraClient, *calls: Callable[[JiraClient], Awaitable[object]]) -> None:
    """Start each call a second after the one before."""
    async with trio.open_nursery() as nursery:
        for one in calls:
            nursery.start_soon(one, jira)
            await trio.sleep(1)


async def test_a_burst_holds_up_its_endpoint_and_method_only(autojump_clock: Clock) -> None:
    site = Site(refused_once("issue/A-1", ratelimit_reason="jira-burst-based"))
    async with site.open() as jira:
        await in_turn(
            jira,
            lambda jira: jira.edit_issue("A-1", {}),
            lambda jira: jira.edit_issue("A-2", {}),
            lambda jira: jira.last_change("A-3"),
            lambda jira: jira.search_ids("a = 1"),
        )
    assert site.log == [
        (0.0, "PUT issue/A-1"),
        (2.0, "GET issue/A-3"),
        (3.0, "POST search/jql"),
        (10.0, "PUT issue/A-1"),
        (10.0, "PUT issue/A-2"),
    ]
    assert site.waits == [(10.0, SLOW_DOWN_REASON), (9.0, SLOW_DOWN_REASON)]


async def test_too_many_writes_of_an_issue_hold_up_writes_of_that_issue_only(
    autojump_clock: Clock,
) -> None:
    site = Site(refused_once("issue/A-1", ratelimit_reason="jira-per-issue-on-write"))
    async with site.open() as jira:
        await in_turn(
            jira,
            lambda jira: jira.edit_issue("A-1", {}),
            lambda jira: jira.edit_issue("A-2", {}),
            lambda jira: jira.transition_issue("A-1", "1"),
            lambda jira: jira.create_issue({"parent": {"key": "A-1"}}),
            lambda jira: jira.create_issue({"parent": {"key": "A-2"}}),
            lambda jira: jira.search_ids("a = 1"),
        )
    assert site.log == [
        (0.0, "PUT issue/A-1"),
        (1.0, "PUT issue/A-2"),
        (4.0, "POST issue"),
        (5.0, "POST search/jql"),
        (10.0, "POST issue"),
        (10.0, "POST issue/A-1/transitions"),
        (10.0, "PUT issue/A-1"),
    ]


@pytest.mark.parametrize("name", ["ratelimit_reason", "beta_ratelimit_reason"])
async def test_a_quota_holds_up_everything(name: str, autojump_clock: Clock) -> None:
    site = Site(refused_once("issue/A-1", **{name: "jira-quota-tenant-based"}))
    async with site.open() as jira:
        await in_turn(
            jira,
            lambda jira: jira.edit_issue("A-1", {}),
            lambda jira: jira.search_ids("a = 1"),
            lambda jira: jira.project("A"),
        )
    assert site.log == [
        (0.0, "PUT issue/A-1"),
        (10.0, "GET project/A"),
        (10.0, "POST search/jql"),
        (10.0, "PUT issue/A-1"),
    ]
    assert [seconds for seconds, _ in site.waits] == [10.0, 9.0, 8.0]


async def test_a_limit_of_an_issue_takes_no_slot_from_others(autojump_clock: Clock) -> None:
    site = Site(
        refused_once("issue/A-1", ratelimit_reason="jira-per-issue-on-write"), max_concurrency=1
    )
    async with site.open() as jira:
        await in_turn(
            jira,
            lambda jira: jira.edit_issue("A-1", {}),
            lambda jira: jira.edit_issue("A-2", {}),
        )
    assert site.log == [(0.0, "PUT issue/A-1"), (1.0, "PUT issue/A-2"), (10.0, "PUT issue/A-1")]


async def test_a_busy_site_delays_only_its_own_requests(autojump_clock: Clock) -> None:
    busy = Answer({}, status=503, headers={"retry-after": "10"})
    app = ScriptedApp(busy, Answer({"issues": [], "key": "A"}))
    async with (
        open_jira(ACCOUNT, transport=app.transport(), retry=AT_ONCE) as jira,
        trio.open_nursery() as nursery,
    ):
        for call in (jira.search_ids, jira.search_ids, jira.project):
            nursery.start_soon(call, "A")
            await trio.sleep(1)
    assert app.times == [0.0, 2.0, 10.0, 10.0]


async def test_a_reset_that_is_still_to_come_is_waited_for(autojump_clock: Clock) -> None:
    limited = Answer(
        status=429,
        headers={
            "date": "Wed, 08 Oct 2025 14:59:20 GMT",
            "x-beta-ratelimit-reset": "2025-10-08T15:00:00Z",
        },
    )
    app = ScriptedApp(limited, Answer({"issues": []}))
    async with open_jira(ACCOUNT, transport=app.transport(), retry=AT_ONCE) as jira:
        await jira.search_ids("a = 1")
    assert app.times == [0.0, 40.0]


async def test_a_site_without_tokens_left_gets_no_request_until_the_reset(
    autojump_clock: Clock,
) -> None:
    empty = {"x-ratelimit-remaining": "0", "retry-after": "5"}
    app = ScriptedApp(
        Answer({"issues": []}, headers=empty),
        Answer({"issues": []}, headers={**empty, "retry-after": "0"}),
        Answer({"issues": []}, headers={**empty, "retry-after": "3600"}),
        Answer({"issues": []}),
    )
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        for _ in range(4):
            await jira.search_ids("a = 1")
    assert app.times == [0.0, 5.0, 5.0, 5.0]


async def test_a_request_over_quota_waits_even_if_queued_for_the_last_slot(
    autojump_clock: Clock,
) -> None:
    headers = {"retry-after": "10", "ratelimit-reason": "jira-quota-tenant-based"}
    app = ScriptedApp(
        Answer({}, status=429, headers=headers, after=1), Answer({"issues": [], "key": "A"})
    )
    async with (
        open_jira(ACCOUNT, transport=app.transport(), max_concurrency=1, retry=AT_ONCE) as jira,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(jira.search_ids, "a = 1")
        nursery.start_soon(jira.project, "A")
    assert app.times == [0.0, 11.0, 11.0]


async def test_after_a_refusal_half_as_many_go_together_and_slowly_more_again(
    autojump_clock: Clock,
) -> None:
    limited = Answer({}, status=429, headers={"retry-after": "1"})
    app = ScriptedApp(*[limited] * 4, Answer({"issues": []}, after=10))
    async with (
        open_jira(ACCOUNT, transport=app.transport(), max_concurrency=4, retry=AT_ONCE) as jira,
        trio.open_nursery() as nursery,
    ):
        for _ in range(2 * GROW_AFTER_SUCCESSES + 3 + 4):
            nursery.start_soon(jira.search_ids, "a = 1")
    together = [app.times.count(time) for time in sorted(set(app.times))]
    assert together == [4, *[2] * 10, *[3] * 7, 4, 2]


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
async def test_a_near_limit_does_not_raise_the_concurrency(
    headers: dict[str, str], *, near: bool, autojump_clock: Clock
) -> None:
    limited = Answer({}, status=429, headers={"retry-after": "1"})
    app = ScriptedApp(limited, Answer({"issues": []}, headers=headers, after=10))
    async with (
        open_jira(ACCOUNT, transport=app.transport(), max_concurrency=2, retry=AT_ONCE) as jira,
    ):
        await jira.search_ids("a = 1")
        async with trio.open_nursery() as nursery:
            for _ in range(GROW_AFTER_SUCCESSES + 5):
                nursery.start_soon(jira.search_ids, "a = 1")
    assert (len(set(app.times)) == len(app.times)) is near


@pytest.mark.parametrize("rate", [1, 3, 10])
async def test_a_site_that_bears_so_much_a_second_is_asked_about_so_much(
    rate: int, autojump_clock: Clock
) -> None:
    """A burst limit like Jira's refuses further requests until the next second."""
    seconds: dict[int, int] = {}

    def rule(asked: Asked) -> Answer:
        second = int(asked.time)
        seconds[second] = seconds.get(second, 0) + 1
        if seconds[second] > rate:
            headers = {"retry-after": "1", "ratelimit-reason": "jira-burst-based"}
            return Answer({}, status=429, headers=headers, after=0.05)
        return Answer({"issues": []}, after=0.05)

    app = RuledApp(rule)
    async with (
        open_jira(ACCOUNT, transport=app.transport(), max_concurrency=4) as jira,
        trio.open_nursery() as nursery,
    ):
        for _ in range(100):
            nursery.start_soon(jira.search_ids, "a = 1")
    good = sum(min(rate, asked) for asked in seconds.values())
    assert good == 100
    assert app.times[-1] < 2.5 * 100 / rate


async def test_every_wait_can_be_cancelled_and_leaves_its_place(autojump_clock: Clock) -> None:
    site = Site(refused_once("issue/A-1", ratelimit_reason="jira-quota-global-based"))
    async with site.open() as jira:
        start = trio.current_time()
        with trio.move_on_after(3):
            async with trio.open_nursery() as nursery:
                for n in range(1, 9):
                    nursery.start_soon(jira.edit_issue, f"A-{n}", {})
                    nursery.start_soon(jira.edit_issue, f"A-{n}", {})
        assert trio.current_time() - start == 3
        await jira.edit_issue("A-1", {})
        assert trio.current_time() - start == 10


async def test_a_too_long_retry_after_is_an_error_with_its_time(autojump_clock: Clock) -> None:
    headers = {"retry-after": "1800", "ratelimit-reason": "jira-quota-tenant-based"}
    app = ScriptedApp(Answer({}, status=429, headers=headers))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        with pytest.raises(RateLimited, match="try again in 30 minutes") as caught:
            await jira.create_issue({})
    assert caught.value.reason == "jira-quota-tenant-based"
    assert app.times == [0.0]


NOW = {"date": "Sun, 25 Jan 2026 10:00:00 GMT"}


@for_each(
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
    assert retry_after(NOW | headers) == seconds
    assert seconds_to_wait(NOW | headers) == seconds


@for_each("prefix", ["x-", "beta-", "x-beta-", "beta-x-", ""])
@for_each(
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
    assert seconds_to_wait({**NOW, f"{prefix}ratelimit-reset": reset}) == seconds


@pytest.mark.parametrize(
    ("headers", "scope"),
    [
        ({}, "PUT issue/{}"),
        ({"ratelimit-reason": "jira-burst-based"}, "PUT issue/{}"),
        ({"beta-ratelimit-reason": '"Jira-Burst-Based"'}, "PUT issue/{}"),
        ({"ratelimit-reason": "jira-per-issue-on-write"}, "A-1"),
        ({"x-beta-ratelimit-reason": "jira-quota-global-based"}, WHOLE_SITE),
        ({"ratelimit-reason": "jira-quota-tenant-based"}, WHOLE_SITE),
        ({"ratelimit-reason": "a new one"}, "PUT issue/{}"),
    ],
)
def test_a_reason_names_the_scope_of_a_limit(headers: dict[str, str], scope: str) -> None:
    call = ApiCall(Request("PUT", "https://example.com"), "PUT issue/{}", "A-1")
    assert issue_site_or_endpoint(call, reason_of(headers)) == scope
