"""Test rich text to Markdown and back: exact, or reported as inexact."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

import pytest
from fakes.adf_nodes import Json, doc, item, node, paragraph, text
from fakes.jira_documents import HOSTILE, Maker, text_of
from hypothesis import given, strategies as st
from rows import for_each
from sandbox_specs import adf_validator

from ticketr.app.jira import adf
from ticketr.app.jira.adf._conversion import converts_to_unsized

SEEDS = range(150)


def link(href: str, **more: str) -> Json:
    return {"type": "link", "attrs": {"href": href, **more}}


def items(kind: str, *words: str) -> Json:
    return {"type": kind, "content": [item(paragraph(word)) for word in words]}


LINK = {"type": "link", "attrs": {"href": "https://example.com/a?b=c"}}
BREAK = {"type": "hardBreak"}
MIA = node("mention", {"id": "5f:1", "text": "@Mia", "accessLevel": ""})

EXACT = {
    "nothing": (doc(), ""),
    "a paragraph": (doc(paragraph("Hello")), "Hello\n"),
    "two": (doc(paragraph("One"), paragraph("Two")), "One\n\nTwo\n"),
    "an empty one": (doc(paragraph()), "<p></p>\n"),
    "marks": (
        doc(paragraph(text("bold", "strong"), " and ", text("code", "code"), " ", text("x", LINK))),
        "**bold** and `code` [x](https://example.com/a?b=c)\n",
    ),
    "a heading": (doc(node("heading", {"level": 2}, text("Why"))), "## Why\n"),
    "a list": (doc(items("bulletList", "a", "b")), "- a\n- b\n"),
    "a numbered list": (doc(items("orderedList", "a", "b")), "1. a\n2. b\n"),
    "code": (
        doc(node("codeBlock", {"language": "python"}, text("a = 1\nb = 2"))),
        "```python\na = 1\nb = 2\n```\n",
    ),
    "a task list": (
        doc(
            node(
                "taskList",
                {"localId": "x"},
                node("taskItem", {"localId": "y", "state": "TODO"}, text("do")),
                node("taskItem", {"localId": "z", "state": "DONE"}, text("done")),
            )
        ),
        "- [ ] do\n- [x] done\n",
    ),
    "a mention with the space that Jira adds": (
        doc(paragraph(MIA, " ")),
        "@[Mia](5f:1)\n",
    ),
    "a panel": (
        doc(node("panel", {"panelType": "info"}, paragraph("Note"))),
        "> [!INFO]\n> Note\n",
    ),
    "an unknown block": (
        doc(node("hologram", {"size": 3})),
        '<div adf="unknownBlock" params=\'{"type":"hologram","attrs":{"size":3}}\'></div>\n',
    ),
    "a heading's sign": (doc(paragraph("# no heading")), "\\# no heading\n"),
    "signs in words": (
        doc(paragraph("MAX_RETRY__COUNT of arr[0], 3 < 4 <= 5, 2 * 3 and ~6 in #7")),
        "MAX_RETRY__COUNT of arr[0], 3 < 4 <= 5, 2 * 3 and ~6 in #7\n",
    ),
    "signs that would mean something": (
        doc(paragraph("_a_ x_ [b](c) [d] e[f](g) <h> ~~1~~ *i*")),
        "\\_a\\_ x\\_ \\[b\\](c) \\[d\\] e\\[f\\](g) \\<h> \\~\\~1\\~\\~ \\*i\\*\n",
    ),
    "a number sign": (doc(paragraph("#5 is done")), "#5 is done\n"),
    "a quote's sign": (doc(paragraph("> no quote")), "\\> no quote\n"),
    "a rule": (doc(paragraph("---")), "\\---\n"),
    "an underline": (doc(paragraph("a"), paragraph("===")), "a\n\n\\===\n"),
    "a bullet": (doc(paragraph("- no item")), "\\- no item\n"),
    "a bullet alone": (doc(paragraph("-")), "\\-\n"),
    "a plus alone": (doc(paragraph("+")), "\\+\n"),
    "a number": (doc(paragraph("1. no item")), "1\\. no item\n"),
    "a number alone": (doc(paragraph("12)")), "12\\)\n"),
    "indent": (doc(paragraph("    no code")), "&#32;&#32;&#32;&#32;no code\n"),
    "a tab": (doc(paragraph("\tno code")), "&#9;no code\n"),
    "a blank at the end": (doc(paragraph("end ")), "end\n"),
    "a blank after a break": (doc(paragraph("end", BREAK, " ")), "end<br>&#32;\n"),
    "a blank at the end of a link": (
        doc(paragraph(text("end ", LINK))),
        "[end&#32;](https://example.com/a?b=c)\n",
    ),
    "a fixed blank": (doc(paragraph("\xa0a\xa0")), "&#160;a&#160;\n"),
    "another blank": (doc(paragraph("\u2003a\u2003")), "\u2003a\u2003\n"),
    "only blanks": (doc(paragraph("  ")), "&#32;&#32;\n"),
    "what looks like our escape": (doc(paragraph("a &#32; b")), "a \\&#32; b\n"),
    "a backslash before our escape": (doc(paragraph("a\\ ")), "a\\\\\n"),
    "our escape in code": (
        doc(paragraph(text("&#32;", "code"), " x ")),
        "`&#32;` x\n",
    ),
    "our escape in a block of code": (
        doc(node("codeBlock", {}, text("\\&#32;&#9;")), paragraph("x ")),
        "```\n\\&#32;&#9;\n```\n\nx\n",
    ),
    "code between blanks": (doc(paragraph(text(" x ", "code"))), "`  x  `\n"),
    "a heading's last sign": (doc(node("heading", {"level": 1}, text("C #"))), "# C \\#\n"),
    "a break at the start": (doc(paragraph(BREAK, "a")), "<br>a\n"),
    "a break at the end": (doc(paragraph("a", BREAK)), "a<br>\n"),
    "only a break": (doc(paragraph(BREAK)), "<br><!-- -->\n"),
    "a bang before a link": (doc(paragraph("wow!", text("x", LINK))), None),
    "bold to the colon": (
        doc(paragraph(text("Note:", "strong"), "text")),
        "**Note:**<!-- -->text\n",
    ),
    "bold from a sign": (doc(paragraph("a", text("(b)", "strong"))), "a<!-- -->**(b)**\n"),
    "bold in a word": (doc(paragraph("a", text("b", "strong"), "c")), "a**b**c\n"),
    "bold beside italic": (
        doc(paragraph(text("a", "strong"), text("b", "em"))),
        "**a***b*\n",
    ),
    "bold to a sign beside italic": (
        doc(paragraph(text("a:", "strong"), text("b", "em"))),
        "**a:**<!-- -->*b*\n",
    ),
    "bold in italic words": (
        doc(paragraph(text("a", "em"), text("b", "em", "strong"), text("c", "em"))),
        "*a****b****c*\n",
    ),
    "bold and struck in a word": (doc(paragraph("a", text("b", "strong", "strike"), "c")), None),
    "bold beside a mention": (doc(paragraph(text("a:", "strong"), MIA)), None),
    "numbered lists side by side": (
        doc(items("orderedList", "a"), items("orderedList", "b")),
        "1. a\n\n<!-- -->\n\n1. b\n",
    ),
    "three numbered lists": (
        doc(*(items("orderedList", each) for each in ("a", "b", "c"))),
        "1. a\n\n<!-- -->\n\n1. b\n\n<!-- -->\n\n1. c\n",
    ),
    "numbered lists of which one begins like an item": (
        doc(items("orderedList", "a"), items("orderedList", "b", "4. c")),
        "1. a\n\n<!-- -->\n\n1. b\n2. 4\\. c\n",
    ),
    "numbered lists of which one begins with code": (
        doc(
            items("orderedList", "a"),
            node("orderedList", None, item(node("codeBlock", None, text("b")))),
        ),
        "1. a\n\n<!-- -->\n\n1. ```\n   b\n   ```\n",
    ),
    "task lists side by side": (
        doc(
            *(
                node(
                    "taskList",
                    {"localId": each},
                    node("taskItem", {"localId": f"{each}1", "state": "DONE"}, text(each)),
                )
                for each in ("a", "b")
            )
        ),
        "- [x] a\n\n<!-- -->\n\n- [x] b\n",
    ),
    "lists in a list": (
        doc(
            node(
                "bulletList",
                None,
                item(
                    paragraph("a"),
                    node(
                        "orderedList",
                        None,
                        item(paragraph("b"), items("bulletList", "c", "d")),
                        item(paragraph("e", BREAK)),
                    ),
                ),
                item(paragraph("f")),
            ),
            paragraph("g"),
        ),
        "- a\n  1. b\n     - c\n     - d\n  2. e<br>\n- f\n\ng\n",
    ),
    "lists in a list in a quote": (
        doc(
            node(
                "blockquote",
                None,
                node(
                    "bulletList",
                    None,
                    item(paragraph("a"), items("bulletList", "b")),
                    item(paragraph("c")),
                ),
                paragraph("d"),
            )
        ),
        "> - a\n>   - b\n> - c\n>\n> d\n",
    ),
    "a list in a list that starts at two": (
        doc(
            node(
                "bulletList",
                None,
                item(paragraph("a"), {**items("orderedList", "b", "c"), "attrs": {"order": 2}}),
            )
        ),
        "- a\n\n  2. b\n  3. c\n",
    ),
    "a list in an item with code": (
        doc(
            node(
                "bulletList",
                None,
                item(
                    paragraph("a"),
                    node("codeBlock", None, text("b")),
                    node("bulletList", None, item(paragraph("c"), items("bulletList", "d"))),
                ),
            )
        ),
        "- a\n\n  ```\n  b\n  ```\n\n  - c\n    - d\n",
    ),
    "a link with parentheses": (
        doc(paragraph(text("x", link("https://e.com/a_(b)")), text("y", "strong"))),
        "[x](https://e.com/a_(b))**y**\n",
    ),
    "a link with a title": (
        doc(paragraph(text("x", link("https://e.com", title="T")))),
        '[x](https://e.com "T")\n',
    ),
    "a link with a blank": (doc(paragraph(text("x", link("a b")))), "[x](<a b>)\n"),
    "a link with half a pair": (doc(paragraph(text("x", link("a(b")))), "[x](<a(b>)\n"),
    "a link to nothing": (doc(paragraph(text("x", link("")))), "[x](<>)\n"),
    "bullets side by side": (doc(items("bulletList", "a"), items("bulletList", "b")), None),
    "a table": (
        doc(
            node(
                "table",
                {"isNumberColumnEnabled": False, "layout": "default", "localId": "t"},
                node(
                    "tableRow",
                    None,
                    node("tableHeader", {"colspan": 1, "rowspan": 1}, paragraph("a | b")),
                    node("tableHeader", {}, paragraph("# c")),
                ),
                node(
                    "tableRow",
                    None,
                    node("tableCell", {}, paragraph("- d")),
                    node(
                        "tableCell",
                        {},
                        items("orderedList", "x"),
                        items("orderedList", "y"),
                        node(
                            "bulletList",
                            None,
                            item(
                                paragraph("z"),
                                items("orderedList", "v"),
                                items("orderedList", "w"),
                            ),
                        ),
                    ),
                ),
            )
        ),
        None,
    ),
}


@for_each(("document", "markdown"), EXACT.values())
def test_content_that_markdown_can_hold_is_exact(document: Json, markdown: str | None) -> None:
    before = copy.deepcopy(document)
    found = adf.convert(document)
    assert found.is_lossless
    assert document == before
    if markdown is not None:
        assert found.markdown == markdown
    assert adf.to_markdown(document) == found.markdown
    assert converts_to_unsized(found.markdown, adf.unsized_canonical(document))
    assert text_of(adf.to_adf(found.markdown)) == text_of(document)


INEXACT = {
    "an attribute that Markdown cannot say": doc(
        {"type": "heading", "attrs": {"level": 1, "anchor": "x"}, "content": [text("a")]}
    ),
    "an unknown key": doc({**paragraph("a"), "colour": "red"}),
    "bold code": doc(paragraph(text("a", "code", "strong"))),
    "one of our own signs": doc(paragraph("a \ufdd0", BREAK)),
}


@pytest.mark.parametrize("document", INEXACT.values(), ids=list(INEXACT))
def test_content_that_markdown_cannot_hold_is_inexact(document: Json) -> None:
    found = adf.convert(document)
    assert not found.is_lossless
    assert "a" in found.markdown


def test_one_of_our_own_signs_in_a_text_is_left_as_it_is() -> None:
    found = adf.convert(doc(paragraph("a \ufdd0 b")))
    assert found == adf.MaybeLossyMarkdown("a \ufdd0 b\n", is_lossless=True)
    assert text_of(adf.to_adf("a \ufdd0 &#32;")) == "a \ufdd0 &#32;"


@pytest.mark.parametrize(
    "same",
    [
        doc(paragraph("ab")),
        doc(paragraph("a", "b")),
        doc(paragraph("a", "", "b", None)),
        doc({"type": "paragraph", "attrs": {"localId": "1"}, "marks": [], "content": [text("ab")]}),
        doc({"type": "paragraph", "attrs": None, "content": [{**text("ab"), "marks": None}]}),
        {"type": "doc", "content": [paragraph("ab"), None]},
    ],
)
def test_the_same_document_has_one_form(same: Json) -> None:
    assert adf.canonical(same) == doc(paragraph("ab"))
    assert adf.canonical(adf.canonical(same)) == adf.canonical(same)


@pytest.mark.parametrize("nothing", [None, [], "text", 5, {}])
def test_a_value_that_is_no_document_counts_as_empty(nothing: object) -> None:
    assert adf.convert(nothing).markdown == ""
    assert adf.canonical(nothing)["version"] == 1


@for_each("seed", SEEDS)
def test_documents_as_people_write_them_are_exact(seed: int) -> None:
    document = Maker(Random(seed)).document()
    found = adf.convert(document)
    back = adf.to_adf(found.markdown)
    assert found.is_lossless
    assert text_of(back) == text_of(document)
    assert adf.to_markdown(back) == found.markdown


def test_documents_full_of_markup_are_exact_or_reported_as_inexact() -> None:
    exact = 0
    for seed in SEEDS:
        document = Maker(Random(seed), hostile=True).document()
        found = adf.convert(document)
        back = adf.to_adf(found.markdown)
        assert found.is_lossless == (adf.canonical(back) == adf.canonical(document))
        if found.is_lossless:
            exact += 1
            assert text_of(back) == text_of(document)
            assert adf.to_markdown(back) == found.markdown
    assert exact > 0.9 * len(SEEDS)


@given(st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=6)), max_size=6))
def test_any_text_is_exact_or_reported_as_inexact(pieces: list[str]) -> None:
    words = "".join(pieces)
    document = doc(paragraph(words), node("heading", {"level": 3}, text(words)), paragraph(words))
    found = adf.convert(document)
    if found.is_lossless:
        assert text_of(adf.to_adf(found.markdown)) == text_of(document)


@given(st.text(alphabet=st.sampled_from("ab#>-=+*_`~|[]()!<& \t\\1.:\"'/")))
def test_a_text_of_signs_is_always_exact(words: str) -> None:
    assert adf.convert(doc(paragraph(words))).is_lossless


JUNK: tuple[Any, ...] = (
    *(None, 0, 1.5, True, "x", [], {}, [None], "\ud800", {"type": None}, {"type": [1]}),
    *({"type": "text"}, {"type": "text", "text": None}, {"type": "text", "text": 5}),
    *({"type": "text", "text": "x", "marks": 5}, {"type": "text", "text": "x", "marks": [5, "y"]}),
    *(
        {"type": "text", "text": " x", "marks": [{"type": [1]}]},
        {"type": "paragraph", "content": 5},
    ),
    *(node("heading", {"level": "x"}), node("heading", {"level": 99}), node("table")),
    *(node("taskList", None, node("other")), node("date", {"timestamp": "soon"})),
    *(node("emoji", {"id": "zz"}), node("codeBlock", None, {"type": "text"}), [[[]]]),
)


def odd(tree: Any, chance: Random) -> Any:
    """Put invalid values into a document at random places."""
    if chance.random() < 0.05:
        return copy.deepcopy(chance.choice(JUNK))
    if isinstance(tree, dict):
        made = {key: odd(value, chance) for key, value in tree.items()}
        if chance.random() < 0.03:
            made["extra"] = copy.deepcopy(chance.choice(JUNK))
        return made
    return [odd(value, chance) for value in tree] if isinstance(tree, list) else tree


def test_odd_documents_are_converted_somehow() -> None:
    results = set()
    for seed in range(400):
        chance = Random(seed)
        document = odd(Maker(chance, hostile=seed % 2 == 0).document(), chance)
        found = adf.convert(document)
        assert (
            converts_to_unsized(found.markdown, adf.unsized_canonical(document))
            == found.is_lossless
        )
        results.add(found.is_lossless)
    assert results == {True, False}


@for_each("junk", JUNK)
def test_junk_is_converted_somehow(junk: Any) -> None:
    for document in (junk, {"content": junk}, doc(junk), doc(paragraph(junk))):
        adf.convert(document)


def test_an_unknown_node_keeps_its_words_and_its_neighbours() -> None:
    bad = node(
        "panel",
        {"panelType": "info"},
        paragraph("# first ", MIA, BREAK, "second"),
        node("date", {"timestamp": "soon"}),
        node("taskList", None, node("strange", {"title": "third"}), 5, node("plain")),
    )
    found = adf.convert(
        doc(paragraph(text("before", "strong")), bad, None, "?", paragraph("after"))
    )
    assert not found.is_lossless
    assert found.markdown == ("**before**\n\n\\# first @Mia\n\nsecondsoon\n\nthird\n\nafter\n")


def test_a_document_with_misplaced_content_keeps_its_words() -> None:
    assert "words" in adf.convert({"type": "doc", "content": "words"}).markdown
    found = adf.convert({"type": "doc", "content": {"text": "word"}})
    assert not found.is_lossless
    assert "word" in found.markdown


def test_a_document_that_is_far_too_deep_is_converted_somehow() -> None:
    deep: Json = paragraph("deep down")
    for _ in range(30_000):
        deep = {"type": "blockquote", "content": [deep]}
    assert not adf.convert(doc(deep)).is_lossless
    while "content" in deep:  # release it level by level
        deep = deep["content"].pop()


def test_nothing_is_random() -> None:
    markdown = '- [ ] a\n- [x] b\n\n<ul adf="decisionList"><li adf="decisionItem">c</li></ul>\n'
    made = adf.to_adf(markdown)
    assert made == adf.to_adf(markdown)
    assert made["content"][0]["attrs"] == {"localId": "1"}
    assert made["content"][0]["content"][1]["attrs"] == {"localId": "3", "state": "DONE"}
    assert "localId" not in json.dumps(adf.canonical(made))


@for_each("markdown", ["", "\n", "\x00", "a\r\nb", "> " * 500, "<", "[a]: b", "&#32;"])
def test_any_markdown_is_a_document(markdown: str) -> None:
    assert adf.to_adf(markdown)["type"] == "doc"


def test_markdown_that_makes_marklas_fail_keeps_its_words() -> None:
    made = adf.to_adf("one\n\n<span adf=\"mention\" params='[1]'>two</span> three\n")
    assert "three" in text_of(made)


def test_every_result_is_a_document_that_jira_accepts() -> None:
    check = adf_validator()
    for seed in range(20, 26):
        check.validate(adf.to_adf(adf.to_markdown(Maker(Random(seed)).document())))
