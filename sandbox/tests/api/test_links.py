from __future__ import annotations

from typing import Any

import pytest
from sandbox_client import demo_site, open_client

BLOCKS = {
    "type": {"name": "Blocks"},
    "inwardIssue": {"key": "DEMO-1"},
    "outwardIssue": {"key": "DEMO-2"},
}


async def links(client: Any, key: str) -> list[Any]:
    response = await client.get(f"issue/{key}?fields=issuelinks")
    found: list[Any] = response.json()["fields"]["issuelinks"]
    return found


async def test_a_link_is_seen_from_both_issues() -> None:
    site = demo_site(3)
    async with open_client(site) as client:
        made = await client.post("issueLink", json=BLOCKS)
        (blocker,), (blocked,) = await links(client, "DEMO-1"), await links(client, "DEMO-2")
        whole = await client.get(f"issueLink/{blocker['id']}")

    assert (made.status_code, made.content) == (201, b"")
    assert blocker["type"]["outward"] == "blocks"
    assert blocker["outwardIssue"]["key"] == "DEMO-2"
    assert "inwardIssue" not in blocker
    assert blocked["inwardIssue"]["key"] == "DEMO-1"
    assert "outwardIssue" not in blocked
    assert sorted(blocked["inwardIssue"]["fields"]) == [
        "issuetype",
        "priority",
        "status",
        "summary",
    ]
    assert whole.json()["inwardIssue"]["key"] == "DEMO-1"
    assert whole.json()["outwardIssue"]["key"] == "DEMO-2"


async def test_a_link_that_is_there_is_not_made_again() -> None:
    async with open_client() as client:
        for _ in range(2):
            assert (await client.post("issueLink", json=BLOCKS)).status_code == 201
        reverse = {**BLOCKS, "inwardIssue": {"key": "DEMO-2"}, "outwardIssue": {"key": "DEMO-1"}}
        await client.post("issueLink", json=reverse)

        assert len(await links(client, "DEMO-1")) == 2


async def test_a_link_comes_with_a_comment_on_the_outward_issue() -> None:
    text = {"type": "paragraph", "content": [{"type": "text", "text": "why"}]}
    document = {"type": "doc", "version": 1, "content": [text]}
    async with open_client() as client:
        await client.post("issueLink", json={**BLOCKS, "comment": {"body": document}})
        (commented,) = (await client.get("issue/DEMO-2/comment")).json()["comments"]
        refused = await client.post("issueLink", json={**BLOCKS, "comment": {"body": 1}})

    assert commented["body"] == document
    assert refused.status_code == 400


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"type": {"name": "Hates"}}, 404),
        ({"type": {"id": "7"}}, 404),
        ({"type": {}}, 400),
        ({"inwardIssue": {"key": "DEMO-99"}}, 404),
        ({"outwardIssue": {}}, 404),
        ({"outwardIssue": {"key": "DEMO-1"}}, 400),
        ({"type": None}, 400),
    ],
)
async def test_a_wrong_link_is_refused(change: dict[str, Any], status: int) -> None:
    site = demo_site(3)
    async with open_client(site) as client:
        response = await client.post("issueLink", json={**BLOCKS, **change})

    assert response.status_code == status
    assert site.revision == 0


async def test_a_link_is_removed_from_both_issues() -> None:
    async with open_client() as client:
        await client.post("issueLink", json=BLOCKS)
        (link,) = await links(client, "DEMO-1")
        removed = await client.delete(f"issueLink/{link['id']}")
        missing = await client.delete(f"issueLink/{link['id']}")

        assert (removed.status_code, missing.status_code) == (204, 404)
        assert await links(client, "DEMO-1") == await links(client, "DEMO-2") == []


async def test_the_links_of_a_deleted_issue_go_with_it() -> None:
    async with open_client() as client:
        await client.post("issueLink", json=BLOCKS)
        await client.delete("issue/DEMO-1?deleteSubtasks=true")

        assert await links(client, "DEMO-2") == []


async def test_the_kinds_of_links_are_listed() -> None:
    async with open_client() as client:
        listed = await client.get("issueLinkType")
        kinds = listed.json()["issueLinkTypes"]
        one = await client.get(f"issueLinkType/{kinds[0]['id']}")
        missing = await client.get("issueLinkType/1")

    assert [kind["name"] for kind in kinds] == ["Blocks", "Cloners", "Duplicate", "Relates"]
    assert (one.json(), missing.status_code) == (kinds[0], 404)
