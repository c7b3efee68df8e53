"""Build documents and their nodes."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def doc(*blocks: Any) -> Json:
    return {"type": "doc", "version": 1, "content": list(blocks)}


def node(kind: str, attrs: Json | None = None, *content: Any) -> Json:
    made: Json = {"type": kind}
    if attrs is not None:
        made["attrs"] = attrs
    if content:
        made["content"] = list(content)
    return made


def text(words: str, *marks: str | Json) -> Json:
    """Return a text; a mark without attributes is named by its type."""
    made = [{"type": mark} if isinstance(mark, str) else mark for mark in marks]
    return {"type": "text", "text": words, **({"marks": made} if made else {})}


def paragraph(*inlines: Any, **more: Any) -> Json:
    """Return a paragraph of texts and other nodes."""
    content = [text(each) if isinstance(each, str) else each for each in inlines]
    return {"type": "paragraph", **more, "content": content}


def item(*blocks: Any) -> Json:
    return {"type": "listItem", "content": list(blocks)}
