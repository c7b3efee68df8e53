from __future__ import annotations

from typing import Any

import pytest
from sandbox_client import NOW, demo_site, keys, open_client

from jira_sandbox import make_site


async def test_a_version_is_added_changed_and_released() -> None:
    async with open_client(demo_site(3)) as client:
        body = {"name": "2027.1", "projectId": 10000, "description": "Next"}
        made = (await client.post("version", json=body)).json()
        await client.put("issue/DEMO-2", json={"fields": {"fixVersions": [{"name": "2027.1"}]}})
        changed = await client.put(
            f"version/{made['id']}", json={"released": True, "releaseDate": "2027-02-01"}
        )
        issue = (await client.get("issue/DEMO-2?fields=fixVersions")).json()["fields"]
        listed = (await client.get("project/DEMO/versions")).json()
        released = (await client.get("project/DEMO/version?status=released&query=20")).json()
        counts = (await client.get(f"version/{made['id']}/relatedIssueCounts")).json()

    assert (made["released"], made["projectId"]) == (False, 10000)
    assert "releaseDate" not in made
    assert changed.json()["releaseDate"] == "2027-02-01"
    assert issue["fixVersions"][0]["released"] is True
    assert [each["name"] for each in listed] == ["2025.4", "2026.1", "2026.2", "2027.1"]
    assert [each["name"] for each in released["values"]] == ["2025.4", "2027.1"]
    assert (counts["issuesFixedCount"], counts["issuesAffectedCount"]) == (1, 0)


async def test_another_version_takes_the_place_of_a_deleted_one() -> None:
    site = make_site(tickets=40, seed=1, all_fields=True, clock=lambda: NOW)
    async with open_client(site) as client:

        async def counts(number: int) -> tuple[int, int]:
            response = await client.get(f"version/{number}/relatedIssueCounts")
            answer = response.json()
            return answer["issuesFixedCount"], answer["issuesAffectedCount"]

        fixed = [(await counts(number))[0] for number in (10000, 10001, 10002)]
        open_ones = (await client.get("version/10001/unresolvedIssueCount")).json()
        affected = (await counts(10000))[1]
        await client.put("version/10000/mergeto/10001")
        merged = await counts(10001)
        await client.post("version/10001/removeAndSwap", json={"moveFixIssuesTo": 10002})
        swapped = await counts(10002)
        await client.delete("version/10002")
        left = (await client.get("issue/KIT-2?fields=versions,fixVersions")).json()["fields"]

    assert open_ones["issuesCount"] == fixed[1] >= open_ones["issuesUnresolvedCount"]
    assert affected == 1
    assert merged == (fixed[0] + fixed[1], 1)
    assert swapped == (sum(fixed), 0)
    assert left == {"versions": [], "fixVersions": []}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"name": "x"}, "project"),
        ({"project": "DEMO"}, "name"),
        ({"project": "DEMO", "name": 5}, "name"),
        ({"project": "DEMO", "name": "2026.1"}, "name"),
        ({"project": "DEMO", "name": "x", "releaseDate": "soon"}, "releaseDate"),
        ({"project": "DEMO", "name": "x", "released": "yes"}, None),
    ],
)
async def test_a_wrong_version_is_refused(body: Any, error: str | None) -> None:
    site = demo_site(1)
    async with open_client(site) as client:
        response = await client.post("version", json=body)

    assert response.status_code == 400
    assert [*response.json()["errors"]] == ([] if error is None else [error])
    assert site.revision == 0


async def test_a_missing_version_is_reported() -> None:
    async with open_client(demo_site(1)) as client:
        for method, path in (
            ("GET", "version/1"),
            ("DELETE", "version/10000?moveFixIssuesTo=1"),
            ("GET", "project/NOPE/versions"),
        ):
            assert (await client.request(method, path)).status_code == 404
        assert await keys(client, "project = DEMO")
