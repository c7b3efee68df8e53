"""Builders for nodes of the Atlassian Document Format.

A builder of a block takes inline nodes or strings; a string becomes a text node without
marks. Nothing here is random: callers pass the local IDs that Jira requires.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jira_sandbox.data.model import Adf, User

Inline = Adf | str


def _inline(nodes: Iterable[Inline]) -> list[Adf]:
    return [text(node) if isinstance(node, str) else node for node in nodes]


def text(content: str, *marks: str | Adf) -> Adf:
    """Make a text node; a mark without attributes may be given by its name."""
    node: Adf = {"type": "text", "text": content}
    if marks:
        node["marks"] = [{"type": mark} if isinstance(mark, str) else mark for mark in marks]
    return node


def strong(content: str) -> Adf:
    """Make bold text."""
    return text(content, "strong")


def em(content: str) -> Adf:
    """Make italic text."""
    return text(content, "em")


def code(content: str) -> Adf:
    """Make text in the code font."""
    return text(content, "code")


def link(content: str, href: str, *marks: str) -> Adf:
    """Make a link."""
    return text(content, {"type": "link", "attrs": {"href": href}}, *marks)


def colored(content: str, color: str) -> Adf:
    """Make coloured text."""
    return text(content, {"type": "textColor", "attrs": {"color": color}})


def mention(user: User) -> Adf:
    """Make a mention of a user."""
    return {
        "type": "mention",
        "attrs": {"id": user.account_id, "text": f"@{user.name}", "accessLevel": ""},
    }


def date(millis: int) -> Adf:
    """Make a date."""
    return {"type": "date", "attrs": {"timestamp": str(millis)}}


def status(label: str, color: str, local_id: str) -> Adf:
    """Make a status lozenge."""
    return {"type": "status", "attrs": {"text": label, "color": color, "localId": local_id}}


def emoji(short_name: str, character: str) -> Adf:
    """Make an emoji."""
    identity = f"{ord(character[0]):x}"
    return {"type": "emoji", "attrs": {"shortName": short_name, "id": identity, "text": character}}


def card(url: str) -> Adf:
    """Make a link that Jira shows as a card."""
    return {"type": "inlineCard", "attrs": {"url": url}}


def line_break() -> Adf:
    """Make a hard line break."""
    return {"type": "hardBreak"}


def doc(*blocks: Adf) -> Adf:
    """Make a whole document."""
    return {"type": "doc", "version": 1, "content": list(blocks)}


def p(*nodes: Inline) -> Adf:
    """Make a paragraph."""
    return {"type": "paragraph", "content": _inline(nodes)}


def heading(level: int, *nodes: Inline) -> Adf:
    """Make a heading."""
    return {"type": "heading", "attrs": {"level": level}, "content": _inline(nodes)}


def item(*content: Inline | list[Adf]) -> Adf:
    """Make a list item: inline nodes, then blocks in lists."""
    inline = [node for node in content if not isinstance(node, list)]
    blocks = [block for node in content if isinstance(node, list) for block in node]
    return {"type": "listItem", "content": [p(*inline), *blocks]}


def bullets(*items: Inline) -> Adf:
    """Make a bullet list; an item may be a string or a ready ``listItem``."""
    return {"type": "bulletList", "content": _items(items)}


def ordered(*items: Inline, start: int = 1) -> Adf:
    """Make a numbered list; an item may be a string or a ready ``listItem``."""
    return {"type": "orderedList", "attrs": {"order": start}, "content": _items(items)}


def _items(items: Iterable[Inline]) -> list[Adf]:
    return [
        node if isinstance(node, dict) and node["type"] == "listItem" else item(node)
        for node in items
    ]


def tasks(local_id: str, *items: tuple[bool, str]) -> Adf:
    """Make a list of check boxes from pairs of state and text."""
    content: list[dict[str, Any]] = [
        {
            "type": "taskItem",
            "attrs": {"localId": f"{local_id}-{number}", "state": "DONE" if done else "TODO"},
            "content": [text(label)],
        }
        for number, (done, label) in enumerate(items, 1)
    ]
    return {"type": "taskList", "attrs": {"localId": local_id}, "content": content}


def panel(kind: str, *blocks: Adf) -> Adf:
    """Make a coloured box: info, note, tip, warning, error or success."""
    return {"type": "panel", "attrs": {"panelType": kind}, "content": list(blocks)}


def quote(*blocks: Adf) -> Adf:
    """Make a block quote."""
    return {"type": "blockquote", "content": list(blocks)}


def expand(title: str, *blocks: Adf) -> Adf:
    """Make a box that opens on a click."""
    return {"type": "expand", "attrs": {"title": title}, "content": list(blocks)}


def rule() -> Adf:
    """Make a horizontal rule."""
    return {"type": "rule"}


def code_block(language: str, content: str) -> Adf:
    """Make a code block."""
    return {"type": "codeBlock", "attrs": {"language": language}, "content": [text(content)]}


def table(*rows: tuple[Inline, ...]) -> Adf:
    """Make a table whose first row is its heading."""
    content = []
    for number, row in enumerate(rows):
        kind = "tableCell" if number else "tableHeader"
        cells = [{"type": kind, "attrs": {}, "content": [p(cell)]} for cell in row]
        content.append({"type": "tableRow", "content": cells})
    attrs = {"isNumberColumnEnabled": False, "layout": "default"}
    return {"type": "table", "attrs": attrs, "content": content}
