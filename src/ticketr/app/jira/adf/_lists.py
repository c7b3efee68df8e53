"""Writes lists as a person would: without blank lines, and two in a row apart.

marklas puts blank lines into every list with another list in it, and writes two lists of the same
kind in a row so that they would be read as one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from ticketr.app.jira.adf._canonical import Json, content_of
from ticketr.app.jira.adf._signs import STAY, TIGHT, verbatim

_LISTS = ("bulletList", "orderedList")  # a tuple: a type may be unhashable
#: Two of these lists in a row would be read as one.
_MERGED = ("orderedList", "taskList")
_BOX = verbatim("[")
_TIGHT = re.compile(rf"{TIGHT}(?:\n[ >]*(?=\n))?")


def write_tight(content: list[Any]) -> None:
    """Mark the blocks in lists that need no blank line behind them, in place.

    Args:
        content: The blocks of a place that is no item of such a list.
    """
    for node in content:
        if _is_list(node):
            _mark_list(node)


def _mark_list(node: Json) -> bool:
    """Mark the blocks of a list and of the lists in it; return whether it is tight."""
    items = content_of(node)
    tight = [_mark_item(value) for value in items]
    if not all(tight):
        return False
    if any(len(value["content"]) > 1 for value in items):
        for item in items:
            paragraph, *lists = item["content"]
            if lists:
                _append(paragraph, TIGHT)
            if item is not items[-1]:
                _append(_last_paragraph(item), TIGHT)
    return True


def _mark_item(item: Any) -> bool:
    """Mark the lists in an item; return whether it is a text with at most one tight list."""
    content = content_of(item)
    lists = [value for value in content if _is_list(value)]
    tight = [_mark_list(value) for value in lists]
    if not all(tight) or len(lists) > 1 or len(content) != 1 + len(lists):
        return False
    first = content[0]
    # Below a line of text, only a list that starts at 1, and with a text, is read as one.
    return _is_text(first) and all(
        value.get("attrs", {}).get("order") is None and _starts_with_text(value) for value in lists
    )


def _is_list(node: Any) -> bool:
    return type(node) is dict and node.get("type") in _LISTS


def _is_text(node: Any) -> bool:
    return (
        type(node) is dict
        and node.get("type") == "paragraph"
        and "marks" not in node
        and bool(content_of(node))
    )


def _starts_with_text(node: Json) -> bool:
    """Return whether the first item of a list begins with a text."""
    match node:
        case {"content": [{"content": [first, *_]}, *_]}:
            return _is_text(first) and first["content"][0].get("text") != STAY
    return False


def _last_paragraph(item: Json) -> Json:
    while True:
        last: Json = item["content"][-1]
        if last["type"] == "paragraph":
            return last
        item = last["content"][-1]


def keep_lists_apart(content: list[Any], separator: Callable[[], Json]) -> None:
    """Make sure that no two lists in a row are read as one, in place.

    Args:
        content: The blocks of a place.
        separator: Makes a block that is between two lists.
    """
    result: list[Any] = content[:1]
    for before, after in pairwise(tuple(content)):
        if _read_as(before) == _read_as(after) in _MERGED:
            result.append(separator())
        result.append(after)
    content[:] = result


def _read_as(node: Json) -> Any:
    """Return the kind that a list is read as; some lists of tasks are written as items with boxes."""
    match node:
        case {
            "type": "bulletList",
            "content": [{"content": [{"content": [{"text": str(words)}, *_]}, *_]}, *_],
        } if words.startswith(_BOX):
            return "taskList"
    return node.get("type")


def restore_lists(markdown: str) -> str:
    """Remove the blank lines that lists do not need."""
    return _TIGHT.sub("", markdown)


def _append(paragraph: Json, sign: str) -> None:
    paragraph["content"].append({"type": "text", "text": sign})
