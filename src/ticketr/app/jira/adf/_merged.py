"""Merges an edited block with the block in Jira that it comes from."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from ticketr.app.jira.adf._alignment import Block, is_inline
from ticketr.app.jira.adf._canonical import Json, canonical

_NOT_MERGED = frozenset({"type", "content", "version", "attrs"})


def merged_shell(original: Block, shown: Block, edited: Block) -> Json:
    """Return a block with Jira's attributes and marks, changed only where the file was edited."""
    if original.kind != edited.kind:
        return edited.node
    if shown.shell == edited.shell:
        return original.node
    before, after = (canonical({**block.node, "content": []}) for block in (shown, edited))
    result = _changed(original.node, before, after, edited.node)
    attrs = original.node.get("attrs")
    old, new = (node.get("attrs", {}) for node in (before, after))
    if old != new:
        result["attrs"] = _changed(attrs if isinstance(attrs, dict) else {}, old, new, new)
        if not result["attrs"] and "attrs" not in original.node:
            del result["attrs"]
    return result


def _changed(original: Json, before: Json, after: Json, source: Json) -> Json:
    """Apply the difference between two records to a third one."""
    result = dict(original)
    for name in dict.fromkeys((*before, *after)):
        if name in _NOT_MERGED and source is not after:
            continue
        if name not in after:
            result.pop(name, None)
        elif name not in before or before[name] != after[name]:
            result[name] = source[name]
    return result


def merged_line(shell: Json, original: Block, edited: Block) -> Json:
    """Return a line of text with Jira's own mentions, dates and the like where they are still there."""
    content = edited.node.get("content")
    if not isinstance(content, list):
        return {name: value for name, value in shell.items() if name != "content"}
    known: dict[str, deque[Any]] = {}
    there = original.node.get("content")
    for node in there if isinstance(there, list) else ():
        if _is_inline_node(node):
            known.setdefault(_comparable(node), deque()).append(node)
    line = [
        known[key].popleft()
        if _is_inline_node(node) and known.get(key := _comparable(node))
        else node
        for node in content
    ]
    return {**shell, "content": line}


def _is_inline_node(node: object) -> bool:
    return isinstance(node, dict) and is_inline(node) and node.get("type") != "text"


def _comparable(node: Json) -> str:
    return json.dumps(canonical(node), sort_keys=True, default=repr)
