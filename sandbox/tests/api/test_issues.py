from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sandbox_client import demo_site, open_client


async def fetch(client: httpx.AsyncClient, ids: list[str], **options: object) -> Any:
    response = await client.post("issue/bulkfetch", json={"issueIdsOrKeys": ids, **options})
    assert response.status_code == 200, response.text
    return response.json()


async def test_an_issue_has_everything_that_its_page_shows() -> None:
    site = demo_site(200)
    story = next(i for i in site if i.type.name == "Story" and i.sprints and i.story_points)
    async with open_client(site) as client:
        fields = (await client.get(f"issue/{story.key}")).json()["fields"]

    assert fields["summary"] == story.summary
    assert fields["issuetype"]["name"] == "Story"
    assert fields["issuetype"]["subtask"] is False
    assert fields["project"]["key"] == "DEMO"
    assert fields["status"]["statusCategory"]["key"] in {"new", "indeterminate", "done"}
    assert fields["description"]["type"] == "doc"
    assert fields["customfield_10016"] == story.story_points
    assert fields["customfield_10020"][0]["name"].startswith("Harbour Sprint ")
    assert fields["labels"] == list(story.labels)
    assert fields["comment"]["comments"] == []
    assert fields["created"].endswith("+0530")


@pytest.mark.parametrize("name", ["DEMO-5", "demo-5", "10005"])
async def test_an_issue_is_got_by_id_and_by_key(name: str) -> None:
    async with open_client() as client:
        response = await client.get(f"issue/{name}", params={"fields": "summary"})

    assert response.json()["key"] == "DEMO-5"
    assert list(response.json()["fields"]) == ["summary"]


@pytest.mark.parametrize("name", ["DEMO-999", "OTHER-1", "0", "..%2F..%2Fx", "%1b"])
async def test_an_issue_that_does_not_exist_is_404(name: str) -> None:
    async with open_client() as client:
        response = await client.get(f"issue/{name}")

    assert response.status_code == 404
    assert set(response.json()) == {"errorMessages", "errors"}


async def test_parents_and_sub_tasks_name_each_other() -> None:
    site = demo_site(200)
    child = next(i for i in site if i.type.subtask)
    assert child.parent is not None
    async with open_client(site) as client:
        answer = await fetch(client, [child.key, str(child.parent)], fields=["parent", "subtasks"])

    by_id = {issue["id"]: issue["fields"] for issue in answer["issues"]}
    parent = by_id[str(child.parent)]
    assert by_id[str(child.id)]["parent"]["id"] == str(child.parent)
    assert by_id[str(child.id)]["subtasks"] == []
    links = {link["key"]: link for link in parent["subtasks"]}
    assert links[child.key]["fields"]["summary"] == child.summary
    assert set(links[child.key]["fields"]) == {"summary", "status", "priority", "issuetype"}


async def test_an_epic_is_a_parent_but_has_no_sub_tasks() -> None:
    site = demo_site(200)
    epic = next(i for i in site if i.type.name == "Epic" and site.children(i))
    async with open_client(site) as client:
        answer = await fetch(client, [epic.key], fields=["subtasks"])

    assert answer["issues"][0]["fields"]["subtasks"] == []


async def test_bulk_fetch_answers_in_ascending_order_once_each_and_skips_what_is_missing() -> None:
    asked = ["DEMO-9", "10002", "demo-9", "DEMO-999", "nonsense", "DEMO-2", "1"]
    async with open_client() as client:
        answer = await fetch(client, asked, fields=["summary"])

    assert [issue["key"] for issue in answer["issues"]] == ["DEMO-2", "DEMO-9"]
    assert answer["issueErrors"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"issueIdsOrKeys": []},
        {},
        {"issueIdsOrKeys": [str(n) for n in range(101)]},
        {"issueIdsOrKeys": [10001]},
        {"issueIdsOrKeys": ["DEMO-1"], "unknown": 1},
        {"issueIdsOrKeys": ["DEMO-1"], "expand": "names"},
    ],
)
async def test_bulk_fetch_refuses_what_is_not_as_documented(body: dict[str, object]) -> None:
    async with open_client() as client:
        response = await client.post("issue/bulkfetch", json=body)

    assert response.status_code == 400


async def test_bulk_fetch_gives_navigable_fields_unless_told_otherwise() -> None:
    async with open_client() as client:
        plain = await fetch(client, ["DEMO-1"])
        full = await fetch(client, ["DEMO-1"], fields=["*all"], expand=["names", "schema"])

    assert "comment" not in plain["issues"][0]["fields"]
    assert "description" in plain["issues"][0]["fields"]
    assert "comment" in full["issues"][0]["fields"]
    assert set(full["issues"][0]["names"]) == set(full["issues"][0]["fields"])


async def test_version_2_gives_descriptions_as_text() -> None:
    site = demo_site(300)
    async with open_client(site, version="2") as client:
        texts = [
            (await client.get(f"issue/{issue.key}")).json()["fields"]["description"]
            for issue in site
            if issue.description is not None
        ]

    assert all(isinstance(text, str) and text for text in texts)
    everything = "\n".join(texts)
    for wiki in (
        "h3. Acceptance Criteria\n\n* ",
        "||Month||",
        "{code:python}",
        "{panel:title=",
        "[~accountid:",
        "*#",
        "*Goal: *",
        "{quote}",
        "----",
        "(/)",
    ):
        assert wiki in everything, wiki


async def test_links_begin_as_the_request_did() -> None:
    async with open_client() as client:
        response = await client.get(
            "http://other.test:81/rest/api/2/issue/DEMO-1", headers={"host": "jira.test:99"}
        )

    assert response.json()["self"] == "http://jira.test:99/rest/api/2/issue/10001"


async def test_a_hostile_host_cannot_break_the_json() -> None:
    async with open_client() as client:
        response = await client.get("issue/DEMO-2", headers={"host": 'a"b\\c'})

    assert response.json()["self"].startswith('http://a"b\\c/')


async def test_a_change_of_a_parent_shows_in_its_children() -> None:
    site = demo_site(100)
    child = next(i for i in site if i.type.subtask)
    assert child.parent is not None
    parent = site.get(child.parent)
    assert parent is not None
    async with open_client(site) as client:
        await fetch(client, [child.key])
        site.put(replace(parent, summary="New title"))
        answer = await fetch(client, [child.key])

    assert answer["issues"][0]["fields"]["parent"]["fields"]["summary"] == "New title"


async def test_answers_are_compact_and_keep_letters_as_they_are() -> None:
    site = demo_site(100)
    async with open_client(site) as client:
        response = await client.get("issue/DEMO-1")

    assert response.headers["content-type"] == "application/json;charset=UTF-8"
    body = response.json()
    assert len(response.text) == len(json.dumps(body, ensure_ascii=False, separators=(",", ":")))
