"""Words of Markdown that are not in the document that is made of it.

An ADF document cannot hold everything in every place: no heading in a list, no quote in a quote,
no block of HTML. marklas drops such parts in silence, words and all.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from marklas.md.parser.normalize import tokenize

from ticketr.jira.words import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticketr.jira.adf._canonical import Json

LONGEST_PIECE = 60

_TAG = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)
_WORD = re.compile(r"[^\W_]+")
# What is shown in the place of something that has no words of its own.
_SHOWN = re.compile(r"""(<time\b[^>]*\badf=["']date["'][^>]*>)[^<]*|📎 attachment""")


def lost_words(markdown: str, document: Json) -> Iterator[str]:
    """Yield the pieces of Markdown whose words are not in the document that was made of it.

    Args:
        markdown: The Markdown.
        document: What was made of it.
    """
    kept = Counter(word for text in _strings(document) for word in _WORD.findall(text))
    for piece in _pieces(tokenize(_SHOWN.sub(r"\1", markdown))):
        words = Counter(_WORD.findall(piece))
        if words - kept:
            yield clip(piece, LONGEST_PIECE)
        kept -= words


def _pieces(tokens: list[dict[str, Any]]) -> Iterator[str]:
    for token in tokens:
        match token:
            case {"type": "block_html" | "inline_html", "raw": str(raw)}:
                yield _TAG.sub(" ", raw)
            case {"type": "text", "raw": str(raw)}:
                yield html.unescape(raw)
            case {"raw": str(raw)}:
                yield raw
            case _:
                yield from _pieces(token.get("children", []))
                if "url" in token.get("attrs", {}):
                    yield token["attrs"]["url"]


def _strings(value: Any) -> Iterator[str]:
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            todo += one.values()
        elif isinstance(one, list):
            todo += one
