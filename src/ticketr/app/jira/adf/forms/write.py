"""Writes the blocks that are not simple, with a short form where it says all of a node.

A node without one is written by marklas, as HTML with Markdown in it. What is in a line of text is
put in place of the nodes first, as texts that marklas writes unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ticketr.app.jira.adf._blocks import (
    BULLET_AND_ORDERED_LISTS,
    EMPTY_PARAGRAPHS,
    PANEL_WORD_BY_KIND,
    BlockWriter,
    write_expand,
    write_panel,
    write_quote,
)
from ticketr.app.jira.adf._canonical import INLINE_PARENT_NODES, Json, content_of
from ticketr.app.jira.adf._schema import NODE_RULES
from ticketr.app.jira.adf._signs import INNER_BLOCKS_PLACEHOLDER, REMOVED_PLACEHOLDER, protect_signs
from ticketr.app.jira.adf._simple import simple_flat_block_or_empty
from ticketr.app.jira.adf.forms.files import write_picture
from ticketr.app.jira.adf.forms.inline import (
    BLOCK_CARD_SUFFIX,
    escape_short_forms,
    tag_of,
    text_node,
    write_card,
    write_short_form,
)

# marklas writes their content as data, or it is code.
_VERBATIM_KINDS = frozenset({"bodiedExtension", "bodiedSyncBlock", "codeBlock", "extension"})
_TABLE_CELL_KINDS = frozenset({"tableCell", "tableHeader"})
#: Where a block is in lines of its own, so that it may have a short form.
_SHORT_FORM_PARENTS = frozenset({"doc", "panel", "expand", "nestedExpand", "layoutColumn"})
#: The nodes in which a block has a short form.
_FORM_PARENTS_BY_KIND = {
    "panel": _SHORT_FORM_PARENTS - {"panel"},
    "expand": frozenset({"doc", "layoutColumn"}),
    "nestedExpand": frozenset({"expand"}),
    "blockCard": _SHORT_FORM_PARENTS,
    "decisionList": _SHORT_FORM_PARENTS,
    "taskList": _SHORT_FORM_PARENTS | {"listItem"},
    "mediaSingle": _SHORT_FORM_PARENTS | {"blockquote", "listItem"},
}
#: The start tag of each end tag.
_START_TAG_BY_END_TAG = {
    protect_signs(f"</{tag}>"): protect_signs(f"<{tag}>") for tag in ("u", "sub", "sup")
}


class Writer(BlockWriter):
    """Writes the blocks of a canonical document, which are changed by it.

    Args:
        by_marklas: Returns the Markdown of a block by marklas.
        media_ids: The media ID of each attached file, by its name.

    Attributes:
        used: Whether a short form was written.
    """

    def __init__(self, by_marklas: Callable[[Json], str], media_ids: Mapping[str, str]) -> None:
        self._by_marklas = by_marklas
        self._names = {media: name for name, media in media_ids.items()}
        self.used = False

    def kind_and_is_bullet_list(self, node: Any, parent: str) -> tuple[str, bool]:
        """Return the kind that a block is read as, and whether it is written as a bullet list."""
        kind, has_bullets = super().kind_and_is_bullet_list(node, parent)
        if kind in {"decisionList", "taskList"} and self._short_form_block(node, parent):
            return kind, True
        return kind, has_bullets

    def write_block(self, node: Any, parent: str, *, short: bool = True, marker: str = "-") -> str:
        """Return the Markdown of a block."""
        kind, content = node.get("type"), content_of(node)
        if kind in BULLET_AND_ORDERED_LISTS:
            return self.write_list(node, marker, short=short)
        if kind == "blockquote":
            is_empty = short and len(content) == 1 and content[0] in EMPTY_PARAGRAPHS
            return write_quote("" if is_empty else self.write_blocks(content, kind, short=short))
        if short and (form := self._short_form_block(node, parent)) is not None:
            self.used = True
            match form:
                case {"type": "bulletList"}:
                    return self.write_list(form, marker, short=short)
                case {"type": "panel"}:
                    return write_panel(
                        node["attrs"]["panelType"], content, self.write_blocks(content, kind)
                    )
                case {"type": "expand" | "nestedExpand"}:
                    return write_expand(
                        node.get("attrs", {}).get("title", ""), self.write_blocks(content, kind)
                    )
            node = form
        elif short and (simple := simple_flat_block_or_empty(node)):
            return simple
        return self._write_blocks_in_marklas_shell(node, short=short)

    def _short_form_block(self, node: Json, parent: str) -> Json | None:
        """Return the block whose Markdown is the short form of another one; None if it has none."""
        kind = node.get("type")
        if type(kind) is not str or parent not in _FORM_PARENTS_BY_KIND.get(kind, ()):
            return None
        if kind == "mediaSingle":
            picture = write_picture(node, self._names)
            return None if picture is None else _paragraph(*picture)
        attrs = node.get("attrs", {})
        content = node.get("content")
        if node.keys() - {"type", "attrs", "content"} or type(attrs) is not dict:
            return None
        match kind:
            case "panel":
                word = attrs.keys() == {"panelType"} and attrs["panelType"] in PANEL_WORD_BY_KIND
                return node if word and content else None
            case "blockCard":
                card = write_card(attrs)
                return None if card is None else _paragraph(*card, text_node(BLOCK_CARD_SUFFIX))
            case "decisionList" if not attrs and type(content) is list:
                have_form = all(map(_fits_short_decision_form, content))
                return _decisions_as_bullets(content) if have_form else None
            case "taskList":
                return _tasks_as_bullets(node) if _can_be_checkbox_list(node) else None
            case "expand" | "nestedExpand" if attrs.keys() <= {"title"} and content:
                return node if _is_plain_title(attrs.get("title", "-")) else None
        return None

    def _write_blocks_in_marklas_shell(self, node: Json, *, short: bool) -> str:
        """Return a block as marklas writes it, and the blocks in it as they are written here."""
        inside: list[str] = []
        shell, *ends = self._by_marklas(
            self._replace_blocks_by_slots(node, inside, short=short)
        ).split(INNER_BLOCKS_PLACEHOLDER)
        return shell + "".join(map("".join, zip(inside, ends, strict=True)))

    def _replace_blocks_by_slots(self, node: Json, inside: list[str], *, short: bool) -> Json:
        """Return a block with a sign in place of each flow of blocks; add these to a list."""
        kind, content = node.get("type"), content_of(node)
        if kind == "layoutSection":
            columns = [
                self._replace_blocks_by_slots(column, inside, short=short) for column in content
            ]
            return {**node, "content": columns}
        if kind in {"panel", "expand", "nestedExpand", "layoutColumn"} and content:
            inside.append(self.write_blocks(content, kind, short=short))
            return {**node, "content": [_paragraph(text_node(INNER_BLOCKS_PLACEHOLDER))]}
        self._write_forms_in_lines(node, "", short=short)
        return node

    def _write_forms_in_lines(self, node: Any, parent: str, *, short: bool) -> None:
        """Write the forms in the lines of text in a block, in place, and escape what looks like one."""
        kind = node.get("type") if type(node) is dict else None
        if type(kind) is not str or kind not in NODE_RULES or kind in _VERBATIM_KINDS:
            return
        if kind in INLINE_PARENT_NODES:
            self._write_forms_in_line(content_of(node), short=short)
            return
        # The text of other lists of decisions is in HTML, where no form is read.
        short = short and (kind != "decisionList" or parent in _TABLE_CELL_KINDS)
        for child in content_of(node):
            self._write_forms_in_lines(child, kind, short=short)

    def _write_forms_in_line(self, content: list[Any], *, short: bool) -> None:
        """Write the forms in a line of text, in place."""
        result: list[Any] = []
        nodes = [None, *(node if type(node) is dict else None for node in content), None]
        for before, child, after in zip(nodes, content, nodes[2:], strict=False):
            if type(child) is not dict:
                result.append(child)
            elif child.get("type") == "text":
                result += self._tagged_text(child, before, after, short=short)
            elif short and (written := write_short_form(child, before, after)) is not None:
                self.used = True
                result += written
            else:
                result.append(child)
        content[:] = _drop_closed_and_reopened_tags(result)

    def _tagged_text(self, node: Json, before: Any, after: Any, *, short: bool) -> Iterator[Json]:
        """Yield a text with its tags around it."""
        words, marks = node.get("text"), node.get("marks")
        if type(words) is not str or not words:
            yield node
            return
        marks = marks if type(marks) is list else []
        if {"type": "code"} not in marks:
            node["text"] = escape_short_forms(words, before, after)
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
        yield from (text_node(protect_signs(f"<{tag}>")) for tag in tags)
        yield node
        yield from (text_node(protect_signs(f"</{tag}>")) for tag in reversed(tags))


def _drop_closed_and_reopened_tags(nodes: list[Any]) -> list[Any]:
    """Remove the tags that end where the next text begins with the same one."""
    result: list[Any] = []
    for node in nodes:
        if result and _text_or_empty(node) == _START_TAG_BY_END_TAG.get(_text_or_empty(result[-1])):
            result.pop()
        else:
            result.append(node)
    return result


def _text_or_empty(node: Any) -> str:
    return node["text"] if type(node) is dict and type(node.get("text")) is str else ""


def _fits_short_decision_form(item: Any) -> bool:
    match item:
        case {"type": "decisionItem", "attrs": {"state": "DECIDED", **more}, **rest}:
            return not more and rest.keys() <= {"content"}
    return False


def _can_be_checkbox_list(node: Any) -> bool:
    """Return whether boxes say all of the tasks in a list."""
    content = content_of(node) if type(node) is dict else []
    if not content or node.get("attrs") or _kind_of(content[0]) == "taskList":
        return False
    return all(
        _can_be_checkbox_list(value) if _kind_of(value) == "taskList" else _can_be_checkbox(value)
        for value in content
    )


def _can_be_checkbox(item: Any) -> bool:
    """Return whether a box says all of a task but its text."""
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


def _is_plain_title(title: object) -> bool:
    return (
        isinstance(title, str)
        and title == title.strip()
        and title.isprintable()
        and not any(sign in title for sign in "<&\\")
    )


def _decisions_as_bullets(items: Sequence[Json]) -> Json:
    """Return a list of decisions as a list of items that begin with the mark of a decision."""
    lines = [_paragraph(text_node(protect_signs("<> ")), *content_of(item)) for item in items]
    return {
        "type": "bulletList",
        "content": [{"type": "listItem", "content": [line]} for line in lines],
    }


def _tasks_as_bullets(node: Json) -> Json:
    """Return a list of tasks as a list of items that begin with boxes, lists of tasks in them."""
    items: list[Json] = []
    for child in node["content"]:
        if child["type"] == "taskList":
            items[-1]["content"].append(_tasks_as_bullets(child))
            continue
        box = text_node(protect_signs("[x] " if child["attrs"]["state"] == "DONE" else "[ ] "))
        blocks = [child] if child["type"] == "taskItem" else child["content"]
        first = _paragraph(box, *(content_of(blocks[0]) or [text_node(REMOVED_PLACEHOLDER)]))
        items.append({"type": "listItem", "content": [first, *blocks[1:]]})
    return {"type": "bulletList", "content": items}


def _kind_of(node: Any) -> Any:
    return node.get("type") if type(node) is dict else None


def _paragraph(*content: Json) -> Json:
    return {"type": "paragraph", "content": list(content)}
