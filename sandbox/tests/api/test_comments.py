"""Comments, worklogs and properties of an issue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from rows import for_each
from sandbox_client import demo_site, open_client, search

from jira_sandbox import Site
from jira_sandbox.api.durations import read_duration
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


def estimated(seconds: int | None = 36_000) -> Site:
    site = demo_site(3)
    site.edit("DEMO-2", original_estimate=seconds, remaining_estimate=seconds)
    return site


async def add_work(client: httpx.AsyncClient, query: str = "", **body: Any) -> Any:
    response = await client.post(f"issue/DEMO-2/worklog{query}", json=body)
    assert response.status_code == 201, response.text
    return response.json()


async def test_time_is_logged_and_reduces_the_estimate() -> None:
    async with open_client(estimated()) as client:
        made = await add_work(client, timeSpent="2h 30m", started="2025-09-30T09:00:00.000+0000")
        one = await client.get(f"issue/DEMO-2/worklog/{made['id']}")
        listed = await client.get("issue/DEMO-2/worklog")
        names = (
            "worklog,timetracking,timespent,timeestimate,timeoriginalestimate,workratio,progress"
        )
        fields = (await client.get(f"issue/DEMO-2?fields={names}")).json()["fields"]

    assert (made["timeSpent"], made["timeSpentSeconds"]) == ("2h 30m", 9000)
    assert made["started"] == "2025-09-30T14:30:00.000+0530"
    assert "comment" not in made
    assert one.json() == made
    assert listed.json() == {"startAt": 0, "maxResults": 5000, "total": 1, "worklogs": [made]}
    assert fields["worklog"] == {"startAt": 0, "maxResults": 20, "total": 1, "worklogs": [made]}
    assert fields["timetracking"] == {
        "originalEstimate": "1d 2h",
        "originalEstimateSeconds": 36_000,
        "remainingEstimate": "7h 30m",
        "remainingEstimateSeconds": 27_000,
        "timeSpent": "2h 30m",
        "timeSpentSeconds": 9000,
    }
    assert (fields["timespent"], fields["timeestimate"]) == (9000, 27_000)
    assert (fields["timeoriginalestimate"], fields["workratio"]) == (36_000, 25)
    assert fields["progress"] == {"progress": 9000, "total": 36_000, "percent": 25}


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("", 32_400),
        ("?adjustEstimate=leave", 36_000),
        ("?adjustEstimate=new&newEstimate=2d", 57_600),
        ("?adjustEstimate=manual&reduceBy=30m", 34_200),
        ("?adjustEstimate=manual&reduceBy=5w", 0),
    ],
)
async def test_the_estimate_is_adjusted_as_asked(query: str, left: int) -> None:
    site = estimated()
    async with open_client(site) as client:
        await add_work(client, query, timeSpentSeconds=3600)

    issue = site.find("DEMO-2")
    assert issue is not None
    assert issue.remaining_estimate == left


async def test_without_an_estimate_there_is_none_to_reduce() -> None:
    site = estimated(None)
    async with open_client(site) as client:
        await add_work(client, timeSpent="90")

    issue = site.find("DEMO-2")
    assert issue is not None
    assert (issue.remaining_estimate, issue.seconds_spent) == (None, 5400)


@pytest.mark.parametrize(
    ("query", "body", "message"),
    [
        ("", {}, "You must indicate the time spent working."),
        ("", {"timeSpent": "a while"}, "Invalid time duration entered."),
        ("", {"timeSpentSeconds": 59}, "Worklog must not be less than a minute."),
        ("", {"timeSpent": "1h", "started": "today"}, "Error parsing time string: today"),
        ("", {"timeSpent": "1h", "comment": 5}, "Operation value must be an Atlassian Document"),
        ("?adjustEstimate=new", {"timeSpent": "1h"}, "'newEstimate' must be a duration"),
        ("?adjustEstimate=guess", {"timeSpent": "1h"}, "is not one of"),
    ],
)
async def test_a_wrong_worklog_is_refused(query: str, body: object, message: str) -> None:
    site = demo_site(3)
    async with open_client(site) as client:
        response = await client.post(f"issue/DEMO-2/worklog{query}", json=body)

    assert response.status_code == 400
    assert message in response.text
    assert site.revision == 0


async def test_a_worklog_is_edited_and_deleted() -> None:
    text = {"type": "paragraph", "content": [{"type": "text", "text": "done"}]}
    document = {"type": "doc", "version": 1, "content": [text]}
    role = {"type": "role", "value": "Developers", "identifier": "Developers"}
    site = estimated()
    async with open_client(site) as client:
        made = await add_work(client, timeSpent="1h", properties=[{"key": "k", "value": 1}])
        path = f"issue/DEMO-2/worklog/{made['id']}"
        body = {"timeSpent": "3h", "comment": document, "visibility": role}
        edited = await client.put(f"{path}?expand=properties", json=body)
        changed = site.find("DEMO-2")
        deleted = await client.delete(path)
        missing = await client.get(path)

    after = site.find("DEMO-2")
    assert changed is not None
    assert after is not None
    assert edited.json()["timeSpentSeconds"] == 10_800
    assert edited.json()["comment"] == document
    assert edited.json()["visibility"] == role
    assert edited.json()["properties"] == [{"key": "k", "value": 1}]
    assert edited.json()["started"] == made["started"]
    assert (changed.remaining_estimate, after.remaining_estimate) == (25_200, 36_000)
    assert (deleted.status_code, missing.status_code) == (204, 404)


async def test_a_deleted_worklog_can_increase_the_estimate_by_another_amount() -> None:
    site = estimated()
    async with open_client(site) as client:
        made = await add_work(client, timeSpent="1h")
        query = "adjustEstimate=manual&increaseBy=2h"
        await client.delete(f"issue/DEMO-2/worklog/{made['id']}?{query}")

    issue = site.find("DEMO-2")
    assert issue is not None
    assert issue.remaining_estimate == 36_000 - 3600 + 7200


async def test_worklogs_are_in_the_order_of_the_work_and_selected_by_it() -> None:
    async with open_client() as client:
        late = await add_work(client, timeSpent="1h", started="2025-09-30T00:00:00.000+0000")
        early = await add_work(client, timeSpent="1h", started="2025-09-29T00:00:00.000+0000")
        listed = await client.get("issue/DEMO-2/worklog")
        after = await client.get("issue/DEMO-2/worklog?startedAfter=1759190400000")
        before = await client.get("issue/DEMO-2/worklog?startedBefore=1759190400000")
        by_id = await client.post("worklog/list", json={"ids": [int(late["id"]), 1]})
        many = await client.post("worklog/list", json={"ids": list(range(1001))})

    assert listed.json()["worklogs"] == [early, late]
    assert after.json()["worklogs"] == [late]
    assert before.json()["worklogs"] == [early]
    assert by_id.json() == [late]
    assert many.status_code == 400


@for_each(
    ("text", "seconds"),
    [
        ("1w 2d 3h 4m", 144_000 + 57_600 + 10_800 + 240),
        ("1.5h", 5400),
        ("2D", 57_600),
        ("90", 5400),
        ("1h30m", 5400),
        ("", None),
        ("-1h", None),
        ("1 year", None),
    ],
)
def test_durations_are_read(text: str, seconds: int | None) -> None:
    assert read_duration(text) == seconds


PLACE = "issue/DEMO-2/properties"


async def test_a_property_is_made_changed_listed_and_removed() -> None:
    statuses, keys = [], []
    async with open_client(demo_site(3)) as client:
        for method, path, value in (
            ("PUT", f"{PLACE}/a.b", {"x": [1, None]}),
            ("PUT", f"{PLACE}/a.b", "text"),
            ("PUT", f"{PLACE}/other", 0),
            ("DELETE", f"{PLACE}/a.b", None),
            ("DELETE", f"{PLACE}/a.b", None),
        ):
            response = await client.request(method, path, json=value)
            statuses.append(response.status_code)
            listed = (await client.get(PLACE)).json()["keys"]
            keys.append([entry["key"] for entry in listed])
        (only,) = (await client.get(PLACE)).json()["keys"]
        last = (await client.get(only["self"])).json()

    assert statuses == [201, 200, 201, 204, 404]
    assert keys == [["a.b"], ["a.b"], ["a.b", "other"], ["other"], ["other"]]
    assert last == {"key": "other", "value": 0}


@pytest.mark.parametrize("key", ["a", "k" * 255, "with space", "sl/ash", "ключ", "%"])
async def test_a_key_may_be_any_short_text(key: str) -> None:
    async with open_client(demo_site(3)) as client:
        put = await client.put(f"{PLACE}/{quote(key, safe='')}", json=[key])
        got = await client.get(f"{PLACE}/{quote(key, safe='')}")
        body = {"issueIdsOrKeys": ["DEMO-2"], "properties": [key], "fields": ["key"]}
        fetched = (await client.post("issue/bulkfetch", json=body)).json()["issues"][0]

    assert put.status_code == 201
    assert got.json() == {"key": key, "value": [key]}
    assert fetched["properties"] == {key: [key]}


@for_each(
    ("key", "body", "status"),
    [
        ("k" * 256, "1", 400),
        ("k", "", 400),
        ("k", "{", 400),
        ("k", "NaN", 400),
        ("k", '"\\ud800"', 400),
        ("k", "[" * 101 + "]" * 101, 400),
        ("k", '"' + "x" * 32_766 + '"', 201),
        ("k", '"' + "x" * 32_767 + '"', 400),
        ("k", '"' + "é" * 16_384 + '"', 400),
    ],
)
async def test_a_value_is_json_of_at_most_32_768_bytes(key: str, body: str, status: int) -> None:
    async with open_client(demo_site(3)) as client:
        response = await client.put(f"{PLACE}/{key}", content=body)

    assert response.status_code == status


@for_each(
    ("entry", "status"),
    [
        ({"key": "k" * 256, "value": 1}, 400),
        ({"key": "", "value": 1}, 400),
        ({"value": 1}, 400),
        ({"key": 1, "value": 1}, 400),
        ("k", 400),
        ({"key": "k", "value": "x" * 32_767}, 400),
        ({"key": "k", "value": 1, "more": 1}, 400),
        ({"key": "k"}, 204),
    ],
)
async def test_properties_inside_a_write_obey_the_same_rules(entry: Any, status: int) -> None:
    async with open_client(demo_site(3)) as client:
        response = await client.put("issue/DEMO-2", json={"properties": [entry]})

    assert response.status_code == status


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("properties=a", {"a": 1}),
        ("properties=a,b,nope", {"a": 1, "b": 2}),
        ("properties=*all", {"a": 1, "b": 2, "c": 3}),
        ("properties=*all,-b", {"a": 1, "c": 3}),
        ("properties=-a", {"b": 2, "c": 3}),
        ("properties=nope", {}),
        ("", None),
    ],
)
async def test_an_issue_gives_the_properties_that_were_asked_for(asked: str, found: Any) -> None:
    async with open_client(demo_site(3)) as client:
        for value, key in enumerate("abc", 1):
            await client.put(f"{PLACE}/{key}", json=value)
        answer = (await client.get(f"issue/DEMO-2?fields=key&{asked}")).json()

    assert answer.get("properties") == found


async def test_search_and_bulk_fetch_give_each_issue_its_own() -> None:
    async with open_client(demo_site(3)) as client:
        await client.put(f"{PLACE}/a", json={"x": 1})
        found = await search(client, "project = DEMO ORDER BY key", properties=["a"])
        body = {"issueIdsOrKeys": ["DEMO-1", "DEMO-2"], "fields": ["summary"]}
        plain = (await client.post("issue/bulkfetch", json=body)).json()["issues"]
        asked = (await client.post("issue/bulkfetch", json={**body, "properties": ["a"]})).json()

    assert [issue["properties"] for issue in found["issues"]] == [{}, {"a": {"x": 1}}, {}]
    assert all("properties" not in issue for issue in plain)
    assert [issue["properties"] for issue in asked["issues"]] == [{}, {"a": {"x": 1}}]


async def test_at_most_five_can_be_asked_of_many_issues() -> None:
    six = {"properties": list("abcdef")}
    async with open_client(demo_site(3)) as client:
        fetch = await client.post("issue/bulkfetch", json={"issueIdsOrKeys": ["DEMO-1"], **six})
        find = await client.post("search/jql", json={"jql": "project = DEMO", **six})

    assert (fetch.status_code, find.status_code) == (400, 400)
