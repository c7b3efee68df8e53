"""Views a document as a tree of blocks, each with a number that equal blocks share.

Two blocks are equal if no reader sees a difference, as in `canonical`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ticketr.app.jira.adf._canonical import Json, canonical
from ticketr.app.jira.adf._plain import walk

#: Blocks below this depth are compared as a whole.
_DEEPEST = 40
_LINES = frozenset({"paragraph", "heading", "taskItem", "decisionItem", "caption", "codeBlock"})
_INLINE = frozenset(
    {
        *("text", "hardBreak", "mention", "emoji", "date", "status", "inlineCard", "placeholder"),
        *("inlineExtension", "mediaInline", "unknownInline"),
    }
)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A block of a document.

    Attributes:
        node: The block as it is in the document.
        kind: Its type.
        key: A number that equal blocks share.
        shell: A number that blocks share if they are equal apart from their content.
        inside: A number that blocks share if their content is equal.
        blocks: The blocks in it.
        is_line: Whether it holds text, or nothing, instead of blocks.
    """

    node: Json
    kind: str
    key: int
    shell: int
    inside: int
    blocks: tuple[Block, ...]
    is_line: bool

    def walk(self) -> Iterator[Block]:
        """Yield this block and all blocks in it."""
        yield self
        for block in self.blocks:
            yield from block.walk()

    def words(self) -> Counter[str]:
        """Count the words in its texts."""
        texts = (node.get("text") for node in walk(self.node))
        return Counter(
            word for text in texts if isinstance(text, str) for word in _WORD.findall(text)
        )


@dataclass(slots=True)
class BlockReader:
    """Reads blocks; those that one reader has read can be compared by their numbers."""

    _numbers: dict[Hashable, int] = field(default_factory=dict)

    def blocks(self, document: object) -> tuple[Block, ...]:
        """Return the blocks of a document.

        Raises:
            RecursionError: It is nested too deep to be compared.
        """
        content = document.get("content") if isinstance(document, dict) else None
        if not isinstance(content, list):
            return ()
        return tuple(self._block(node, 0) for node in content if isinstance(node, dict))

    def _block(self, node: Json, depth: int) -> Block:
        kind = str(node.get("type"))
        content: Any = node.get("content")
        shell = self._number_of({key: value for key, value in node.items() if key != "content"})
        if depth >= _DEEPEST or _is_line(kind, content):
            inside = self._number_of({"type": kind, "content": content})
            return Block(
                node, kind, self._number_for((shell, inside)), shell, inside, (), is_line=True
            )
        blocks = tuple(self._block(value, depth + 1) for value in content)
        inside = self._number_for(tuple(block.key for block in blocks))
        key = self._number_for((shell, inside))
        return Block(node, kind, key, shell, inside, blocks, is_line=False)

    def _number_of(self, node: Json) -> int:
        """Return the number of a node, without its children: equal nodes have equal numbers."""
        return self._number_for(json.dumps(canonical(node), sort_keys=True, default=repr))

    def _number_for(self, value: Hashable) -> int:
        """Return the number of a value: equal values have equal numbers."""
        return self._numbers.setdefault(value, len(self._numbers))


def is_inline(node: object) -> bool:
    """Return whether a node is in a line of text."""
    return not isinstance(node, dict) or node.get("type") in _INLINE


def _is_line(kind: str, content: Any) -> bool:
    if kind in _LINES or not isinstance(content, list) or not content:
        return True
    return any(map(is_inline, content))
