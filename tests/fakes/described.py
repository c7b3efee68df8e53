"""Issues with descriptions and attachments, on both sides of a bench."""

from __future__ import annotations

from typing import Any

from fakes.pulls import Bench

from jira_sandbox.api.media import media_id
from jira_sandbox.data.catalogue import DEMO_USER
from jira_sandbox.data.parts import Attachment

Json = dict[str, Any]


def attach(bench: Bench, key: str, name: str, content: bytes = b"png") -> str:
    """Attach a file in Jira; return its media ID."""
    site = bench.site
    attachment = Attachment(
        site.next_part(), DEMO_USER, name, "image/png", len(content), site.millis()
    )
    site.attach(key, [(attachment, content)])
    return media_id(attachment.id)


def p(words: str) -> Json:
    return {"type": "paragraph", "content": [{"type": "text", "text": words}]}


def picture(media: str, **attrs: object) -> Json:
    node = {"type": "media", "attrs": {"type": "file", "id": media, "collection": "", **attrs}}
    return {"type": "mediaSingle", "attrs": {"layout": "center"}, "content": [node]}


def describe(bench: Bench, key: str, *blocks: Json) -> None:
    bench.site.edit(key, description={"type": "doc", "version": 1, "content": list(blocks)})


def blocks(bench: Bench, key: str) -> list[Json]:
    description: Any = bench.finds(key).description
    found: list[Json] = description["content"]
    return found
