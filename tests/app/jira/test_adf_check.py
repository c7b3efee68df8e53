"""What Jira would refuse: against Atlassian's schema, by size, and what Markdown does not hold."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import cache
from random import Random
from typing import Any

from fakes.adf_from_schema import FromSchema, definition
from fakes.adf_nodes import Json, doc, text
from fakes.jira_documents import Maker
from fakes.unusual_markdown import unusual_markdown
from hypothesis import given, strategies as st
from rows import for_each
from sandbox_adf import quick_adf_validator
from sandbox_specs import load

from ticketr.app.jira import adf
from ticketr.app.jira.adf._schema import MARK_KINDS, NODE_RULES, find_subtree_problems


def part(kind: str, *content: Any, **attrs: Any) -> Json:
    made: Json = {"type": kind}
    if attrs:
        made["attrs"] = attrs
    if content:
        made["content"] = list(content)
    return made


def paragraph(*inlines: Any) -> Json:
    return part("paragraph", *inlines)


def items(*blocks: Any) -> Json:
    return part("bulletList", part("listItem", *blocks))


def is_stricter_on_purpose(value: Any) -> bool:
    """Return whether a document has content that the schema allows and the table refuses."""
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            if str(one.get("type")) in STRICTER:
                return True
            todo += one.values()
        elif isinstance(one, list):
            todo += one
    return False


STRICTER = {"mediaSingle", "bodiedSyncBlock", "blockTaskItem"}
"""There the schema lets more pass than makes sense, and we do not."""


@cache
def validator() -> Any:
    """Return a validator by Atlassian's schema that takes any attributes."""
    schema = deepcopy(load("adf-schema.json"))
    todo = [schema]
    while todo:
        one = todo.pop()
        if "properties" in one:
            one["properties"] |= {"attrs": {}} if "type" in one["properties"] else {}
            one["required"] = [name for name in one.get("required", ()) if name != "attrs"]
        todo += [part for part in one.values() if isinstance(part, dict)]
        todo += [
            part
            for parts in one.values()
            if isinstance(parts, list)
            for part in parts
            if isinstance(part, dict)
        ]
    return type(quick_adf_validator())(schema)


def both_say(kind: str, value: Json) -> bool:
    """Return whether the table accepts a node; the schema must agree."""
    valid = validator().evolve(schema=definition(kind)).is_valid(value)
    good = (adf.find_problems if kind == "doc" else find_subtree_problems)(value) == ()
    assert good == valid or (valid and kind in STRICTER), value
    return good


def every_child(parent: str, maker: FromSchema) -> Iterator[Json]:
    """Yield a node of each kind, and the allowed ones with every mark and pair of marks."""
    for kind in NODE_RULES:
        child = maker.node(kind)
        yield child
        yield {**child, "marks": []}
        if kind in NODE_RULES[parent].children:
            made = [maker.mark(mark) for mark in sorted(MARK_KINDS)]
            yield from ({**child, "marks": [mark]} for mark in made)
            allowed = frozenset().union(*NODE_RULES[parent].children[kind] or ())
            pairs = itertools.product([mark for mark in made if mark["type"] in allowed], repeat=2)
            yield from ({**child, "marks": list(pair)} for pair in pairs)


def having(parent: str, children: Iterable[Json], maker: FromSchema) -> Iterator[Json]:
    """Yield a node with each of the children in it."""
    rule = NODE_RULES[parent]
    outer = maker.node(parent)
    yield {key: one for key, one in outer.items() if key != "content"}
    yield {**outer, "content": []}
    yield {**outer, "content": {}}
    for child in children:
        yield {**outer, "content": [child] * max(1, rule.min_children or 0)}
        if rule.has_fixed_child_order:
            yield {**outer, "content": [maker.node(next(iter(rule.children))), child]}
            yield {**outer, "content": [maker.node(next(iter(rule.children))), child, child]}
    yield {**outer, "content": outer.get("content", []) * 2}


