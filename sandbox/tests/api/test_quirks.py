from __future__ import annotations

from typing import Any

from sandbox_client import demo_site, open_client, search

from jira_sandbox.api.quirks import Quirks


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


def test_the_value_itself_is_not_changed() -> None:
    value = {"a": [{"labels": ["x"]}], "content": {"type": "doc", "version": 1, "content": []}}
    before = repr(value)

    Quirks().apply(value)

    assert repr(value) == before


async def test_odd_answers_to_writes_still_say_what_was_written() -> None:
    fields = {"project": {"key": "DEMO"}, "issuetype": {"name": "Bug"}, "summary": "x"}
    async with open_client(demo_site(3), odd=True) as client:
        made = await client.post("issue", json={"fields": fields})
        steps = await client.get("issue/DEMO-4/transitions")
        moved = await client.post("issue/DEMO-4/transitions", json={"transition": {"id": "11"}})

    assert (made.status_code, moved.status_code, moved.content) == (201, 204, b"")
    assert made.json()["key"] == "DEMO-4"
    assert len(made.json()) > 3
    assert steps.json()["transitions"][0]["to"]["name"] == "In Progress"
