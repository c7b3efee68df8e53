"""Reads Markdown into the tokens that marklas makes a document of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from marklas.md.parser.normalize import tokenize

from ticketr.app.jira.adf._placeholders import (
    FIRST,
    UNUSED,
    protect_markdown,
    restore_address,
    restore_piece,
)
from ticketr.app.jira.adf.forms import Reader

_DEFINITION = re.compile(rf"({FIRST})\[(?=((?:[^\\\[\]]|\\.){{1,999}})\]:)", re.MULTILINE)


def read_tokens(protected: str) -> list[dict[str, Any]]:
    """Return the tokens of protected Markdown, in which HTML stands for the short forms."""
    tokens = tokenize(protected)
    if "]:" in protected:
        text = _with_unused_definitions(protected, frozenset(_labels(tokens)))
        tokens = tokenize(text) if text != protected else tokens
    return Reader(tokenize, restore_address).read(tokens)


def used_labels(markdown: str) -> frozenset[str]:
    """Return the labels, by `label_key`, of the definitions that links and pictures use."""
    return frozenset(map(restore_piece, _labels(tokenize(protect_markdown(markdown)))))


def label_key(label: str) -> str:
    """Return what two labels that mean the same have in common; nothing for one of a footnote."""
    return "" if label.startswith("^") else " ".join(label.split()).lower().upper()


def _with_unused_definitions(protected: str, used: frozenset[str]) -> str:
    """Make the definitions of addresses that no link uses text, and all footnotes."""

    def opened(definition: re.Match[str]) -> str:
        is_used = label_key(definition[2]) in used
        return definition[0] if is_used else f"{definition[1]}{UNUSED}"

    return _DEFINITION.sub(opened, protected)


def _labels(tokens: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield the labels of the definitions that links and pictures use."""
    for token in tokens:
        if key := label_key(token.get("ref", "")):
            yield key
        yield from _labels(token.get("children", ()))
