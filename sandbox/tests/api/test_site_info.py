"""What a site says of itself and its people, to whom, and what odd answers add."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import trio
from hypothesis import given, strategies as st
from rows import for_each
from sandbox_client import NOW, demo_site, keys, open_client, search
from trio.testing import MockClock

from jira_sandbox import CLOUD_ID, EMAIL, SCOPED_TOKEN, TOKEN, create_app, make_site
from jira_sandbox.auth import is_known
from jira_sandbox.data.catalogue import DEMO_USER, USERS


async def test_the_site_says_that_it_is_a_cloud_site() -> None:
    async with open_client() as client:
        answer = (await client.get("serverInfo")).json()

    assert answer["deploymentType"] == "Cloud"
    assert answer["baseUrl"] == "http://jira.test"
    assert answer["serverTime"] == "2025-10-01T17:30:00.000+0530"
    assert answer["versionNumbers"][0] >= 1000


async def test_the_user_learns_who_they_are() -> None:
    async with open_client() as client:
        answer = (await client.get("myself")).json()

    assert answer["emailAddress"] == "demo@example.com"
    assert answer["displayName"] == "Demo User"
    assert answer["timeZone"] == "Asia/Kolkata"
    assert ":" in answer["accountId"]


async def test_fields_are_listed_with_names_and_schemas() -> None:
    async with open_client() as client:
        fields = {field["id"]: field for field in (await client.get("field")).json()}

    assert fields["customfield_10016"]["name"] == "Story Points"
    assert fields["customfield_10016"]["schema"] == {
        "type": "number",
        "custom": "com.atlassian.jira.plugin.system.customfieldtypes:float",
        "customId": 10016,
    }
    assert fields["customfield_10020"]["schema"]["items"] == "json"
    assert fields["summary"]["schema"] == {"type": "string", "system": "summary"}
    assert "schema" not in fields["issuekey"]
    assert fields["customfield_10031"]["schema"]["type"] == "option"


async def test_every_field_of_an_issue_is_listed() -> None:
    async with open_client() as client:
        listed = {field["id"] for field in (await client.get("field")).json()}
        issue = (await client.get("issue/DEMO-1")).json()

    assert set(issue["fields"]) <= listed


@pytest.mark.parametrize("name", ["DEMO", "demo", "10000"])
async def test_a_project_is_got_by_id_and_by_key(name: str) -> None:
    async with open_client() as client:
        answer = (await client.get(f"project/{name}")).json()

    assert answer["key"] == "DEMO"
    assert [kind["name"] for kind in answer["issueTypes"]] == [
        *("Epic", "Story", "Task", "Bug", "Sub-task")
    ]


async def test_a_project_that_does_not_exist_is_404_and_named() -> None:
    async with open_client() as client:
        response = await client.get("project/NOPE")

    assert response.status_code == 404
    assert response.json() == {
        "errorMessages": ["No project could be found with key 'NOPE'."],
        "errors": {},
    }


async def test_projects_are_searched_page_by_page() -> None:
    async with open_client() as client:
        first = (await client.get("project/search?maxResults=1")).json()
        second = (await client.get(first["nextPage"])).json()
        books = (await client.get("project/search?query=BOOKS")).json()
        blank = (await client.get("project/search?keys=BLANK&maxResults=1000")).json()

    assert (first["total"], first["isLast"], first["startAt"]) == (2, False, 0)
    assert (second["total"], second["isLast"], second["startAt"]) == (2, True, 1)
    assert "nextPage" not in second
    assert [page["values"][0]["key"] for page in (first, second)] == ["DEMO", "BLANK"]
    assert [project["key"] for project in books["values"]] == ["DEMO"]
    assert [project["key"] for project in blank["values"]] == ["BLANK"]
    assert blank["maxResults"] == 100


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "nowhere", 404),
        ("GET", "myself/", 404),
        ("POST", "myself", 405),
        ("PATCH", "issue/DEMO-1", 405),
        ("GET", "/", 404),
    ],
)
async def test_what_the_sandbox_does_not_have_is_an_error_of_jiras_shape(
    method: str, path: str, status: int
) -> None:
    async with open_client() as client:
        response = await client.request(method, path)

    assert response.status_code == status
    assert set(response.json()) == {"errorMessages", "errors"}
    assert method in response.json()["errorMessages"][0]


async def test_every_answer_tells_the_sites_time() -> None:
    async with open_client() as client:
        for path in ("myself", "nowhere", "search"):
            response = await client.get(path)
            assert response.headers["date"] == "Wed, 01 Oct 2025 12:00:00 GMT"


async def test_each_answer_takes_as_long_as_was_asked_for(autojump_clock: MockClock) -> None:
    async with open_client(latency=1.5) as client:
        await client.get("myself")
        assert trio.current_time() == 1.5
        await client.get("nowhere")
        assert trio.current_time() == 3.0

        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(client.get, "serverInfo")
        assert trio.current_time() == 4.5


async def test_waiting_for_an_answer_can_be_cancelled(autojump_clock: MockClock) -> None:
    async with open_client(latency=60) as client:
        with trio.move_on_after(2) as scope:
            await client.get("myself")

    assert scope.cancelled_caught
    assert trio.current_time() == 2


async def names(path: str) -> list[str]:
    async with open_client(demo_site(3)) as client:
        response = await client.get(path)
    assert response.status_code == 200, response.text
    return [user["displayName"] for user in response.json()]


@for_each("path", ["user/search?", "user/assignable/search?project=DEMO&"])
@for_each(
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


@for_each(
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


GATEWAY = f"/ex/jira/{CLOUD_ID}"
CLASSIC, SCOPED = (EMAIL, TOKEN), (EMAIL, SCOPED_TOKEN)


async def status(path: str, auth: tuple[str, str] | None, method: str = "GET") -> int:
    return (await ask(path, auth, method)).status_code


async def ask(path: str, auth: tuple[str, str] | None, method: str = "GET") -> httpx.Response:
    transport = httpx.ASGITransport(create_app(make_site(tickets=3, seed=1)))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://jira.test", trust_env=False
    ) as client:
        return await client.request(method, path, auth=auth)


@pytest.mark.parametrize("auth", [None, CLASSIC, SCOPED, ("x", "y")])
async def test_anybody_is_reported_the_cloud_id(auth: tuple[str, str] | None) -> None:
    answer = await ask("/_edge/tenant_info", auth)

    assert answer.status_code == 200
    assert answer.json() == {"cloudId": CLOUD_ID}
    assert "date" in answer.headers


@for_each(
    ("path", "auth", "expected"),
    [
        ("/rest/api/3/myself", CLASSIC, 200),
        ("/rest/api/3/myself", SCOPED, 401),
        (f"{GATEWAY}/rest/api/3/myself", SCOPED, 200),
        (f"{GATEWAY}/rest/api/3/myself", CLASSIC, 401),
        (f"{GATEWAY}/rest/api/3/myself", None, 401),
        (f"{GATEWAY}/rest/api/2/issue/DEMO-1", SCOPED, 200),
        (f"{GATEWAY}/rest/api/3/nowhere", SCOPED, 404),
        ("/ex/jira/11-22/rest/api/3/myself", SCOPED, 401),
        (f"{GATEWAY}{GATEWAY}/rest/api/3/myself", SCOPED, 404),
    ],
)
async def test_each_token_is_taken_at_its_own_entrance(
    path: str, auth: tuple[str, str] | None, expected: int
) -> None:
    assert await status(path, auth) == expected


async def test_the_cloud_id_is_there_to_be_read_only() -> None:
    assert await status("/_edge/tenant_info", None, "POST") == 401


async def test_behind_the_gateway_links_lead_to_the_site() -> None:
    issue = (await ask(f"{GATEWAY}/rest/api/3/issue/DEMO-1", SCOPED)).json()

    assert issue["self"].startswith("http://jira.test/rest/api/3/issue/")


KNOWN = {EMAIL: TOKEN}


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "header", [basic("demo@example.com:demo"), basic("Demo@Example.com:demo").replace("B", "b", 1)]
)
def test_the_demo_user_is_known(header: str) -> None:
    assert is_known(header, KNOWN)


@for_each(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic %%%",
        "Basic ZGVtbw",
        "Bearer demo",
        basic("demo@example.com:"),
        basic("demo@example.com:Demo"),
        basic("demo@example.com:demo "),
        basic("demo@example.com"),
        basic("other@example.com:demo"),
        basic(":demo"),
        "Basic " + base64.b64encode(b"\xff\xfe:demo").decode(),
    ],
)
def test_other_credentials_are_unknown(header: str | None) -> None:
    assert not is_known(header, KNOWN)


@given(st.text())
def test_no_header_makes_the_check_fail(header: str) -> None:
    assert is_known(header, KNOWN) == (header == basic(f"{EMAIL}:{TOKEN}"))


async def test_the_server_info_needs_no_login_but_takes_no_wrong_one() -> None:
    async with open_client(auth=None) as client:
        anonymous = await client.get("serverInfo")
    async with open_client(auth=("x", "demo")) as client:
        wrong = await client.get("serverInfo")

    assert (anonymous.status_code, wrong.status_code) == (200, 401)
    assert anonymous.json()["deploymentType"] == "Cloud"


@for_each("path", ["myself", "field", "search/jql?jql=key=DEMO-1", "nowhere"])
@for_each("auth", [None, ("demo@example.com", "wrong"), ("x", "demo")])
async def test_without_the_token_everything_is_401(path: str, auth: tuple[str, str] | None) -> None:
    async with open_client(auth=auth) as client:
        response = await client.get(path)

    assert response.status_code == 401
    assert response.json() == {
        "errorMessages": ["Client must be authenticated to access this resource."],
        "errors": {},
    }
    assert "date" in response.headers


def walk(value: Any) -> list[tuple[str, Any]]:
    """Yield every key with its value, at any depth."""
    if isinstance(value, list):
        return [pair for part in value for pair in walk(part)]
    if isinstance(value, dict):
        return [pair for key, part in value.items() for pair in [(key, part), *walk(part)]]
    return []


async def answers(*, odd: bool) -> list[Any]:
    async with open_client(demo_site(100), odd=odd) as client:
        ids = [f"DEMO-{number}" for number in range(1, 101)]
        bulk = await client.post("issue/bulkfetch", json={"issueIdsOrKeys": ids})
        pages = [
            await client.get(path)
            for path in ("serverInfo", "myself", "field", "project/DEMO", "project/search")
        ]
        found = await search(client, "project = DEMO", maxResults=5000)
        return [bulk.json(), *[page.json() for page in pages], found]


async def test_odd_answers_have_unknown_keys_and_more_nulls() -> None:
    plain = await answers(odd=False)
    odd = await answers(odd=True)

    for usual, strange in zip(plain, odd, strict=True):
        assert {key for key, _ in walk(strange)} - {key for key, _ in walk(usual)}
        nulls = [sum(value is None for _, value in walk(answer)) for answer in (usual, strange)]
        assert nulls[0] < nulls[1]


def essentials(answer: list[Any]) -> list[object]:
    """Return the parts of a response that identify things."""
    bulk, info, me, fields, project, projects, found = answer
    return [
        info["deploymentType"],
        (me["accountId"], me["displayName"]),
        [(field["id"], field["name"], field["custom"]) for field in fields],
        (project["id"], project["key"], project["name"]),
        [(value["id"], value["key"]) for value in projects["values"]],
        [issue["id"] for issue in found["issues"]],
        found.get("nextPageToken"),
        [
            (
                *(issue["id"], issue["key"], issue["fields"]["summary"]),
                *(issue["fields"]["updated"], issue["fields"]["customfield_10016"]),
                *(issue["fields"]["status"]["name"], issue["fields"]["issuetype"]["subtask"]),
                (issue["fields"]["parent"] or {}).get("key"),
                [link["key"] for link in issue["fields"]["subtasks"]],
            )
            for issue in bulk["issues"]
        ],
    ]


async def test_odd_answers_keep_what_identifies_things_and_what_people_wrote() -> None:
    assert essentials(await answers(odd=True)) == essentials(await answers(odd=False))


async def test_odd_documents_have_nodes_and_attributes_that_nobody_knows() -> None:
    bulk = (await answers(odd=True))[0]
    pairs = walk(bulk["issues"])

    assert ("type", "hologram") in pairs
    assert ("content", None) in pairs
    assert ("attrs", None) in pairs
    assert ("marks", None) in pairs
    assert any(key == "futureAttribute" for key, _ in pairs)


async def test_odd_answers_are_the_same_each_time() -> None:
    assert await answers(odd=True) == await answers(odd=True)
