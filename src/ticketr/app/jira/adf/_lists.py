"""Writes lists as a person would: without blank lines, and two in a row with two markers.

marklas puts blank lines into every list with another list in it, and writes all numbered lists and
all lists of tasks with the same marker, so that two in a row would be one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from ticketr.app.jira.adf._canonical import Json, content_of
from ticketr.app.jira.adf._signs import OTHER, STAY, TIGHT, verbatim

_LISTS = ("bulletList", "orderedList")  # a tuple: a type may be unhashable
#: Two of these lists in a row would be read as one.
_MERGED = ("orderedList", "taskList")
_BOX = verbatim("[")
_TIGHT = re.compile(rf"{TIGHT}(?:\n[ >]*(?=\n))?")
_OTHER = re.compile(rf"(?:(?P<number>\d+)\.|-(?P<box> \[[ x]\])) {OTHER}")
#: What marklas escapes at the start of a line alone.
_NUMBER = re.compile(r" {0,3}\d+[.)]\s")


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
    line = next(_first_lines(node), None)
    return line is not None and _text_of(line) != STAY


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
        separator: Makes a block that is between two lists of which one has no other marker.
    """
    made: list[Any] = content[:1]
    is_other = False
    for before, after in pairwise(tuple(content)):
        if _read_as(before) == _read_as(after) == "taskList" and before["type"] != after["type"]:
            made.append(separator())
            is_other = False
        elif before.get("type") == after.get("type") in _MERGED:
            is_other = not is_other
            if is_other and not _write_other_marker(after):
                made.append(separator())
                is_other = False
        else:
            is_other = False
        made.append(after)
    content[:] = made


def _read_as(node: Json) -> Any:
    """Return the kind that a list is read as; some lists of tasks are written as items with boxes."""
    match node:
        case {
            "type": "bulletList",
            "content": [{"content": [{"content": [{"text": str(words)}, *_]}, *_]}, *_],
        } if words.startswith(_BOX):
            return "taskList"
    return node.get("type")


def _write_other_marker(node: Json) -> bool:
    """Give a list the other marker of its kind; return whether that is possible."""
    lines = list(_first_lines(node))
    if not lines or any(line is None or _NUMBER.match(_text_of(line)) for line in lines):
        return False
    for line in lines:
        if line is not None:
            line["content"] = [{"type": "text", "text": OTHER}, *content_of(line)]
    return True


def _first_lines(node: Json) -> Iterator[Json | None]:
    """Yield the line of text at the start of each item; None for an item without one."""
    for item in content_of(node):
        kind = item.get("type") if type(item) is dict else None
        if kind == "taskItem":
            yield item
        elif kind == "listItem":
            first = next(iter(content_of(item)), None)
            yield first if _is_text(first) else None
        elif kind != "taskList":
            yield None


def restore_lists(markdown: str) -> str:
    """Remove the blank lines that lists do not need, and write their other markers."""

    def marker(match: re.Match[str]) -> str:
        return f"{match['number']}) " if match["number"] else f"*{match['box']} "

    # In a cell lists are HTML, which keeps them apart.
    return _OTHER.sub(marker, _TIGHT.sub("", markdown)).replace(OTHER, "")


def _append(paragraph: Json, sign: str) -> None:
    paragraph["content"].append({"type": "text", "text": sign})


def _text_of(line: Json) -> str:
    first = next(iter(content_of(line)), None)
    words = first.get("text") if type(first) is dict else None
    return words if type(words) is str else ""
