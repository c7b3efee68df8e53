"""The client's requests and how it reads the answers, in virtual time."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest
import trio.testing
from fakes.jira_app import SITE, Answer, Asked, RuledApp, ScriptedApp
from fakes.pulls import inline
from rows import for_each

from ticketr.app.config import BadSetting
from ticketr.app.jira import (
    BadAnswer,
    Credentials,
    Field,
    Issue,
    IssueType,
    JiraClient,
    User,
    gateway_site,
    open_jira,
    searches,
)
from ticketr.app.jira.errors import IssuesNotReturned

ACCOUNT = Credentials(SITE, "mia@example.com", "a-token")
Clock = trio.testing.MockClock
Call = Callable[[JiraClient], Awaitable[object]]

CALLS: dict[str, Call] = {
    "myself": lambda jira: jira.myself(),
    "fields": lambda jira: jira.fields(),
    "project": lambda jira: jira.project("DEMO"),
    "projects": lambda jira: jira.projects(most=9),
    "search_ids": lambda jira: jira.search_ids("a = 1"),
    "bulk_fetch": lambda jira: jira.bulk_fetch(["1"], fields=["summary"]),
    "highest_key": lambda jira: jira.highest_key("DEMO"),
    "transitions": lambda jira: jira.transitions("DEMO-1"),
    "creatable_issue_types": lambda jira: jira.creatable_issue_types("DEMO"),
    "status_names_by_type_id": lambda jira: jira.status_names_by_type_id("DEMO"),
    "fields_for_create": lambda jira: jira.fields_for_create("DEMO", "1"),
    "top_matching_users": lambda jira: jira.top_matching_users("mia"),
    "top_assignable_users": lambda jira: jira.top_assignable_users("DEMO", "mia"),
    "create_issue": lambda jira: jira.create_issue({}),
}
every_call = for_each("call", CALLS.values())


@pytest.mark.parametrize(
    ("body", "user"),
    [
        (
            {
                "accountId": "a",
                "displayName": "Mia",
                "timeZone": "Europe/Berlin",
                "emailAddress": "m@example.com",
            },
            User("a", "Mia", "Europe/Berlin", "m@example.com"),
        ),
        ({"accountId": "a", "displayName": None, "timeZone": None}, User("a", "a", "")),
    ],
)
async def test_myself_is_read_with_missing_keys(
    body: object, user: User, autojump_clock: Clock
) -> None:
    async with open_jira(ACCOUNT, transport=ScriptedApp(Answer(body)).transport()) as jira:
        assert await jira.myself() == user


async def test_fields_are_read_with_missing_keys(autojump_clock: Clock) -> None:
    body = [
        {"id": "summary", "name": "Summary", "custom": False, "schema": {"type": "string"}},
        {
            "id": "customfield_1",
            "name": "Sprint",
            "custom": True,
            "schema": {"type": "array", "items": "json", "customId": 1},
        },
        {"id": "odd", "name": None, "custom": None, "schema": None},
        {"id": None, "key": "old"},
        {"id": None, "name": "nothing"},
        None,
        "text",
    ]
    app = ScriptedApp(Answer(body))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        assert await jira.fields() == (
            Field("summary", "Summary", custom=False, schema_type="string", item_type=""),
            Field("customfield_1", "Sprint", custom=True, schema_type="array", item_type="json"),
            Field("odd", "odd", custom=False, schema_type="", item_type=""),
            Field("old", "old", custom=False, schema_type="", item_type=""),
        )


def listed(*keys: str, **more: object) -> Answer:
    return Answer(
        {"values": [{"id": f"1{key}", "key": key, "name": key.title()} for key in keys], **more}
    )


async def test_projects_are_read_page_by_page_and_sorted_by_their_keys(
    autojump_clock: Clock,
) -> None:
    app = ScriptedApp(listed("C", "A", total=3), listed("B", total=3))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        projects, total = await jira.projects(most=9)

    assert [each.key for each in projects] == ["A", "B", "C"]
    assert total == 3
    assert [parse_qs(asked.query)["startAt"] for asked in app.asked] == [["0"], ["2"]]


@pytest.mark.parametrize(
    ("pages", "keys", "total"),
    [
        ([listed(total=0)], [], 0),
        ([listed("A", "B", total=70)], ["A", "B"], 70),  # the second page is the first again
        ([listed("A", "B", "C", total=70)], ["A", "B"], 70),  # no more are wanted
        ([listed("A", isLast=True)], ["A"], 1),
        ([listed("A"), listed()], ["A"], 1),
        ([Answer({"values": [{"name": "no key"}], "total": 1})], [], 1),
        ([Answer({"values": [{"key": "A"}, {"key": "B"}], "total": 2})], ["A", "B"], 2),  # no IDs
    ],
)
async def test_a_list_of_projects_ends(
    pages: list[Answer], keys: list[str], total: int, autojump_clock: Clock
) -> None:
    async with open_jira(ACCOUNT, transport=ScriptedApp(*pages).transport()) as jira:
        projects, count = await jira.projects(most=2)

    assert ([each.key for each in projects], count) == (keys, total)


@pytest.mark.parametrize(
    ("key", "path"),
    [("../../x", "%2E%2E%2F%2E%2E%2Fx"), ("..", "%2E%2E"), ("A?b#c", "A%3Fb%23c"), ("Ü", "%C3%9C")],
)
async def test_a_key_is_one_segment_of_the_path(key: str, path: str, autojump_clock: Clock) -> None:
    app = ScriptedApp(Answer({"key": "A"}))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        await jira.project(key)
    assert app.asked[0].path == f"/rest/api/3/project/{path}"


async def test_a_search_follows_page_tokens_and_yields_each_issue_once(
    autojump_clock: Clock,
) -> None:
    app = ScriptedApp(
        Answer({"issues": [{"id": "1"}, {"id": "2"}], "nextPageToken": "t1"}),
        Answer({"issues": [{"id": "2"}, None, {"id": 3}], "nextPageToken": "t2", "isLast": False}),
        Answer({"issues": [{"id": None, "key": "A-4"}], "nextPageToken": "t3", "isLast": True}),
    )
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        ids = await jira.search_ids("project = DEMO")
    assert ids == ("1", "2", "3", "A-4")
    assert [asked.body.get("nextPageToken") for asked in app.asked] == [None, "t1", "t2"]
    assert app.asked[0].body == {"jql": "project = DEMO", "maxResults": 5000, "fields": ["id"]}


@pytest.mark.parametrize("last", [{}, {"isLast": True}, {"isLast": None, "nextPageToken": None}])
async def test_a_search_ends_without_a_token(
    last: dict[str, object], autojump_clock: Clock
) -> None:
    app = ScriptedApp(Answer({"issues": [], **last}))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        assert await jira.search_ids("a = 1") == ()
    assert len(app.asked) == 1


async def test_the_sites_clock_is_that_of_its_last_answer(autojump_clock: Clock) -> None:
    dates = ("Sat, 31 Jan 2026 12:00:00 GMT", "Sat, 31 Jan 2026 12:00:05 GMT", "whenever")
    app = ScriptedApp(*(Answer({"accountId": "1"}, headers={"date": date}) for date in dates))
    seen: list[float] = []
    before = time.time()
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        for _ in dates:
            await jira.myself()
            seen.append(jira.last_answer_site_time())
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp()
    assert seen[:2] == [noon, noon + 5]
    assert seen[2] >= before  # it did not tell, so this computer's clock counts


async def test_a_repeated_token_is_an_error(autojump_clock: Clock) -> None:
    app = ScriptedApp(Answer({"issues": [{"id": "1"}], "nextPageToken": "same"}))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        with pytest.raises(BadAnswer, match="round in circles"):
            await jira.search_ids("a = 1")
    assert len(app.asked) == 2


def endless(after: float = 0.0) -> RuledApp:
    """Return a site whose every page has a new issue and a link to another page."""

    def page(asked: Asked) -> Answer:
        number = len(app.asked)
        issues = [{"id": str(number)}]
        return Answer({"issues": issues, "nextPageToken": f"t{number}"}, after=after)

    app = RuledApp(page)
    return app


@pytest.mark.parametrize("limit", ["MAX_PAGES", "MAX_ISSUES_FOUND"])
async def test_pages_that_never_end_have_a_bound_of_number(
    limit: str, monkeypatch: pytest.MonkeyPatch, autojump_clock: Clock
) -> None:
    monkeypatch.setattr(searches, limit, 20)
    app = endless()
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        with pytest.raises(BadAnswer, match=r"2\d issues on 2\d pages and no end"):
            await jira.search_ids("a = 1")
    assert len(app.asked) in {20, 21}


async def test_issues_that_are_too_large_together_are_fetched_apart(
    autojump_clock: Clock,
) -> None:
    def rule(asked: Asked) -> Answer:
        ids = asked.body["issueIdsOrKeys"]
        large = [{"id": n, "key": f"A-{n}", "fields": {"text": "x" * 400}} for n in ids]
        return Answer({"issues": [each for each in large if each["id"] != "3"]})

    app = RuledApp(rule)
    async with open_jira(ACCOUNT, transport=app.transport(max_body_bytes=1000)) as jira:
        fetched = await jira.bulk_fetch([*"12345"], fields=["text"])
    assert [issue.id for issue in fetched.issues] == [*"1245"]
    assert fetched.missing == ("3",)
    assert [len(asked.body["issueIdsOrKeys"]) for asked in app.asked] == [5, 2, 3]


async def test_an_issue_that_is_too_large_by_itself_is_an_error(autojump_clock: Clock) -> None:
    app = ScriptedApp(Answer(b"x" * 1001))
    async with open_jira(ACCOUNT, transport=app.transport(max_body_bytes=1000)) as jira:
        with pytest.raises(BadAnswer, match="more than 1000 bytes"):
            await jira.bulk_fetch([*"1234"], fields=["text"])
    assert [len(asked.body["issueIdsOrKeys"]) for asked in app.asked] == [4, 2, 1]


@pytest.mark.parametrize("issue", [{}, {"id": None}, {"id": True}, {"id": ["1"]}])
async def test_an_issue_without_id_is_refused(issue: object, autojump_clock: Clock) -> None:
    app = ScriptedApp(Answer({"issues": [issue]}))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        with pytest.raises(BadAnswer, match="without ID"):
            await jira.search_ids("a = 1")


async def test_bulk_fetch_returns_the_issues_and_the_missing_keys(autojump_clock: Clock) -> None:
    first = {"id": "1", "key": "A-1", "fields": {"summary": "One"}, "self": "x"}
    second = {"id": None, "key": "A-2", "fields": None}
    body = {"issues": [first, None, second, first], "issueErrors": None, "expand": "x"}
    app = ScriptedApp(Answer(body))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        fetched = await jira.bulk_fetch(["1", "A-2", "9", "9"], fields=["summary", "updated"])
    assert fetched.issues == (Issue("1", "A-1", {"summary": "One"}), Issue("A-2", "A-2", {}))
    assert fetched.missing == ("9",)
    assert app.asked[0].body == {
        "issueIdsOrKeys": ["1", "A-2", "9", "9"],
        "fields": ["summary", "updated"],
    }


ERRORS: list[tuple[dict[str, object], dict[str, str]]] = [
    ({"id": "9", "errorMessage": "too \x1b[2Jlarge"}, {"9": "too large"}),
    ({"id": 9}, {"9": "no reason given"}),
    ({"id": "a-3", "errorMessage": ""}, {"A-3": "no reason given"}),
    # Its ID is not known here, so it may be any issue that was asked for by key.
    ({"id": "77", "errorMessage": "x"}, {"A-3": "x"}),
    ({"errorMessage": "for a-secret-token"}, {"9": "for [hidden]", "A-3": "for [hidden]"}),
]


@pytest.mark.parametrize(("error", "failed"), ERRORS)
async def test_bulk_fetch_returns_the_keys_that_failed(
    error: dict[str, object], failed: dict[str, str], autojump_clock: Clock
) -> None:
    body = {"issues": [{"id": "1", "key": "A-1"}], "issueErrors": [error, None, "x"]}
    app = ScriptedApp(Answer(body))
    account = Credentials(SITE, "mia@example.com", "a-secret-token")
    async with open_jira(account, transport=app.transport()) as jira:
        fetched = await jira.bulk_fetch(["1", "9", "A-3"], fields=[], partly=True)
        with pytest.raises(IssuesNotReturned) as raised:
            await jira.bulk_fetch(["1", "9", "A-3"], fields=[])
    assert fetched.failed == failed
    assert set(fetched.missing) == {"9", "A-3"} - failed.keys()
    assert [issue.key for issue in fetched.issues] == ["A-1"]
    assert raised.value.failed == tuple(failed.items())
    assert len(app.asked) == 4  # once more for the failed ones, and no more if none arrives


async def test_bulk_fetch_repeats_as_long_as_issues_arrive(
    autojump_clock: Clock,
) -> None:
    def rule(asked: Asked) -> Answer:
        ids = sorted(asked.body["issueIdsOrKeys"])
        given = [{"id": each, "key": f"A-{each}"} for each in ids[:2] if each != "5"]
        errors = [{"id": each, "errorMessage": "busy"} for each in (*ids[2:], "5") if each in ids]
        return Answer({"issues": given, "issueErrors": errors})

    app = RuledApp(rule)
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        fetched = await jira.bulk_fetch([*"12345"], fields=[], partly=True)
    assert [issue.id for issue in fetched.issues] == [*"1234"]
    assert (fetched.failed, fetched.missing) == ({"5": "busy"}, ())
    assert len(app.asked) == 3


async def test_bulk_fetch_reads_the_properties_that_were_asked_for(autojump_clock: Clock) -> None:
    first = {"id": "1", "key": "A-1", "fields": {}, "properties": {"ticketr": {"mark": "x"}}}
    second: object = {"id": "2", "key": "A-2", "fields": {}, "properties": None}
    app = ScriptedApp(Answer({"issues": [first, second]}))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        fetched = await jira.bulk_fetch(["1", "2"], fields=["key"], properties=["ticketr"])
    assert [issue.properties for issue in fetched.issues] == [{"ticketr": {"mark": "x"}}, {}]
    assert app.asked[0].body == {
        "issueIdsOrKeys": ["1", "2"],
        "fields": ["key"],
        "properties": ["ticketr"],
    }


@pytest.mark.parametrize(
    ("issues", "key"), [([], None), ([{"id": "9", "key": "A-9"}], "A-9"), ([None], None)]
)
async def test_the_newest_key_is_the_first_of_a_search(
    issues: object, key: str | None, autojump_clock: Clock
) -> None:
    app = ScriptedApp(Answer({"issues": issues, "isLast": True}))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        assert await jira.highest_key('A"B\\') == key
    assert app.asked[0].body == {
        "jql": 'project = "A\\"B\\\\" ORDER BY key DESC',
        "maxResults": 1,
        "fields": ["key"],
    }


async def requests_until_refused(call: Call, answer: Answer, problem: str) -> int:
    """Return how often a call that always gets a bad answer is sent; check its error."""
    app = ScriptedApp(answer)
    async with open_jira(ACCOUNT, transport=app.transport(), in_thread=inline) as jira:
        with pytest.raises(BadAnswer, match="is this the address of a Jira site") as caught:
            await call(jira)
    assert problem in str(caught.value)
    assert SITE in str(caught.value)
    assert "\n" not in str(caught.value)
    return len(app.asked)


@every_call
@for_each(
    ("answer", "problem"),
    [
        (Answer(b"[" * 200_000), "nested too deeply"),
        (Answer(None), "no "),
        (Answer({}), "no "),
        (Answer(5), "no "),
        (Answer("text"), "no "),
        (Answer({"issues": None, "count": None, "key": None, "version": None}), "no "),
        (Answer({"issues": {}}), "no "),
    ],
)
async def test_a_bad_answer_is_named_and_not_repeated(
    call: Call, answer: Answer, problem: str, autojump_clock: Clock
) -> None:
    assert await requests_until_refused(call, answer, problem) == 1


@every_call
@for_each(
    ("answer", "problem"),
    [
        (Answer(b"<!DOCTYPE html><html>Log in</html>"), "a web page"),
        (Answer(b"Log in", headers={"content-type": "text/html"}), "a web page"),
        (Answer(b'{"issues": [{"id"'), "stops in the middle"),
        (Answer(b'{"issues": "A'), "stops in the middle"),
        (Answer(b'{"issues": nope}'), "broken JSON"),
        (Answer(b""), "empty"),
        (Answer(b" \n "), "empty"),
        (Answer(b"\xff\xfe\xff\xfe{"), "broken JSON"),
        (Answer(b'{"a": ' + b"9" * 5000 + b"}"), "broken JSON"),
    ],
)
async def test_an_answer_that_is_no_json_is_named_and_a_read_repeated(
    call: Call, answer: Answer, problem: str, autojump_clock: Clock
) -> None:
    requests = 1 if call is CALLS["create_issue"] else 5
    assert await requests_until_refused(call, answer, problem) == requests


async def test_an_answer_that_is_too_large_is_refused(autojump_clock: Clock) -> None:
    app = ScriptedApp(Answer(b"x" * 1001))
    async with open_jira(ACCOUNT, transport=app.transport(max_body_bytes=1000)) as jira:
        with pytest.raises(BadAnswer, match="more than 1000 bytes"):
            await jira.myself()
    assert len(app.asked) == 1


@pytest.mark.parametrize("email", ["mia@example.com", ""])
async def test_a_token_with_scopes_is_used_at_the_gateway(
    email: str, autojump_clock: Clock
) -> None:
    account = Credentials(gateway_site(" 11-22 "), email, "a-token")
    app = ScriptedApp(Answer({"accountId": "1"}))
    async with open_jira(account, transport=app.transport()) as jira:
        await jira.myself()
    asked = app.asked[0]
    assert asked.headers["host"] == "api.atlassian.com"
    assert asked.path == "/ex/jira/11-22/rest/api/3/myself"
    assert asked.headers["authorization"].startswith("Basic " if email else "Bearer a-token")


@pytest.mark.parametrize("cloud_id", ["", "a/b", "..", "a?b", "ü"])
def test_a_cloud_id_is_one_step_of_the_address(cloud_id: str) -> None:
    with pytest.raises(BadSetting, match="cloud ID"):
        gateway_site(cloud_id)


STORY = {"id": "10001", "name": "Story", "subtask": False, "iconUrl": "x"}


def paged(key: str, items: list[Any], size: int, *, total: bool = True) -> RuledApp:
    """Return a list that a site sends in pages of at most ``size``."""

    def rule(asked: Asked) -> Answer:
        query = dict(pair.split("=") for pair in asked.query.split("&"))
        start = int(query["startAt"])
        page = items[start : start + min(size, int(query["maxResults"]))]
        told = {"total": len(items)} if total else {}
        return Answer({"startAt": start, "maxResults": size, key: page, **told})

    return RuledApp(rule)


async def test_issue_types_are_read_with_missing_keys(autojump_clock: Clock) -> None:
    answer = {
        "issueTypes": [
            STORY,
            {"id": 10004, "name": None, "subtask": True},
            {"name": "without ID"},
            None,
        ],
        "total": 4,
    }
    app = ScriptedApp(Answer(answer))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        assert await jira.creatable_issue_types("DEMO") == (
            IssueType("10001", "Story", subtask=False),
            IssueType("10004", "10004", subtask=True),
        )
    assert app.asked[0].path == "/rest/api/3/issue/createmeta/DEMO/issuetypes"
    assert app.asked[0].query == "startAt=0&maxResults=200"


@pytest.mark.parametrize(("total", "asked"), [(True, 3), (False, 4)])
async def test_all_pages_are_read(total: bool, asked: int, autojump_clock: Clock) -> None:
    items = [{"id": str(number), "name": f"Type {number}"} for number in range(5)]
    app = paged("issueTypes", items, 2, total=total)
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        types = await jira.creatable_issue_types("DEMO")
    assert [one.name for one in types] == [f"Type {number}" for number in range(5)]
    assert len(app.asked) == asked


@pytest.mark.parametrize("body", [{}, {"issueTypes": None, "values": {}}, {"fields": []}])
async def test_an_answer_without_a_list_is_refused(body: object, autojump_clock: Clock) -> None:
    async with open_jira(ACCOUNT, transport=ScriptedApp(Answer(body)).transport()) as jira:
        with pytest.raises(BadAnswer, match="no list of issueTypes"):
            await jira.creatable_issue_types("DEMO")


async def test_people_are_searched_by_name(autojump_clock: Clock) -> None:
    people = [
        {"accountId": "a", "displayName": "Mia", "emailAddress": "mia@example.com"},
        {"accountId": "b", "displayName": "Ben", "timeZone": "Europe/Berlin"},
        {"displayName": "without ID"},
    ]
    app = ScriptedApp(Answer(people))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        assert await jira.top_assignable_users("DEMO", "mi&a=ü") == (
            User("a", "Mia", "", "mia@example.com"),
            User("b", "Ben", "Europe/Berlin", ""),
        )
    assert app.asked[0].path == "/rest/api/3/user/assignable/search"
    assert app.asked[0].query == "project=DEMO&query=mi%26a%3D%C3%BC&maxResults=50"
