"""The table of ADF's nodes, and what each may hold.

Jira refuses a document that differs without saying where; the table is tested to agree with
Atlassian's own schema in all but attributes. Those are not checked: the conversion writes right
ones, and what Jira itself has sent may hold newer ones.

The notation: in a list of children, ``heading`` is a heading without marks, and
``heading(alignment|indentation)`` one whose marks are all of one of these sets: only
alignments, or only indentations, or none. Of two entries for one kind the last one counts.

`find_problems` describes what Jira would refuse in a document, for the author of the Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ticketr.app.jira.adf._plain import kind_with_article, kind_words, plain_lines
from ticketr.app.jira.errors import clean_line

#: The sets of marks that go together; None where there is no list of marks at all.
AllowedMarkSets = tuple[frozenset[str], ...] | None

_CHILD_AND_MARKS_PATTERN = re.compile(r"(\w+)(?:\(([^)]*)\))?")


class NodeRule(NamedTuple):
    """A kind of node.

    Attributes:
        children: What may be in it, with the marks that it may have there.
        min_children: How many children it needs; None if the list itself may be missing.
        max_children: How many it can have.
        has_fixed_child_order: Whether each child must be the one of that place in `children`.
    """

    children: Mapping[str, AllowedMarkSets]
    min_children: int | None
    max_children: int
    has_fixed_child_order: bool


def node_rule(
    children: str = "", least: int | None = None, most: int = 1_000_000, *, ordered: bool = False
) -> NodeRule:
    """Read a row of the table."""
    read = {
        match[1]: None
        if match[2] is None
        else tuple(frozenset(marks.split()) for marks in match[2].split("|"))
        for match in _CHILD_AND_MARKS_PATTERN.finditer(children)
    }
    return NodeRule(read, least, most, ordered)


_TEXT_WITH_MARKS = (
    "text(link em strong strike subsup underline textColor annotation backgroundColor"
    "|code link annotation)"
)
_MARKED_EXTENSION = "extension(dataConsumer fragment)"
_MEDIA_MARKS = "(dataConsumer link annotation border)"
_CAPTION_CONTENT = f"{_TEXT_WITH_MARKS} hardBreak mention emoji date placeholder inlineCard status"
_INLINE = f"{_CAPTION_CONTENT} inlineExtension(dataConsumer fragment) mediaInline{_MEDIA_MARKS}"

_PLAIN_LISTS = "bulletList orderedList"
_MEDIA = "mediaSingle(link) mediaGroup"
_FONT_SIZE_PARAGRAPH = "paragraph(fontSize)"
# The blocks that a panel, a nested expand, a cell of a table and most other nodes may hold.
_BASIC_BLOCKS = (
    f"{_PLAIN_LISTS} {_MEDIA} heading() codeBlock() taskList decisionList rule {_MARKED_EXTENSION}"
)
_EXTENSION_CONTENT = (
    f"{_BASIC_BLOCKS} {_FONT_SIZE_PARAGRAPH} panel blockquote table(fragment) blockCard embedCard"
)
_ALIGNED_HEADING = "heading(alignment|indentation)"
_ALIGNED_PARAGRAPH = "paragraph(fontSize alignment|fontSize indentation)"
_CELL_CONTENT = (
    f"{_BASIC_BLOCKS} {_ALIGNED_HEADING} paragraph(fontSize alignment) panel blockquote blockCard embedCard"
    " nestedExpand"
)
_MARKED_BODIED_EXTENSION = "bodiedExtension(dataConsumer fragment)"
_DOC_AND_COLUMN_BLOCKS = f"{_EXTENSION_CONTENT} {_ALIGNED_HEADING} {_ALIGNED_PARAGRAPH}"

#: Every node.
NODE_RULES: dict[str, NodeRule] = {
    "doc": node_rule(
        f"{_DOC_AND_COLUMN_BLOCKS} {_MARKED_BODIED_EXTENSION} codeBlock(breakout) expand(breakout) layoutSection(breakout)"
        " syncBlock(breakout) bodiedSyncBlock(breakout)",
        0,
    ),
    # Blocks of text
    "paragraph": node_rule(_INLINE),
    "heading": node_rule(_INLINE),
    "codeBlock": node_rule("text()"),
    "blockquote": node_rule(
        f"paragraph() {_PLAIN_LISTS} codeBlock() {_MEDIA} {_MARKED_EXTENSION}", 1
    ),
    "panel": node_rule(f"{_BASIC_BLOCKS} {_FONT_SIZE_PARAGRAPH} blockCard", 1),
    "expand": node_rule(f"{_EXTENSION_CONTENT} nestedExpand", 1),
    "nestedExpand": node_rule(f"{_BASIC_BLOCKS} {_FONT_SIZE_PARAGRAPH} panel blockquote", 1),
    # Lists
    "bulletList": node_rule("listItem", 1),
    "orderedList": node_rule("listItem", 1),
    "listItem": node_rule(
        f"{_FONT_SIZE_PARAGRAPH} {_PLAIN_LISTS} taskList mediaSingle(link) codeBlock() {_MARKED_EXTENSION}",
        1,
    ),
    "taskList": node_rule("taskItem taskList blockTaskItem", 1),
    "taskItem": node_rule(_INLINE),
    "blockTaskItem": node_rule(f"{_FONT_SIZE_PARAGRAPH} {_MARKED_EXTENSION}", 1),
    "decisionList": node_rule("decisionItem", 1),
    "decisionItem": node_rule(_INLINE),
    # Tables and columns
    "table": node_rule("tableRow", 1),
    "tableRow": node_rule("tableCell tableHeader", 0),
    "tableCell": node_rule(_CELL_CONTENT, 1),
    "tableHeader": node_rule(_CELL_CONTENT, 1),
    "layoutSection": node_rule("layoutColumn", 2, 3),
    "layoutColumn": node_rule(f"{_DOC_AND_COLUMN_BLOCKS} {_MARKED_BODIED_EXTENSION} expand()", 1),
    # Files, and what apps add
    "mediaSingle": node_rule(f"media{_MEDIA_MARKS} caption", 1, 2, ordered=True),
    "mediaGroup": node_rule(f"media{_MEDIA_MARKS}", 1),
    "caption": node_rule(_CAPTION_CONTENT),
    "bodiedExtension": node_rule(_EXTENSION_CONTENT, 1),
    "bodiedSyncBlock": node_rule(
        f"{_PLAIN_LISTS} {_MEDIA} {_ALIGNED_HEADING} {_ALIGNED_PARAGRAPH} codeBlock() taskList decisionList rule panel"
        " blockquote table(fragment) blockCard embedCard expand() layoutSection(breakout)",
        1,
    ),
    # What holds nothing
    **dict.fromkeys(
        (
            *("text", "hardBreak", "mention", "emoji", "date", "status", "placeholder"),
            *("inlineCard", "inlineExtension", "media", "mediaInline", "rule", "blockCard"),
            *("embedCard", "extension", "syncBlock"),
        ),
        node_rule(),
    ),
}
#: Every mark.
MARK_KINDS = frozenset(
    {
        *("strong", "em", "strike", "underline", "code", "link", "subsup", "textColor"),
        *("backgroundColor", "annotation", "alignment", "indentation", "fontSize", "breakout"),
        *("border", "dataConsumer", "fragment"),
    }
)


#: More than these would tell nothing new.
MAX_PROBLEMS = 10

_NODE_KEYS = frozenset({"type", "content", "attrs", "marks"})


def find_problems(document: object) -> tuple[str, ...]:
    """Return what is wrong with a document that is to be sent to Jira.

    Returns:
        What Jira would not accept, in the order of the document and at most `MAX_PROBLEMS`;
        empty if nothing is.
    """
    if not isinstance(document, dict) or document.get("type") != "doc":
        return ("this is not a document",)
    version = document.get("version")
    if version != 1 or isinstance(version, bool) or document.keys() - {"version"} - _NODE_KEYS:
        return ("this is not a document of version 1",)
    return find_subtree_problems({key: document[key] for key in document if key != "version"})


def find_subtree_problems(root: Any) -> tuple[str, ...]:
    """Return what is wrong with a node of a known kind and with its descendants."""
    problems_so_far: list[str] = []
    # A stack instead of recursion, since documents may be nested very deeply.
    waiting: list[tuple[Any, AllowedMarkSets]] = [(root, None)]
    while waiting and len(problems_so_far) < MAX_PROBLEMS:
        node, marks = waiting.pop()
        rule = NODE_RULES[node["type"]]
        found_here = [*_find_key_and_text_problems(node, rule), *_find_mark_problems(node, marks)]
        children = list(_check_children(node, rule))
        found_here += [problem for problem in children if isinstance(problem, str)]
        quoted = _at_first_words(node) if found_here else ""
        problems_so_far += [f"{problem}{quoted}" for problem in found_here]
        waiting += reversed([child for child in children if not isinstance(child, str)])
    return tuple(problems_so_far[:MAX_PROBLEMS])


def _find_key_and_text_problems(node: Any, rule: NodeRule) -> Iterator[str]:
    """Yield an empty text, and each key that a node of its kind cannot have."""
    kind = node["type"]
    # `_find_mark_problems` checks the marks, since the parent decides which are allowed.
    known = {"type", "attrs", "marks"}
    if rule.children:
        known.add("content")
    if kind == "text":
        known.add("text")
        if not isinstance(node.get("text"), str) or not node["text"]:
            yield "a text is empty"
    for key in sorted(map(str, node.keys() - known)):
        yield f"{kind_with_article(kind)} cannot have “{clean_line(key, 40)}”"


def _check_children(node: Any, rule: NodeRule) -> Iterator[tuple[Any, AllowedMarkSets] | str]:
    """Return the children of a node, and what is wrong with their kinds and number."""
    name = kind_with_article(node["type"])
    content = node.get("content")
    if content is None and "content" not in node:
        if rule.min_children is not None:
            yield f"{name} is empty"
        return
    if not rule.children:
        return
    if not isinstance(content, list):
        yield f"{name} has something else than a list in it"
        return
    if len(content) < (rule.min_children or 0):
        yield f"{name} is empty" if not content else f"{name} has too little in it"
    if len(content) > rule.max_children:
        yield f"{name} has too much in it"
    kinds = tuple(rule.children)
    for place, child in enumerate(content):
        kind = child.get("type") if isinstance(child, dict) else None
        allowed = kinds[place : place + 1] if rule.has_fixed_child_order else kinds
        if not isinstance(kind, str) or kind not in NODE_RULES:
            yield f"{name} has something in it that Jira does not know"
        elif kind not in allowed:
            yield f"{kind_with_article(kind)} cannot be in {name}"
        else:
            yield child, rule.children[kind]


def _find_mark_problems(node: Any, allowed: AllowedMarkSets) -> Iterator[str]:
    """Return what is wrong with the marks of a node, which depend on its parent."""
    if "marks" not in node:
        return
    name = kind_with_article(node["type"])
    marks = node["marks"]
    if allowed is None or not isinstance(marks, list):
        yield f"{name} cannot have marks there"
        return
    kinds = [str(mark.get("type")) if isinstance(mark, dict) else "" for mark in marks]
    if not MARK_KINDS.issuperset(kinds):
        yield f"{name} has a mark that Jira does not know"
        return
    if not any(some.issuperset(kinds) for some in allowed):
        together = " with ".join(dict.fromkeys(map(kind_words, kinds)))
        yield f"{name} cannot be marked as {together} there"
    if any(mark.keys() - {"type", "attrs"} for mark in marks):
        yield f"{name} has a mark that is not as Jira knows it"


def _at_first_words(node: Any) -> str:
    """Quote the beginning of a node, so that it can be found."""
    words = next(iter(plain_lines(node)), "")
    return f", at “{clean_line(words, 40)}”" if words else ""
