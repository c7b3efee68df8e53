"""Test requesting and reading the create metadata."""

from __future__ import annotations

from typing import Any

import pytest
import trio.testing
from fakes.jira_app import SITE, Answer, Asked, RuledApp, ScriptedApp

from ticketr.app.jira import (
    Allowed,
    BadAnswer,
    Credentials,
    IssueType,
    ScreenField,
    User,
    open_jira,
)

ACCOUNT = Credentials(SITE, "mia@example.com", "a-token")
Clock = trio.testing.MockClock
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
        assert await jira.issue_types("DEMO") == (
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
        types = await jira.issue_types("DEMO")
    assert [one.name for one in types] == [f"Type {number}" for number in range(5)]
    assert len(app.asked) == asked


async def test_the_fields_of_a_type_are_read_with_missing_keys(autojump_clock: Clock) -> None:
    answer = {
        "fields": [
            {
                "fieldId": "priority",
                "key": "priority",
                "name": "Priority",
                "required": True,
                "hasDefaultValue": True,
                "schema": {"type": "priority", "system": "priority"},
                "allowedValues": [{"id": "2", "name": "High", "iconUrl": "x"}, None],
            },
            {
                "fieldId": "customfield_1",
                "name": "Platforms",
                "required": False,
                "schema": {"type": "array", "items": "option"},
                "allowedValues": [
                    {"id": 7, "value": "iOS", "name": "not this"},
                    {"id": "8"},
                    {"accountId": "a", "displayName": "Mia"},
                    {"key": "DEMO"},
                    {},
                ],
            },
            {"key": "odd", "name": None, "schema": None, "allowedValues": None},
            {"name": "without ID"},
        ],
        "total": 4,
    }
    app = ScriptedApp(Answer(answer))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        priority, platforms, odd = await jira.create_fields("DEMO", "10001")
    assert app.asked[0].path == "/rest/api/3/issue/createmeta/DEMO/issuetypes/10001"
    assert priority == ScreenField(
        "priority",
        "Priority",
        required=True,
        has_default=True,
        schema_type="priority",
        items="",
        allowed=(Allowed("2", "High"),),
    )
    assert (platforms.schema_type, platforms.items) == ("array", "option")
    assert not platforms.required
    assert not platforms.has_default
    assert platforms.allowed == (
        Allowed("7", "iOS"),
        Allowed("8", "8"),
        Allowed("a", "Mia"),
        Allowed("", "DEMO"),
    )
    assert odd == ScreenField(
        "odd", "odd", required=False, has_default=False, schema_type="", items="", allowed=()
    )


@pytest.mark.parametrize("body", [{}, {"issueTypes": None, "values": {}}, {"fields": []}])
async def test_an_answer_without_a_list_is_refused(body: object, autojump_clock: Clock) -> None:
    async with open_jira(ACCOUNT, transport=ScriptedApp(Answer(body)).transport()) as jira:
        with pytest.raises(BadAnswer, match="no list of issueTypes"):
            await jira.issue_types("DEMO")


async def test_people_are_searched_by_name(autojump_clock: Clock) -> None:
    people = [
        {"accountId": "a", "displayName": "Mia", "emailAddress": "mia@example.com"},
        {"accountId": "b", "displayName": "Ben", "timeZone": "Europe/Berlin"},
        {"displayName": "without ID"},
    ]
    app = ScriptedApp(Answer(people))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        assert await jira.assignable_users("DEMO", "mi&a=ü") == (
            User("a", "Mia", "", "mia@example.com"),
            User("b", "Ben", "Europe/Berlin", ""),
        )
    assert app.asked[0].path == "/rest/api/3/user/assignable/search"
    assert app.asked[0].query == "project=DEMO&query=mi%26a%3D%C3%BC&maxResults=50"


async def test_the_statuses_of_each_type_are_read_with_missing_keys(
    autojump_clock: Clock,
) -> None:
    answer = [
        {"id": "10001", "statuses": [{"name": "To Do"}, {"name": None}, None, {"name": "Done"}]},
        {"id": 10002, "statuses": None},
        {"name": "without ID", "statuses": [{"name": "Open"}]},
        None,
    ]
    app = ScriptedApp(Answer(answer))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        assert await jira.statuses("DEMO") == {"10001": ("To Do", "Done"), "10002": ()}
    assert app.asked[0].path == "/rest/api/3/project/DEMO/statuses"
