"""Issues are fetched and searched, also by an index that is behind."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import trio
from rows import for_each
from sandbox_client import NOW, demo_site, keys, open_client, search
from trio.testing import MockClock

from jira_sandbox import Site, make_site

NEWEST_FIRST = [f"DEMO-{number}" for number in range(60, 0, -1)]


async def test_without_fields_a_search_gives_ids_alone() -> None:
    async with open_client() as client:
        answer = await search(client, "project = DEMO", maxResults=2)

    assert answer["issues"] == [{"id": "10060"}, {"id": "10059"}]


@for_each(
    ("fields", "inside"),
    [
        ([], None),
        (["id"], None),
        (["key"], None),
        (["id", "key"], None),
        (["summary", "nonsense"], {"summary"}),
        (["summary,status"], {"summary", "status"}),
        (["*navigable", "-description"], "navigable"),
        (["-description"], "navigable"),
        (["*all", "-comment"], "all"),
    ],
)
async def test_fields_are_chosen(fields: list[str], inside: set[str] | str | None) -> None:
    async with open_client() as client:
        answer = await search(client, "key = DEMO-1", fields=fields)

    (issue,) = answer["issues"]
    assert issue["id"] == "10001"
    if inside is None:
        assert ("key" in issue) == ("key" in fields)
        assert "fields" not in issue
    elif isinstance(inside, set):
        assert set(issue["fields"]) == inside
        assert issue["self"] == "http://jira.test/rest/api/3/issue/10001"
    else:
        assert ("description" in issue["fields"]) == (inside == "all")
        assert ("worklog" in issue["fields"]) == (inside == "all")
        assert "comment" not in issue["fields"]
        assert {"summary", "updated", "customfield_10016"} <= set(issue["fields"])


async def test_get_and_post_give_the_same_answer() -> None:
    jql = 'project = DEMO AND type in (Story, "Sub-task") order by key'
    async with open_client() as client:
        by_post = await search(client, jql, fields=["summary", "status"], maxResults=7)
        repeated = await client.get(
            "search/jql", params={"jql": jql, "fields": ["summary", "status"], "maxResults": 7}
        )
        with_commas = await client.get(
            "search/jql", params={"jql": jql, "fields": "summary,status", "maxResults": "7"}
        )

    assert repeated.json() == with_commas.json() == by_post
    assert len(by_post["issues"]) == 7


@pytest.mark.parametrize("size", [1, 7, 59, 60, 61])
async def test_tokens_lead_through_every_issue_once(size: int) -> None:
    found: list[str] = []
    pages: list[dict[str, Any]] = []
    async with open_client() as client:
        token = None
        while True:
            page = await search(
                client, "project = DEMO", fields=["key"], maxResults=size, nextPageToken=token
            )
            pages.append(page)
            found += [issue["key"] for issue in page["issues"]]
            token = page.get("nextPageToken")
            if token is None:
                break

    assert found == NEWEST_FIRST
    assert [page["isLast"] for page in pages] == [False] * (len(pages) - 1) + [True]
    assert len(pages) == -(-60 // size)
    assert len({page.get("nextPageToken") for page in pages}) == len(pages)


@pytest.fixture(scope="module")
def large_site() -> Site:
    return demo_site(5001)


@pytest.mark.parametrize(
    ("fields", "asked", "given"),
    [
        (["id"], 5000, 5000),
        (["id"], 9999, 5000),
        (["key"], 5000, 5000),
        (["summary"], 5000, 100),
        (["id", "summary"], 101, 100),
        (["id"], None, 50),
        (["summary"], None, 50),
    ],
)
async def test_a_page_holds_many_ids_but_few_issues(
    large_site: Site, fields: list[str], asked: int | None, given: int
) -> None:
    async with open_client(large_site) as client:
        answer = await search(client, "project = DEMO", fields=fields, maxResults=asked)

    assert len(answer["issues"]) == given
    assert not answer["isLast"]


@pytest.mark.parametrize("token", ["x", "", "ÿ", "MTAuYWJj", base64.b64encode(b"a.b").decode()])
async def test_a_token_that_was_never_given_is_refused(token: str) -> None:
    async with open_client() as client:
        response = await client.post(
            "search/jql", json={"jql": "project = DEMO", "nextPageToken": token}
        )

    assert response.status_code == 400
    assert response.json()["errorMessages"] == [
        "The provided nextPageToken is invalid or has expired."
    ]


async def test_a_token_of_another_query_is_refused() -> None:
    async with open_client() as client:
        page = await search(client, "project = DEMO", maxResults=5)
        response = await client.post(
            "search/jql",
            json={"jql": "project = BLANK", "nextPageToken": page["nextPageToken"]},
        )

    assert response.status_code == 400


@pytest.mark.parametrize(
    ("jql", "count"),
    [("project = DEMO", 60), ("project = BLANK", 0), ("key in (DEMO-1, DEMO-2)", 2)],
)
async def test_the_count_is_exact(jql: str, count: int) -> None:
    async with open_client() as client:
        response = await client.post("search/approximate-count", json={"jql": jql})

    assert response.json() == {"count": count}


@pytest.mark.parametrize(
    ("jql", "message"),
    [
        ("project = NOPE", "The value 'NOPE' does not exist for the field 'project'."),
        ("order by key", "Unbounded JQL queries are not allowed here. "),
        ("project = ", "Error in the JQL Query: "),
    ],
)
async def test_a_bad_query_is_400_of_jiras_shape_everywhere(jql: str, message: str) -> None:
    async with open_client() as client:
        answers = [
            await client.post("search/jql", json={"jql": jql}),
            await client.get("search/jql", params={"jql": jql}),
            await client.post("search/approximate-count", json={"jql": jql}),
        ]

    for response in answers:
        assert response.status_code == 400
        body = response.json()
        assert set(body) == {"errorMessages", "errors"}
        assert body["errors"] == {}
        assert body["errorMessages"][0].startswith(message)


@for_each(
    "body",
    [
        {"startAt": 0},
        {"jql": 1},
        {"fields": "summary"},
        {"fields": [1]},
        {"maxResults": "5"},
        {"maxResults": True},
        {"maxResults": 1.5},
        {"expand": ["names"]},
        {"reconcileIssues": ["DEMO-1"]},
        {"maxResults": 0},
        {"maxResults": -1},
        {"maxResults": 2**31},
        {"reconcileIssues": list(range(51))},
        {"properties": list("abcdef")},
    ],
)
async def test_a_body_that_is_not_as_documented_is_refused(body: dict[str, object]) -> None:
    async with open_client() as client:
        response = await client.post("search/jql", json={"jql": "project = DEMO", **body})

    assert response.status_code == 400
    assert len(response.json()["errorMessages"]) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"x"', "[" * 100_000, b"\xff"])
async def test_a_body_that_is_no_json_object_is_refused(content: str | bytes) -> None:
    async with open_client() as client:
        response = await client.post("search/jql", content=content)

    assert response.status_code == 400


async def test_a_body_without_end_is_refused() -> None:
    async with open_client() as client:
        response = await client.post("search/jql", content=b" " * 2_000_001)

    assert response.status_code == 413


async def test_names_and_schema_come_when_asked_for() -> None:
    async with open_client() as client:
        answer = await search(
            client,
            "key = DEMO-1",
            fields=["summary", "customfield_10020"],
            expand="names, schema",
            properties=["ticketr"],
        )

    assert answer["names"] == {"summary": "Summary", "customfield_10020": "Sprint"}
    assert answer["schema"]["customfield_10020"]["items"] == "json"
    assert answer["issues"][0]["properties"] == {}


async def test_a_change_shows_at_once() -> None:
    site = demo_site(5)
    issue = site.find("DEMO-2")
    assert issue is not None
    async with open_client(site) as client:
        await search(client, "project = DEMO", fields=["*all"])
        site.put(replace(issue, summary="Changed", updated=issue.updated + 10**9))
        answer = await search(client, "key = DEMO-2", fields=["summary"])
        newest = await keys(client, "project = DEMO order by updated desc")

    assert answer["issues"][0]["fields"] == {"summary": "Changed"}
    assert newest[0] == "DEMO-2"


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


NEW = {"project": {"key": "DEMO"}, "issuetype": {"name": "Task"}, "summary": "New"}


def behind() -> Site:
    """Make a site with Trio's clock and searches that lag three seconds behind."""
    began = trio.current_time()
    return make_site(
        tickets=5,
        seed=1,
        clock=lambda: NOW + timedelta(seconds=trio.current_time() - began),
        search_lag=3,
    )


