"""Descriptions for version 2 of the interface: ADF written as Jira's wiki text.

Good enough to read and to search. It is a one-way street, as it is in Jira for all that
wiki text has no words for.
"""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from ticketr.sandbox.data.model import from_millis

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketr.sandbox.data.model import Adf

_MARKS: Final = {
    "strong": ("*", "*"),
    "em": ("_", "_"),
    "underline": ("+", "+"),
    "strike": ("-", "-"),
    "code": ("{{", "}}"),
}


def to_wiki(document: Adf) -> str:
    """Write a document as wiki text."""
    return _blocks(document["content"])


def from_wiki(text: str) -> Adf:
    """Read wiki text as far as `to_wiki` gives it back: its paragraphs and their lines."""
    paragraphs = [part.strip("\n") for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n"))]
    content = [
        {"type": "paragraph", "content": _lines(part)} for part in paragraphs if part.strip()
    ]
    return {"type": "doc", "version": 1, "content": content}


def _lines(text: str) -> list[Adf]:
    nodes: list[Adf] = []
    for number, line in enumerate(text.split("\n")):
        if number:
            nodes.append({"type": "hardBreak"})
        if line:
            nodes.append({"type": "text", "text": line})
    return nodes


def _blocks(nodes: list[Adf]) -> str:
    return "\n\n".join(_BLOCKS[node["type"]](node) for node in nodes)


def _inline(node: Adf) -> str:
    return "".join(_word(child) for child in node.get("content", ()))


def _word(node: Adf) -> str:
    kind, attrs = node["type"], node.get("attrs", {})
    if kind == "text":
        return _text(node)
    if kind == "hardBreak":
        return "\n"
    if kind == "mention":
        return f"[~accountid:{attrs['id']}]"
    if kind == "date":
        return from_millis(int(attrs["timestamp"]), UTC).date().isoformat()
    if kind == "inlineCard":
        return f"[{attrs['url']}|{attrs['url']}|smart-link]"
    return str(attrs.get("text", ""))


def _text(node: Adf) -> str:
    text = str(node["text"])
    for mark in node.get("marks", ()):
        kind, attrs = mark["type"], mark.get("attrs", {})
        if kind in _MARKS:
            before, after = _MARKS[kind]
        elif kind == "link":
            before, after = "[", f"|{attrs['href']}]"
        elif kind == "textColor":
            before, after = f"{{color:{attrs['color']}}}", "{color}"
        else:
            before = after = {"sub": "~", "sup": "^"}[attrs["type"]]
        text = f"{before}{text}{after}"
    return text


def _heading(node: Adf) -> str:
    return f"h{node['attrs']['level']}. {_inline(node)}"


def _list(node: Adf, prefix: str = "") -> str:
    prefix += "#" if node["type"] == "orderedList" else "*"
    lines = []
    for item in node["content"]:
        for block in item["content"]:
            nested = block["type"] in {"bulletList", "orderedList"}
            lines.append(_list(block, prefix) if nested else f"{prefix} {_inline(block)}")
    return "\n".join(lines)


def _tasks(node: Adf) -> str:
    signs = {"DONE": "(/)", "TODO": "(x)"}
    return "\n".join(
        f"* {signs[item['attrs']['state']]} {_inline(item)}" for item in node["content"]
    )


def _panel(node: Adf) -> str:
    kind = node["attrs"]["panelType"]
    return f"{{panel:title={kind}}}\n{_blocks(node['content'])}\n{{panel}}"


def _quote(node: Adf) -> str:
    return f"{{quote}}\n{_blocks(node['content'])}\n{{quote}}"


def _expand(node: Adf) -> str:
    return f"*{node['attrs']['title']}*\n\n{_blocks(node['content'])}"


def _rule(_node: Adf) -> str:
    return "----"


def _code(node: Adf) -> str:
    language = node["attrs"].get("language", "")
    return f"{{code:{language}}}\n{_inline(node)}\n{{code}}"


def _table(node: Adf) -> str:
    return "\n".join(_row(row["content"]) for row in node["content"])


def _row(cells: list[dict[str, Any]]) -> str:
    bar = "||" if cells[0]["type"] == "tableHeader" else "|"
    return bar + bar.join(_blocks(cell["content"]) for cell in cells) + bar


_BLOCKS: Final[dict[str, Callable[[Adf], str]]] = {
    "paragraph": _inline,
    "heading": _heading,
    "bulletList": _list,
    "orderedList": _list,
    "taskList": _tasks,
    "panel": _panel,
    "blockquote": _quote,
    "expand": _expand,
    "rule": _rule,
    "codeBlock": _code,
    "table": _table,
}
