from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sandbox_client import NOW, demo_site, keys, open_client

from jira_sandbox import make_site
from jira_sandbox.data.catalogue import DEMO_USER, USERS


async def names(path: str) -> list[str]:
    async with open_client(demo_site(3)) as client:
        response = await client.get(path)
    assert response.status_code == 200, response.text
    return [user["displayName"] for user in response.json()]


@pytest.mark.parametrize("path", ["user/search?", "user/assignable/search?project=DEMO&"])
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("query=pri", ["Priya Raman"]),
        ("query=RAMAN", ["Priya Raman"]),
        ("query=priya@example.com", ["Priya Raman"]),
        ("query=ZO%C3%8B", ["Zoë Åkesson"]),
        ("query=weiss", ["Jonas Weiß"]),
        ("query=陈", ["陈美玲"]),
        ("query=iya", []),
        ("query=example.com", []),
        ("query=nobody", []),
        ("username=zo", ["Zoë Åkesson"]),
        ("query=&startAt=1&maxResults=2", ["Zoë Åkesson", "Priya Raman"]),
        ("query=&maxResults=0", []),
        ("query=&startAt=99", []),
        (f"accountId={USERS[5].account_id}", ["Amara Okafor"]),
        ("accountId=nobody", []),
    ],
)
async def test_people_are_found_by_what_their_names_and_addresses_begin_with(
    path: str, query: str, found: list[str]
) -> None:
    assert await names(path + query) == found


async def test_an_empty_query_finds_everybody() -> None:
    assert await names("user/assignable/search?issueKey=DEMO-2&query=") == [
        user.name for user in USERS
    ]


async def test_who_is_found_can_be_assigned() -> None:
    async with open_client(demo_site(3)) as client:
        (found,) = (await client.get("user/assignable/search?project=DEMO&query=jonas")).json()
        assignee = {"assignee": {"accountId": found["accountId"]}}
        response = await client.put("issue/DEMO-2", json={"fields": assignee})

    assert response.status_code == 204


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("user/search", 400),
        ("user/search?query=x&accountId=y", 400),
        ("user/search?query=x&startAt=-1", 400),
        ("user/search?query=x&maxResults=many", 400),
        ("user/assignable/search?query=x", 400),
        ("user/assignable/search?project=DEMO", 400),
        ("user/assignable/search?project=NOPE&query=x", 404),
        ("user/assignable/search?issueKey=DEMO-99&query=x", 404),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(path: str, status: int) -> None:
    async with open_client(demo_site(3)) as client:
        response = await client.get(path)

    assert response.status_code == status
    assert len(response.json()["errorMessages"]) == 1


async def test_the_user_of_a_site_may_live_in_another_zone() -> None:
    user = replace(DEMO_USER, time_zone="America/St_Johns", utc_offset=-timedelta(hours=3.5))
    site = make_site(tickets=3, seed=1, clock=lambda: NOW, user=user)
    async with open_client(site) as client:
        me = (await client.get("myself")).json()
        await client.put("issue/DEMO-2", json={"fields": {"summary": "x"}})
        fields = (await client.get("issue/DEMO-2")).json()["fields"]

    assert me["timeZone"] == "America/St_Johns"
    assert fields["updated"] == "2025-10-01T08:30:00.000-0330"
    assert len(site.users) == len(USERS)


async def test_the_user_of_a_site_may_be_somebody_new() -> None:
    user = replace(DEMO_USER, account_id="new", name="New Person")
    site = make_site(tickets=3, seed=1, clock=lambda: NOW, user=user)
    async with open_client(site) as client:
        fields = {"project": {"key": "DEMO"}, "issuetype": {"name": "Bug"}, "summary": "x"}
        await client.post("issue", json={"fields": fields})
        made = (await client.get("issue/DEMO-4")).json()["fields"]
        found = (await client.get("user/search?query=new")).json()
        theirs = await keys(client, "reporter = 'New Person'")

    assert theirs == ["DEMO-4"]
    assert made["creator"]["displayName"] == made["reporter"]["displayName"] == "New Person"
    assert [person["accountId"] for person in found] == ["new"]
