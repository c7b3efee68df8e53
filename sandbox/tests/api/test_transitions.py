from __future__ import annotations

from typing import Any

import httpx
import pytest
from sandbox_client import demo_site, open_client

from jira_sandbox.data.catalogue import STATUSES, USERS

NEW = {"project": {"key": "DEMO"}, "issuetype": {"name": "Story"}, "summary": "New"}


async def steps(client: httpx.AsyncClient, key: str, **query: str) -> list[Any]:
    response = await client.get(f"issue/{key}/transitions", params=query)
    assert response.status_code == 200
    found: list[Any] = response.json()["transitions"]
    return found


async def take(client: httpx.AsyncClient, key: str, status: int = 204, **body: Any) -> Any:
    response = await client.post(f"issue/{key}/transitions", json=body)
    assert response.status_code == status, response.text
    return response.json() if response.content else None


async def walk(client: httpx.AsyncClient, key: str, *numbers: str) -> Any:
    """Perform some transitions; return the fields after them."""
    for number in numbers:
        await take(client, key, transition={"id": number})
    return (await client.get(f"issue/{key}")).json()["fields"]


async def test_an_issue_goes_forward_one_status_at_a_time_and_back() -> None:
    seen = []
    async with open_client(demo_site(5)) as client:
        await client.post("issue", json={"fields": NEW})
        for number in ("11", "21", "31", "61", "41", "11", "21", "51"):
            offered = {step["id"]: step["to"]["name"] for step in await steps(client, "DEMO-6")}
            seen.append(offered)
            fields = await walk(client, "DEMO-6", number)
            assert fields["status"]["name"] == offered[number]

    to_do, in_progress = {"11": "In Progress"}, {"21": "In Review", "41": "To Do"}
    in_review, done = {"31": "Done", "51": "In Progress"}, {"61": "In Progress"}
    assert seen[:4] == [to_do, in_progress, in_review, done]
    assert seen[4:] == [in_progress, to_do, in_progress, in_review]


async def test_every_status_can_be_reached_and_left() -> None:
    async with open_client(demo_site(5)) as client:
        await client.post("issue", json={"fields": NEW})
        every = await steps(client, "DEMO-6", includeUnavailableTransitions="true")

    assert {step["to"]["name"] for step in every} == {status.name for status in STATUSES}
    assert [step["id"] for step in every if step["isAvailable"]] == ["11"]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"transition": {"id": "31"}}, "Transition id '31' is not valid for this issue."),
        ({"transition": "31"}, "Transition id '31' is not valid for this issue."),
        ({"transition": {"id": "99"}}, "Transition id '99' is not valid for this issue."),
        ({"transition": {"id": "Done"}}, "Transition id 'Done' is not valid for this issue."),
        ({"transition": {"name": "Done"}}, "Missing 'transition' identifier"),
        ({"transition": {}}, "Missing 'transition' identifier"),
        ({"fields": {}}, "Missing 'transition' identifier"),
    ],
)
async def test_a_step_that_the_workflow_does_not_have_is_refused(body: Any, complaint: str) -> None:
    async with open_client(demo_site(5)) as client:
        await client.post("issue", json={"fields": NEW})
        answer = await take(client, "DEMO-6", 400, **body)
        fields = (await client.get("issue/DEMO-6")).json()["fields"]

    assert answer == {"errorMessages": [complaint], "errors": {}}
    assert fields["status"]["name"] == "To Do"
    assert fields["updated"] == fields["created"]


async def test_a_step_moves_the_time_and_done_sets_a_resolution_that_reopening_clears() -> None:
    async with open_client(demo_site(5)) as client:
        await client.post("issue", json={"fields": NEW})
        review = await walk(client, "DEMO-6", "11", "21")
        done = await walk(client, "DEMO-6", "31")
        again = await walk(client, "DEMO-6", "61")

    assert (review["resolution"], review["resolutiondate"]) == (None, None)
    assert done["resolution"]["name"] == "Done"
    assert done["resolutiondate"] == done["updated"] > review["updated"]
    assert done["statuscategorychangedate"] == done["updated"]
    assert review["statuscategorychangedate"] < review["updated"]
    assert (again["resolution"], again["resolutiondate"]) == (None, None)
    assert again["updated"] > done["updated"]


async def test_the_screen_of_the_last_step_takes_a_resolution_and_an_assignee() -> None:
    chosen = {"resolution": {"name": "Duplicate"}, "assignee": {"accountId": USERS[4].account_id}}
    async with open_client(demo_site(5)) as client:
        await client.post("issue", json={"fields": NEW})
        await walk(client, "DEMO-6", "11", "21")
        screens = await steps(client, "DEMO-6", expand="transitions.fields")
        await take(client, "DEMO-6", transition={"id": 31}, fields=chosen)
        fields = (await client.get("issue/DEMO-6")).json()["fields"]

    assert [(step["name"], sorted(step["fields"])) for step in screens] == [
        ("Approve", ["assignee", "resolution"]),
        ("Ask for changes", []),
    ]
    allowed = [value["name"] for value in screens[0]["fields"]["resolution"]["allowedValues"]]
    assert allowed == ["Done", "Won't Do", "Duplicate"]
    assert fields["resolution"]["name"] == "Duplicate"
    assert fields["assignee"]["displayName"] == "陈美玲"


@pytest.mark.parametrize(
    ("path", "fields", "errors"),
    [
        (("11", "21"), {"resolution": {"name": "Fixed"}}, "The resolution selected is invalid."),
        (("11", "21"), {"summary": "x"}, None),
        (("11",), {"resolution": {"name": "Done"}}, None),
    ],
)
async def test_a_field_that_is_not_on_the_screen_keeps_the_step_from_being_taken(
    path: tuple[str, ...], fields: dict[str, Any], errors: str | None
) -> None:
    (name,) = fields
    unknown = f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
    number = {1: "21", 2: "31"}[len(path)]
    async with open_client(demo_site(5)) as client:
        await client.post("issue", json={"fields": NEW})
        before = await walk(client, "DEMO-6", *path)
        answer = await take(client, "DEMO-6", 400, transition={"id": number}, fields=fields)
        after = await walk(client, "DEMO-6")

    assert answer["errors"] == {name: errors or unknown}
    assert after == before


async def test_one_step_can_be_asked_for() -> None:
    async with open_client(demo_site(5)) as client:
        await client.post("issue", json={"fields": NEW})
        found = await steps(client, "DEMO-6", transitionId="11")
        missing = await steps(client, "DEMO-6", transitionId="31")

    assert [step["name"] for step in found] == ["Start work"]
    assert missing == []


async def test_properties_can_go_with_a_step() -> None:
    async with open_client(demo_site(5)) as client:
        await client.post("issue", json={"fields": NEW})
        properties = [{"key": "k", "value": 1}]
        await take(client, "DEMO-6", transition={"id": "11"}, properties=properties)
        issue = (await client.get("issue/DEMO-6?properties=k&fields=key")).json()

    assert issue["properties"] == {"k": 1}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_does_not_exist_has_no_steps(method: str) -> None:
    async with open_client(demo_site(5)) as client:
        response = await client.request(method, "issue/DEMO-99/transitions", json={})

    assert response.status_code == 404
