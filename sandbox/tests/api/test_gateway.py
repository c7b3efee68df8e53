"""The site's own address and Atlassian's gateway to it."""

from __future__ import annotations

import httpx
import pytest

from jira_sandbox import CLOUD_ID, EMAIL, SCOPED_TOKEN, TOKEN, create_app, make_site

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


@pytest.mark.parametrize(
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
