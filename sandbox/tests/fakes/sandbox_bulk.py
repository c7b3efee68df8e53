"""Submit bulk operations to the sandbox."""

from __future__ import annotations

from typing import Any

import httpx
from sandbox_client import NOW

from jira_sandbox import Site, make_site


def new_site(tickets: int = 5) -> Site:
    return make_site(tickets=tickets, seed=1, all_fields=True, clock=lambda: NOW)


async def submit(client: httpx.AsyncClient, action: str, body: Any) -> str:
    response = await client.post(f"bulk/issues/{action}", json=body)
    assert response.status_code == 201, response.text
    task: str = response.json()["taskId"]
    return task


async def progress(client: httpx.AsyncClient, task: str) -> Any:
    return (await client.get(f"bulk/queue/{task}")).json()
