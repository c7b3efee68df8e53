"""Turns bare addresses in texts into links, and writes links so that they come back unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ticketr._lazy import compile_on_use

#: Stands for a backslash that escapes what is behind it.
ESCAPE_SIGN_PLACEHOLDER = "\ufdd0"
#: Stands for a percent sign.
PERCENT_PLACEHOLDER = "\ufdd8"
#: Stands at both ends of an address that needs no angle brackets.
NO_BRACKETS_EDGE_PLACEHOLDER = "\ufde7"
_STAR, _UNDERSCORE, _TILDE = "\ufdd9", "\ufdda", "\ufddb"
PLACEHOLDER_BY_EMPHASIS_SIGN = str.maketrans({"*": _STAR, "_": _UNDERSCORE, "~": _TILDE})
#: What the placeholders in bare addresses stand for, in text and in code alike.
EMPHASIS_BY_PLACEHOLDER = {_STAR: "*", _UNDERSCORE: "_", _TILDE: "~"}
#: The attributes that hold addresses.
ADDRESS_ATTRIBUTES = frozenset({"href", "url"})

# Quotation marks, an ellipsis, and the punctuation and brackets of East Asian texts: they belong to
# the sentence around a bare address, since within one they would be encoded.
_NON_ASCII_PUNCTUATION = (
    r"\u2018-\u201f\u2026\u2039\u203a\xab\xbb"
    r"\u3001-\u3003\u3008-\u3011\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f"
)
#: An address without anything around it.
BARE_WEB_ADDRESS = compile_on_use(
    rf"(?<![\w/])https?://(?=\w)[^\s<>\[\]\\|`\"^{{}}{_NON_ASCII_PUNCTUATION}]+"
)
#: The punctuation that ends no bare address, as it belongs to the sentence.
_TRAILING_PUNCTUATION = "?!.,:;*_~'"
_REPLACEMENT_WITH_BACKSLASH = rf"{ESCAPE_SIGN_PLACEHOLDER}\g<0>"
_SPECIAL_IN_ADDRESS = compile_on_use(r"[\\<>]")
_SPECIAL_IN_TITLE = compile_on_use(r'[\\"]')
_ENTITY_START_AMPERSAND = compile_on_use(r"&(?=#\w{1,8};|\w{1,40};)")
_LINE_BREAK_OR_TAB = compile_on_use(r"[\n\r\t]")
#: An address that needs no angle brackets as the destination of a link.
_ADDRESS_NEEDING_NO_BRACKETS = compile_on_use(
    r"(?:[^\s<>()\\|`\"'\x00-\x1f\x7f]|\([^\s<>()\\|`\"'\x00-\x1f\x7f]*\))+"
)
#: The text before and after an address that lets a reader of Markdown find its ends.
_BOUNDARY_BEFORE_ADDRESS = compile_on_use(r"(?:\A|.*[\s(])\Z", re.DOTALL)
_BOUNDARY_AFTER_ADDRESS = compile_on_use(rf"[).,;:!?]*(?:[\s{_NON_ASCII_PUNCTUATION}]|\Z)")


def with_linked_addresses(content: list[Any]) -> list[Any]:
    """Turn the bare addresses in the texts of a block into links, as GitHub does.

    Args:
        content: What is in a block that is not code.

    Returns:
        The same list if there is none, else a new one.
    """
    if not any(map(_may_hold_bare_address, content)):
        return content
    return [
        part
        for node in content
        for part in (_split_and_link_addresses(node) if _may_hold_bare_address(node) else [node])
    ]


def _may_hold_bare_address(node: Any) -> bool:
    if type(node) is not dict or node.get("type") != "text":
        return False
    text = node.get("text")
    return type(text) is str and "://" in text and not has_mark(node, "link", "code")


def has_mark(node: dict[str, Any], *types: str) -> bool:
    """Return whether a node has a mark of one of some types."""
    marks = node.get("marks")
    if type(marks) is not list:
        return False
    return any(type(mark) is dict and mark.get("type") in types for mark in marks)


def _split_and_link_addresses(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the parts of a text, with a link for each bare address."""
    text, at = node["text"], 0
    for start, end in _find_bare_web_addresses(text):
        if at < start:
            yield {**node, "text": text[at:start]}
        address = text[start:end]
        marks = node.get("marks")
        link = {"type": "link", "attrs": {"href": address}}
        marks = [*(marks if type(marks) is list else ()), link]
        marks.sort(key=lambda mark: str(mark.get("type")) if type(mark) is dict else "")
        yield {**node, "text": address, "marks": marks}
        at = end
    if at < len(text):
        yield {**node, "text": text[at:]}


