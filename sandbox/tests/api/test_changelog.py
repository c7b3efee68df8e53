from __future__ import annotations

from typing import Any

import pytest
from sandbox_client import NOW, demo_site, open_client, search

from jira_sandbox import make_site
from jira_sandbox.data import catalogue


async def last(client: Any, key: str) -> list[Any]:
    response = await client.get(f"issue/{key}/changelog")
    items: list[Any] = response.json()["values"][-1]["items"]
    return items


@pytest.mark.parametrize(
    ("fields", "items"),
    [
        (
            {"summary": "New"},
            [{"field": "summary", "fieldId": "summary", "toString": "New"}],
        ),
        (
            {"priority": {"name": "Low"}},
            [{"field": "priority", "fieldId": "priority", "to": "4", "toString": "Low"}],
        ),
        (
            {"assignee": {"accountId": catalogue.USERS[1].account_id}},
            [{"to": catalogue.USERS[1].account_id, "toString": "Zoë Åkesson"}],
        ),
        ({"labels": ["b", "a"]}, [{"field": "labels", "toString": "a b"}]),
        ({"duedate": "2026-01-02"}, [{"to": "2026-01-02", "toString": "2026-01-02"}]),
        (
            {"components": [{"name": "Platform"}]},
            [
                {"field": "Component", "from": "10001", "fromString": "Checkout"},
                {"field": "Component", "to": "10005", "toString": "Platform"},
            ],
        ),
        ({"customfield_10020": 8}, [{"field": "Sprint", "toString": "Harbour Sprint 8"}]),
        ({"parent": None}, [{"field": "IssueParentAssociation", "from": "10001"}]),
        (
            {
                "description": {
                    "type": "doc",
                    "version": 1,
                    "content": [
                        {"type": "paragraph", "content": [{"type": "text", "text": "Hi"}]},
                        {"type": "rule"},
                    ],
                }
            },
            [{"field": "description", "toString": "Hi"}],
        ),
    ],
)
async def test_an_edit_is_recorded(fields: Any, items: list[Any]) -> None:
    site = demo_site(3)
    site.edit("DEMO-2", sprints=(), labels=(), assignee=None, due=None, parent=10_001)
    site.edit("DEMO-2", components=catalogue.COMPONENTS[1:2], priority=catalogue.MEDIUM)
    async with open_client(site) as client:
        assert (await client.put("issue/DEMO-2", json={"fields": fields})).status_code == 204
        found = await last(client, "DEMO-2")

    assert len(found) == len(items)
    for item, expected in zip(found, items, strict=True):
        assert expected.items() <= item.items()


async def test_fields_of_every_kind_are_recorded() -> None:
    site = make_site(tickets=1, seed=1, all_fields=True, clock=lambda: NOW)
    region = {"value": "Europe", "child": {"value": "Spain"}}
    text = {"type": "paragraph", "content": [{"type": "text", "text": "Plan"}]}
    fields = {
        "customfield_10108": region,
        "customfield_10101": {"type": "doc", "version": 1, "content": [text]},
        "customfield_10103": 1.5,
    }
    async with open_client(site) as client:
        await client.put("issue/KIT-3", json={"fields": fields})
        plan, budget, place = await last(client, "KIT-3")
        await client.put("issue/KIT-3", json={"fields": {"customfield_10108": None}})
        (cleared,) = await last(client, "KIT-3")

    assert (plan["field"], plan["fieldtype"], plan["toString"]) == (
        "Rollout Plan",
        "custom",
        "Plan",
    )
    assert (budget["field"], budget["toString"]) == ("Budget", "1.5")
    assert (place["field"], place["toString"]) == ("Region", "Europe, Spain")
    assert cleared["fromString"] == "Europe, Spain"
    assert "toString" not in cleared


