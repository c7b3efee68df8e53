"""A client of the sandbox's agile interface, which Atlassian's document does not describe."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
from sandbox_client import NOW, open_client

from jira_sandbox import Site, make_site


def new_site() -> Site:
    return make_site(tickets=40, seed=1, all_fields=True, clock=lambda: NOW)


@asynccontextmanager
async def agile(site: Site | None = None) -> AsyncGenerator[httpx.AsyncClient]:
    async with open_client(site or new_site()) as client:
        client.base_url = client.base_url.copy_with(path="/rest/agile/1.0/")
        yield client
