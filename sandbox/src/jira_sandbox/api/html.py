"""Render documents as HTML, as Jira does in ``renderedFields`` and ``renderedBody``."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jira_sandbox.data.model import Adf

_BLOCKS: Final = {
    "paragraph": "p",
    "bulletList": "ul",
    "orderedList": "ol",
    "listItem": "li",
    "blockquote": "blockquote",
    "table": "table",
    "tableRow": "tr",
    "tableHeader": "th",
    "tableCell": "td",
    "mediaSingle": "p",
    "panel": "div",
    "decisionList": "ul",
    "decisionItem": "li",
    "taskList": "ul",
    "taskItem": "li",
    "expand": "div",
    "nestedExpand": "div",
    "codeBlock": "pre",
}
_MARKS: Final = {
    "strong": "b",
    "em": "em",
    "code": "tt",
    "strike": "del",
    "underline": "ins",
}
_NO_IMAGES: Final[Mapping[str, str]] = MappingProxyType({})
_TEXT_ATTRS: Final = ("text", "shortName", "url", "timestamp")


def to_html(node: Adf, images: Mapping[str, str] = _NO_IMAGES) -> str:
    """Return a document, or a node of one, as HTML; what has no tag becomes its text.

    Args:
        node: The document.
        images: The addresses of the issue's attachments, by their media IDs.
    """
    kind = node.get("type")
    if kind == "text":
        return _text(node)
    if kind == "hardBreak":
        return "<br/>"
    if kind == "rule":
        return "<hr/>"
    inside = "".join(to_html(each, images) for each in node.get("content", ()))
    attributes = node.get("attrs") or {}
    if kind == "heading":
        return f"<h{attributes['level']}>{inside}</h{attributes['level']}>"
    if kind == "media" and attributes.get("id") in images:
        source, alt = images[attributes["id"]], attributes.get("alt", "")
        return f'<img src="{escape(source)}" alt="{escape(alt)}"/>'
    tag = _BLOCKS.get(str(kind))
    if tag is not None:
        return f"<{tag}>{inside}</{tag}>"
    return inside or escape(
        next((str(attributes[key]) for key in _TEXT_ATTRS if key in attributes), "")
    )


def _text(node: dict[str, Any]) -> str:
    html = escape(node["text"])
    for mark in node.get("marks") or ():
        if mark["type"] == "link":
            html = f'<a href="{escape(mark["attrs"]["href"])}">{html}</a>'
        elif tag := _MARKS.get(mark["type"]):
            html = f"<{tag}>{html}</{tag}>"
    return html
