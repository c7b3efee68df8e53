"""Describes what Jira would refuse in a document, for the author of the Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ticketr.app.jira.adf._plain import kind_words, named, plain_lines
from ticketr.app.jira.adf._schema import MARKS, NODES, AttributeRules, Marks, Node
from ticketr.app.jira.errors import clip

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
