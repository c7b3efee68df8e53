"""Boards, sprints, ranks and estimates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rows import for_each
from sandbox_agile import agile, new_site
from sandbox_client import NOW, open_client

from jira_sandbox import SiteFile, open_site
from jira_sandbox.data import catalogue
from jira_sandbox.data.model import Sprint

DATES = {"startDate": "2025-10-01", "endDate": "2025-10-15T10:00:00.000Z"}


async def test_a_sprint_is_made_started_and_closed() -> None:
    site = new_site()
    async with agile(site) as client:
        body = {"name": "Autumn", "originBoardId": 3, "goal": "Open"}
        made = (await client.post("sprint", json=body)).json()
        path = f"sprint/{made['id']}"
        early = await client.post(path, json={"state": "active"})
        await client.post(path, json=DATES)
        started = (await client.post(path, json={"state": "active"})).json()
        await client.post(f"{path}/issue", json={"issues": ["KIT-3", "KIT-4"]})
        closed = (await client.post(path, json={"state": "closed"})).json()
        again = await client.post(path, json={"state": "active"})
        late = await client.post(f"{path}/issue", json={"issues": ["KIT-5"]})
        inside = (await client.get(f"{path}/issue")).json()
        issue = (await client.get("issue/KIT-3")).json()["fields"]

    assert (made["state"], made["goal"], made["originBoardId"]) == ("future", "Open", 3)
    assert "startDate" not in made
    assert (early.status_code, again.status_code, late.status_code) == (400, 400, 400)
    assert started["startDate"] == "2025-09-30T18:30:00.000Z"
    assert closed["completeDate"] == "2025-10-01T12:00:00.000Z"
    assert [issue["key"] for issue in inside["issues"]] == ["KIT-3", "KIT-4"]
    assert issue["sprint"] is None
    assert [sprint["state"] for sprint in issue["closedSprints"]] == ["closed"]
    assert [sprint.state for sprint in site.existing("KIT-3").sprints] == ["closed"]


async def test_a_full_update_empties_what_it_leaves_out() -> None:
    async with agile() as client:
        await client.put("sprint/8", json={"name": "Renamed", **DATES, "goal": "x"})
        full = (await client.get("sprint/8")).json()
        await client.put("sprint/8", json={"name": "Renamed"})
        empty = (await client.get("sprint/8")).json()

    assert full["endDate"] == "2025-10-15T10:00:00.000Z"
    assert (empty["name"], empty["goal"]) == ("Renamed", "")
    assert "endDate" not in empty


async def test_issues_are_moved_into_a_sprint_and_back() -> None:
    site = new_site()
    kit = site.edit("KIT-3", sprints=tuple(site.registry.sprints(1))[:2])
    async with agile(site) as client:
        moved = await client.post("sprint/8/issue", json={"issues": ["KIT-3", str(kit.id + 1)]})
        inside = [sprint.id for sprint in site.existing("KIT-3").sprints]
        back = await client.post("backlog/issue", json={"issues": ["KIT-3"]})

    assert (moved.status_code, back.status_code) == (204, 204)
    assert inside == [1, 2, 8]
    assert [sprint.id for sprint in site.existing("KIT-3").sprints] == [1, 2]


async def test_the_issues_of_a_deleted_sprint_go_to_the_backlog() -> None:
    site = new_site()
    async with agile(site) as client:
        await client.post("sprint/8/issue", json={"issues": ["KIT-3"]})
        assert (await client.delete("sprint/8")).status_code == 204
        assert (await client.get("sprint/8")).status_code == 404

    assert site.existing("KIT-3").sprints == ()


@for_each(
    ("method", "path", "body", "status"),
    [
        ("POST", "sprint", {"name": "x"}, 404),
        ("POST", "sprint", {"name": "x", "originBoardId": 2}, 400),
        ("POST", "sprint", {"originBoardId": 1}, 400),
        ("POST", "sprint", {"originBoardId": 1, "name": "x" * 31}, 400),
        ("POST", "sprint", {"originBoardId": 1, "name": "x", "startDate": "soon"}, 400),
        ("POST", "sprint", {"originBoardId": 1, "name": "x", "startDate": 5}, 400),
        ("GET", "sprint/99", None, 404),
        ("GET", "sprint/x", None, 404),
        ("POST", "sprint/7/issue", {"issues": []}, 400),
        ("POST", "sprint/7/issue", {"issues": ["KIT-99"]}, 404),
        ("POST", "sprint/7/issue", {"issues": ["KIT-1"]}, 400),
        ("POST", "sprint/7/issue", {"issues": ["KIT-3"], "rankAfterIssue": "KIT-99"}, 404),
    ],
)
async def test_a_wrong_request_is_refused(method: str, path: str, body: Any, status: int) -> None:
    async with agile() as client:
        response = await client.request(method, path, json=body)

    assert response.status_code == status, response.text


async def test_sprints_are_stored(tmp_path: Path) -> None:
    with SiteFile(tmp_path / "a.db") as file:
        async with agile(open_site(file, tickets=3, clock=lambda: NOW)) as client:
            made = (await client.post("sprint", json={"name": "New", "originBoardId": 1})).json()
            await client.post(f"sprint/{made['id']}/issue", json={"issues": ["DEMO-2"]})
            await client.delete("sprint/1")
    with SiteFile(tmp_path / "a.db") as file:
        site = open_site(file, clock=lambda: NOW)
        async with open_client(site) as client:
            response = await client.get("issue/DEMO-2?fields=customfield_10020")

    assert response.json()["fields"]["customfield_10020"][-1]["name"] == "New"
    assert site.registry.sprint(1) is None
    assert site.registry.sprint(made["id"]) == Sprint(
        made["id"], "New", "future", "", None, None, board=1
    )


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


async def order(client: Any) -> list[str]:
    page = (await client.get("board/3/issue?fields=summary")).json()
    return [issue["key"] for issue in page["issues"]]


async def test_issues_are_ranked() -> None:
    async with agile() as client:
        before = await order(client)
        after_all = {"issues": ["KIT-2"], "rankAfterIssue": "KIT-8"}
        await client.put("issue/rank", json=after_all)
        in_front = {"issues": ["KIT-5", "KIT-4"], "rankBeforeIssue": "KIT-3"}
        await client.put("issue/rank", json=in_front)
        between = {"issues": ["KIT-7"], "rankAfterIssue": "KIT-5"}
        await client.put("issue/rank", json=between)
        after = await order(client)
        ranks = [
            (await client.get(f"issue/{key}")).json()["fields"]["customfield_10019"]
            for key in after
        ]
        wrong = await client.put("issue/rank", json={"issues": ["KIT-2"]})

    assert before == [f"KIT-{number}" for number in range(2, 9)]
    assert after == [f"KIT-{number}" for number in (5, 7, 4, 3, 6, 8, 2)]
    assert ranks == sorted(ranks)
    assert wrong.status_code == 400


async def test_issues_get_and_lose_their_epic() -> None:
    site = new_site()
    epic = site.existing("KIT-1").id
    async with agile(site) as client:
        described = (await client.get("epic/KIT-1")).json()
        await client.post("epic/KIT-1/issue", json={"issues": ["KIT-3"]})
        inside = (await client.get("epic/KIT-1/issue")).json()
        with_epic = site.existing("KIT-3").parent
        await client.post("epic/none/issue", json={"issues": ["KIT-3"]})
        foreign = await client.post("epic/KIT-1/issue", json={"issues": ["DEMO-3"]})
        subtask = await client.post("epic/KIT-1/issue", json={"issues": ["KIT-6"]})
        no_epic = await client.get("epic/KIT-2")

    assert (described["key"], described["done"]) == ("KIT-1", False)
    assert "KIT-3" in [issue["key"] for issue in inside["issues"]]
    assert with_epic == epic
    assert site.existing("KIT-3").parent is None
    assert (foreign.status_code, subtask.status_code, no_epic.status_code) == (400, 400, 404)


@pytest.mark.parametrize(
    ("key", "field"), [("KIT-3", "customfield_10016"), ("TEAM-3", "customfield_10028")]
)
async def test_an_issue_is_estimated(key: str, field: str) -> None:
    async with agile() as client:
        path = f"issue/{key}/estimation?boardId=3"
        empty = (await client.get(path)).json()
        made = (await client.put(path, json={"value": "8"})).json()
        issue = (await client.get(f"issue/{key}")).json()["fields"]
        cleared = (await client.put(path, json={"value": None})).json()
        wrong = await client.put(path, json={"value": "many"})

    assert empty == cleared == {"fieldId": field, "value": None}
    assert made == {"fieldId": field, "value": 8.0}
    assert issue[field] == 8.0
    assert wrong.status_code == 400


async def test_a_flagged_issue_says_so() -> None:
    async with agile() as client:
        flagged = (await client.get("issue/KIT-2?fields=flagged,epic")).json()["fields"]
        plain = (await client.get("issue/KIT-3")).json()["fields"]

    assert flagged["flagged"] is True
    assert flagged["epic"]["key"] == "KIT-1"
    assert plain["flagged"] is False
