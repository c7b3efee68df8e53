from __future__ import annotations

from typing import Any

import pytest
from sandbox_client import demo_site, keys, open_client

from jira_sandbox.data.catalogue import DEMO_USER, TO_DO, USERS

ZOE, PRIYA = USERS[1], USERS[2]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"accountId": ZOE.account_id}, ZOE),
        ({"accountId": None}, None),
        ({"accountId": "-1"}, None),
        ({"name": None}, None),
        ({"name": "-1"}, None),
    ],
)
async def test_an_issue_is_assigned(body: Any, expected: Any) -> None:
    site = demo_site(3)
    site.edit("DEMO-2", assignee=PRIYA)
    async with open_client(site) as client:
        response = await client.put("issue/DEMO-2/assignee", json=body)

    assert response.status_code == 204
    assert site.existing("DEMO-2").assignee == expected


async def test_nobody_unknown_is_assigned() -> None:
    async with open_client() as client:
        response = await client.put("issue/DEMO-2/assignee", json={"accountId": "x"})

    assert response.status_code == 400
    assert response.json()["errors"] == {"assignee": "User 'x' does not exist."}


async def test_watchers_come_and_go_without_a_trace() -> None:
    site = demo_site(3)
    before = site.edit("DEMO-2", reporter=PRIYA)
    async with open_client(site) as client:
        path = "issue/DEMO-2/watchers"
        first = (await client.get(path)).json()
        await client.post(path)
        await client.post(path, json=ZOE.account_id)
        await client.post(path, json=ZOE.account_id)
        watched = (await client.get(path)).json()
        field = (await client.get("issue/DEMO-2?fields=watches")).json()["fields"]["watches"]
        await client.delete(path, params={"accountId": ZOE.account_id})
        await client.delete(path, params={"accountId": PRIYA.account_id})
        last = (await client.get(path)).json()
        unknown = await client.post(path, json="x")
        wrong = await client.post(path, json={})

    assert [user["displayName"] for user in first["watchers"]] == [PRIYA.name]
    assert first["isWatching"] is False
    assert [user["accountId"] for user in watched["watchers"]] == [
        PRIYA.account_id,
        DEMO_USER.account_id,
        ZOE.account_id,
    ]
    assert (field["watchCount"], field["isWatching"]) == (3, True)
    assert (last["watchCount"], last["isWatching"]) == (1, True)
    assert (unknown.status_code, wrong.status_code) == (404, 400)
    assert site.existing("DEMO-2").updated == before.updated
    assert site.existing("DEMO-2").history == before.history


async def test_a_vote_is_given_once_and_taken_back() -> None:
    site = demo_site(40)
    site.edit("DEMO-2", reporter=PRIYA)
    site.transition("DEMO-2", TO_DO)
    site.edit("DEMO-3", reporter=DEMO_USER)
    async with open_client(site) as client:
        (done,) = (await keys(client, "status = Done AND reporter != currentUser()"))[:1]
        path = "issue/DEMO-2/votes"
        given = [await client.post(path) for _ in range(2)]
        votes = (await client.get(path)).json()
        field = (await client.get("issue/DEMO-2?fields=votes")).json()["fields"]["votes"]
        back = [(await client.delete(path)).status_code for _ in range(2)]
        own = await client.post("issue/DEMO-3/votes")
        late = await client.post(f"issue/{done}/votes")

    assert [response.status_code for response in given] == [204, 204]
    assert (votes["votes"], votes["hasVoted"]) == (1, True)
    assert [user["displayName"] for user in votes["voters"]] == ["Demo User"]
    assert (field["votes"], field["hasVoted"]) == (1, True)
    assert back == [204, 404]
    assert (own.status_code, late.status_code) == (404, 404)
    assert "reported" in own.text
    assert "resolved" in late.text