async def count(client: httpx.AsyncClient, jql: str) -> int:
    number: int = (await client.post("search/approximate-count", json={"jql": jql})).json()["count"]
    return number


async def test_a_new_issue_is_fetched_at_once_and_found_later(autojump_clock: MockClock) -> None:
    async with open_client(behind()) as client:
        await client.post("issue", json={"fields": NEW})
        assert (await client.get("issue/DEMO-6")).status_code == 200
        fetched = await client.post("issue/bulkfetch", json={"issueIdsOrKeys": ["DEMO-6"]})
        assert len(fetched.json()["issues"]) == 1
        assert await keys(client, "key = DEMO-6") == []
        assert await count(client, "project = DEMO") == 5
        await trio.sleep(2.999)
        assert await keys(client, "key = DEMO-6") == []
        await trio.sleep(0.001)
        assert await keys(client, "key = DEMO-6") == ["DEMO-6"]
        assert await count(client, "project = DEMO") == 6


async def test_an_edit_and_a_delete_are_seen_later(autojump_clock: MockClock) -> None:
    async with open_client(behind()) as client:
        await client.put("issue/DEMO-2", json={"fields": {"summary": "Kumquat"}})
        await trio.sleep(1)
        await client.delete("issue/DEMO-2?deleteSubtasks=true")
        for wait, edited, total in ((1.5, [], 5), (1, ["DEMO-2"], 5), (1, [], 4)):
            await trio.sleep(wait)
            assert await keys(client, "summary ~ kumquat") == edited
            assert len(await keys(client, "project = DEMO")) == total


