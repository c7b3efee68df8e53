"""The table of ADF's nodes and marks, and what each may hold.

Jira refuses a document that differs without saying where; the
table is tested to agree with Atlassian's own schema.

The notation: in a list of children, ``heading`` is a heading without marks, and
``heading(alignment|indentation)`` one whose marks are all of one of these sets: only
alignments, or only indentations, or none. Of two entries for one kind the last one counts.

In a list of attributes, ``level!=1..6`` must be there and be a number in that range. ``text`` is
any text and ``nonempty`` one that is not empty, ``flag`` is true or false, ``any`` is anything, and
``left|right`` is one of these words; `_CHECKS` has them all.

`problems` describes what Jira would refuse in a document, for the author of the Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from ticketr.app.jira.adf._plain import kind_words, named, plain_lines
from ticketr.app.jira.errors import clip

Check = Callable[[object], bool]
#: The sets of marks that go together; None where there is no list of marks at all.
Marks = tuple[frozenset[str], ...] | None

_CHILD = re.compile(r"(\w+)(?:\(([^)]*)\))?")


@dataclass(frozen=True, slots=True)
class AttributeRules:
    """The attributes of a node or a mark.

    Attributes:
        checks: What each may be.
        required: Those that must be there.
    """

    checks: Mapping[str, Check] = field(default_factory=dict)
    required: frozenset[str] = frozenset()

    @classmethod
    def read(cls, text: str) -> AttributeRules:
        """Read a list of attributes."""
        pairs = [item.partition("=") for item in text.split()]
        return cls(
            checks={name.rstrip("!"): _read_check(kind) for name, _, kind in pairs},
            required=frozenset(name[:-1] for name, _, _ in pairs if name.endswith("!")),
        )


@dataclass(frozen=True, slots=True)
class Node:
    """A kind of node.

    Attributes:
        children: What may be in it, with the marks that it may have there.
        least: How many children it needs; None if the list itself may be missing.
        most: How many it can have.
        ordered: Whether each child must be the one of that place.
        attrs: What its attributes can be, one of these; empty if it has none.
        bare: Whether the attributes may be missing.
    """

    children: Mapping[str, Marks] = field(default_factory=dict)
    least: int | None = None
    most: int = 1_000_000
    ordered: bool = False
    attrs: tuple[AttributeRules, ...] = ()
    bare: bool = True


def node(
    children: str = "",
    *attrs: str,
    least: int | None = None,
    most: int = 1_000_000,
    ordered: bool = False,
    bare: bool | None = None,
) -> Node:
    """Read a row of the table; attributes may be missing where none is required."""
    read = tuple(map(AttributeRules.read, attrs))
    if bare is None:
        bare = all(not one.required for one in read)
    return Node(_read_children(children), least, most, ordered, read, bare)


def _read_children(text: str) -> dict[str, Marks]:
    return {
        match[1]: None
        if match[2] is None
        else tuple(frozenset(marks.split()) for marks in match[2].split("|"))
        for match in _CHILD.finditer(text)
    }


def _read_check(kind: str) -> Check:
    if kind in _CHECKS:
        return _CHECKS[kind]
    low, dots, high = kind.partition("..")
    if dots:
        least, most = float(low), float(high or "inf")
        return lambda value: _is_number(value) and least <= value <= most
    words = frozenset(kind.split("|"))
    return lambda value: isinstance(value, str) and value in words


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_nonempty(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and value != [] and all(isinstance(one, str) for one in value)


def _matches(pattern: str) -> Check:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _is_source(value: object) -> bool:
    """Return whether a value is the data source of a card's table of issues."""
    return (
        isinstance(value, dict)
        and value.keys() == {"id", "parameters", "views"}
        and isinstance(value["id"], str)
        and isinstance(value["views"], list)
        and value["views"] != []
        and all(map(_is_view, value["views"]))
    )


def _is_view(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("type"), str)
        and value.keys() <= {"type", "properties"}
    )


