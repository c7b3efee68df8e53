"""Histories, transitions, and the records of a site."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from rows import for_each
from sandbox_client import NOW, demo_site, open_client, search

from jira_sandbox import make_site
from jira_sandbox.data import catalogue
from jira_sandbox.data.catalogue import STATUSES, USERS


async def last(client: Any, key: str) -> list[Any]:
    response = await client.get(f"issue/{key}/changelog")
    items: list[Any] = response.json()["values"][-1]["items"]
    return items


@for_each(
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


NEW = {"project": {"key": "DEMO"}, "issuetype": {"name": "Story"}, "summary": "New"}


async def steps(client: httpx.AsyncClient, key: str, **query: str) -> list[Any]:
    response = await client.get(f"issue/{key}/transitions", params=query)
    assert response.status_code == 200
    found: list[Any] = response.json()["transitions"]
    return found


async def take(client: httpx.AsyncClient, key: str, status: int = 204, **body: Any) -> Any:
    response = await client.post(f"issue/{key}/transitions", json=body)
    assert response.status_code == status, response.text
    return response.json() if response.content else None


async def walk(client: httpx.AsyncClient, key: str, *numbers: str) -> Any:
    """Perform some transitions; return the fields after them."""
    for number in numbers:
        await take(client, key, transition={"id": number})
    return (await client.get(f"issue/{key}")).json()["fields"]


async def test_an_issue_goes_forward_one_status_at_a_time_and_back() -> None:
    seen = []
    async with open_client(demo_site(5)) as client:
        await client.post("issue", json={"fields": NEW})
        for number in ("11", "21", "31", "61", "41", "11", "21", "51"):
            offered = {step["id"]: step["to"]["name"] for step in await steps(client, "DEMO-6")}
            seen.append(offered)
            fields = await walk(client, "DEMO-6", number)
            assert fields["status"]["name"] == offered[number]

    to_do, in_progress = {"11": "In Progress"}, {"21": "In Review", "41": "To Do"}
    in_review, done = {"31": "Done", "51": "In Progress"}, {"61": "In Progress"}
    assert seen[:4] == [to_do, in_progress, in_review, done]
    assert seen[4:] == [in_progress, to_do, in_progress, in_review]


async def test_every_status_can_be_reached_and_left() -> None:
    async with open_client(demo_site(5)) as client:
        await client.post("issue", json={"fields": NEW})
        every = await steps(client, "DEMO-6", includeUnavailableTransitions="true")

    assert {step["to"]["name"] for step in every} == {status.name for status in STATUSES}
    assert [step["id"] for step in every if step["isAvailable"]] == ["11"]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"transition": {"id": "31"}}, "Transition id '31' is not valid for this issue."),
        ({"transition": "31"}, "Transition id '31' is not valid for this issue."),
        ({"transition": {"id": "99"}}, "Transition id '99' is not valid for this issue."),
        ({"transition": {"id": "Done"}}, "Transition id 'Done' is not valid for this issue."),
        ({"transition": {"name": "Done"}}, "Missing 'transition' identifier"),
        ({"transition": {}}, "Missing 'transition' identifier"),
        ({"fields": {}}, "Missing 'transition' identifier"),
    ],
)
async def test_a_step_that_the_workflow_does_not_have_is_refused(body: Any, complaint: str) -> None:
    async with open_client(demo_site(5)) as client:
        await client.post("issue", json={"fields": NEW})
        answer = await take(client, "DEMO-6", 400, **body)
        fields = (await client.get("issue/DEMO-6")).json()["fields"]

    assert answer == {"errorMessages": [complaint], "errors": {}}
    assert fields["status"]["name"] == "To Do"
    assert fields["updated"] == fields["created"]


async def test_a_step_moves_the_time_and_done_sets_a_resolution_that_reopening_clears() -> None:
    async with open_client(demo_site(5)) as client:
        await client.post("issue", json={"fields": NEW})
        review = await walk(client, "DEMO-6", "11", "21")
        done = await walk(client, "DEMO-6", "31")
        again = await walk(client, "DEMO-6", "61")

    assert (review["resolution"], review["resolutiondate"]) == (None, None)
    assert done["resolution"]["name"] == "Done"
    assert done["resolutiondate"] == done["updated"] > review["updated"]
    assert done["statuscategorychangedate"] == done["updated"]
    assert review["statuscategorychangedate"] < review["updated"]
    assert (again["resolution"], again["resolutiondate"]) == (None, None)
    assert again["updated"] > done["updated"]


async def test_the_screen_of_the_last_step_takes_a_resolution_and_an_assignee() -> None:
    chosen = {"resolution": {"name": "Duplicate"}, "assignee": {"accountId": USERS[4].account_id}}
    async with open_client(demo_site(5)) as client:
        await client.post("issue", json={"fields": NEW})
        await walk(client, "DEMO-6", "11", "21")
        screens = await steps(client, "DEMO-6", expand="transitions.fields")
        await take(client, "DEMO-6", transition={"id": 31}, fields=chosen)
        fields = (await client.get("issue/DEMO-6")).json()["fields"]

    assert [(step["name"], sorted(step["fields"])) for step in screens] == [
        ("Approve", ["assignee", "resolution"]),
        ("Ask for changes", []),
    ]
    allowed = [value["name"] for value in screens[0]["fields"]["resolution"]["allowedValues"]]
    assert allowed == ["Done", "Won't Do", "Duplicate"]
    assert fields["resolution"]["name"] == "Duplicate"
    assert fields["assignee"]["displayName"] == "陈美玲"


@pytest.mark.parametrize(
    ("path", "fields", "errors"),
    [
        (("11", "21"), {"resolution": {"name": "Fixed"}}, "The resolution selected is invalid."),
        (("11", "21"), {"summary": "x"}, None),
        (("11",), {"resolution": {"name": "Done"}}, None),
    ],
)
async def test_a_field_that_is_not_on_the_screen_keeps_the_step_from_being_taken(
    path: tuple[str, ...], fields: dict[str, Any], errors: str | None
) -> None:
    (name,) = fields
    unknown = f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
    number = {1: "21", 2: "31"}[len(path)]
    async with open_client(demo_site(5)) as client:
        await client.post("issue", json={"fields": NEW})
        before = await walk(client, "DEMO-6", *path)
        answer = await take(client, "DEMO-6", 400, transition={"id": number}, fields=fields)
        after = await walk(client, "DEMO-6")

    assert answer["errors"] == {name: errors or unknown}
    assert after == before


async def test_properties_can_go_with_a_step() -> None:
    async with open_client(demo_site(5)) as client:
        await client.post("issue", json={"fields": NEW})
        properties = [{"key": "k", "value": 1}]
        await take(client, "DEMO-6", transition={"id": "11"}, properties=properties)
        issue = (await client.get("issue/DEMO-6?properties=k&fields=key")).json()

    assert issue["properties"] == {"k": 1}


def names(entries: Any) -> list[str]:
    return [entry["name"] for entry in entries]


@for_each(
    ("path", "expected"),
    [
        ("issuetype", ["Epic", "Story", "Task", "Bug", "Sub-task"]),
        ("issuetype/project?projectId=10000", ["Epic", "Story", "Task", "Bug", "Sub-task"]),
        ("issuetype/project?projectId=10000&level=-1", ["Sub-task"]),
        ("priority", ["Highest", "High", "Medium", "Low", "Lowest"]),
        ("resolution", ["Done", "Won't Do", "Duplicate"]),
        ("status", ["To Do", "In Progress", "In Review", "Done"]),
        ("statuses?id=10000&id=10003", ["To Do", "Done"]),
        ("statuscategory", ["To Do", "In Progress", "Done"]),
    ],
)
async def test_records_are_listed(path: str, expected: list[str]) -> None:
    async with open_client(demo_site(1)) as client:
        response = await client.get(path)

    assert names(response.json()) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("priority/search?maxResults=2", ["Highest", "High"]),
        ("priority/search?priorityName=low", ["Low", "Lowest"]),
        ("resolution/search?id=10002", ["Duplicate"]),
        ("statuses/search?statusCategory=IN_PROGRESS", ["In Progress", "In Review"]),
        ("statuses/search?searchString=done&projectId=10003", []),
    ],
)
async def test_records_are_found(path: str, expected: list[str]) -> None:
    async with open_client(demo_site(1)) as client:
        response = await client.get(path)

    assert names(response.json()["values"]) == expected


@for_each(
    ("path", "name"),
    [
        ("issuetype/10003", "Bug"),
        ("priority/1", "Highest"),
        ("resolution/10000", "Done"),
        ("status/In Review", "In Review"),
        ("status/10000", "To Do"),
        ("statuscategory/done", "Done"),
        ("statuscategory/2", "To Do"),
        ("issuetype/1", None),
        ("issuetype/project?projectId=1", None),
        ("priority/9", None),
        ("resolution/9", None),
        ("status/Nowhere", None),
        ("statuscategory/9", None),
    ],
)
async def test_one_record_is_read(path: str, name: str | None) -> None:
    async with open_client(demo_site(1)) as client:
        response = await client.get(path)

    assert response.status_code == (404 if name is None else 200)
    assert response.json().get("name") == name


async def test_the_records_of_a_team_managed_project_are_its_own() -> None:
    site = make_site(tickets=1, seed=1, all_fields=True, clock=lambda: NOW)
    async with open_client(site) as client:
        types = (await client.get("issuetype")).json()
        found = (await client.get("statuses/search?projectId=10003")).json()["values"]

    own = [kind for kind in types if "scope" in kind]
    assert names(own) == ["Epic", "Story", "Task", "Subtask"]
    assert names(found) == ["To Do", "In Progress", "Done"]
    assert found[0]["scope"] == {"type": "PROJECT", "project": {"id": "10003"}}
