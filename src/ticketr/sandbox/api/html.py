"""Render documents as HTML, as Jira does in ``renderedFields`` and ``renderedBody``."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ticketr.sandbox.data.model import Adf

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
_WORDS: Final = ("text", "shortName", "url", "timestamp")


def to_html(node: Adf) -> str:
    """Return a document, or a node of one, as HTML; what has no tag becomes its text."""
    kind = node.get("type")
    if kind == "text":
        return _text(node)
    if kind == "hardBreak":
        return "<br/>"
    if kind == "rule":
        return "<hr/>"
    inside = "".join(map(to_html, node.get("content", ())))
    attributes = node.get("attrs") or {}
    if kind == "heading":
        return f"<h{attributes['level']}>{inside}</h{attributes['level']}>"
    tag = _BLOCKS.get(str(kind))
    if tag is not None:
        return f"<{tag}>{inside}</{tag}>"
    return inside or escape(next((str(attributes[key]) for key in _WORDS if key in attributes), ""))


def _text(node: dict[str, Any]) -> str:
    html = escape(node["text"])
    for mark in node.get("marks") or ():
        if mark["type"] == "link":
            html = f'<a href="{escape(mark["attrs"]["href"])}">{html}</a>'
        elif tag := _MARKS.get(mark["type"]):
            html = f"<{tag}>{html}</{tag}>"
    return html