_CHECKS: dict[str, Check] = {
    "any": lambda _: True,
    "text": lambda value: isinstance(value, str),
    "nonempty": _is_nonempty,
    "texts": _are_texts,
    "newline": lambda value: value == "\n",
    "flag": lambda value: isinstance(value, bool),
    "number": _is_number,
    "numbers": lambda value: isinstance(value, list) and all(map(_is_number, value)),
    "color": _matches("#[0-9a-fA-F]{6}"),
    "border-color": _matches("#[0-9a-fA-F]{6}(?:[0-9a-fA-F]{2})?"),
    "status-color": _matches("neutral|purple|blue|red|yellow|green|#[0-9a-fA-F]{6}"),
    "source": _is_source,
}


_ID = "localId=text"
_LAYOUTS = "wide|full-width|center|wrap-right|wrap-left|align-end|align-start"
_TEXT = (
    "text(link em strong strike subsup underline textColor annotation backgroundColor"
    "|code link annotation)"
)
_EXTENSION = "extension(dataConsumer fragment)"
_MEDIA_MARKS = "(dataConsumer link annotation border)"
_CAPTION_CONTENT = f"{_TEXT} hardBreak mention emoji date placeholder inlineCard status"
_INLINE = f"{_CAPTION_CONTENT} inlineExtension(dataConsumer fragment) mediaInline{_MEDIA_MARKS}"

_LISTS = "bulletList orderedList"
_MEDIA = "mediaSingle(link) mediaGroup"
_PARAGRAPH = "paragraph(fontSize)"
# The blocks that a panel, a nested expand, a cell of a table and most other nodes may hold.
_BASIC_BLOCKS = f"{_LISTS} {_MEDIA} heading() codeBlock() taskList decisionList rule {_EXTENSION}"
_EXTENSION_CONTENT = (
    f"{_BASIC_BLOCKS} {_PARAGRAPH} panel blockquote table(fragment) blockCard embedCard"
)
_ALIGNED_HEADING = "heading(alignment|indentation)"
_ALIGNED_PARAGRAPH = "paragraph(fontSize alignment|fontSize indentation)"
_EXPAND_CONTENT = f"{_EXTENSION_CONTENT} nestedExpand"
_CELL_CONTENT = (
    f"{_BASIC_BLOCKS} {_ALIGNED_HEADING} paragraph(fontSize alignment) panel blockquote blockCard embedCard"
    " nestedExpand"
)
_BODIED_EXTENSION = "bodiedExtension(dataConsumer fragment)"
_BLOCKS = f"{_EXTENSION_CONTENT} {_ALIGNED_HEADING} {_ALIGNED_PARAGRAPH}"
_SYNC_BLOCK_ATTRS = "resourceId!=text localId!=text"
_CELL_ATTRS = (
    "colspan=number rowspan=number colwidth=numbers background=text valign=top|middle|bottom"
)
_EXTENSION_ATTRS = (
    "extensionKey!=nonempty extensionType!=nonempty parameters=any text=text localId=nonempty"
)
_CARD_ATTRS = ("url!=text localId=text", "data!=any localId=text")
_TASK_ATTRS = "localId!=text state!=TODO|DONE"  # ADF's words for the two states of a user's task
_FILE_ATTRS = (
    "id!=nonempty alt=text collection!=text occurrenceKey=nonempty width=number height=number"
)

