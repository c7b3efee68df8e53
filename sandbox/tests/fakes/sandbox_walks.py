"""Walk along a list of requests, and hold each of them and its answer against the document."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sandbox_client import open_client
from sandbox_openapi import find_operation, wrong_request

from jira_sandbox import Site
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.routes import PLATFORM

#: The method, the path, the body and the expected status.
Step = tuple[str, str, Any, int]


def as_sent(value: Any, version: str) -> Any:
    """Replace ``TEXT`` by a text in the form of the version."""
    if isinstance(value, dict):
        return {key: as_sent(part, version) for key, part in value.items()}
    if isinstance(value, list):
        return [as_sent(part, version) for part in value]
    if value != "TEXT" or version == "2":
        return value
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": value}]}
    return {"type": "doc", "version": 1, "content": [paragraph]}


async def walk(steps: Iterable[Step], site: Site, version: str) -> None:
    """Make the requests; the client checks the answers."""
    async with open_client(site, version=version) as client:
        for method, path, body, status in steps:
            if path.endswith("/attachments"):
                headers = {"X-Atlassian-Token": "no-check"}
                response = await client.request(method, path, files=body, headers=headers)
            else:
                response = await client.request(method, path, json=as_sent(body, version))
                sent = response.request
                assert wrong_request(method, str(sent.url), sent.content) == []
            assert response.status_code == status, (method, path, response.text)


def unwalked(steps: Iterable[Step], groups: Iterable[type[RouteGroup]]) -> list[str]:
    """Return the routes of groups that no step takes with success, and those Jira lacks."""
    walked = {
        find_operation(method, f"/rest/api/3/{path.partition('?')[0]}")
        for method, path, _, status in steps
        if status < 300
    }
    return [
        f"{method} {path}"
        for group in groups
        for method, path, _ in PLATFORM[group]
        if find_operation(method, "/rest/api/3/" + re.sub(r"\{[^}]*\}", "x", path))
        not in walked - {None}
    ]
