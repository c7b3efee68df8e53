"""An HTTP client on the sandbox's app, in this process and in virtual time."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
from sandbox_openapi import wrong_answer
from sandbox_specs import find

from jira_sandbox import EMAIL, TOKEN, Site, create_app, make_site

NOW = datetime(2025, 10, 1, 12, 0, tzinfo=UTC)
JsonObject = dict[str, Any]


def demo_site(tickets: int = 60, seed: int = 1) -> Site:
    """Make a site whose clock stands still."""
    return make_site(tickets=tickets, seed=seed, clock=lambda: NOW)


@asynccontextmanager
async def open_client(
    site: Site | None = None,
    *,
    latency: float = 0.0,
    odd: bool = False,
    version: str = "3",
    auth: tuple[str, str] | None = (EMAIL, TOKEN),
) -> AsyncGenerator[httpx.AsyncClient]:
    """Open a client whose requests go straight into the app.

    Where Atlassian's document is at hand, each answer is held against it, but for odd ones.
    """
    app = create_app(demo_site() if site is None else site, latency=latency, odd=odd)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url=f"http://jira.test/rest/api/{version}/",
        auth=auth,
        trust_env=False,
        event_hooks={"response": [] if odd else [_check]},
    ) as client:
        yield client


async def _check(response: httpx.Response) -> None:
    if find("jira-openapi.json") is not None:
        await response.aread()
        assert wrong_answer(response) == []


async def search(client: httpx.AsyncClient, jql: str, **options: object) -> JsonObject:
    """Search by POST and return the JSON of the successful response."""
    response = await client.post("search/jql", json={"jql": jql, **options})
    assert response.status_code == 200, response.text
    answer: JsonObject = response.json()
    return answer


async def keys(client: httpx.AsyncClient, jql: str) -> list[str]:
    """Search and return the keys on the first page."""
    answer = await search(client, jql, fields=["key"], maxResults=5000)
    return [issue["key"] for issue in answer["issues"]]