#: Every node.
NODES: dict[str, Node] = {
    "doc": node(
        f"{_BLOCKS} {_BODIED_EXTENSION} codeBlock(breakout) expand(breakout) layoutSection(breakout)"
        " syncBlock(breakout) bodiedSyncBlock(breakout)",
        least=0,
    ),
    # Blocks of text
    "paragraph": node(_INLINE, _ID),
    "heading": node(_INLINE, f"level!=1..6 {_ID}"),
    "codeBlock": node(
        "text()", f"language=text uniqueId=text wrap=flag hideLineNumbers=flag {_ID}"
    ),
    "rule": node("", _ID),
    "blockquote": node(f"paragraph() {_LISTS} codeBlock() {_MEDIA} {_EXTENSION}", _ID, least=1),
    "panel": node(
        f"{_BASIC_BLOCKS} {_PARAGRAPH} blockCard",
        "panelType!=info|note|tip|warning|error|success|custom panelIcon=text panelIconId=text"
        f" panelIconText=text panelColor=text {_ID}",
        least=1,
    ),
    "expand": node(_EXPAND_CONTENT, f"title=text {_ID}", least=1),
    "nestedExpand": node(
        f"{_BASIC_BLOCKS} {_PARAGRAPH} panel blockquote", f"title=text {_ID}", least=1, bare=False
    ),
    # Lists
    "bulletList": node("listItem", _ID, least=1),
    "orderedList": node("listItem", f"order=0.. {_ID}", least=1),
    "listItem": node(
        f"{_PARAGRAPH} {_LISTS} taskList mediaSingle(link) codeBlock() {_EXTENSION}", _ID, least=1
    ),
    "taskList": node("taskItem taskList blockTaskItem", "localId!=text", least=1),
    "taskItem": node(_INLINE, _TASK_ATTRS),
    "blockTaskItem": node(f"{_PARAGRAPH} {_EXTENSION}", _TASK_ATTRS, least=1),
    "decisionList": node("decisionItem", "localId!=text", least=1),
    "decisionItem": node(_INLINE, "localId!=text state!=text"),
    # Tables and columns
    "table": node(
        "tableRow",
        "displayMode=default|fixed isNumberColumnEnabled=flag localId=nonempty width=number"
        " layout=wide|full-width|center|align-end|align-start|default",
        least=1,
    ),
    "tableRow": node("tableCell tableHeader", _ID, least=0),
    "tableCell": node(_CELL_CONTENT, f"{_CELL_ATTRS} {_ID}", least=1),
    "tableHeader": node(_CELL_CONTENT, f"{_CELL_ATTRS} {_ID}", least=1),
    "layoutSection": node("layoutColumn", _ID, least=2, most=3),
    "layoutColumn": node(
        f"{_BLOCKS} {_BODIED_EXTENSION} expand()",
        f"width!=0..100 valign=top|middle|bottom {_ID}",
        least=1,
    ),
    # Files, cards and what apps add
    "mediaSingle": node(
        f"media{_MEDIA_MARKS} caption",
        f"layout!={_LAYOUTS} width=0..100 widthType=percentage {_ID}",
        f"layout!={_LAYOUTS} width!=0.. widthType!=pixel {_ID}",
        least=1,
        most=2,
        ordered=True,
        bare=True,
    ),
    "mediaGroup": node(f"media{_MEDIA_MARKS}", least=1),
    "media": node(
        "",
        f"type!=link|file {_FILE_ATTRS} {_ID}",
        f"type!=external url!=text alt=text width=number height=number {_ID}",
    ),
    "mediaInline": node("", f"type=link|file|image data=any {_FILE_ATTRS} {_ID}"),
    "caption": node(_CAPTION_CONTENT, _ID),
    "blockCard": node(
        "", f"datasource!=source url=text width=number layout={_LAYOUTS} {_ID}", *_CARD_ATTRS
    ),
    "embedCard": node(
        "",
        f"url!=text layout!={_LAYOUTS} width=0..100 originalHeight=number originalWidth=number"
        f" {_ID}",
    ),
    "extension": node("", f"{_EXTENSION_ATTRS} layout=wide|full-width|default"),
    "bodiedExtension": node(
        _EXTENSION_CONTENT, f"{_EXTENSION_ATTRS} layout=wide|full-width|default", least=1
    ),
    "syncBlock": node("", _SYNC_BLOCK_ATTRS),
    "bodiedSyncBlock": node(
        f"{_LISTS} {_MEDIA} {_ALIGNED_HEADING} {_ALIGNED_PARAGRAPH} codeBlock() taskList decisionList rule panel"
        " blockquote table(fragment) blockCard embedCard expand() layoutSection(breakout)",
        _SYNC_BLOCK_ATTRS,
        least=1,
    ),
    # Inside a line
    "text": node(),
    "hardBreak": node("", f"text=newline {_ID}"),
    "mention": node("", f"id!=text text=text accessLevel=text userType=DEFAULT|SPECIAL|APP {_ID}"),
    "emoji": node("", f"shortName!=text id=text text=text {_ID}"),
    "date": node("", f"timestamp!=nonempty {_ID}"),
    "status": node("", f"text!=nonempty color!=status-color style=text {_ID}"),
    "placeholder": node("", f"text!=text {_ID}"),
    "inlineCard": node("", *_CARD_ATTRS),
    "inlineExtension": node("", _EXTENSION_ATTRS),
}
#: Every mark; None for one without attributes.
MARKS: dict[str, AttributeRules | None] = {
    **dict.fromkeys(("strong", "em", "strike", "underline", "code")),
    "link": AttributeRules.read("href!=text title=text id=text collection=text occurrenceKey=text"),
    "subsup": AttributeRules.read("type!=sub|sup"),
    "textColor": AttributeRules.read("color!=color"),
    "backgroundColor": AttributeRules.read("color!=color"),
    "annotation": AttributeRules.read("id!=text annotationType!=inlineComment"),
    "alignment": AttributeRules.read("align!=center|end"),
    "indentation": AttributeRules.read("level!=1..6"),
    "fontSize": AttributeRules.read("fontSize!=small"),
    "breakout": AttributeRules.read("mode!=wide|full-width width=number"),
    "border": AttributeRules.read("size!=1..3 color!=border-color"),
    "dataConsumer": AttributeRules.read("sources!=texts"),
    "fragment": AttributeRules.read("localId!=nonempty name=text"),
}


