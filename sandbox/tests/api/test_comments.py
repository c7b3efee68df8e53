from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest
from sandbox_client import demo_site, open_client, search

from jira_sandbox.data import catalogue

DOCUMENT = {
    "type": "doc",
    "version": 1,
    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Hello"}]}],
}


async def add(client: httpx.AsyncClient, body: Any = DOCUMENT, **more: Any) -> Any:
    response = await client.post("issue/DEMO-2/comment", json={"body": body, **more})
    assert response.status_code == 201, response.text
    return response.json()


async def test_a_comment_is_added_and_read() -> None:
    site = demo_site(3)
    before = site.find("DEMO-2")
    async with open_client(site) as client:
        made = await add(client)
        one = await client.get(f"issue/DEMO-2/comment/{made['id']}")
        listed = await client.get("issue/DEMO-2/comment")
        issue = await client.get("issue/DEMO-2?fields=comment")

    after = site.find("DEMO-2")
    assert before is not None
    assert after is not None
    assert after.updated > before.updated
    assert made["body"] == DOCUMENT
    assert made["author"]["displayName"] == made["updateAuthor"]["displayName"] == "Demo User"
    assert made["created"] == made["updated"] == "2025-10-01T17:30:00.000+0530"
    assert one.json() == made
    assert listed.json() == {"startAt": 0, "maxResults": 100, "total": 1, "comments": [made]}
    inside = issue.json()["fields"]["comment"]
    assert (inside["comments"], inside["total"]) == ([made], 1)


async def test_an_old_interface_takes_and_gives_wiki_markup() -> None:
    site = demo_site(3)
    async with open_client(site, version="2") as client:
        made = await add(client, "Hello *you*")
        refused = await client.post("issue/DEMO-2/comment", json={"body": DOCUMENT})
    async with open_client(site) as client:
        new = await client.get(f"issue/DEMO-2/comment/{made['id']}?expand=renderedBody")

    assert made["body"] == "Hello *you*"
    assert refused.json()["errors"] == {"comment": "Operation value must be a string"}
    assert new.json()["body"]["type"] == "doc"
    assert new.json()["renderedBody"] == "<p>Hello *you*</p>"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Comment body can not be empty!"),
        ({"body": None}, "Comment body can not be empty!"),
        ({"body": {**DOCUMENT, "content": []}}, "Comment body can not be empty!"),
        ({"body": {**DOCUMENT, "content": [{"type": "x"}]}}, "Comment body is not valid!"),
        ({"body": "text"}, "Operation value must be an Atlassian Document"),
        ({"body": DOCUMENT, "visibility": {"type": "x"}}, "either of a group or of a role"),
        ({"body": DOCUMENT, "visibility": {"type": "role"}}, "Specify the role"),
    ],
)
async def test_a_wrong_comment_is_refused(body: object, message: str) -> None:
    site = demo_site(3)
    async with open_client(site) as client:
        response = await client.post("issue/DEMO-2/comment", json=body)

    assert response.status_code == 400
    assert message in response.text
    assert site.revision == 0


async def test_a_visibility_with_other_keys_is_refused_for_its_shape() -> None:
    async with open_client() as client:
        body = {"body": DOCUMENT, "visibility": {"type": "role", "other": 1}}
        response = await client.post("issue/DEMO-2/comment", json=body)

    assert (response.status_code, "Invalid request payload" in response.text) == (400, True)


async def test_comments_are_listed_page_by_page_in_either_order() -> None:
    async with open_client() as client:
        made = [(await add(client))["id"] for _ in range(3)]
        first = await client.get("issue/DEMO-2/comment?maxResults=2")
        second = await client.get("issue/DEMO-2/comment?maxResults=2&startAt=2")
        reverse = await client.get("issue/DEMO-2/comment?orderBy=-created")
        wrong = await client.get("issue/DEMO-2/comment?orderBy=author")
        negative = await client.get("issue/DEMO-2/comment?startAt=-1")

    def ids(response: httpx.Response) -> list[str]:
        return [comment["id"] for comment in response.json()["comments"]]

    assert ids(first) + ids(second) == made
    assert ids(reverse) == made[::-1]
    assert (wrong.status_code, negative.status_code) == (400, 400)


