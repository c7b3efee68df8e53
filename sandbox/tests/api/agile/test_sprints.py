from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sandbox_agile import agile, new_site
from sandbox_client import NOW, open_client

from jira_sandbox import SiteFile, open_site
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


@pytest.mark.parametrize(
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