async def test_links_attachments_and_transitions_are_recorded() -> None:
    site = demo_site(3)
    site.transition("DEMO-2", catalogue.TO_DO)
    body = {
        "type": {"name": "Blocks"},
        "inwardIssue": {"key": "DEMO-1"},
        "outwardIssue": {"key": "DEMO-2"},
    }
    async with open_client(site) as client:
        await client.post("issueLink", json=body)
        (blocker,), (blocked,) = await last(client, "DEMO-1"), await last(client, "DEMO-2")
        link = site.existing("DEMO-1").links[0]
        await client.delete(f"issueLink/{link.id}")
        (unlinked,) = await last(client, "DEMO-1")
        await client.post("issue/DEMO-2/transitions", json={"transition": {"id": "11"}})
        (moved,) = await last(client, "DEMO-2")
        await client.post(
            "issue/DEMO-2/attachments",
            files={"file": ("a.txt", b"x")},
            headers={"X-Atlassian-Token": "no-check"},
        )
        (attached,) = await last(client, "DEMO-2")
        before = len(site.existing("DEMO-2").history)
        await client.put("issue/DEMO-2/properties/x", json=1)

    assert (blocker["field"], blocker["to"]) == ("Link", "DEMO-2")
    assert blocker["toString"] == "This work item blocks DEMO-2"
    assert blocked["toString"] == "This work item is blocked by DEMO-1"
    assert unlinked["fromString"] == "This work item blocks DEMO-2"
    assert (moved["fromString"], moved["toString"]) == ("To Do", "In Progress")
    assert (attached["field"], attached["toString"]) == ("Attachment", "a.txt")
    assert len(site.existing("DEMO-2").history) == before


async def test_a_generated_issue_came_through_the_workflow() -> None:
    async with open_client(demo_site(30)) as client:
        (done,) = (await search(client, "status = Done", fields=["key"]))["issues"][:1]
        response = await client.get(f"issue/{done['key']}?expand=changelog")

    histories = response.json()["changelog"]["histories"]
    assert [history["items"][0]["toString"] for history in histories] == [
        "Done",
        "In Review",
        "In Progress",
    ]


async def test_a_history_is_read_page_by_page_and_by_ids() -> None:
    async with open_client(demo_site(3)) as client:
        for number in range(3):
            await client.put("issue/DEMO-1", json={"fields": {"summary": f"{number}"}})
        whole = (await client.get("issue/DEMO-1/changelog?maxResults=200")).json()
        size = whole["total"] - 1
        first = (await client.get(f"issue/DEMO-1/changelog?maxResults={size}")).json()
        second = (await client.get(first["nextPage"])).json()
        ids = [int(whole["values"][-1]["id"]), 5]
        some = await client.post("issue/DEMO-1/changelog/list", json={"changelogIds": ids})

    assert whole["isLast"]
    assert not first["isLast"]
    assert first["values"] + second["values"] == whole["values"]
    assert some.json()["histories"] == whole["values"][-1:]


async def test_histories_of_many_issues_are_read_at_once() -> None:
    count = 0
    async with open_client(demo_site(9)) as client:
        body = {"issueIdsOrKeys": ["DEMO-1", "DEMO-2", "DEMO-99"], "fieldIds": ["summary"]}
        for key in ("DEMO-1", "DEMO-2", "DEMO-1"):
            count += 1
            await client.put(f"issue/{key}", json={"fields": {"summary": f"{count}"}})
        whole = (await client.post("changelog/bulkfetch", json=body)).json()
        first = (await client.post("changelog/bulkfetch", json={**body, "maxResults": 2})).json()
        rest = {**body, "maxResults": 2, "nextPageToken": first["nextPageToken"]}
        second = (await client.post("changelog/bulkfetch", json=rest)).json()
        changes: tuple[dict[str, object], ...] = (
            {"issueIdsOrKeys": []},
            {"maxResults": 0},
            {"nextPageToken": "?"},
        )
        wrong = [
            await client.post("changelog/bulkfetch", json={**body, **change}) for change in changes
        ]

    def entries(answer: Any) -> int:
        return sum(len(each["changeHistories"]) for each in answer["issueChangeLogs"])

    assert (entries(whole), entries(first), entries(second)) == (3, 2, 1)
    assert "nextPageToken" not in second
    assert [response.status_code for response in wrong] == [400, 400, 400]


async def test_at_most_forty_entries_are_inside_an_issue() -> None:
    site = demo_site(3)
    for number in range(45):
        site.edit("DEMO-1", summary=f"{number}")
    async with open_client(site) as client:
        issue = (await client.get("issue/DEMO-1?expand=changelog")).json()

    assert issue["changelog"]["total"] >= 45
    assert len(issue["changelog"]["histories"]) == 40
    assert issue["changelog"]["histories"][0]["items"][0]["toString"] == "44"
