from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sandbox_client import NOW, demo_site, open_client

from jira_sandbox import SiteFile, open_site
from jira_sandbox.data.catalogue import USERS


async def test_a_component_is_added_changed_and_deleted() -> None:
    site = demo_site(3)
    async with open_client(site) as client:
        body = {
            "name": " Café ",
            "project": "DEMO",
            "description": "Coffee",
            "leadAccountId": USERS[1].account_id,
        }
        made = (await client.post("component", json=body)).json()
        issue = {"fields": {"components": [{"name": "Café"}]}}
        await client.put("issue/DEMO-2", json=issue)
        other = await client.get("project/BLANK/components")
        changed = await client.put(
            f"component/{made['id']}", json={"name": "Bar", "leadAccountId": None}
        )
        seen = (await client.get("issue/DEMO-2?fields=components")).json()["fields"]
        count = (await client.get(f"component/{made['id']}/relatedIssueCounts")).json()
        page = (await client.get("project/DEMO/component?query=bar")).json()
        await client.delete(f"component/{made['id']}?moveIssuesTo=10005")
        moved = (await client.get("issue/DEMO-2?fields=components")).json()["fields"]
        gone = await client.get(f"component/{made['id']}")

    assert (made["name"], made["project"], made["lead"]["displayName"]) == (
        "Café",
        "DEMO",
        "Zoë Åkesson",
    )
    assert "Café" not in [each["name"] for each in other.json()]
    assert changed.json()["name"] == "Bar"
    assert "lead" not in changed.json()
    assert [each["name"] for each in seen["components"]] == ["Bar"]
    assert count["issueCount"] == 1
    assert [(each["name"], each["issueCount"]) for each in page["values"]] == [("Bar", 1)]
    assert [each["name"] for each in moved["components"]] == ["Platform"]
    assert gone.status_code == 404


async def test_a_deleted_component_leaves_its_issues() -> None:
    async with open_client(demo_site(30)) as client:
        for component in (await client.get("project/DEMO/components")).json():
            assert (await client.delete(f"component/{component['id']}")).status_code == 204
        issues = await client.post(
            "search/jql", json={"jql": "project = DEMO", "fields": ["components"]}
        )

    assert {str(issue["fields"]["components"]) for issue in issues.json()["issues"]} == {"[]"}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"name": "x"}, "project"),
        ({"name": "x", "project": "NOPE"}, "project"),
        ({"project": "DEMO"}, "name"),
        ({"project": "DEMO", "name": ""}, "name"),
        ({"project": "DEMO", "name": "Checkout"}, "name"),
        ({"project": "DEMO", "name": "x", "leadAccountId": "y"}, "leadAccountId"),
    ],
)
async def test_a_wrong_component_is_refused(body: Any, error: str) -> None:
    site = demo_site(1)
    async with open_client(site) as client:
        response = await client.post("component", json=body)

    assert (response.status_code, [*response.json()["errors"]]) == (400, [error])
    assert site.revision == 0


async def test_components_and_versions_are_stored(tmp_path: Path) -> None:
    with SiteFile(tmp_path / "a.db") as file:
        async with open_client(open_site(file, tickets=3, clock=lambda: NOW)) as client:
            new = {"name": "New", "project": "DEMO"}
            component = (await client.post("component", json=new)).json()
            dates = {"releaseDate": "2026-09-01", "startDate": "2026-08-01"}
            version = (await client.post("version", json={**new, **dates})).json()
            fields = {"components": [{"name": "New"}], "fixVersions": [{"name": "New"}]}
            await client.put("issue/DEMO-2", json={"fields": fields})
            await client.delete("component/10000")
            before = (await client.get("issue/DEMO-2")).json()
    with SiteFile(tmp_path / "a.db") as file:
        async with open_client(open_site(file, clock=lambda: NOW)) as client:
            assert (await client.get("issue/DEMO-2")).json() == before
            assert (await client.get(f"component/{component['id']}")).json() == component
            assert (await client.get(f"version/{version['id']}")).json() == version
            assert (await client.get("component/10000")).status_code == 404
            again = (await client.post("component", json={**new, "name": "B"})).json()

    assert int(again["id"]) > int(version["id"]) > int(component["id"])