async def test_a_search_that_is_behind_shows_the_issue_as_it_was(autojump_clock: MockClock) -> None:
    async with open_client(behind()) as client:
        before = (await client.get("issue/DEMO-2")).json()["fields"]["summary"]
        await client.put("issue/DEMO-2", json={"fields": {"summary": "Kumquat"}})
        for _ in range(2):
            current = (await client.get("issue/DEMO-2")).json()["fields"]["summary"]
            answer = await search(client, "key = DEMO-2", fields=["summary"])
            assert current == "Kumquat"
            assert answer["issues"][0]["fields"]["summary"] == before


async def test_reconciled_issues_are_seen_as_they_are(autojump_clock: MockClock) -> None:
    async with open_client(behind()) as client:
        await client.post("issue", json={"fields": NEW})
        await client.put("issue/DEMO-2", json={"fields": {"summary": "Kumquat"}})
        await client.delete("issue/DEMO-4")
        jql = "project = DEMO ORDER BY key"
        ids = [10002, 10004, 10006]
        answer = await search(client, jql, fields=["summary"], reconcileIssues=ids)
        one = await client.get(
            "search/jql",
            params={"jql": "project = DEMO", "fields": "key", "reconcileIssues": "10006"},
        )
        plain = await search(client, jql, fields=["key"])

    numbers = [issue["key"].removeprefix("DEMO-") for issue in answer["issues"]]
    assert numbers == ["1", "2", "3", "5", "6"]
    assert answer["issues"][1]["fields"]["summary"] == "Kumquat"
    assert one.json()["issues"][0]["key"] == "DEMO-6"
    assert len(plain["issues"]) == 5


async def test_an_incremental_search_misses_what_has_just_been_written(
    autojump_clock: MockClock,
) -> None:
    """A client needs an overlap to find such an issue."""
    async with open_client(behind()) as client:
        await client.put("issue/DEMO-2", json={"fields": {"summary": "Kumquat"}})
        jql = "project = DEMO AND updated >= '2025/10/01 17:29' AND updated <= '2025/10/01 17:31'"
        missed = await keys(client, jql)
        await trio.sleep(3)
        found = await keys(client, jql)

    assert (missed, found) == ([], ["DEMO-2"])
