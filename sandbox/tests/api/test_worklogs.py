from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest
from sandbox_client import demo_site, open_client

from jira_sandbox import Site
from jira_sandbox.api.durations import read_duration, write_duration
from jira_sandbox.data import catalogue


def estimated(seconds: int | None = 36_000) -> Site:
    site = demo_site(3)
    site.edit("DEMO-2", original_estimate=seconds, remaining_estimate=seconds)
    return site


async def add(client: httpx.AsyncClient, query: str = "", **body: Any) -> Any:
    response = await client.post(f"issue/DEMO-2/worklog{query}", json=body)
    assert response.status_code == 201, response.text
    return response.json()


async def test_time_is_logged_and_reduces_the_estimate() -> None:
    async with open_client(estimated()) as client:
        made = await add(client, timeSpent="2h 30m", started="2025-09-30T09:00:00.000+0000")
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
        await add(client, query, timeSpentSeconds=3600)

    issue = site.find("DEMO-2")
    assert issue is not None
    assert issue.remaining_estimate == left


async def test_without_an_estimate_there_is_none_to_reduce() -> None:
    site = estimated(None)
    async with open_client(site) as client:
        await add(client, timeSpent="90")

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
        made = await add(client, timeSpent="1h", properties=[{"key": "k", "value": 1}])
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
        made = await add(client, timeSpent="1h")
        query = "adjustEstimate=manual&increaseBy=2h"
        await client.delete(f"issue/DEMO-2/worklog/{made['id']}?{query}")

    issue = site.find("DEMO-2")
    assert issue is not None
    assert issue.remaining_estimate == 36_000 - 3600 + 7200


async def test_a_worklog_of_another_user_can_be_read_only() -> None:
    site = demo_site(3)
    async with open_client(site) as client:
        made = await add(client, timeSpent="1h")
        issue = site.find("DEMO-2")
        assert issue is not None
        theirs = replace(issue.worklogs[0], author=catalogue.USERS[1])
        site.edit("DEMO-2", worklogs=(theirs,))
        path = f"issue/DEMO-2/worklog/{made['id']}"
        answers = [await client.get(path), await client.put(path, json={})]
        answers.append(await client.delete(path))

    assert [answer.status_code for answer in answers] == [200, 400, 400]


async def test_worklogs_are_in_the_order_of_the_work_and_selected_by_it() -> None:
    async with open_client() as client:
        late = await add(client, timeSpent="1h", started="2025-09-30T00:00:00.000+0000")
        early = await add(client, timeSpent="1h", started="2025-09-29T00:00:00.000+0000")
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


@pytest.mark.parametrize(
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


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0m"), (59, "0m"), (5400, "1h 30m"), (172_800, "1w 1d")]
)
def test_durations_are_written(seconds: int, text: str) -> None:
    assert write_duration(seconds) == text
