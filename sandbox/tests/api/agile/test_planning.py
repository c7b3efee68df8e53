from __future__ import annotations

from typing import Any

import pytest
from sandbox_agile import agile, new_site


async def order(client: Any) -> list[str]:
    page = (await client.get("board/3/issue?fields=summary")).json()
    return [issue["key"] for issue in page["issues"]]


async def test_issues_are_ranked() -> None:
    async with agile() as client:
        before = await order(client)
        after_all = {"issues": ["KIT-2"], "rankAfterIssue": "KIT-8"}
        await client.put("issue/rank", json=after_all)
        in_front = {"issues": ["KIT-5", "KIT-4"], "rankBeforeIssue": "KIT-3"}
        await client.put("issue/rank", json=in_front)
        between = {"issues": ["KIT-7"], "rankAfterIssue": "KIT-5"}
        await client.put("issue/rank", json=between)
        after = await order(client)
        ranks = [
            (await client.get(f"issue/{key}")).json()["fields"]["customfield_10019"]
            for key in after
        ]
        wrong = await client.put("issue/rank", json={"issues": ["KIT-2"]})

    assert before == [f"KIT-{number}" for number in range(2, 9)]
    assert after == [f"KIT-{number}" for number in (5, 7, 4, 3, 6, 8, 2)]
    assert ranks == sorted(ranks)
    assert wrong.status_code == 400


async def test_issues_get_and_lose_their_epic() -> None:
    site = new_site()
    epic = site.existing("KIT-1").id
    async with agile(site) as client:
        described = (await client.get("epic/KIT-1")).json()
        await client.post("epic/KIT-1/issue", json={"issues": ["KIT-3"]})
        inside = (await client.get("epic/KIT-1/issue")).json()
        with_epic = site.existing("KIT-3").parent
        await client.post("epic/none/issue", json={"issues": ["KIT-3"]})
        foreign = await client.post("epic/KIT-1/issue", json={"issues": ["DEMO-3"]})
        subtask = await client.post("epic/KIT-1/issue", json={"issues": ["KIT-6"]})
        no_epic = await client.get("epic/KIT-2")

    assert (described["key"], described["done"]) == ("KIT-1", False)
    assert "KIT-3" in [issue["key"] for issue in inside["issues"]]
    assert with_epic == epic
    assert site.existing("KIT-3").parent is None
    assert (foreign.status_code, subtask.status_code, no_epic.status_code) == (400, 400, 404)


@pytest.mark.parametrize(
    ("key", "field"), [("KIT-3", "customfield_10016"), ("TEAM-3", "customfield_10028")]
)
async def test_an_issue_is_estimated(key: str, field: str) -> None:
    async with agile() as client:
        path = f"issue/{key}/estimation?boardId=3"
        empty = (await client.get(path)).json()
        made = (await client.put(path, json={"value": "8"})).json()
        issue = (await client.get(f"issue/{key}")).json()["fields"]
        cleared = (await client.put(path, json={"value": None})).json()
        wrong = await client.put(path, json={"value": "many"})

    assert empty == cleared == {"fieldId": field, "value": None}
    assert made == {"fieldId": field, "value": 8.0}
    assert issue[field] == 8.0
    assert wrong.status_code == 400


async def test_a_flagged_issue_says_so() -> None:
    async with agile() as client:
        flagged = (await client.get("issue/KIT-2?fields=flagged,epic")).json()["fields"]
        plain = (await client.get("issue/KIT-3")).json()["fields"]

    assert flagged["flagged"] is True
    assert flagged["epic"]["key"] == "KIT-1"
    assert plain["flagged"] is False
