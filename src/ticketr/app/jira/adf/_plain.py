"""Reads the plain text of a document that cannot be converted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ticketr._lazy import compile_on_use
from ticketr.app.jira.adf._canonical import MAX_DEPTH, Json
from ticketr.app.jira.errors import clip

_WORD_START = compile_on_use(r"(?<=[a-z])(?=[A-Z])")
_INLINE = frozenset({"text", "hardBreak", "mention", "emoji", "date", "status", "inlineCard"})
#: The attributes with the text of a node, the best one first.
_SHOWN_ATTRS = ("text", "shortName", "url", "alt", "title", "timestamp", "id")


def walk(document: object) -> Iterator[Json]:
    """Yield the nodes of a document in their order, however deep it is."""
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            content = node.get("content")
            waiting += reversed(content) if isinstance(content, list) else ()


def plain_lines(node: Json) -> list[str]:
    """Return the words of a node, a line for each block that has some."""
    lines: list[list[str]] = []
    _collect_lines(node, lines, 0)
    return [line for line in map(str.strip, map("".join, lines)) if line]


def _collect_lines(node: Any, lines: list[list[str]], depth: int) -> None:
    """Add the words of a node to the lines, with a new line for each block."""
    if type(node) is not dict or depth > 2 * MAX_DEPTH:
        return
    kind = node.get("type")
    if kind == "hardBreak":
        lines.append([])
        return
    inline = type(kind) is str and kind in _INLINE
    if not inline or not lines:
        lines.append([])
    lines[-1].append(_text_of(node))
    content = node.get("content")
    if type(content) is list:
        for child in content:
            _collect_lines(child, lines, depth + 1)


def _text_of(node: Json) -> str:
    text = node.get("text")
    if type(text) is str:
        return text
    attrs = node.get("attrs")
    if type(attrs) is not dict:
        return ""
    return next((attrs[key] for key in _SHOWN_ATTRS if type(attrs.get(key)) is str), "")


def prose(document: Json) -> Iterator[str]:
    """Yield the text of each block without what is in code, in the order of the document."""
    waiting: list[Any] = [document]
    while waiting:
        node = waiting.pop()
        content = node.get("content") if type(node) is dict else None
        if type(content) is not list or node.get("type") == "codeBlock":
            continue
        words = [_prose_of(child) for child in content if type(child) is dict]
        if any(words):
            yield "".join(words)
        waiting += reversed(content)


def _prose_of(node: Json) -> str:
    text = node.get("text") if node.get("type") == "text" else None
    if type(text) is not str:
        return "\n" if node.get("type") == "hardBreak" else ""
    marks = node.get("marks") or ()
    return "" if any(type(m) is dict and m.get("type") == "code" for m in marks) else text


def named(kind: str) -> str:
    """Return the name of a kind in plain words, with its article."""
    words = kind_words(kind)
    return f"an {words}" if words[:1] in "aeiou" else f"a {words}"


def kind_words(kind: str) -> str:
    """Return the name of a kind in plain words: `listItem` is a list item."""
    return clip(_WORD_START.sub(" ", kind).lower(), 40)
