"""An edit, a creation or a transition also comments, links and logs work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sandbox_client import demo_site, open_client

from jira_sandbox.data import catalogue

TEXT = {"type": "paragraph", "content": [{"type": "text", "text": "Hi"}]}
DOCUMENT = {"type": "doc", "version": 1, "content": [TEXT]}
UPDATE: dict[str, Any] = {
    "comment": [{"add": {"body": DOCUMENT}}],
    "worklog": [{"add": {"timeSpent": "1h"}}],
    "issuelinks": [
        {"add": {"type": {"name": "Blocks"}, "outwardIssue": {"key": "DEMO-1"}}},
        {"add": {"type": {"name": "Blocks"}, "inwardIssue": {"key": "DEMO-3"}}},
    ],
}
NEW = {"project": {"key": "DEMO"}, "issuetype": {"name": "Task"}, "summary": "x"}


@pytest.mark.parametrize("way", ["create", "edit", "transition"])
async def test_an_update_comments_links_and_logs_work(way: str) -> None:
    site = demo_site(3)
    site.transition("DEMO-2", catalogue.TO_DO)
    async with open_client(site) as client:
        if way == "create":
            made = await client.post("issue", json={"fields": NEW, "update": UPDATE})
            key = made.json()["key"]
        elif way == "edit":
            made = await client.put("issue/DEMO-2?returnIssue=true", json={"update": UPDATE})
            key = "DEMO-2"
            assert made.json()["fields"]["comment"]["total"] == 1
        else:
            body = {"transition": {"id": "11"}, "update": UPDATE}
            made = await client.post("issue/DEMO-2/transitions", json=body)
            key = "DEMO-2"

    issue = site.existing(key)
    assert made.is_success
    assert [comment.body for comment in issue.comments] == [DOCUMENT]
    assert [worklog.seconds for worklog in issue.worklogs] == [3600]
    assert [(link.source, link.target) for link in issue.links] == [
        (issue.id, 10_001),
        (10_003, issue.id),
    ]


async def test_comments_are_changed_and_removed_by_an_update() -> None:
    site = demo_site(3)
    changed = {**DOCUMENT, "content": [{"type": "rule"}]}
    async with open_client(site) as client:
        await client.put("issue/DEMO-2", json={"update": {"comment": UPDATE["comment"] * 2}})
        first, second = (str(each.id) for each in site.existing("DEMO-2").comments)
        edit = {"comment": [{"edit": {"id": first, "body": changed}}, {"remove": {"id": second}}]}
        await client.put("issue/DEMO-2", json={"update": edit})

    (left,) = site.existing("DEMO-2").comments
    assert left.body == changed
    assert left.updated > left.created


@pytest.mark.parametrize(
    ("update", "field"),
    [
        ({"comment": [{"add": {}}]}, "comment"),
        ({"comment": [{"set": {}}]}, "comment"),
        ({"comment": "x"}, "comment"),
        ({"comment": [{"remove": {"id": "1"}}]}, "comment"),
        ({"worklog": [{"add": {"timeSpent": "x"}}]}, "timeLogged"),
        ({"issuelinks": [{"add": {"type": {"name": "x"}}}]}, "issuelinks"),
        ({"issuelinks": [{"remove": {}}]}, "issuelinks"),
    ],
)
async def test_a_wrong_update_changes_nothing(update: Any, field: str) -> None:
    site = demo_site(3)
    async with open_client(site) as client:
        body = {"fields": {"summary": "x"}, "update": update}
        response = await client.put("issue/DEMO-2", json=body)

    assert (response.status_code, [*response.json()["errors"]]) == (400, [field])
    assert site.revision == 0


async def test_a_comment_of_another_user_is_not_removed() -> None:
    site = demo_site(3)
    async with open_client(site) as client:
        await client.put("issue/DEMO-2", json={"update": {"comment": UPDATE["comment"]}})
        (comment,) = site.existing("DEMO-2").comments
        site.edit("DEMO-2", comments=(replace(comment, author=catalogue.USERS[1]),))
        body = {"update": {"comment": [{"remove": {"id": str(comment.id)}}]}}
        response = await client.put("issue/DEMO-2", json=body)

    assert response.status_code == 400


async def test_expansions_describe_an_issue_further() -> None:
    names = "renderedFields,transitions,editmeta,changelog,operations,names,nothing"
    async with open_client(demo_site(3)) as client:
        await client.put("issue/DEMO-2", json={"fields": {"description": DOCUMENT}})
        await client.post("issue/DEMO-2/comment", json={"body": DOCUMENT})
        issue = (await client.get(f"issue/DEMO-2?fields=summary&expand={names}")).json()
        body = {"jql": "key = DEMO-2", "fields": ["summary"], "expand": "transitions,changelog"}
        (found,) = (await client.post("search/jql", json=body)).json()["issues"]
        many = {"issueIdsOrKeys": ["DEMO-2"], "expand": ["renderedFields"]}
        (fetched,) = (await client.post("issue/bulkfetch", json=many)).json()["issues"]

    assert issue["renderedFields"]["description"] == "<p>Hi</p>"
    assert issue["renderedFields"]["comment"]["comments"][0]["body"] == "<p>Hi</p>"
    assert issue["editmeta"]["fields"]["summary"]["required"] is True
    assert issue["operations"] == {"linkGroups": []}
    assert issue["names"] == {"summary": "Summary"}
    assert issue["transitions"] == found["transitions"]
    assert issue["changelog"]["histories"] == found["changelog"]["histories"]
    assert fetched["renderedFields"]["description"] == "<p>Hi</p>"
