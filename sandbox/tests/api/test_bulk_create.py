from __future__ import annotations

from typing import Any

import pytest
from sandbox_client import demo_site, open_client

STORY = {"project": {"key": "DEMO"}, "issuetype": {"name": "Story"}, "summary": "New"}


def updates(*summaries: str, **more: Any) -> dict[str, Any]:
    return {"issueUpdates": [{"fields": {**STORY, "summary": text, **more}} for text in summaries]}


async def test_all_are_made_in_their_order() -> None:
    site = demo_site(5)
    async with open_client(site) as client:
        response = await client.post("issue/bulk", json=updates(*"abcdefghij" * 5))

    answer = response.json()
    assert response.status_code == 201
    assert answer["errors"] == []
    assert [issue["key"] for issue in answer["issues"]] == [f"DEMO-{n}" for n in range(6, 56)]
    assert [issue.summary for issue in list(site)[5:15]] == list("abcdefghij")


async def test_those_that_can_be_made_are_made_and_the_others_are_named() -> None:
    body = updates("one", "", "two")
    body["issueUpdates"].append({"fields": {**STORY, "nope": 1}})
    body["issueUpdates"].append({"fields": STORY, "properties": [{"key": "k", "value": 1}]})
    async with open_client(demo_site(5)) as client:
        response = await client.post("issue/bulk", json=body)
        last = (await client.get("issue/DEMO-8?properties=k&fields=summary")).json()

    answer = response.json()
    assert response.status_code == 201
    assert [issue["key"] for issue in answer["issues"]] == ["DEMO-6", "DEMO-7", "DEMO-8"]
    assert answer["errors"] == [
        {
            "status": 400,
            "elementErrors": {
                "errorMessages": [],
                "errors": {"summary": "You must specify a summary of the issue."},
            },
            "failedElementNumber": 1,
        },
        {
            "status": 400,
            "elementErrors": {
                "errorMessages": [],
                "errors": {
                    "nope": (
                        "Field 'nope' cannot be set. "
                        "It is not on the appropriate screen, or unknown."
                    )
                },
            },
            "failedElementNumber": 3,
        },
    ]
    assert last["properties"] == {"k": 1}


async def test_it_is_an_error_only_if_none_could_be_made() -> None:
    site = demo_site(5)
    body: dict[str, Any] = {"issueUpdates": [{"fields": {}}, {"properties": 1}, {}]}
    async with open_client(site) as client:
        response = await client.post("issue/bulk", json=body)

    answer = response.json()
    assert response.status_code == 400
    assert answer["issues"] == []
    assert [error["failedElementNumber"] for error in answer["errors"]] == [0, 1, 2]
    assert len(site) == 5


@pytest.mark.parametrize(
    "body",
    [{}, {"issueUpdates": []}, {"issueUpdates": {}}, updates(*"x" * 51)],
    ids=["nothing", "none", "no list", "too many"],
)
async def test_a_wrong_number_of_issues_is_refused(body: Any) -> None:
    site = demo_site(5)
    async with open_client(site) as client:
        response = await client.post("issue/bulk", json=body)

    assert response.status_code == 400
    assert len(response.json()["errorMessages"]) == 1
    assert len(site) == 5


async def test_an_entry_that_is_no_object_fails_by_itself() -> None:
    body = updates("one")
    body["issueUpdates"].insert(0, "two")
    async with open_client(demo_site(5)) as client:
        response = await client.post("issue/bulk", json=body)

    assert response.status_code == 201
    assert response.json()["errors"][0]["failedElementNumber"] == 0


async def test_sub_tasks_can_be_made_below_one_parent() -> None:
    body = updates("a", "b", issuetype={"name": "Sub-task"}, parent={"key": "DEMO-2"})
    async with open_client(demo_site(3)) as client:
        await client.post("issue/bulk", json=body)
        parent = (await client.get("issue/DEMO-2?fields=subtasks")).json()

    summaries = [link["fields"]["summary"] for link in parent["fields"]["subtasks"]]
    assert summaries[-2:] == ["a", "b"]