#: More than these would tell nothing new.
MOST_PROBLEMS = 10

_OWN_KEYS = frozenset({"type", "content", "attrs", "marks"})


def problems(document: object) -> tuple[str, ...]:
    """Return what is wrong with a document that is to be sent to Jira.

    Returns:
        What Jira would not accept, in the order of the document and at most `MOST_PROBLEMS`;
        empty if nothing is.
    """
    if not isinstance(document, dict) or document.get("type") != "doc":
        return ("this is not a document",)
    version = document.get("version")
    if version != 1 or isinstance(version, bool) or document.keys() - {"version"} - _OWN_KEYS:
        return ("this is not a document of version 1",)
    return node_problems({key: document[key] for key in document if key != "version"})


def node_problems(root: Any) -> tuple[str, ...]:
    """Return what is wrong with a node of a known kind and with its descendants."""
    problems_so_far: list[str] = []
    # A stack instead of recursion, since documents may be nested very deeply.
    waiting: list[tuple[Any, Marks]] = [(root, None)]
    while waiting and len(problems_so_far) < MOST_PROBLEMS:
        node, marks = waiting.pop()
        rule = NODES[node["type"]]
        found_here = [*_own_problems(node, rule), *_mark_problems(node, marks)]
        children = list(_children(node, rule))
        found_here += [problem for problem in children if isinstance(problem, str)]
        quoted = _quote(node) if found_here else ""
        problems_so_far += [f"{problem}{quoted}" for problem in found_here]
        waiting += reversed([child for child in children if not isinstance(child, str)])
    return tuple(problems_so_far[:MOST_PROBLEMS])