def _find_bare_web_addresses(text: str) -> Iterator[tuple[int, int]]:
    for match in BARE_WEB_ADDRESS.finditer(text):
        yield match.start(), match.start() + _trimmed_length(match[0])


def _trimmed_length(address: str) -> int:
    """Count the characters of an address without the punctuation of the sentence around it."""
    end = len(address)
    unopened = address.count(")") - address.count("(")
    while address[end - 1] in _TRAILING_PUNCTUATION or (address[end - 1] == ")" and unopened > 0):
        unopened -= address[end - 1] == ")"
        end -= 1
    return end


def _length_until_bracket(address: str) -> int:
    """Count the characters of an address before the ``)`` that ends a link to it."""
    depth = 0
    for at, sign in enumerate(address):
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            return at
    return len(address)


def hide_emphasis_signs_in_addresses(markdown: str) -> str:
    """Replace characters in bare addresses that would be read as emphasis by placeholders."""
    if "://" not in markdown:
        return markdown

    def protected(match: re.Match[str]) -> str:
        is_destination = markdown.startswith("](", match.start() - 2)
        end = _length_until_bracket(match[0]) if is_destination else _trimmed_length(match[0])
        return match[0][:end].translate(PLACEHOLDER_BY_EMPHASIS_SIGN) + match[0][end:]

    return BARE_WEB_ADDRESS.sub(protected, markdown)


def unmark_or_escape_links(content: list[Any]) -> None:
    """Write the links of a block bare where that is read as the same, and escape the others."""
    last = len(content) - 1
    for at, node in enumerate(content):
        if type(node) is not dict or node.get("type") != "text" or not has_mark(node, "link"):
            continue
        if _shows_own_address(node) and (
            _neighbour_ends_address(content[at - 1] if at else None, _BOUNDARY_BEFORE_ADDRESS)
            and _neighbour_ends_address(
                content[at + 1] if at < last else None, _BOUNDARY_AFTER_ADDRESS, more=at + 1 < last
            )
        ):
            node["text"] = node["text"].translate(PLACEHOLDER_BY_EMPHASIS_SIGN)
            del node["marks"]
        else:
            # Other texts may share its marks.
            node["marks"] = [_with_escaped_href_and_title(mark) for mark in node["marks"]]


def _shows_own_address(node: dict[str, Any]) -> bool:
    """Return whether a text shows the address that it links to, and nothing else."""
    text, (mark, *others) = node["text"], node["marks"]
    if others or mark.get("attrs") != {"href": text} or _ENTITY_START_AMPERSAND.search(text):
        return False
    return next(_find_bare_web_addresses(text), None) == (0, len(text))


def _neighbour_ends_address(near: Any, pattern: re.Pattern[str], *, more: bool = False) -> bool:
    """Return whether the character beside an address ends it.

    Args:
        near: What is there; None for nothing.
        pattern: What it must begin or end with.
        more: Whether something is behind it, so that its end ends nothing.
    """
    if near is None or near.get("type") == "hardBreak":
        return True
    if near.get("type") != "text" or near.get("marks"):
        return False
    match = pattern.match(near["text"])
    if match is None:
        return False
    return not more or match.end() < len(near["text"]) or match[0][-1:].isspace()


def _with_escaped_href_and_title(mark: Any) -> Any:
    """Escape the address and the title of a link; return any other mark as it is."""
    attrs = mark.get("attrs") if type(mark) is dict and mark.get("type") == "link" else None
    if type(attrs) is not dict:
        return mark
    escaped = dict(attrs)
    if type(title := attrs.get("title")) is str:
        escaped["title"] = _SPECIAL_IN_TITLE.sub(_REPLACEMENT_WITH_BACKSLASH, title)
    if type(href := attrs.get("href")) is str:
        text = _SPECIAL_IN_ADDRESS.sub(_REPLACEMENT_WITH_BACKSLASH, href)
        text = _ENTITY_START_AMPERSAND.sub("&amp;", text)
        if _ADDRESS_NEEDING_NO_BRACKETS.fullmatch(href):
            escaped["href"] = f"{NO_BRACKETS_EDGE_PLACEHOLDER}{text}{NO_BRACKETS_EDGE_PLACEHOLDER}"
        else:
            escaped["href"] = _LINE_BREAK_OR_TAB.sub(lambda match: f"&#{ord(match[0])};", text)
    return {**mark, "attrs": escaped}