class TestAgreement:
    """The table agrees with the schema."""

    def test_every_node_and_mark_of_the_schema_is_in_the_table_and_no_other(self) -> None:
        definitions = load("adf-schema.json")["definitions"]
        named = {
            name.rpartition("_")[2]: {
                kind
                for other, schema in definitions.items()
                if other.endswith(name.rpartition("_")[2])
                for kind in schema.get("properties", {}).get("type", {}).get("enum", ())
            }
            for name in ("doc_node", "code_mark")
        }
        assert named == {"node": set(NODE_RULES), "mark": set(MARK_KINDS)}

    def test_every_child_and_mark_that_the_table_names_is_in_it(self) -> None:
        for rule in NODE_RULES.values():
            assert rule.children.keys() <= NODE_RULES.keys()
            for marks in rule.children.values():
                assert all(some <= MARK_KINDS for some in marks or ())

    @for_each("parent", sorted(kind for kind in NODE_RULES if NODE_RULES[kind].children))
    def test_allowed_children_and_marks_are_those_of_the_schema(self, parent: str) -> None:
        rng = Random(parent)
        verdicts = set()
        for outer in having(parent, every_child(parent, FromSchema(rng)), FromSchema(rng)):
            verdicts.add(both_say(parent, outer))
        assert verdicts == {True, False}

    @given(st.randoms(use_true_random=False))
    def test_documents_that_the_schema_accepts_are_accepted(self, rng: Random) -> None:
        document = FromSchema(rng).document()
        assert quick_adf_validator().is_valid(document)
        assert adf.find_problems(document) == () or is_stricter_on_purpose(document)

    @given(st.randoms(use_true_random=False))
    def test_documents_that_the_schema_refuses_are_refused(self, rng: Random) -> None:
        maker = FromSchema(rng)
        document = maker.document()
        maker.spoil(document)
        good = adf.find_problems(document) == ()
        valid = validator().is_valid(document)
        assert good == valid or (valid and is_stricter_on_purpose(document))

    def test_on_many_documents_with_one_thing_wrong_both_say_the_same(self) -> None:
        verdicts = []
        for seed in range(400):
            maker = FromSchema(Random(seed))
            document = maker.document()
            maker.spoil(document)
            good = adf.find_problems(document) == ()
            valid = validator().is_valid(document)
            if not (valid and is_stricter_on_purpose(document)):
                assert good == valid, (seed, adf.find_problems(document))
                verdicts.append(good)
        assert 10 < verdicts.count(True) < len(verdicts) - 10

    def test_documents_from_unusual_markdown_get_the_verdict_of_the_schema(self) -> None:
        verdicts = []
        for markdown in unusual_markdown():
            document = adf.to_adf(markdown)
            good = adf.find_problems(document) == ()
            assert good == validator().is_valid(document), (markdown, adf.find_problems(document))
            verdicts.append(good)
        assert len(verdicts) >= 652
        assert verdicts.count(False) > 10

    @for_each("seed", range(20))
    def test_on_documents_as_people_write_them_too(self, seed: int) -> None:
        rng = Random(seed)
        document = adf.to_adf(adf.to_markdown(Maker(rng).document()))
        assert adf.find_problems(document) == ()
        assert quick_adf_validator().is_valid(document)


WRONG: dict[str, tuple[Json, str]] = {
    "place": (
        doc(items(paragraph(text("a")), part("heading", text("Plan"), level=2))),
        "a heading cannot be in a list item, at “a”",
    ),
    "deep": (
        doc(part("panel", items(part("blockquote", paragraph(text("b")))), panelType="info")),
        "a blockquote cannot be in a list item, at “b”",
    ),
    "empty": (doc(part("bulletList", part("listItem"))), "a list item is empty"),
    "empty quote": (doc(part("blockquote")), "a blockquote is empty"),
    "few": (
        doc(part("layoutSection", part("layoutColumn", paragraph(), width=50))),
        "a layout section has too little in it",
    ),
    "many": (
        doc(part("mediaSingle", *[part("media", type="external", url="u")] * 3)),
        "a media single has too much in it",
    ),
    "order": (
        doc(part("mediaSingle", part("caption"))),
        "a caption cannot be in a media single",
    ),
    "unknown": (
        doc(paragraph(part("hologram"))),
        "a paragraph has something in it that Jira does not know",
    ),
    "no node": (doc("words"), "a doc has something in it that Jira does not know"),
    "no list": (doc({"type": "paragraph", "content": "x"}), "a paragraph has something else than"),
    "text": (doc(paragraph(text(""))), "a text is empty"),
    "key": (doc({"type": "rule", "x\x1b[0m": 1}), "a rule cannot have “x”"),
    "childless": (doc({"type": "rule", "content": []}), "a rule cannot have “content”"),
    "marks": (
        doc(paragraph(text("code", {"type": "code"}, {"type": "strong"}))),
        "a text cannot be marked as code with strong there, at “code”",
    ),
    "marked": (
        doc({"type": "rule", "marks": []}),
        "a rule cannot have marks there",
    ),
    "mark": (
        doc(paragraph(text("x", {"type": "glow"}))),
        "a text has a mark that Jira does not know",
    ),
    "mark key": (
        doc(paragraph(text("x", {"type": "strong", "new": 1}))),
        "a text has a mark that is not as Jira knows it",
    ),
}


@for_each(("document", "words"), WRONG.values())
def test_problems_are_described_in_words(document: Json, words: str) -> None:
    (found, *_) = adf.find_problems(document)
    assert found.startswith(words)
    assert found.isprintable()


@for_each("nothing", [None, [], "doc", {}, {"type": "paragraph"}])
def test_a_value_that_is_no_document_is_refused(nothing: object) -> None:
    assert adf.find_problems(nothing) == ("this is not a document",)


@for_each("changes", [{"version": 2}, {"version": True}, {"version": None}, {"new": 1}])
def test_another_version_is_refused(changes: Json) -> None:
    assert adf.find_problems(doc() | changes) == ("this is not a document of version 1",)


def test_a_document_nested_without_end_is_checked() -> None:
    inner = items(paragraph(text("deep")))
    for _ in range(10_000):
        inner = items(paragraph(text("x")), inner)
    assert adf.find_problems(doc(inner)) == ()
    inner["content"][0]["content"].append(part("rule"))
    assert adf.find_problems(doc(inner)) == ("a rule cannot be in a list item, at “x”",)
    unwind(inner)


def unwind(value: Any) -> None:
    """Take a nested value apart, since Python would free it recursively."""
    while isinstance(value, dict):
        value = next(iter(value.pop("content", [None])[-1:]), None)