def _own_problems(node: Any, rule: Node) -> Iterator[str]:
    """Return what is wrong with a node's own properties and attributes."""
    kind = node["type"]
    known = {"type", "marks"}  # _marks checks the marks, which depend on the parent
    if rule.children:
        known.add("content")
    if rule.attrs:
        known.add("attrs")
    if kind == "text":
        known.add("text")
        if not isinstance(node.get("text"), str) or not node["text"]:
            yield "a text is empty"
    for key in sorted(map(str, node.keys() - known)):
        yield f"{named(kind)} cannot have “{clip(key, 40)}”"
    if "attrs" in node:
        if rule.attrs and not any(_fits(node["attrs"], attrs) for attrs in rule.attrs):
            yield _attrs_problem(named(kind), node["attrs"], rule.attrs)
    elif not rule.bare:
        yield f"{named(kind)} lacks what it needs to say about itself"


def _children(node: Any, rule: Node) -> Iterator[tuple[Any, Marks] | str]:
    """Return the children of a node, and what is wrong with their kinds and number."""
    name = named(node["type"])
    content = node.get("content")
    if content is None and "content" not in node:
        if rule.least is not None:
            yield f"{name} is empty"
        return
    if not rule.children:
        return
    if not isinstance(content, list):
        yield f"{name} has something else than a list in it"
        return
    if len(content) < (rule.least or 0):
        yield f"{name} is empty" if not content else f"{name} has too little in it"
    if len(content) > rule.most:
        yield f"{name} has too much in it"
    order = tuple(rule.children)
    for place, child in enumerate(content):
        kind = child.get("type") if isinstance(child, dict) else None
        if not isinstance(kind, str) or kind not in NODES:
            yield f"{name} has something in it that Jira does not know"
        elif kind not in rule.children or (rule.ordered and order[place : place + 1] != (kind,)):
            yield f"{named(kind)} cannot be in {name}"
        else:
            yield child, rule.children[kind]


def _mark_problems(node: Any, allowed: Marks) -> Iterator[str]:
    """Return what is wrong with the marks of a node, which depend on its parent."""
    if "marks" not in node:
        return
    name = named(node["type"])
    marks = node["marks"]
    if allowed is None or not isinstance(marks, list):
        yield f"{name} cannot have marks there"
        return
    kinds = [str(mark.get("type")) if isinstance(mark, dict) else "" for mark in marks]
    if not MARKS.keys() >= set(kinds):
        yield f"{name} has a mark that Jira does not know"
        return
    if not any(some.issuperset(kinds) for some in allowed):
        together = " with ".join(dict.fromkeys(map(kind_words, kinds)))
        yield f"{name} cannot be marked as {together} there"
    for mark, kind in zip(marks, kinds, strict=True):
        attrs = MARKS[kind]
        fits = "attrs" not in mark if attrs is None else _fits(mark.get("attrs"), attrs)
        if not fits or mark.keys() - {"type", "attrs"}:
            yield f"the mark {kind_words(kind)} is not as Jira knows it"


def _fits(value: object, attrs: AttributeRules) -> bool:
    return (
        isinstance(value, dict)
        and attrs.required <= value.keys()
        and all(key in attrs.checks and attrs.checks[key](one) for key, one in value.items())
    )


def _attrs_problem(name: str, value: Any, rules: tuple[AttributeRules, ...]) -> str:
    """Say what is wrong with the attributes of a node, and with which if that is certain."""
    if len(rules) > 1 or not isinstance(value, dict):
        return f"{name} says something about itself that Jira does not know"
    checks = rules[0].checks
    for key in sorted(rules[0].required - value.keys()):
        return f"{name} lacks its {key}"
    key = next(key for key, one in value.items() if key not in checks or not checks[key](one))
    if key not in checks:
        return f"{name} cannot have “{clip(str(key), 40)}”"
    return f"{name} cannot have {clip(repr(value[key]), 40)} as its {key}"


def _quote(node: Any) -> str:
    """Quote the beginning of a node, so that it can be found."""
    words = next(iter(plain_lines(node)), "")
    return f", at “{clip(words, 40)}”" if words else ""
