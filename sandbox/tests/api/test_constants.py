from __future__ import annotations

from typing import Any

import pytest
from sandbox_client import NOW, demo_site, open_client

from jira_sandbox import make_site


def names(entries: Any) -> list[str]:
    return [entry["name"] for entry in entries]


@pytest.mark.parametrize(
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


@pytest.mark.parametrize(
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
