"""The canonical form of an ADF document.

Jira, its editors, apps and marklas write the same document in several ways. Two documents that
mean the same have the same canonical form. It is compared, hashed and merged instead of the
Markdown, and leaves out only what no reader can see:

- ``localId``, which editors renew at will;
- nulls, empty attributes, empty lists, and attributes that have their default value;
- the order of marks, their repetition, and the cuts between texts with the same marks;
- bold, italic and strike on blanks at the edge of a text, which Markdown cannot express;
- blanks at the end of a line, as Jira's editor adds after a mention;
- the difference between an address in a text and a link to that very address;
- the difference between a newline in a text and a hard break, and between kinds of newline.

Unknown parts are kept, so that a difference there still counts.
"""

from __future__ import annotations

from typing import Any

from ticketr.app.jira.adf._addresses import with_linked_addresses

Json = dict[str, Any]

#: Deeper nodes are kept as they are; Jira's own documents have a depth of about 20.
MAX_CANONICAL_DEPTH = 60

#: The nodes that hold lines of text.
INLINE_PARENT_NODES = ("paragraph", "heading", "taskItem", "decisionItem", "caption")
_NO_DEFAULTS: Json = {}
_MISSING = object()
_MARKS_INVISIBLE_ON_BLANKS = ("strong", "em", "strike")  # a tuple: a type may be unhashable

#: The attributes of each kind of node that mean the same as none.
_DEFAULT_ATTRIBUTES: dict[str, Json] = {
    "orderedList": {"order": 1},
    "codeBlock": {"language": ""},
    "tableCell": {"colspan": 1, "rowspan": 1},
    "tableHeader": {"colspan": 1, "rowspan": 1},
    "table": {"isNumberColumnEnabled": False, "layout": "default"},
    "expand": {"title": ""},
    "nestedExpand": {"title": ""},
    "hardBreak": {"text": "\n"},
    "mention": {"accessLevel": ""},
    "status": {"style": ""},
    "annotation": {"annotationType": "inlineComment"},
}


def content_of(node: Any) -> list[Any]:
    """Return the list of what is in a node; an empty one where it has none."""
    content = node.get("content") if type(node) is dict else None
    return content if type(content) is list else []


def canonical(adf: object) -> Json:
    """Return the canonical form of a document.

    Args:
        adf: A document as Jira sends it; anything else counts as an empty one.

    Returns:
        A new document, which shares nothing that `canonical` would change.
    """
    if not isinstance(adf, dict):
        return {"type": "doc", "version": 1}
    document = _canonical_node(adf, 0)
    document.setdefault("version", 1)
    return document


def _canonical_node(node: Json, depth: int) -> Json:
    kind = node.get("type")
    result: Json = {"type": kind}
    for key, value in node.items():
        if key == "content" and type(value) is list:
            if depth >= MAX_CANONICAL_DEPTH:
                result[key] = value
            elif content := _canonical_content(value, kind, depth + 1):
                result[key] = content
        elif key == "attrs" and type(value) is dict:
            if attrs := _canonical_attrs(value, kind):
                result[key] = attrs
        elif key == "marks" and type(value) is list:
            if marks := _canonical_marks(value):
                result[key] = marks
        elif value is not None and key != "type":
            result[key] = value
    return result


def _canonical_attrs(attrs: Json, kind: object) -> Json:
    defaults = _DEFAULT_ATTRIBUTES.get(kind, _NO_DEFAULTS) if type(kind) is str else _NO_DEFAULTS
    return {
        k: v
        for k, v in attrs.items()
        if v is not None and k != "localId" and v != defaults.get(k, _MISSING)
    }


def _canonical_marks(marks: list[Any]) -> list[Any]:
    result = [
        _canonical_node(mark, MAX_CANONICAL_DEPTH) if type(mark) is dict else mark
        for mark in marks
        if mark
    ]
    if len(result) > 1:
        result.sort(key=_mark_order)
        return [mark for at, mark in enumerate(result) if mark not in result[:at]]
    return result


def _mark_order(mark: Any) -> tuple[str, str]:
    return (str(mark.get("type")), repr(mark)) if type(mark) is dict else ("", repr(mark))


def _canonical_content(nodes: list[Any], parent: object, depth: int) -> list[Any]:
    result: list[Any] = []
    for node in nodes:
        if type(node) is not dict:
            if node is not None:
                result.append(node)
        elif node.get("type") == "text" and type(node.get("text")) is str:
            _add_text_and_breaks(result, _canonical_node(node, depth), code=parent == "codeBlock")
        else:
            result.append(_canonical_node(node, depth))
    linked = result if parent == "codeBlock" else with_linked_addresses(result)
    line = result if linked is result else _with_unmarked_edge_blanks(linked)
    if parent in INLINE_PARENT_NODES:
        _remove_trailing_spaces(line)
    return line


def _remove_trailing_spaces(line: list[Any]) -> None:
    """Remove the blanks at the end of a line, unless nothing or a line break is before them."""
    last = line[-1] if line else None
    if type(last) is not dict or last.keys() != {"type", "text"} or type(last["text"]) is not str:
        return
    text = last["text"].rstrip(" ")
    if text:
        last["text"] = text
    elif len(line) > 1 and type(line[-2]) is dict and line[-2].get("type") != "hardBreak":
        del line[-1]


