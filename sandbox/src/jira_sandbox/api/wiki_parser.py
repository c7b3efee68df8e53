"""Convert wiki markup, in which version 2 of the interface takes descriptions, to ADF.

Headings, lists, rules and paragraphs are converted; other markup stays plain text.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from jira_sandbox.data.model import Adf

_HEADING: Final = re.compile(r"h([1-6])\. (.*)")
_ITEM: Final = re.compile(r"([*#]{1,10}) (.*)")
_LISTS: Final = {"*": "bulletList", "#": "orderedList"}


def from_wiki(text: str) -> Adf:
    """Return the document of a text in wiki markup."""
    reader = _WikiParser()
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        reader.read(line)
    return {"type": "doc", "version": 1, "content": reader.blocks}


class _WikiParser:
    def __init__(self) -> None:
        self.blocks: list[Adf] = []
        self._paragraph: list[Adf] | None = None
        self._markers = ""
        self._lists: list[Adf] = []

    def read(self, line: str) -> None:
        """Add a line to the document."""
        if item := _ITEM.fullmatch(line):
            self._paragraph = None
            self._add_item(item[1], item[2])
            return
        self._markers, self._lists = "", []
        if heading := _HEADING.fullmatch(line):
            attrs = {"level": int(heading[1])}
            content = _text(heading[2])
            self._add({"type": "heading", "attrs": attrs, "content": content})
        elif line == "----":
            self._add({"type": "rule"})
        elif not line.strip():
            self._paragraph = None
        elif self._paragraph is None:
            self._add({"type": "paragraph", "content": _text(line)})
            self._paragraph = self.blocks[-1]["content"]
        else:
            self._paragraph += [{"type": "hardBreak"}, *_text(line)]

    def _add(self, block: Adf) -> None:
        self.blocks.append(block)
        self._paragraph = None

    def _add_item(self, markers: str, text: str) -> None:
        """Add a list item, at most one level deeper than the item before it."""
        shared = len(
            [*takewhile(lambda pair: pair[0] == pair[1], zip(self._markers, markers, strict=False))]
        )
        markers = markers[: shared + 1]
        del self._lists[min(shared, len(markers)) :]
        if len(self._lists) < len(markers):
            inner: Adf = {"type": _LISTS[markers[-1]], "content": []}
            outer = self._lists[-1]["content"][-1]["content"] if self._lists else self.blocks
            outer.append(inner)
            self._lists.append(inner)
        self._markers = markers
        paragraph = {"type": "paragraph", "content": _text(text)}
        self._lists[-1]["content"].append({"type": "listItem", "content": [paragraph]})


def _text(text: str) -> list[Adf]:
    return [{"type": "text", "text": text}] if text else []
