from __future__ import annotations

from typing import Any

import pytest
from sandbox_client import demo_site, open_client

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


async def test_types_differ_in_their_fields() -> None:
    epic, sub_task = await fields_of_type("10000"), await fields_of_type("10004")

    assert "parent" not in epic
    assert sub_task["parent"]["required"] is True
    for fields in (epic, sub_task):
        assert "customfield_10016" not in fields
        assert "customfield_10020" not in fields


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


@pytest.mark.parametrize(
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
