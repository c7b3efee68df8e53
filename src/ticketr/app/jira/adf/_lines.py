"""Finds the line of Markdown that a block of a document comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

_WORD = re.compile(r"[^\W_]+")
#: So many words are enough to find a line.
_MOST_WORDS = 5
#: What is between two words of a text: punctuation, marks and tags, on a few lines.
_BETWEEN = r"(?:[\W_]|<[^<>]*>|&\w+;){1,200}?"


def line_of(markdown: str, blocks: Sequence[object], path: Sequence[int]) -> int:
    """Return the line of Markdown in which a block begins, from 1.

    The texts of the blocks are looked for in their order, so that the line may be one nearby if
    the Markdown is unusual.

    Args:
        markdown: The Markdown.
        blocks: The blocks that it was converted to.
        path: The index of the block in them, then in the block there, and so on. An index past the
            last block is for the end.
    """
    at = 0
    for place, text in _texts(blocks, ()):
        match = _find(markdown, text, at)
        if place[: len(path)] >= tuple(path):
            return markdown.count("\n", 0, at if match is None else match.start()) + 1
        at = at if match is None else match.end()
    return markdown.rstrip("\n").count("\n") + 1


def _texts(
    blocks: Sequence[object], path: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], str]]:
    """Yield the place of each text; one of a block of text counts as that of the block."""
    for at, node in enumerate(blocks):
        place = (*path, at)
        text: Any = node.get("text") if isinstance(node, dict) else None
        content: Any = node.get("content") if isinstance(node, dict) else None
        if isinstance(text, str):
            yield place, text
        elif isinstance(content, list):
            yield from _texts(content, place)


def _find(markdown: str, text: str, start: int) -> re.Match[str] | None:
    words = _WORD.findall(text[:200])[:_MOST_WORDS]
    if not words:
        return None
    pattern = re.compile(_BETWEEN.join(map(re.escape, words)))
    return pattern.search(markdown, start) or re.compile(re.escape(words[0])).search(
        markdown, start
    )
