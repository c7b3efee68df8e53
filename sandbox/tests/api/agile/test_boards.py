from __future__ import annotations

from typing import Any

import pytest
from sandbox_agile import agile, new_site

from jira_sandbox.data import catalogue


def names(page: Any) -> list[str]:
    return [entry["name"] for entry in page["values"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["DEMO board", "BLANK board", "KIT board", "TEAM board"]),
        ("?type=scrum", ["DEMO board", "KIT board"]),
        ("?projectKeyOrId=TEAM", ["TEAM board"]),
        ("?name=bla", ["BLANK board"]),
        ("?startAt=3", ["TEAM board"]),
    ],
)
async def test_boards_are_found(query: str, expected: list[str]) -> None:
    async with agile() as client:
        page = (await client.get(f"board{query}")).json()

    assert names(page) == expected


async def test_a_board_describes_itself() -> None:
    async with agile() as client:
        board = (await client.get("board/1")).json()
        setup = (await client.get("board/1/configuration")).json()
        team = (await client.get("board/4/configuration")).json()
        projects = (await client.get("board/1/project")).json()

    assert board["location"]["projectKey"] == "DEMO"
    assert [column["name"] for column in setup["columnConfig"]["columns"]] == [
        "To Do",
        "In Progress",
        "In Review",
        "Done",
    ]
    assert setup["estimation"]["field"]["fieldId"] == "customfield_10016"
    assert team["estimation"]["field"]["fieldId"] == "customfield_10028"
    assert [project["key"] for project in projects["values"]] == ["DEMO"]


async def test_a_board_has_sprints() -> None:
    async with agile() as client:
        every = (await client.get("board/1/sprint")).json()
        some = (await client.get("board/1/sprint?state=active,future")).json()
        none = await client.get("board/2/sprint")

    assert names(every) == [f"Harbour Sprint {number}" for number in range(1, 9)]
    assert [sprint["state"] for sprint in some["values"]] == ["active", "future"]
    assert some["values"][0]["originBoardId"] == 1
    assert "completeDate" not in some["values"][0]
    assert none.status_code == 400


async def test_the_issues_of_a_board_are_listed() -> None:
    site = new_site()
    async with agile(site) as client:
        issues = (await client.get("board/1/issue?maxResults=100&fields=summary,sprint")).json()
        done = (await client.get("board/1/issue?jql=status=Done&maxResults=2")).json()
        backlog = (await client.get("board/1/backlog?maxResults=100")).json()
        in_sprint = (await client.get("board/1/sprint/7/issue")).json()
        epics = (await client.get("board/1/epic?done=false")).json()
        key = epics["values"][0]["key"]
        of_epic = (await client.get(f"board/1/epic/{key}/issue")).json()
        of_none = (await client.get("board/1/epic/none/issue")).json()

    demo = [issue for issue in site if issue.project == catalogue.DEMO]
    assert issues["total"] == sum(issue.type.level < 1 for issue in demo)
    assert set(issues["issues"][0]["fields"]) == {"summary", "sprint"}
    assert {issue["fields"]["status"]["name"] for issue in done["issues"]} == {"Done"}
    assert all(issue["fields"]["sprint"] is None for issue in backlog["issues"])
    assert all(issue["fields"]["sprint"]["id"] == 7 for issue in in_sprint["issues"])
    assert all(issue["fields"]["epic"]["key"] == key for issue in of_epic["issues"])
    assert all(issue["fields"]["epic"] is None for issue in of_none["issues"])
    assert in_sprint["issues"]
    assert of_epic["issues"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("board/9", 404), ("board?projectKeyOrId=NOPE", 400), ("board/1/epic/DEMO-99/issue", 404)],
)
async def test_what_is_missing_is_reported(path: str, status: int) -> None:
    async with agile() as client:
        assert (await client.get(path)).status_code == status
