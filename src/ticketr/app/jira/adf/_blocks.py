"""Writes the blocks that hold other blocks: lists, quotes, panels and expands.

A list has no blank lines where it needs none, and two lists in a row are written so that they are
not read as one. Lines of text and all other blocks are written by a subclass.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Any

from ticketr.app.jira.adf._canonical import Json, content_of

BULLET_AND_ORDERED_LISTS = ("bulletList", "orderedList")  # a tuple: a type may be unhashable
#: A list that is nested deeper has blank lines.
_MAX_TIGHT_LIST_DEPTH = 20
#: Separates what Markdown would join.
SEPARATOR_COMMENT = "<!-- -->"
EMPTY_PARAGRAPHS: tuple[Json, ...] = ({"type": "paragraph"}, {"type": "paragraph", "content": []})
#: What is written for each kind of panel.
PANEL_WORD_BY_KIND = {
    "info": "INFO",
    "note": "NOTE",
    "success": "TIP",
    "warning": "WARNING",
    "error": "CAUTION",
    "tip": "HINT",
}


class BlockWriter(ABC):
    """Writes blocks."""

    @abstractmethod
    def write_block(self, node: Any, parent: str, *, short: bool = True, marker: str = "-") -> str:
        """Return the Markdown of a block.

        Args:
            node: The block.
            parent: The kind of the node that it is in.
            short: Whether to write short forms.
            marker: The sign of the items, if it is a bullet list.
        """

    def kind_and_is_bullet_list(self, node: Any, parent: str) -> tuple[str, bool]:
        """Return the kind that a block is read as, and whether it is written as a bullet list."""
        kind = node.get("type") if type(node) is dict else None
        return str(kind), kind == "bulletList"

    def write_blocks(
        self,
        blocks: Sequence[Any],
        parent: str,
        *,
        short: bool = True,
        long: Collection[int] = (),
        between: str = "\n\n",
    ) -> str:
        """Return the Markdown of the blocks of one place.

        Args:
            blocks: The blocks.
            parent: The kind of the node that they are in.
            short: Whether to write short forms.
            long: The indices of the blocks in which none is written.
            between: What is between two blocks.
        """
        texts: list[str] = []
        before = marker = ""
        for at, node in enumerate(blocks):
            kind, has_bullets = self.kind_and_is_bullet_list(node, parent)
            if kind == before and kind in {"orderedList", "taskList"}:
                texts.append(SEPARATOR_COMMENT)
                marker = ""
            marker = ("*" if marker == "-" else "-") if has_bullets else ""
            is_short = short and at not in long
            texts.append(self.write_block(node, parent, short=is_short, marker=marker))
            before = kind
        return between.join(filter(None, texts))

    def write_list(self, node: Json, marker: str, *, short: bool) -> str:
        """Return the Markdown of a list."""
        items, is_tight = content_of(node), _is_tight_list(node)
        has_blank_lines = not is_tight and any(len(content_of(item)) > 1 for item in items)
        texts: list[str] = []
        for number, item in enumerate(items, start=(node.get("attrs") or {}).get("order", 1)):
            sign = marker if node["type"] == "bulletList" else f"{number}."
            blocks = content_of(item)
            if short and len(blocks) == 1 and blocks[0] in EMPTY_PARAGRAPHS:
                texts.append(sign)
                continue
            if len(blocks) == 1:  # nearly always
                text = self.write_block(blocks[0], "listItem", short=short)
            else:
                text = self.write_blocks(
                    blocks, "listItem", short=short, between="\n" if is_tight else "\n\n"
                )
            indented = _indent_after_first_line(text, len(sign) + 1) if "\n" in text else text
            texts.append(f"{sign} {indented}" if text else sign)
        return ("\n\n" if has_blank_lines else "\n").join(texts)


def _indent_after_first_line(text: str, width: int) -> str:
    """Return lines with an indent, but for the first one."""
    first, *lines = text.split("\n")
    return "\n".join([first, *(f"{' ' * width}{line}" if line else "" for line in lines)])


def write_quote(text: str) -> str:
    """Return lines as those of a quote."""
    return "\n".join([f"> {line}" if line else ">" for line in text.split("\n")])


def write_panel(kind: str, blocks: Sequence[Any], blocks_markdown: str) -> str:
    """Return a quote with the mark of a panel; a paragraph follows in the next line."""
    first = blocks[0]
    end = "\n" if first.get("type") == "paragraph" and content_of(first) else "\n\n"
    return write_quote(f"[!{PANEL_WORD_BY_KIND[kind]}]{end}{blocks_markdown}")


def write_expand(title: str, text: str) -> str:
    """Return lines between the tags of an expand."""
    summary = f"\n<summary>{title}</summary>" if title else ""
    return f"<details>{summary}\n\n{text}\n\n</details>"


def _is_tight_list(node: Json, depth: int = 0) -> bool:
    """Return whether a list needs no blank lines: each item is a text with at most one such list."""
    for item in content_of(node):
        first, *lists = content_of(item) or [None]
        if lists:
            is_tight = (
                _is_unmarked_nonempty_paragraph(first)
                and len(lists) == 1
                and _is_paragraph_interrupting_list(lists[0])
                and depth < _MAX_TIGHT_LIST_DEPTH
                and _is_tight_list(lists[0], depth + 1)
            )
        else:
            is_tight = _is_unmarked_nonempty_paragraph(first) or first in EMPTY_PARAGRAPHS
        if not is_tight:
            return False
    return True


def _is_paragraph_interrupting_list(node: Any) -> bool:
    """Return whether a block is a list that is read as one right below a line of text."""
    if type(node) is not dict or node.get("type") not in BULLET_AND_ORDERED_LISTS:
        return False
    first = [block for item in content_of(node)[:1] for block in content_of(item)[:1]]
    is_from_one = (node.get("attrs") or {}).get("order", 1) == 1
    return is_from_one and any(map(_is_unmarked_nonempty_paragraph, first))


def _is_unmarked_nonempty_paragraph(node: Any) -> bool:
    return (
        type(node) is dict
        and node.get("type") == "paragraph"
        and "marks" not in node
        and bool(content_of(node))
    )
