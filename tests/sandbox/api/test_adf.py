"""The sandbox's own table of nodes, held against Atlassian's schema."""

from __future__ import annotations

import copy
import random
from typing import TYPE_CHECKING, Any

import pytest
from fakes.sandbox_adf import quick_adf_validator
from fakes.sandbox_client import demo_site

from ticketr.sandbox.api.adf import check_document
from ticketr.sandbox.api.adf_checks import MARKS
from ticketr.sandbox.api.adf_kinds import DOCUMENT, KINDS
from ticketr.sandbox.api.refusals import NotAdf
from ticketr.sandbox.api.wiki import to_wiki

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = {"type": "text", "text": "x"}
PARAGRAPH = {"type": "paragraph", "content": [TEXT]}
MEDIA = {"type": "media", "attrs": {"type": "file", "id": "1", "collection": "c"}}
EXTENSION = {"extensionKey": "k", "extensionType": "t"}
CELL = {"type": "tableCell", "content": [PARAGRAPH]}
ROW = {"type": "tableRow", "content": []}
MARK_ATTRS: dict[str, Any] = {
    "link": {"href": "https://example.com"},
    "subsup": {"type": "sub"},
    "textColor": {"color": "#ff0000"},
    "backgroundColor": {"color": "#ff0000"},
    "annotation": {"id": "1", "annotationType": "inlineComment"},
    "alignment": {"align": "center"},
    "indentation": {"level": 1},
    "fontSize": {"fontSize": "small"},
    "breakout": {"mode": "wide"},
    "border": {"size": 1, "color": "#ff0000"},
    "dataConsumer": {"sources": ["a"]},
    "fragment": {"localId": "a"},
}
NODES: dict[str, Any] = {
    "text": TEXT,
    "hardBreak": {"type": "hardBreak"},
    "date": {"type": "date", "attrs": {"timestamp": "1"}},
    "emoji": {"type": "emoji", "attrs": {"shortName": ":x:"}},
    "inlineCard": {"type": "inlineCard", "attrs": {"url": "u"}},
    "mention": {"type": "mention", "attrs": {"id": "1"}},
    "placeholder": {"type": "placeholder", "attrs": {"text": "x"}},
    "status": {"type": "status", "attrs": {"text": "x", "color": "red"}},
    "inlineExtension": {"type": "inlineExtension", "attrs": EXTENSION},
    "mediaInline": {"type": "mediaInline", "attrs": {"id": "1", "collection": "c"}},
    "paragraph": PARAGRAPH,
    "heading": {"type": "heading", "attrs": {"level": 2}, "content": [TEXT]},
    "bulletList": {
        "type": "bulletList",
        "content": [{"type": "listItem", "content": [PARAGRAPH]}],
    },
    "orderedList": {
        "type": "orderedList",
        "attrs": {"order": 3},
        "content": [{"type": "listItem", "content": [PARAGRAPH]}],
    },
    "taskList": {
        "type": "taskList",
        "attrs": {"localId": "1"},
        "content": [
            {
                "type": "taskItem",
                "attrs": {"localId": "2", "state": "TODO"},
                "content": [TEXT],
            },
            {
                "type": "blockTaskItem",
                "attrs": {"localId": "2", "state": "DONE"},
                "content": [PARAGRAPH],
            },
        ],
    },
    "decisionList": {
        "type": "decisionList",
        "attrs": {"localId": "1"},
        "content": [{"type": "decisionItem", "attrs": {"localId": "2", "state": "D"}}],
    },
    "codeBlock": {"type": "codeBlock", "attrs": {"language": "go"}, "content": [TEXT]},
    "blockquote": {"type": "blockquote", "content": [PARAGRAPH]},
    "panel": {"type": "panel", "attrs": {"panelType": "info"}, "content": [PARAGRAPH]},
    "expand": {"type": "expand", "attrs": {"title": "x"}, "content": [PARAGRAPH]},
    "nestedExpand": {"type": "nestedExpand", "attrs": {}, "content": [PARAGRAPH]},
    "rule": {"type": "rule"},
    "table": {"type": "table", "content": [{"type": "tableRow", "content": [CELL]}]},
    "mediaGroup": {"type": "mediaGroup", "content": [MEDIA]},
    "mediaSingle": {
        "type": "mediaSingle",
        "attrs": {"layout": "center"},
        "content": [MEDIA, {"type": "caption", "content": [TEXT]}],
    },
    "blockCard": {"type": "blockCard", "attrs": {"url": "u"}},
    "embedCard": {"type": "embedCard", "attrs": {"url": "u", "layout": "wide"}},
    "extension": {"type": "extension", "attrs": EXTENSION},
    "bodiedExtension": {"type": "bodiedExtension", "attrs": EXTENSION, "content": [PARAGRAPH]},
    "layoutSection": {
        "type": "layoutSection",
        "content": [{"type": "layoutColumn", "attrs": {"width": 50}, "content": [PARAGRAPH]}] * 2,
    },
    "syncBlock": {"type": "syncBlock", "attrs": {"resourceId": "r", "localId": "l"}},
    "bodiedSyncBlock": {
        "type": "bodiedSyncBlock",
        "attrs": {"resourceId": "r", "localId": "l"},
        "content": [PARAGRAPH],
    },
}


