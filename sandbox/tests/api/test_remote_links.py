from __future__ import annotations

from typing import Any

from sandbox_client import open_client

GLOBAL_ID = "system=http://x&id=1"
LINK: dict[str, Any] = {
    "globalId": GLOBAL_ID,
    "relationship": "causes",
    "application": {"type": "com.x", "name": "X"},
    "object": {"url": "http://x/1", "title": "One", "status": {"resolved": True}},
}
PATH = "issue/DEMO-2/remotelink"


async def test_a_remote_link_is_added_replaced_and_deleted() -> None:
    async with open_client() as client:
        made = await client.post(PATH, json=LINK)
        again = await client.post(PATH, json={**LINK, "relationship": "fixes"})
        plain = await client.post(PATH, json={"object": {"url": "http://y", "title": "Y"}})
        other = {"globalId": "y", "object": {"url": "http://z", "title": "Z"}}
        third = await client.post(PATH, json=other)
        found = await client.get(PATH, params={"globalId": "y"})
        await client.delete(PATH, params={"globalId": "y"})
        number = made.json()["id"]
        listed = (await client.get(PATH)).json()
        by_global_id = (await client.get(PATH, params={"globalId": GLOBAL_ID})).json()
        one = (await client.get(f"{PATH}/{number}")).json()
        edited = await client.put(f"{PATH}/{plain.json()['id']}", json=LINK)
        await client.delete(PATH, params={"globalId": GLOBAL_ID})
        await client.delete(f"{PATH}/{plain.json()['id']}")
        left = (await client.get(PATH)).json()

    assert (made.status_code, again.status_code, plain.status_code) == (201, 200, 201)
    assert again.json()["id"] == number
    assert found.json()["id"] == third.json()["id"]
    assert sorted(link["object"]["title"] for link in listed) == ["One", "Y"]
    assert one == by_global_id
    assert one["relationship"] == "fixes"
    assert edited.status_code == 204
    assert left == []


async def test_wrong_and_missing_remote_links_are_reported() -> None:
    async with open_client() as client:
        wrong = await client.post(PATH, json={"object": {"url": "http://x"}})
        missing = [
            await client.get(f"{PATH}/5"),
            await client.delete(f"{PATH}/5"),
            await client.get(PATH, params={"globalId": "x"}),
            await client.delete(PATH, params={"globalId": "x"}),
        ]

    assert wrong.json()["errors"] == {"title": "'title' is required."}
    assert [response.status_code for response in missing] == [404] * 4
