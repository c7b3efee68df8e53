"""Reads Markdown into the tokens that marklas makes a document of."""

from __future__ import annotations

from typing import Any

from marklas.md.parser.normalize import tokenize

from ticketr.jira.adf._placeholders import restore_address
from ticketr.jira.adf.forms import Reader


def read_tokens(protected: str) -> list[dict[str, Any]]:
    """Return the tokens of protected Markdown, in which HTML stands for the short forms."""
    return Reader(tokenize, restore_address).read(tokenize(protected))
