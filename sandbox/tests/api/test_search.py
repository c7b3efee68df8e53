from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from sandbox_client import demo_site, keys, open_client, search

from jira_sandbox import Site

NEWEST_FIRST = [f"DEMO-{number}" for number in range(60, 0, -1)]


async def test_without_fields_a_search_gives_ids_alone() -> None:
    async with open_client() as client:
        answer = await search(client, "project = DEMO", maxResults=2)

    assert answer["issues"] == [{"id": "10060"}, {"id": "10059"}]


@pytest.mark.parametrize(
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


@pytest.mark.parametrize(
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


async def test_nulls_in_the_body_are_as_good_as_nothing() -> None:
    nothing = dict.fromkeys(("expand", "properties", "reconcileIssues", "fields", "maxResults"))
    async with open_client() as client:
        answer = await search(client, "project = DEMO", **nothing)

    assert len(answer["issues"]) == 50


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("version", ["2", "3"])
async def test_the_old_search_is_gone(method: str, version: str) -> None:
    async with open_client(version=version) as client:
        response = await client.request(method, "search", params={"jql": "project = DEMO"})

    assert response.status_code == 410
    assert response.json()["errorMessages"][0].startswith("The requested API has been removed.")


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
