"""Tells the HTML that ticketr writes into files from text in angle brackets.

A tag has a meaning if it has an ``adf`` attribute, and a few others have one in the cells of
tables; see docs/format.md. Everything else in angle brackets is text.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from typing import Final, cast

#: Separates texts that Markdown would join. A pull writes it.
EMPTY_COMMENT: Final = "<!-- -->"
#: The tags that begin a new line.
BLOCKS: Final = frozenset(
    {
        *("aside", "blockquote", "details", "div", "figcaption", "figure", "li", "ol", "p"),
        *("section", "summary", "table", "tr", "ul", "h1", "h2", "h3", "h4", "h5", "h6", "hr"),
    }
)
#: The tags with a meaning in a cell, even without an ``adf`` attribute.
_IN_CELLS: Final = BLOCKS | {"code", "td", "th"}

#: The tags of short forms, and their kinds.
SHORT: Final = {"details": "expand", "sub": "subSup", "sup": "subSup", "u": "underline"}

_TAG = re.compile(
    r"""<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*)
    (?P<attrs>(?:\s+(?:open(?=[\s>])|[\w-]+=(?:"[^"]*"|'[^']*')))*)\s*/?>""",
    re.VERBOSE,
)
_ATTR = re.compile(r"""([\w-]+)=(?:"([^"]*)"|'([^']*)')""")


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag that ticketr writes.

    Attributes:
        name: Its name, such as ``span``.
        kind: Its ``adf`` attribute, such as ``mention``; empty if it has none.
        attrs: Its attributes.
        is_end: Whether it is an end tag.
        is_short: Whether it has no ``adf`` attribute and is one of a short form.
    """

    name: str
    kind: str
    attrs: dict[str, str]
    is_end: bool
    is_short: bool = False

    @property
    def is_block(self) -> bool:
        """Whether it begins a new line."""
        return self.name in BLOCKS

    def param(self, name: str) -> str:
        """Return a text among its parameters; empty if there is none."""
        try:
            params: object = json.loads(self.attrs.get("params", "{}"))
        except (ValueError, RecursionError):
            return ""
        value = cast("dict[str, object]", params).get(name) if isinstance(params, dict) else None
        return value if isinstance(value, str) else ""


def read_tag(text: str, *, in_cell: bool) -> Tag | None:
    """Return a tag that ticketr writes; None if it is text.

    Args:
        text: What the parser takes for a tag.
        in_cell: Whether it is in the cell of a table.

    Returns:
        The tag. For an end tag, the caller has to look whether it was opened.
    """
    tag_match = _TAG.fullmatch(text)
    if tag_match is None:
        return None
    name = tag_match["name"].lower()
    if tag_match["end"]:
        return Tag(name, "", {}, is_end=True)
    attrs = {
        match[1].lower(): _unescaped(match[2] if match[2] is not None else match[3])
        for match in _ATTR.finditer(tag_match["attrs"])
    }
    kind = attrs.get("adf", "")
    if not kind and name in SHORT and tag_match["attrs"].strip() in {"", "open"}:
        return Tag(name, SHORT[name], {}, is_end=False, is_short=True)
    if kind or name in {"br", "summary"} or (in_cell and name in _IN_CELLS):
        return Tag(name, kind, attrs, is_end=False)
    return None


def _unescaped(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # a number with thousands of digits
        return text
