"""Checks that a document is one that Jira would take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ticketr.sandbox.api.adf_checks import MARKS, Attrs, Kind, Marks
from ticketr.sandbox.api.adf_kinds import DOCUMENT, KINDS
from ticketr.sandbox.api.refusals import NotAdf

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOT: Final = Kind(content=DOCUMENT)


def check_document(document: Any) -> None:
    """Look at every node of a document; request bodies are never nested too deeply for it.

    Raises:
        NotAdf: Something in it does not belong there.
    """
    _require(document.keys() == {"type", "version", "content"})
    _require(document["type"] == "doc" and document["version"] == 1)
    _require(not isinstance(document["version"], bool))
    _children(document, _ROOT)


def _require(fits: object) -> None:
    if not fits:
        raise NotAdf


def _children(node: Mapping[str, Any], kind: Kind) -> None:
    if kind.content is None:
        _require("content" not in node)
        return
    _require("content" in node or not (kind.least or kind.listed))
    children = node.get("content", [])
    _require(isinstance(children, list) and kind.least <= len(children) <= kind.most)
    for child in children:
        _require(isinstance(child, dict) and isinstance(child.get("type"), str))
        _require(child["type"] in kind.content)
        _node(child, kind.content[child["type"]])
    if node["type"] == "mediaSingle":
        expected = ["media", "caption"][: len(children)]
        _require([child["type"] for child in children] == expected)


def _node(node: Mapping[str, Any], marks: Marks) -> None:
    _marks(node, marks)
    if node["type"] == "text":
        _require(node.keys() <= {"type", "text", "marks"})
        _require(isinstance(node.get("text"), str) and node["text"])
        return
    kind = KINDS[node["type"]]
    _require(node.keys() <= {"type", "attrs", "content", "marks"})
    if "attrs" in node:
        _require(any(_fits(node["attrs"], attrs) for attrs in kind.attrs))
    else:
        _require(kind.free or not kind.attrs)
    _children(node, kind)


def _marks(node: Mapping[str, Any], allowed: Marks) -> None:
    if "marks" not in node:
        return
    marks = node["marks"]
    _require(allowed is not None and isinstance(marks, list))
    for mark in marks:
        _require(isinstance(mark, dict) and isinstance(mark.get("type"), str))
        _require(mark["type"] in MARKS)
        attrs = MARKS[mark["type"]]
        if attrs is None:
            _require(mark.keys() == {"type"})
        else:
            _require(mark.keys() == {"type", "attrs"} and _fits(mark["attrs"], attrs))
    names = {mark["type"] for mark in marks}
    _require(any(names <= some for some in allowed or ()))


def _fits(values: Any, attrs: Attrs) -> bool:
    if not isinstance(values, dict) or not attrs.required.keys() <= values.keys():
        return False
    checks = {**attrs.optional, **attrs.required}
    return all(name in checks and checks[name](value) for name, value in values.items())