def _with_unmarked_edge_blanks(nodes: list[Any]) -> list[Any]:
    """Move marks off the blanks at the edges that links have made in texts."""
    result: list[Any] = []
    for node in nodes:
        if type(node) is dict and node.get("type") == "text" and type(node.get("text")) is str:
            _add_unmarking_edge_blanks(result, node, node["text"])
        else:
            result.append(node)
    return result


def _add_text_and_breaks(result: list[Any], node: Json, *, code: bool) -> None:
    """Add a text to the nodes before it: cut at newlines, and joined where nothing differs."""
    text = node["text"]
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\n" not in text or code:
        _add_unmarking_edge_blanks(result, node, text)
        return
    for number, line in enumerate(text.split("\n")):
        if number:
            result.append({"type": "hardBreak"})
        _add_unmarking_edge_blanks(result, node, line)


def _add_unmarking_edge_blanks(result: list[Any], node: Json, text: str) -> None:
    """Add a text without newlines; its blanks at both ends lose the marks that no reader sees."""
    marks: Any = node.get("marks")
    core = text.strip() if type(marks) is list else text
    if len(core) == len(text) or not any(map(_is_invisible_on_blanks, marks)):
        _append_text(result, node, text)
        return
    plain = {**node, "marks": [mark for mark in marks if not _is_invisible_on_blanks(mark)]}
    if not plain["marks"]:
        del plain["marks"]
    start = text.find(core) if core else len(text)
    _append_text(result, plain, text[:start])
    _append_text(result, node, core)
    _append_text(result, plain, text[start + len(core) :])


def _is_invisible_on_blanks(mark: Any) -> bool:
    return type(mark) is dict and mark.get("type") in _MARKS_INVISIBLE_ON_BLANKS


def _append_text(result: list[Any], node: Json, text: str) -> None:
    """Add a text to the one before it if the two differ in nothing but their words."""
    if not text:
        return
    if result:
        last = result[-1]
        if (
            type(last) is dict
            and last.get("type") == "text"
            and type(last.get("text")) is str
            and len(last) == len(node)
            and last.get("marks") == node.get("marks")
            and len(node) == 2 + ("marks" in node)
        ):
            last["text"] += text
            return
    result.append({**node, "text": text})


_COLUMN_WIDTH_ATTRIBUTE = "colwidth"
_SIZE_ATTRIBUTES_BY_KIND = {
    "table": ("displayMode", "isNumberColumnEnabled", "layout", "width"),
    "tableCell": (_COLUMN_WIDTH_ATTRIBUTE,),
    "tableHeader": (_COLUMN_WIDTH_ATTRIBUTE,),
}
#: What holds no table, or holds it as data.
_NODES_WITHOUT_TABLES = frozenset(
    {"bodiedExtension", "bodiedSyncBlock", "codeBlock", "heading", "paragraph", "taskItem"}
)
#: Below this depth, nodes may be those of the caller.
_MAX_TABLE_SIZE_REMOVAL_DEPTH = 40


def unsized_canonical(adf: object) -> Json:
    """Return the canonical form of a document, without what every file leaves to Jira.

    Args:
        adf: A document as Jira sends it; anything else counts as an empty one.
    """
    document = canonical(adf)
    remove_table_sizes(document)
    return document


def replace_widths_by_flag(node: Json) -> Json:
    """Replace the widths in the cells of a canonical document by a flag of their table, in place.

    Then a deleted column takes no width away, and a table that lost all its widths differs in one
    place.
    """
    for child in _child_nodes(node):
        if str(child.get("type")) not in _NODES_WITHOUT_TABLES:
            replace_widths_by_flag(child)
    if node.get("type") == "table":
        cells = [cell for row in _child_nodes(node) for cell in _child_nodes(row)]
        widths = [_attrs_of(cell).pop(_COLUMN_WIDTH_ATTRIBUTE, None) for cell in cells]
        if any(widths):
            node["attrs"] = {**_attrs_of(node), _COLUMN_WIDTH_ATTRIBUTE: True}
    return node


def remove_table_sizes(node: Json, depth: int = 0) -> None:
    """Remove the sizes of the tables in a canonical document, in place."""
    attrs = node.get("attrs")
    names = _SIZE_ATTRIBUTES_BY_KIND.get(str(node.get("type")), ())
    if names and type(attrs) is dict and not attrs.keys().isdisjoint(names):
        for name in names:
            attrs.pop(name, None)
        if not attrs:
            del node["attrs"]
    for child in _child_nodes(node) if depth < _MAX_TABLE_SIZE_REMOVAL_DEPTH else ():
        if str(child.get("type")) not in _NODES_WITHOUT_TABLES:
            remove_table_sizes(child, depth + 1)


def _attrs_of(node: Json) -> Json:
    attrs = node.get("attrs")
    return attrs if isinstance(attrs, dict) else {}


def _child_nodes(node: Json) -> list[Json]:
    return [child for child in content_of(node) if isinstance(child, dict)]
