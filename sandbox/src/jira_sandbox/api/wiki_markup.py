"""Convert ADF to wiki markup, in which version 2 of the interface gives descriptions.

The markup loses whatever it has no syntax for, as in Jira. `wiki_parser` is the inverse.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import TYPE_CHECKING, Final

from jira_sandbox.data.model import from_millis

if TYPE_CHECKING:
    from jira_sandbox.data.model import Adf

_MARKS: Final = {
    "strong": ("*", "*"),
    "em": ("_", "_"),
    "underline": ("+", "+"),
    "strike": ("-", "-"),
    "code": ("{{", "}}"),
}


def to_wiki(document: Adf) -> str:
    """Return a document as wiki markup."""
    return _blocks(document)


def _attrs(node: Adf) -> Adf:
    attrs: Adf = node.get("attrs") or {}
    return attrs


def _content(node: Adf) -> list[Adf]:
    content: list[Adf] = node.get("content") or []
    return content


def _blocks(node: Adf) -> str:
    texts = [_block(child) for child in _content(node)]
    return "\n\n".join(texts)


def _block(node: Adf) -> str:
    write = _BLOCKS.get(node["type"])
    if write is not None:
        return write(node)
    return _blocks(node) if _content(node) else _link(node)


def _link(node: Adf) -> str:
    """Return the markup of a medium or a card."""
    attrs = _attrs(node)
    if node["type"] == "media":
        return f"!{attrs.get('alt') or attrs.get('url') or attrs.get('id')}!"
    url = attrs.get("url", "")
    return f"[{url}|{url}|smart-link]" if url else str(attrs.get("text", ""))


def _inline(node: Adf) -> str:
    return "".join(_word(child) for child in _content(node))


def _word(node: Adf) -> str:
    kind, attrs = node["type"], _attrs(node)
    if kind == "text":
        return _text(node)
    if kind == "hardBreak":
        return "\n"
    if kind == "mention":
        return f"[~accountid:{attrs['id']}]"
    if kind == "date":
        return _date(attrs["timestamp"])
    if kind == "inlineCard":
        return _link(node)
    return str(attrs.get("text") or attrs.get("shortName", ""))


def _date(timestamp: str) -> str:
    try:
        return from_millis(int(timestamp), UTC).date().isoformat()
    except (ValueError, OverflowError):
        return timestamp


def _text(node: Adf) -> str:
    text = str(node["text"])
    for mark in node.get("marks") or ():
        kind, attrs = mark["type"], mark.get("attrs", {})
        if kind in _MARKS:
            before, after = _MARKS[kind]
        elif kind == "link":
            before, after = "[", f"|{attrs['href']}]"
        elif kind == "textColor":
            before, after = f"{{color:{attrs['color']}}}", "{color}"
        elif kind == "subsup":
            before = after = {"sub": "~", "sup": "^"}[attrs["type"]]
        else:
            continue
        text = f"{before}{text}{after}"
    return text


def _heading(node: Adf) -> str:
    return f"h{node['attrs']['level']}. {_inline(node)}"


def _list(node: Adf, prefix: str = "") -> str:
    prefix += "#" if node["type"] == "orderedList" else "*"
    lines = []
    for item in _content(node):
        for block in _content(item):
            nested = block["type"] in {"bulletList", "orderedList"}
            lines.append(_list(block, prefix) if nested else f"{prefix} {_plain(block)}")
    return "\n".join(lines)


def _plain(node: Adf) -> str:
    return _inline(node) if node["type"] == "paragraph" else _block(node)


def _tasks(node: Adf) -> str:
    signs = {"DONE": "(/)", "TODO": "(x)"}
    lines = []
    for item in _content(node):
        if item["type"] == "taskList":
            lines.append(_tasks(item))
        else:
            text = _blocks(item) if item["type"] == "blockTaskItem" else _inline(item)
            lines.append(f"* {signs[_attrs(item)['state']]} {text}")
    return "\n".join(lines)


def _decisions(node: Adf) -> str:
    return "\n".join(f"* {_inline(item)}" for item in _content(node))


def _panel(node: Adf) -> str:
    return f"{{panel:title={_attrs(node)['panelType']}}}\n{_blocks(node)}\n{{panel}}"


def _quote(node: Adf) -> str:
    return f"{{quote}}\n{_blocks(node)}\n{{quote}}"


def _expand(node: Adf) -> str:
    title = _attrs(node).get("title")
    return f"*{title}*\n\n{_blocks(node)}" if title else _blocks(node)


def _rule(_node: Adf) -> str:
    return "----"


def _code(node: Adf) -> str:
    language = _attrs(node).get("language")
    opening = f"{{code:{language}}}" if language else "{code}"
    return f"{opening}\n{_inline(node)}\n{{code}}"


def _table(node: Adf) -> str:
    return "\n".join(_row(_content(row)) for row in _content(node))


def _row(cells: list[Adf]) -> str:
    bar = "||" if cells and cells[0]["type"] == "tableHeader" else "|"
    return bar + bar.join(map(_blocks, cells)) + bar


_BLOCKS: Final[dict[str, Callable[[Adf], str]]] = {
    "paragraph": _inline,
    "caption": _inline,
    "heading": _heading,
    "bulletList": _list,
    "orderedList": _list,
    "taskList": _tasks,
    "decisionList": _decisions,
    "panel": _panel,
    "blockquote": _quote,
    "expand": _expand,
    "nestedExpand": _expand,
    "rule": _rule,
    "codeBlock": _code,
    "table": _table,
}