def document(*nodes: Any) -> Any:
    return copy.deepcopy({"type": "doc", "version": 1, "content": list(nodes)})


def is_taken(value: Any) -> bool:
    try:
        check_document(value)
    except NotAdf:
        return False
    return True


EVERYTHING = document(
    # There, the schema takes anything at all for a mark.
    *(NODES[kind] for kind in DOCUMENT if kind != "bodiedSyncBlock"),
    {"type": "paragraph", "content": [NODES[kind] for kind in KINDS if kind in NODES][:9]},
    *(
        {**NODES["table"], "content": [{"type": "tableRow", "content": [cell]}]}
        for cell in (CELL, {"type": "tableHeader", "content": [NODES["nestedExpand"]]})
    ),
)


def test_what_the_sandbox_serves_is_taken_back() -> None:
    found = [issue.description for issue in demo_site(300) if issue.description]

    assert found
    assert all(map(is_taken, found))


def test_every_document_that_is_taken_has_a_wiki_text() -> None:
    for parent in KINDS:
        for node in (*NODES.values(), CELL):
            outer = document(wrapped(parent, node))
            if is_taken(outer):
                assert isinstance(to_wiki(outer), str)

    assert to_wiki(document({"type": "paragraph"}, {"type": "table", "content": [ROW]})) == "\n\n||"


def test_a_document_of_every_node_is_taken() -> None:
    assert is_taken(EVERYTHING)
    assert quick_adf_validator().is_valid(EVERYTHING)


@pytest.mark.parametrize("parent", sorted(KINDS))
def test_what_fits_into_what_is_as_the_schema_has_it(parent: str) -> None:
    """Every node in every other one, and those that fit with every mark."""
    validator = quick_adf_validator()
    known = [*NODES.values(), CELL]
    fitting = [node for node in known if node["type"] in (KINDS[parent].content or ())]
    marked = [{**node, "marks": [mark_of(mark)]} for node in fitting for mark in MARKS]
    for node in (*known, *marked, {"type": "nope"}, {"type": ["list"]}, {}, None, "text"):
        outer = document(wrapped(parent, node))
        assert is_taken(outer) == validator.is_valid(outer), outer


def mark_of(mark: str) -> Any:
    return {"type": mark, **({"attrs": MARK_ATTRS[mark]} if mark in MARK_ATTRS else {})}


