"""Writes the short forms: puts texts in the place of nodes that a short form says all of."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ticketr.app.jira.adf._canonical import LINES_OF_TEXT, Json, content_of
from ticketr.app.jira.adf._plain import walk
from ticketr.app.jira.adf._schema import NODES
from ticketr.app.jira.adf._signs import JOIN, NEWLINE, STAY, verbatim
from ticketr.app.jira.adf._simple import PANEL_WORDS
from ticketr.app.jira.adf.forms.files import write_picture
from ticketr.app.jira.adf.forms.inline import (
    LARGE_CARD,
    escape_text,
    tag_of,
    text,
    write_card,
    write_inline,
)

# marklas writes their content as data, or it is not Markdown.
_OPAQUE = frozenset({"bodiedExtension", "bodiedSyncBlock", "codeBlock", "extension"})
#: The blocks that are written as their sign alone if they hold an empty paragraph.
_EMPTY_FORMS = frozenset({"blockquote", "listItem"})
_NOTHING: tuple[Json, ...] = ({"type": "paragraph"}, {"type": "paragraph", "content": []})
_CELLS = frozenset({"tableCell", "tableHeader"})
#: Where a block is in lines of its own.
_FLOWS = frozenset({"doc", "panel", "expand", "nestedExpand", "layoutColumn"})
_PICTURE_PARENTS = _FLOWS | {"blockquote", "listItem"}
#: The nodes in which a block has a short form.
_PARENTS_OF_FORMS = {
    "panel": _FLOWS - {"panel"},
    "expand": frozenset({"doc", "layoutColumn"}),
    "nestedExpand": frozenset({"expand"}),
    "blockCard": _FLOWS,
    "decisionList": _FLOWS,
    "taskList": _FLOWS | {"listItem"},
}
#: The start tag of each end tag.
_START_OF_END_TAG = {verbatim(f"</{tag}>"): (verbatim(f"<{tag}>"),) for tag in ("u", "sub", "sup")}


class Writer:
    """Writes the forms of a document, in place.

    Args:
        files: The media ID of each attached file, by its name.
        long: The places of the blocks in which no short form is written.

    Attributes:
        used: Whether a short form was written.
    """

    def __init__(self, *, files: Mapping[str, str], long: Collection[int] = ()) -> None:
        self._names = {media: name for name, media in files.items()}
        self._long = long
        self.used = False

    def write(self, document: Json) -> None:
        """Write the forms in a canonical document, and escape what looks like one."""
        content = content_of(document)
        result: list[Any] = []
        for place, block in enumerate(content):
            result += self._block(block, "doc", short=place not in self._long)
        content[:] = result

    def _block(self, node: Any, parent: str, *, short: bool) -> list[Any]:
        """Return what stands for a block; short forms of blocks are outside of cells only."""
        kind = node.get("type") if type(node) is dict else None
        if type(kind) is not str or kind not in NODES or kind in _OPAQUE:
            return [node]
        content = content_of(node)
        if kind == "mediaSingle" and short and parent in _PICTURE_PARENTS:
            picture = write_picture(node, self._names)
            if picture is not None:
                self.used = True
                return [_paragraph(*picture)]
        is_short = short and parent in _PARENTS_OF_FORMS.get(kind, ()) and _has_short_form(node)
        if kind in _EMPTY_FORMS and short and len(content) == 1 and content[0] in _NOTHING:
            self.used = True
            return [{**node, "content": [_paragraph(text(STAY))]}]
        if kind in LINES_OF_TEXT:
            self._line(content, short=short)
        else:
            # The text of other lists of decisions is in HTML, where no form is read.
            short = short and (is_short or kind != "decisionList" or parent in _CELLS)
            content[:] = [
                part for value in content for part in self._block(value, kind, short=short)
            ]
        if not is_short:
            return [node]
        self.used = True
        return list(_blocks(node))

    def _line(self, content: list[Any], *, short: bool) -> None:
        """Write the forms in a line of text, in place."""
        result: list[Any] = []
        nodes = [None, *(node if type(node) is dict else None for node in content), None]
        for before, child, after in zip(nodes, content, nodes[2:], strict=False):
            if type(child) is not dict:
                result.append(child)
            elif child.get("type") == "text":
                result += self._text(child, before, after, short=short)
            elif short and (written := write_inline(child, before, after)) is not None:
                self.used = True
                result += written
            else:
                result.append(child)
        content[:] = _grouped(result)

    def _text(self, node: Json, before: Any, after: Any, *, short: bool) -> Iterator[Json]:
        """Yield a text with its tags around it."""
        words, marks = node.get("text"), node.get("marks")
        if type(words) is not str or not words:
            yield node
            return
        marks = marks if type(marks) is list else []
        if {"type": "code"} not in marks:
            node["text"] = escape_text(words, before, after)
        tags = [tag for mark in marks if (tag := tag_of(mark))] if short else []
        if not tags:
            yield node
            return
        self.used = True
        kept = [mark for mark in marks if not tag_of(mark)]
        if kept:
            node["marks"] = kept
        else:
            del node["marks"]
        yield from (text(verbatim(f"<{tag}>")) for tag in tags)
        yield node
        yield from (text(verbatim(f"</{tag}>")) for tag in reversed(tags))


def _grouped(nodes: list[Any]) -> list[Any]:
    """Remove the tags that end where the next text begins with the same one."""
    result: list[Any] = []
    for node in nodes:
        if (
            result
            and type(node) is dict
            and node.get("text") in _START_OF_END_TAG.get(_text_of(result[-1]), ())
        ):
            result.pop()
        else:
            result.append(node)
    return result


def _text_of(node: Any) -> str:
    return node["text"] if type(node) is dict and type(node.get("text")) is str else ""


def _has_short_form(node: Json) -> bool:
    """Return whether the short form of a block says all of it."""
    attrs = node.get("attrs", {})
    content = node.get("content")
    if node.keys() - {"type", "attrs", "content"} or type(attrs) is not dict:
        return False
    match node["type"]:
        case "panel":
            return (
                attrs.keys() == {"panelType"}
                and attrs["panelType"] in PANEL_WORDS
                and bool(content)
            )
        case "blockCard":
            return write_card(attrs) is not None
        case "decisionList":
            return not attrs and type(content) is list and all(map(_has_decision_form, content))
        case "taskList":
            return _holds_block_tasks(node) and _has_boxes(node)
    return attrs.keys() <= {"title"} and bool(content) and _is_title(attrs.get("title", "-"))


def _has_decision_form(item: Any) -> bool:
    match item:
        case {"type": "decisionItem", "attrs": {"state": "DECIDED", **more}, **rest}:
            return not more and rest.keys() <= {"content"}
    return False


def _holds_block_tasks(node: Json) -> bool:
    """Return whether a list holds a task of several paragraphs, which marklas indents too far."""
    return any(item.get("type") == "blockTaskItem" for item in walk(node))


def _has_boxes(node: Any) -> bool:
    """Return whether a box says all of each task in a list."""
    content = content_of(node) if type(node) is dict else []
    if not content or node.get("attrs") or _kind_of(content[0]) == "taskList":
        return False
    return all(
        _has_boxes(value) if _kind_of(value) == "taskList" else _has_box(value) for value in content
    )


def _has_box(item: Any) -> bool:
    match item:
        case {"type": "taskItem", "attrs": {"state": "TODO" | "DONE", **rest}}:
            return not rest
        case {
            "type": "blockTaskItem",
            "attrs": {"state": "TODO" | "DONE", **rest},
            "content": [_, *_] as blocks,
        }:
            return not rest and all(_kind_of(block) == "paragraph" for block in blocks)
    return False


def _is_title(title: object) -> bool:
    return (
        isinstance(title, str)
        and title == title.strip()
        and title.isprintable()
        and not any(sign in title for sign in "<&\\")
    )


def _blocks(node: Json) -> Iterator[Json]:
    """Yield what stands for a block, whose content is written already."""
    match node["type"]:
        case "panel":
            yield _quote(PANEL_WORDS[node["attrs"]["panelType"]], node["content"])
        case "blockCard":
            yield _paragraph(*(write_card(node["attrs"]) or ()), text(LARGE_CARD))
        case "decisionList":
            items = [
                _paragraph(text(verbatim("<> ")), *content_of(value)) for value in node["content"]
            ]
            yield {
                "type": "bulletList",
                "content": [{"type": "listItem", "content": [item]} for item in items],
            }
        case "taskList":
            yield _boxes(node)
        case _:
            title = node.get("attrs", {}).get("title")
            summary = f"{NEWLINE}<summary>{title}</summary>" if title else ""
            yield _paragraph(text(verbatim(f"<details>{summary}")))
            yield from node["content"]
            yield _paragraph(text(verbatim("</details>")))


def _quote(word: str, content: list[Any]) -> Json:
    """Return a quote with the mark of a panel; a paragraph follows in the next line."""
    first = content[0]
    follows = type(first) is dict and first.get("type") == "paragraph" and first.get("content")
    mark = _paragraph(text(verbatim(f"[!{word}]") + (JOIN if follows else "")))
    return {"type": "blockquote", "content": [mark, *content]}


def _boxes(node: Json) -> Json:
    """Return a list of tasks as a list of items that begin with boxes, lists of tasks in them."""
    items: list[Json] = []
    for child in node["content"]:
        if child["type"] == "taskList":
            items[-1]["content"].append(_boxes(child))
            continue
        box = text(verbatim("[x] " if child["attrs"]["state"] == "DONE" else "[ ] "))
        blocks = [child] if child["type"] == "taskItem" else child["content"]
        first = _paragraph(box, *(content_of(blocks[0]) or [text(STAY)]))
        items.append({"type": "listItem", "content": [first, *blocks[1:]]})
    return {"type": "bulletList", "content": items}


def _kind_of(node: Any) -> Any:
    return node.get("type") if type(node) is dict else None


def _paragraph(*content: Json) -> Json:
    return {"type": "paragraph", "content": list(content)}
