"""Which documents the sandbox accepts."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from sandbox_adf import quick_adf_validator
from sandbox_client import demo_site

from jira_sandbox.api.adf import check_document
from jira_sandbox.api.input_errors import InvalidDocument
from jira_sandbox.api.wiki_markup import to_wiki

TEXT = {"type": "text", "text": "x"}
PARAGRAPH = {"type": "paragraph", "content": [TEXT]}
MEDIA = {"type": "media", "attrs": {"type": "file", "id": "1", "collection": "c"}}
EXTENSION = {"extensionKey": "k", "extensionType": "t"}
CELL = {"type": "tableCell", "content": [PARAGRAPH]}
ROW = {"type": "tableRow", "content": []}
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
INNER = (
    "listItem",
    "taskItem",
    "blockTaskItem",
    "decisionItem",
    "tableRow",
    "tableCell",
    "tableHeader",
    "nestedExpand",
    "caption",
    "layoutColumn",
    "media",
)
BLOCKS = tuple(kind for kind in NODES if kind not in {"text", *INLINE, *INNER})


def document(*nodes: Any) -> Any:
    return copy.deepcopy({"type": "doc", "version": 1, "content": list(nodes)})


def is_taken(value: Any) -> bool:
    try:
        check_document(value)
    except InvalidDocument:
        return False
    return True


EVERYTHING = document(
    *(NODES[kind] for kind in BLOCKS),
    {"type": "paragraph", "content": [NODES[kind] for kind in INLINE]},
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
    for parent in (*BLOCKS, *INLINE, *INNER):
        for node in (*NODES.values(), CELL):
            outer = document(wrapped(parent, node))
            if is_taken(outer):
                assert isinstance(to_wiki(outer), str)

    assert to_wiki(document({"type": "paragraph"}, {"type": "table", "content": [ROW]})) == "\n\n||"


def test_a_document_of_every_node_is_taken() -> None:
    assert is_taken(EVERYTHING)
    assert quick_adf_validator().is_valid(EVERYTHING)


def wrapped(parent: str, child: Any) -> Any:
    """Wrap a node in a parent, and the parent in the nodes that it needs."""
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


def test_what_is_nested_too_deeply_to_tell_is_not_taken() -> None:
    node: Any = {"type": "blockquote", "content": [PARAGRAPH]}
    for _ in range(400):
        node = {"type": "bulletList", "content": [{"type": "listItem", "content": [node]}]}

    assert not is_taken({"type": "doc", "version": 1, "content": [node]})
