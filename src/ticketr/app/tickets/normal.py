"""Brings texts of tickets into the one form that a file can hold."""

from __future__ import annotations

import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def normal_text(text: str) -> str:
    """Return a text with LF line ends, and U+FFFD for what UTF-8 cannot hold."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def one_line(text: str) -> str:
    """Return a text on one line without outer white space."""
    text = text.strip()
    if text.isascii() and text.isprintable():  # nearly every text
        return text
    lines = text.splitlines()
    if len(lines) > 1:
        text = " ".join(part for line in lines if (part := line.strip()))
    return normal_text(text).strip()
