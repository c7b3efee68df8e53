"""Issues are made, one or many, and the metadata that says how."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from rows import for_each
from sandbox_client import demo_site, open_client, search

from jira_sandbox.data.catalogue import DEMO, DEMO_USER, EPIC, USERS

DOCUMENT = {
    "type": "doc",
    "version": 1,
    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Hello"}]}],
}
STORY = {"project": {"key": "DEMO"}, "issuetype": {"name": "Story"}, "summary": "New"}
SUBTASK = {**STORY, "issuetype": {"id": "10004"}}


async def create(client: httpx.AsyncClient, status: int = 201, **body: Any) -> Any:
    response = await client.post("issue", json=body)
    assert response.status_code == status, response.text
    return response.json()


async def fields_of(client: httpx.AsyncClient, key: str) -> Any:
    return (await client.get(f"issue/{key}")).json()["fields"]


async def test_an_issue_is_made_with_the_next_number() -> None:
    async with open_client(demo_site(5)) as client:
        made = await create(client, fields=STORY)
        fields = await fields_of(client, "DEMO-6")

    assert made == {
        "id": "10006",
        "key": "DEMO-6",
        "self": "http://jira.test/rest/api/3/issue/10006",
    }
    assert fields["summary"] == "New"
    assert fields["issuetype"]["name"] == "Story"
    assert fields["status"]["name"] == "To Do"
    assert fields["priority"]["name"] == "Medium"
    assert fields["reporter"]["accountId"] == fields["creator"]["accountId"]
    assert fields["reporter"]["accountId"] == DEMO_USER.account_id
    assert fields["created"] == fields["updated"] == "2025-10-01T17:30:00.000+0530"
    for empty in ("assignee", "description", "resolution", "duedate", "customfield_10016"):
        assert fields[empty] is None


async def test_every_field_of_the_screen_can_be_given() -> None:
    everything = {
        **STORY,
        "description": DOCUMENT,
        "priority": {"name": "High"},
        "labels": ["zebra", "apple", "apple"],
        "components": [{"name": "Checkout"}, {"id": "10000"}],
        "fixVersions": [{"name": "2026.1"}],
        "assignee": {"accountId": USERS[2].account_id},
        "reporter": {"id": USERS[3].account_id},
        "duedate": "2026-02-28",
        "customfield_10016": 5,
        "customfield_10020": 8,
        "customfield_10031": {"value": "iOS"},
        "customfield_10032": "One line",
        "customfield_10033": {"accountId": USERS[4].account_id},
    }
    async with open_client(demo_site(5)) as client:
        await create(client, fields=everything)
        fields = await fields_of(client, "DEMO-6")

    assert fields["description"] == DOCUMENT
    assert fields["priority"]["id"] == "2"
    assert fields["labels"] == ["apple", "zebra"]
    assert [component["name"] for component in fields["components"]] == ["Shop front", "Checkout"]
    assert fields["fixVersions"][0]["id"] == "10001"
    assert fields["assignee"]["displayName"] == "Priya Raman"
    assert fields["reporter"]["displayName"] == "Tomás O\u2019Brien"
    assert fields["creator"]["displayName"] == "Demo User"
    assert fields["duedate"] == "2026-02-28"
    assert fields["customfield_10016"] == 5.0
    assert [sprint["id"] for sprint in fields["customfield_10020"]] == [8]
    assert fields["customfield_10031"]["value"] == "iOS"
    assert fields["customfield_10032"] == "One line"
    assert fields["customfield_10033"]["displayName"] == "陈美玲"


async def test_a_sub_task_shows_in_its_parent() -> None:
    site = demo_site(20)
    story = next(issue for issue in site if issue.type.level == 0)
    async with open_client(site) as client:
        before = await fields_of(client, story.key)
        made = await create(client, fields={**SUBTASK, "parent": {"key": story.key.lower()}})
        after = await fields_of(client, story.key)
        child = await fields_of(client, made["key"])

    assert [link["key"] for link in after["subtasks"]] == [
        *(link["key"] for link in before["subtasks"]),
        made["key"],
    ]
    assert child["parent"]["id"] == str(story.id)
    assert child["issuetype"]["subtask"] is True


async def test_a_story_can_be_made_below_an_epic_and_is_found() -> None:
    site = demo_site(5)
    epic = next(issue for issue in site if issue.type == EPIC)
    async with open_client(site) as client:
        made = await create(client, fields={**STORY, "parent": {"id": str(epic.id)}})
        found = await search(client, f"parent = {epic.key} AND summary ~ New", fields=["key"])

    assert [issue["key"] for issue in found["issues"]] == [made["key"]]


async def test_a_number_is_not_used_again_after_a_delete() -> None:
    async with open_client(demo_site(5)) as client:
        first = await create(client, fields=STORY)
        await client.delete(f"issue/{first['key']}")
        second = await create(client, fields=STORY)

    assert (first["key"], second["key"]) == ("DEMO-6", "DEMO-7")


async def test_properties_are_kept_from_the_beginning() -> None:
    properties = [{"key": "ticketr", "value": {"draft": "x"}}, {"key": "other", "value": None}]
    async with open_client(demo_site(5)) as client:
        made = await create(client, fields=STORY, properties=properties)
        body = {"issueIdsOrKeys": [made["key"]], "properties": ["ticketr", "nope"]}
        fetched = (await client.post("issue/bulkfetch", json=body)).json()["issues"][0]

    assert fetched["properties"] == {"ticketr": {"draft": "x"}}


@pytest.mark.parametrize(
    ("transition", "status", "answer"), [("11", "In Progress", 200), ("31", "To Do", 400)]
)
async def test_a_transition_may_go_with_a_creation(
    transition: str, status: str, answer: int
) -> None:
    async with open_client(demo_site(5)) as client:
        made = await create(client, fields=STORY, transition={"id": transition})
        fields = await fields_of(client, made["key"])

    assert fields["status"]["name"] == status
    assert made["transition"]["status"] == answer


@pytest.mark.parametrize(
    ("missing", "errors"),
    [
        ("summary", {"summary": "You must specify a summary of the issue."}),
        ("project", {"project": "Specify a valid project ID or key"}),
        ("issuetype", {"issuetype": "Specify a valid issue type"}),
    ],
)
async def test_what_is_required_must_be_given(missing: str, errors: dict[str, str]) -> None:
    fields = {name: value for name, value in STORY.items() if name != missing}
    async with open_client(demo_site(5)) as client:
        answer = await create(client, 400, fields=fields)

    assert answer == {"errorMessages": [], "errors": errors}


async def test_a_body_without_fields_says_what_is_missing() -> None:
    async with open_client(demo_site(5)) as client:
        answer = await create(client, 400)

    assert answer == {"errorMessages": ["one of 'fields' or 'update' required"], "errors": {}}


@for_each(
    "body",
    [
        "",
        "[]",
        "1",
        "{",
        '{"fields": []}',
        '{"properties": 1}',
        "NaN",
        json.dumps({"fields": STORY, "transition": "11"}),
        json.dumps({"fields": STORY, "properties": {"k": 1}}),
    ],
)
async def test_a_body_that_is_no_issue_is_refused(body: str) -> None:
    site = demo_site(5)
    async with open_client(site) as client:
        response = await client.post("issue", content=body)

    assert len(site) == 5
    assert response.status_code == 400
    assert response.json()["errors"] == {}


async def test_all_that_is_wrong_is_said_at_once_and_nothing_is_made() -> None:
    site = demo_site(5)
    wrong = {
        **STORY,
        "summary": "",
        "priority": {"name": "Urgent"},
        "status": {"name": "Done"},
        "nonsense": 1,
    }
    async with open_client(site) as client:
        answer = await create(client, 400, fields=wrong)

    assert answer["errors"] == {
        "summary": "You must specify a summary of the issue.",
        "priority": "The priority selected is invalid.",
        "status": "Field 'status' cannot be set. It is not on the appropriate screen, or unknown.",
        "nonsense": (
            "Field 'nonsense' cannot be set. It is not on the appropriate screen, or unknown."
        ),
    }
    assert len(site) == 5
    assert site.counters.numbers == {DEMO.key: 5}


@pytest.mark.parametrize(
    ("kind", "parent", "errors"),
    [
        (
            "Sub-task",
            None,
            {"parent": "Issue type is a sub-task but parent issue key or id not specified."},
        ),
        ("Sub-task", {"key": "DEMO-999"}, {"parent": "Could not find issue by id or key."}),
        ("Sub-task", "DEMO-2", {"parent": "Could not find issue by id or key."}),
        (
            "Sub-task",
            {},
            {"parent": "Issue type is a sub-task but parent issue key or id not specified."},
        ),
        (
            "Sub-task",
            {"key": "DEMO-1"},
            {"parentId": "Given parent work item does not belong to appropriate hierarchy."},
        ),
        (
            "Story",
            {"key": "DEMO-2"},
            {"parentId": "Given parent work item does not belong to appropriate hierarchy."},
        ),
    ],
)
async def test_a_parent_must_exist_and_fit(kind: str, parent: Any, errors: Any) -> None:
    site = demo_site(5)
    assert [issue.type.level for issue in site][:2] == [1, 0]
    fields = {**STORY, "issuetype": {"name": kind}, "parent": parent}
    async with open_client(site) as client:
        answer = await create(client, 400, fields=fields)

    assert answer["errors"] == errors


async def test_a_sub_task_must_be_in_the_project_of_its_parent() -> None:
    fields = {**SUBTASK, "project": {"key": "BLANK"}, "parent": {"key": "DEMO-2"}}
    async with open_client(demo_site(5)) as client:
        answer = await create(client, 400, fields=fields)

    assert answer["errors"] == {
        "project": "Sub-tasks must be created in the same project as the parent."
    }


def updates(*summaries: str, **more: Any) -> dict[str, Any]:
    return {"issueUpdates": [{"fields": {**STORY, "summary": text, **more}} for text in summaries]}


async def test_all_are_made_in_their_order() -> None:
    site = demo_site(5)
    async with open_client(site) as client:
        response = await client.post("issue/bulk", json=updates(*"abcdefghij" * 5))

    answer = response.json()
    assert response.status_code == 201
    assert answer["errors"] == []
    assert [issue["key"] for issue in answer["issues"]] == [f"DEMO-{n}" for n in range(6, 56)]
    assert [issue.summary for issue in list(site)[5:15]] == list("abcdefghij")


async def test_those_that_can_be_made_are_made_and_the_others_are_named() -> None:
    body = updates("one", "", "two")
    body["issueUpdates"].append({"fields": {**STORY, "nope": 1}})
    body["issueUpdates"].append({"fields": STORY, "properties": [{"key": "k", "value": 1}]})
    async with open_client(demo_site(5)) as client:
        response = await client.post("issue/bulk", json=body)
        last = (await client.get("issue/DEMO-8?properties=k&fields=summary")).json()

    answer = response.json()
    assert response.status_code == 201
    assert [issue["key"] for issue in answer["issues"]] == ["DEMO-6", "DEMO-7", "DEMO-8"]
    assert answer["errors"] == [
        {
            "status": 400,
            "elementErrors": {
                "errorMessages": [],
                "errors": {"summary": "You must specify a summary of the issue."},
            },
            "failedElementNumber": 1,
        },
        {
            "status": 400,
            "elementErrors": {
                "errorMessages": [],
                "errors": {
                    "nope": (
                        "Field 'nope' cannot be set. "
                        "It is not on the appropriate screen, or unknown."
                    )
                },
            },
            "failedElementNumber": 3,
        },
    ]
    assert last["properties"] == {"k": 1}


async def test_it_is_an_error_only_if_none_could_be_made() -> None:
    site = demo_site(5)
    body: dict[str, Any] = {"issueUpdates": [{"fields": {}}, {"properties": 1}, {}]}
    async with open_client(site) as client:
        response = await client.post("issue/bulk", json=body)

    answer = response.json()
    assert response.status_code == 400
    assert answer["issues"] == []
    assert [error["failedElementNumber"] for error in answer["errors"]] == [0, 1, 2]
    assert len(site) == 5


TYPES = "issue/createmeta/DEMO/issuetypes"


async def fields_of_type(type_id: str) -> dict[str, Any]:
    async with open_client(demo_site(3)) as client:
        answer = (await client.get(f"{TYPES}/{type_id}")).json()
    return {field["fieldId"]: field for field in answer["fields"]}


async def test_the_types_of_a_project_are_listed_page_by_page() -> None:
    found: list[Any] = []
    async with open_client(demo_site(3)) as client:
        for start in (0, 2, 4, 6):
            query = f"startAt={start}&maxResults=2"
            page = (await client.get(f"{TYPES}?{query}")).json()
            assert (page["startAt"], page["maxResults"], page["total"]) == (start, 2, 5)
            found += page["issueTypes"]

    assert [(kind["name"], kind["subtask"]) for kind in found] == [
        ("Epic", False),
        ("Story", False),
        ("Task", False),
        ("Bug", False),
        ("Sub-task", True),
    ]


async def test_the_fields_of_a_type_are_listed_page_by_page() -> None:
    names: list[str] = []
    totals = set()
    async with open_client(demo_site(3)) as client:
        for start in range(0, 30, 5):
            page = (await client.get(f"{TYPES}/10001?startAt={start}&maxResults=5")).json()
            names += [field["fieldId"] for field in page["fields"]]
            totals.add(page["total"])

    assert len(names) == len(set(names)) == 18
    assert totals == {18}


async def test_each_field_says_whether_it_is_required_and_what_it_may_hold() -> None:
    story = await fields_of_type("10001")

    required = {name for name, field in story.items() if field["required"]}
    assert required == {"summary", "issuetype", "project", "reporter"}
    default = {name for name, field in story.items() if field["hasDefaultValue"]}
    assert default == {"priority", "reporter"}
    assert story["priority"]["defaultValue"]["name"] == "Medium"
    allowed = {
        name: [value.get("name", value.get("value")) for value in field["allowedValues"]]
        for name, field in story.items()
        if "allowedValues" in field
    }
    assert allowed == {
        "issuetype": ["Story"],
        "project": ["Harbour Books"],
        "priority": ["Highest", "High", "Medium", "Low", "Lowest"],
        "components": [
            "Shop front",
            "Checkout",
            "Accounts",
            "Warehouse",
            "Mobile app",
            "Platform",
        ],
        "fixVersions": ["2025.4", "2026.1", "2026.2"],
        "customfield_10031": ["Web", "iOS", "Android", "Till"],
    }
    assert story["labels"]["operations"] == ["add", "set", "remove"]
    assert story["summary"]["operations"] == ["set"]
    assert story["customfield_10031"]["schema"]["type"] == "option"
    assert "query=" in story["assignee"]["autoCompleteUrl"]


async def test_what_is_listed_can_be_set_and_what_is_required_must_be() -> None:
    """The metadata and the writes must agree, since both come from the screens."""
    values: dict[str, Any] = {
        "summary": "x",
        "parent": {"key": "DEMO-2"},
        "labels": ["a"],
        "description": None,
        "assignee": None,
        "reporter": {"id": "5b10ac8d82e05b22cc7d4ef5"},
        "duedate": None,
        "customfield_10016": 1,
        "customfield_10020": 8,
        "customfield_10032": "x",
        "customfield_10033": None,
        "customfield_10034": "2026-02-28T09:30:00.000+0000",
    }
    async with open_client(demo_site(3)) as client:
        for type_id in ("10000", "10001", "10002", "10003", "10004"):
            meta = await fields_of_type(type_id)
            fields = {name: value for name, value in values.items() if name in meta}
            if type_id != "10004":
                fields.pop("parent", None)
            for name, field in meta.items():
                if "allowedValues" in field:
                    value = {"id": field["allowedValues"][-1]["id"]}
                    fields[name] = [value] if field["schema"]["type"] == "array" else value
            fields["project"], fields["issuetype"] = {"key": "DEMO"}, {"id": type_id}
            made = await client.post("issue", json={"fields": fields})
            assert made.status_code == 201, made.text
            required = [n for n, f in meta.items() if f["required"] and not f["hasDefaultValue"]]
            for name in required:
                rest = {other: value for other, value in fields.items() if other != name}
                refused = await client.post("issue", json={"fields": rest})
                assert list(refused.json()["errors"]) == [name]


@for_each(
    "path",
    [
        "issue/createmeta/NOPE/issuetypes",
        "issue/createmeta/NOPE/issuetypes/10001",
        f"{TYPES}/1",
        f"{TYPES}/Story",
        f"{TYPES}?maxResults=201",
        f"{TYPES}?startAt=-1",
        f"{TYPES}?maxResults=0",
        f"{TYPES}/10001?maxResults=x",
    ],
)
async def test_what_makes_no_sense_is_refused(path: str) -> None:
    async with open_client(demo_site(3)) as client:
        response = await client.get(path)

    assert response.status_code == 400
    assert len(response.json()["errorMessages"]) == 1


async def test_every_type_of_a_project_is_listed_with_its_statuses() -> None:
    async with open_client(demo_site(3)) as client:
        told = (await client.get("project/DEMO/statuses")).json()

    assert [kind["name"] for kind in told] == ["Epic", "Story", "Task", "Bug", "Sub-task"]
    for kind in told:
        names = [status["name"] for status in kind["statuses"]]
        assert names == ["To Do", "In Progress", "In Review", "Done"]