def wrapped(parent: str, child: Any) -> Any:
    """Put a node into a parent, and the parent where it may stand."""
    homes: dict[str, Callable[[Any], Any]] = {
        "listItem": lambda node: {"type": "bulletList", "content": [node]},
        "taskItem": lambda node: {**NODES["taskList"], "content": [node]},
        "blockTaskItem": lambda node: {**NODES["taskList"], "content": [node]},
        "decisionItem": lambda node: {**NODES["decisionList"], "content": [node]},
        "tableRow": lambda node: {"type": "table", "content": [node]},
        "tableCell": lambda node: wrapped("tableRow", node),
        "tableHeader": lambda node: wrapped("tableRow", node),
        "nestedExpand": lambda node: wrapped("tableCell", node),
        "caption": lambda node: {**NODES["mediaSingle"], "content": [MEDIA, node]},
        "layoutColumn": lambda node: {**NODES["layoutSection"], "content": [node, node]},
        "media": lambda node: {"type": "mediaGroup", "content": [node]},
    }
    attrs: dict[str, Any] = {
        "taskItem": {"localId": "2", "state": "TODO"},
        "blockTaskItem": {"localId": "2", "state": "TODO"},
        "decisionItem": {"localId": "2", "state": "D"},
        "layoutColumn": {"width": 50},
        "media": MEDIA["attrs"],
    }
    outer = {"type": parent, "content": [child]}
    if parent in attrs:
        outer["attrs"] = attrs[parent]
    elif "attrs" in NODES.get(parent, {}):
        outer["attrs"] = NODES[parent]["attrs"]
    if parent in homes:
        return homes[parent](outer)
    return {"type": "paragraph", "content": [outer]} if parent in INLINE else outer


INLINE = (
    "hardBreak",
    "date",
    "emoji",
    "inlineCard",
    "mention",
    "placeholder",
    "status",
    "inlineExtension",
    "mediaInline",
)


@pytest.mark.parametrize("seed", range(10))
def test_a_document_with_one_thing_wrong_is_judged_as_the_schema_judges_it(seed: int) -> None:
    rng, validator = random.Random(seed), quick_adf_validator()
    verdicts = []
    for _ in range(150):
        changed = document(rng.choice(EVERYTHING["content"]))
        what = spoil(rng, changed)
        verdicts.append(is_taken(changed))
        assert verdicts[-1] == validator.is_valid(changed), what

    assert set(verdicts) == {True, False}


def spoil(rng: random.Random, value: Any) -> str:
    """Change something somewhere; say what, for when it matters."""
    places: list[tuple[Any, Any]] = []
    todo = [value]
    while todo:
        part = todo.pop()
        keys = list(part) if isinstance(part, dict) else range(len(part))
        places += [(part, key) for key in keys]
        todo += [part[key] for key in keys if isinstance(part[key], (dict, list))]
    part, key = rng.choice(places)
    odd: Any = rng.choice(["", "x", 0, 1, 2.5, 100, -1, True, None, [], {}, [1], "#00ff00", "wide"])
    if rng.random() < 0.3:
        del part[key]
        return f"without {key}"
    # Whatever else stands in a mediaSingle, the schema does not mind.
    if isinstance(part, dict) and part.get("type") != "mediaSingle" and rng.random() < 0.4:
        name = rng.choice(["localId", "width", "title", "text", "marks", "attrs", "layout", "new"])
        part[name] = odd
        return f"{name} = {odd!r} in {part}"
    part[key] = odd
    return f"{key} = {odd!r} in {part}"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"type": "doc", "version": 1},
        {"type": "doc", "version": True, "content": []},
        {"type": "doc", "version": 2, "content": []},
        {"type": "doc", "version": 1, "content": {}},
        {"type": "doc", "version": 1, "content": [1]},
        {"type": "doc", "version": 1, "content": [], "extra": 1},
        document({"type": "text", "text": "x"}),
        document({"type": "hologram"}),
        document({"type": "paragraph", "content": [{"type": "text", "text": ""}]}),
    ],
)
def test_what_is_no_document_is_not_taken(wrong: Any) -> None:
    assert not is_taken(wrong)
