from __future__ import annotations

from datetime import timedelta

import httpx
import trio
from sandbox_client import NOW, keys, open_client, search
from trio.testing import MockClock

from jira_sandbox import Site, make_site

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


async def test_reconciled_ids_are_numbers(autojump_clock: MockClock) -> None:
    async with open_client(behind()) as client:
        response = await client.get("search/jql?jql=project=DEMO&reconcileIssues=DEMO-1")

    assert response.status_code == 400


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
