"""Keeps the `localId` of each block its own in a document that was put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from itertools import count

from ticketr.app.jira.adf._canonical import Json
from ticketr.app.jira.adf._plain import walk

_ID = "localId"


def count_ids(document: object) -> Counter[str]:
    """Count how often each ID occurs in a document."""
    return Counter(key for node in walk(document) if (key := _local_id(node)) is not None)


def free_ids(taken: Collection[str]) -> Iterator[str]:
    """Yield numbers as IDs, none of them among those that are taken."""
    return (number for index in count(1) if (number := str(index)) not in taken)


def with_new_ids(node: Json, ids: Iterator[str]) -> Json:
    """Return a document or a block with other IDs."""
    return _with_ids(node, lambda _: next(ids))


def without_double_ids(document: Json, known: Counter[str]) -> Json:
    """Return a document in which blocks that were copied have IDs of their own.

    Args:
        document: The document.
        known: How often each of Jira's own IDs may occur in it.
    """
    counts = count_ids(document)
    if all(number <= max(known[local_id], 1) for local_id, number in counts.items()):
        return document
    free = free_ids(counts)
    seen: Counter[str] = Counter()

    def own(local_id: str) -> str:
        seen[local_id] += 1
        return local_id if seen[local_id] <= max(known[local_id], 1) else next(free)

    return _with_ids(document, own)


def _local_id(node: Json) -> str | None:
    attrs = node.get("attrs")
    local_id = attrs.get(_ID) if isinstance(attrs, dict) else None
    return local_id if isinstance(local_id, str) else None


def _with_ids(node: Json, change: Callable[[str], str]) -> Json:
    result = dict(node)
    local_id = _local_id(node)
    if local_id is not None:
        result["attrs"] = {**node["attrs"], _ID: change(local_id)}
    content = node.get("content")
    if isinstance(content, list):
        result["content"] = [
            _with_ids(value, change) if isinstance(value, dict) else value for value in content
        ]
    return result
