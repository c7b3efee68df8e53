from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from sandbox_client import demo_site, open_client, search

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


async def test_a_write_of_a_property_moves_updated() -> None:
    async with open_client(demo_site(3)) as client:
        await client.put(f"{PLACE}/a", json=1)
        one = (await client.get("issue/DEMO-2")).json()["fields"]["updated"]
        await client.delete(f"{PLACE}/a")
        two = (await client.get("issue/DEMO-2")).json()["fields"]["updated"]

    assert one < two


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


@pytest.mark.parametrize(
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
    ids=["key", "empty", "half", "NaN", "surrogate", "deep", "biggest", "too big", "bytes count"],
)
async def test_a_value_is_json_of_at_most_32_768_bytes(key: str, body: str, status: int) -> None:
    async with open_client(demo_site(3)) as client:
        response = await client.put(f"{PLACE}/{key}", content=body)

    assert response.status_code == status


@pytest.mark.parametrize(
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
    ids=["long", "empty", "none", "number", "text", "big", "more", "null"],
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


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_what_does_not_exist_has_no_properties(method: str) -> None:
    async with open_client(demo_site(3)) as client:
        response = await client.request(method, "issue/DEMO-99/properties/a", json=1)
        listed = await client.get("issue/DEMO-99/properties")

    assert (response.status_code, listed.status_code) == (404, 404)