async def test_a_search_contains_the_first_twenty_comments_and_an_issue_all() -> None:
    async with open_client() as client:
        for _ in range(21):
            await add(client)
        found = await search(client, "key = DEMO-2", fields=["comment"])
        fetched = await client.post(
            "issue/bulkfetch", json={"issueIdsOrKeys": ["DEMO-2"], "fields": ["comment"]}
        )
        issue = await client.get("issue/DEMO-2?fields=comment")

    for answer in (found, fetched.json()):
        page = answer["issues"][0]["fields"]["comment"]
        assert (len(page["comments"]), page["maxResults"], page["total"]) == (20, 20, 21)
    assert len(issue.json()["fields"]["comment"]["comments"]) == 21


async def test_a_comment_is_edited_and_deleted() -> None:
    changed = {**DOCUMENT, "content": [{"type": "rule"}]}
    role = {"type": "role", "value": "Administrators"}
    async with open_client() as client:
        made, other = await add(client), await add(client)
        path = f"issue/DEMO-2/comment/{made['id']}"
        edited = await client.put(path, json={"body": changed, "visibility": role})
        again = await client.put(path, json={"body": DOCUMENT, "visibility": None})
        deleted = await client.delete(path)
        gone = await client.get(path)
        left = await client.get("issue/DEMO-2/comment")

    assert edited.json()["body"] == changed
    assert edited.json()["visibility"] == {**role, "identifier": "Administrators"}
    assert edited.json()["updated"] > made["updated"]
    assert "visibility" not in again.json()
    assert (deleted.status_code, gone.status_code) == (204, 404)
    assert left.json()["comments"] == [other]


async def test_a_comment_of_another_user_can_be_read_only() -> None:
    site = demo_site(3)
    async with open_client(site) as client:
        made = await add(client)
        issue = site.find("DEMO-2")
        assert issue is not None
        theirs = replace(issue.comments[0], author=catalogue.USERS[1])
        site.edit("DEMO-2", comments=(theirs,))
        path = f"issue/DEMO-2/comment/{made['id']}"
        read = await client.get(path)
        edited = await client.put(path, json={"body": DOCUMENT})
        deleted = await client.delete(path)

    assert read.json()["author"]["displayName"] == "Zoë Åkesson"
    assert (edited.status_code, deleted.status_code) == (400, 400)
    assert "permission to edit" in edited.text
    assert "permission to delete" in deleted.text


async def test_comments_of_several_issues_are_read_by_their_ids() -> None:
    async with open_client() as client:
        made = await add(client)
        ids = [int(made["id"]), 5]
        found = await client.post("comment/list?expand=renderedBody", json={"ids": ids})
        many = await client.post("comment/list", json={"ids": list(range(1001))})

    assert found.json()["values"] == [{**made, "renderedBody": "<p>Hello</p>"}]
    assert many.status_code == 400


async def test_properties_are_kept_with_a_comment() -> None:
    async with open_client() as client:
        made = await add(client, properties=[{"key": "marker", "value": "x"}])
        path = f"comment/{made['id']}/properties"
        listed = await client.get(path)
        read = await client.get(f"{path}/marker")
        added = await client.put(f"{path}/new", json=[1])
        replaced = await client.put(f"{path}/new", json=[2])
        expanded = await client.get("issue/DEMO-2/comment?expand=properties")
        removed = await client.delete(f"{path}/marker")
        missing = await client.get(f"{path}/marker")
        no_comment = await client.get("comment/1/properties")

    assert [entry["key"] for entry in listed.json()["keys"]] == ["marker"]
    assert read.json() == {"key": "marker", "value": "x"}
    assert (added.status_code, replaced.status_code) == (201, 200)
    assert expanded.json()["comments"][0]["properties"] == [
        {"key": "marker", "value": "x"},
        {"key": "new", "value": [2]},
    ]
    assert (removed.status_code, missing.status_code, no_comment.status_code) == (204, 404, 404)
