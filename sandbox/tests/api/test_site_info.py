from __future__ import annotations

import pytest
import trio
from sandbox_client import open_client
from trio.testing import MockClock


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


async def test_projects_are_listed() -> None:
    async with open_client() as client:
        answer = (await client.get("project")).json()

    assert [project["key"] for project in answer] == ["DEMO", "BLANK"]


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


@pytest.mark.parametrize("query", ["startAt=-1", "maxResults=0", "startAt=x", "maxResults=1.5"])
async def test_a_page_that_makes_no_sense_is_refused(query: str) -> None:
    async with open_client() as client:
        response = await client.get(f"project/search?{query}")

    assert response.status_code == 400
    assert len(response.json()["errorMessages"]) == 1


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
