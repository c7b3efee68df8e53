"""Test that text like HTML in Markdown reaches Jira as text, or is reported as lost."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from fakes.jira_documents import text_of
from hypothesis import event, given, strategies as st

from ticketr.app.jira import adf

Json = dict[str, Any]

LITERAL = [
    "Use List<String>, see <ticket>.",
    'Optional<User> <img src="shot.png"> <u>x <kbd>x</kbd> x<sup>2 Hello <world>',
    "<div>words</div>",
    "<details><summary>More</summary>words",
    "a <details>x</details>",
    "<pre>a</pre>",
    "<script>a</script>",
    "<?php a ?> <!DOCTYPE html> <![CDATA[a]]>",
    "std::map<std::string, std::vector<int>>",
    "a < b > c </b> <",
    '<span adf="nonsense">x</span> <b adf="underline">y</b>',
    '<u adf="underline">never closed',
    'a <aside adf="panel">in a line</aside>',
    '<li adf="decisionItem">in no list</li>',
    "<p>x</p> <hr>",
    "vector<foo:bar>",
]


def doc(*blocks: Any) -> Json:
    return {"type": "doc", "version": 1, "content": list(blocks)}


def text(words: str, *marks: str) -> Json:
    made = [{"type": mark} for mark in marks]
    return {"type": "text", "text": words, **({"marks": made} if made else {})}


def node(kind: str, *content: Any, **attrs: Any) -> Json:
    return {"type": kind, **({"attrs": attrs} if attrs else {}), "content": list(content)}


def paragraph(*inlines: Any) -> Json:
    return node("paragraph", *inlines)


def cell(*blocks: Any) -> Json:
    head = node("tableRow", node("tableHeader", paragraph(text("h"))))
    return node("table", head, node("tableRow", node("tableCell", *blocks)))


@pytest.mark.parametrize("markdown", LITERAL)
def test_text_like_html_is_text(markdown: str) -> None:
    assert adf.to_adf(markdown) == doc(paragraph(text(markdown)))
    assert adf.dropped_texts(markdown) == ()


@pytest.mark.parametrize("markdown", LITERAL)
@pytest.mark.parametrize("place", ["# {}", "- {}", "> {}", "- [ ] {}", "a\n\n1. {}", "| {} |\n|-|"])
def test_text_like_html_is_text_in_every_place(markdown: str, place: str) -> None:
    if "adf=" in markdown or (
        "|" in place and any(tag in markdown for tag in ("<p>", "</details>"))
    ):  # a cell has more
        return
    document = adf.to_adf(place.format(markdown))
    assert markdown in text_of(document)
    assert adf.dropped_texts(place.format(markdown)) == ()


def test_a_block_of_html_is_markdown_with_tags_as_text() -> None:
    document = adf.to_adf("<div>\n**bold** words\n</div>\n\nafter")
    assert text_of(document) == "<div> bold words </div>after"
    assert text("bold", "strong") in document["content"][0]["content"]


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        (r"\<b>", "<b>"),
        (r"\\<b>", r"\<b>"),
        (r"\\\<b>", r"\<b>"),
        (r"`\<b>`", r"\<b>"),
        (r"`\\<b>`", r"\\<b>"),
        (
            '```\n<b>\n\\<!-- c -->\n<aside adf="panel">\n```',
            '<b>\n\\<!-- c -->\n<aside adf="panel">',
        ),
        ("    <b> code", "<b> code"),
        ('`<!-- c -->` and `<u adf="underline">`', '<!-- c --> and <u adf="underline">'),
    ],
)
def test_a_backslash_and_code_mean_what_they_mean_in_markdown(markdown: str, words: str) -> None:
    assert text_of(adf.to_adf(markdown)) == words
    assert adf.dropped_texts(markdown) == ()


@pytest.mark.parametrize(
    ("markdown", "address"),
    [
        ("<mia@example.com>", "mailto:mia@example.com"),
        ("[x](<https://example.com/a b>)", "https://example.com/a b"),
        ("[x](https://example.com/<b>)", "https://example.com/<b>"),
        ("[x](https://example.com/&#32;)", "https://example.com/ "),
        ("[x][a]\n\n[a]: <https://example.com/a>", "https://example.com/a"),
    ],
)
def test_an_address_in_angle_brackets_is_a_link(markdown: str, address: str) -> None:
    (link,) = adf.to_adf(markdown)["content"][0]["content"]
    assert link["marks"] == [{"type": "link", "attrs": {"href": address}}]
    assert adf.dropped_texts(markdown) == ()


@pytest.mark.parametrize("line_break", ["<br>", "<br/>", "<br />", "<BR>"])
def test_a_break_is_a_break_also_on_a_line_of_its_own(line_break: str) -> None:
    broken = paragraph(text("a"), {"type": "hardBreak"}, text("b"))
    assert adf.to_adf(f"a{line_break}b") == doc(broken)
    alone = doc(paragraph(text("a")), paragraph({"type": "hardBreak"}), paragraph(text("b")))
    assert adf.canonical(adf.to_adf(f"a\n\n{line_break}\n\nb")) == alone


TEXTS = [
    "List<String>",
    "<!-- ask Mia -->",
    "<u>x</u>",
    "a < b > c",
    "<br>",
    "</div>",
    "x <img src='y'> z",
    "<p></p>",
    r"a\<b>",
    "<https://example.com>",
    '<span adf="mention">x</span>',
    "](<x>)",
    "<ul><li>x</li></ul>",
    "<<",
]
PLACES = {
    "a paragraph": lambda words: paragraph(text(words)),
    "a heading": lambda words: node("heading", text(words), level=2),
    "bold": lambda words: paragraph(text("a "), text(words, "strong"), text(" b")),
    "underlined": lambda words: paragraph(text(words, "underline")),
    "code": lambda words: paragraph(text(words, "code")),
    "a block of code": lambda words: node("codeBlock", text(words)),
    "a list": lambda words: node("bulletList", node("listItem", paragraph(text(words)))),
    "a quote": lambda words: node("blockquote", paragraph(text(words))),
    "a panel": lambda words: node("panel", paragraph(text(words)), panelType="info"),
    "a task": lambda words: node("taskList", node("taskItem", text(words), state="TODO")),
    "a decision": lambda words: node(
        "decisionList", node("decisionItem", text(words), state="DECIDED")
    ),
    "a cell": lambda words: cell(paragraph(text(words))),
    "a list in a cell": lambda words: cell(
        node("bulletList", node("listItem", paragraph(text(words))))
    ),
}


@pytest.mark.parametrize("words", TEXTS)
@pytest.mark.parametrize("place", PLACES)
def test_text_from_jira_comes_back_as_the_same_text(place: str, words: str) -> None:
    document = doc(PLACES[place](words))
    found = adf.convert(document)
    assert found.exact
    assert adf.dropped_texts(found.markdown) == ()


def test_a_comment_in_the_title_of_an_expand_is_text() -> None:
    document = doc(node("expand", paragraph(text("a")), title="<!-- b -->"))
    assert adf.dropped_texts(adf.to_markdown(document)) == ()


TOLD = {
    "a <!-- ask Mia --> b": "the HTML comment",
    "<!-- ask Mia -->": "the HTML comment",
    "a\n\n<!-- never closed": "the HTML comment",
    "<!-->": "the HTML comment",
    "`<!-- a -->` <!-- a -->": "the HTML comment",
    '**<u adf="underline">a** b</u>': 'the HTML "<u adf="underline">"',
    '- <u adf="underline">a\n- b</u>': 'the HTML "<u adf="underline">"',
    "b\n\n- <u>a\n- b</u>": 'in its line 3: Jira has no place for the HTML "<u>"',
    "- b\n  <details>\n  x\n  </details>": "in its line 2: Jira has no place for the HTML",
    "[x][a]\n\n[a]: /one\n[a]: /two": 'no place for "[a]: /two"',
    '<div adf="marks" params=\'{"align":"center"}\'></div>': "the HTML",
    "a \ufdd0 <b>": 'the HTML "<b>"',
    "](<zebra-->": 'the HTML "<zebra-->"',
    '<time adf="date" datetime="1767225600000">2026-01-02</time>': '"2026-01-02"',
    '<time adf="date" datetime="1767225600000">zebra</time>': '"zebra"',
}


@pytest.mark.parametrize(("markdown", "told"), TOLD.items())
def test_html_that_cannot_be_kept_is_reported(markdown: str, told: str) -> None:
    assert told in str(adf.dropped_pieces(markdown)[0])


def test_a_comment_is_reported_with_its_line_and_a_hint() -> None:
    (lost,) = adf.dropped_pieces("one\n\ntwo <!-- ask\nMia --> three")
    assert str(lost) == (
        'in its line 3: the HTML comment "<!-- ask Mia -->" would be lost in Jira; '
        "take it out, or write \\<!-- to send it as text"
    )


def test_html_is_reported_with_a_hint() -> None:
    (lost, _) = adf.dropped_pieces('a\n**<u adf="underline">b**\n</u>')
    assert str(lost) == (
        'in its line 2: Jira has no place for the HTML "<u adf="underline">" there; '
        "put a backslash before each < or backquotes around it to send it as text"
    )


def test_the_length_of_a_document_is_that_of_its_texts_and_line_ends() -> None:
    document = adf.to_adf("# one\n\n- **two**<br>\n- three\n\n`four`")
    assert adf.length(document) == len("one\ntwo\nthree\nfour")
    assert adf.length(None) == adf.length(adf.to_adf("")) == 0


TAGS = [
    *("<b>", "</b>", "<!-- ", "-->", "<!-- -->", "<br>", "<p></p>", "<p>", "</p>", "<hr>"),
    *('<u adf="underline">', "</u>", '<span adf="mention" params=\'{"id":"1"}\'>', "</span>"),
    *('<aside adf="panel" params=\'{"panelType":"info"}\'>', "</aside>", "<div>", "</div>"),
    *('<details adf="expand">', "</details>", "<summary>", "</summary>", "<pre>", "<script>"),
    *('<ul adf="decisionList">', '<li adf="decisionItem">', "</li>", "</ul>", "</script>"),
    *('<div adf="marks" params=\'{"align":"center"}\'></div>', "<https://example.com>"),
    *('<time adf="date" datetime="1767225600000">', "</time>", "](<", "[x](<", ">)", "[a]: "),
    *("\n", "\n\n", "\n- ", "\n> ", "\n1. ", "\n# ", "\n    ", "\n```\n", "`", "|", "- [ ] "),
    *("\n| a | b |\n|---|---|\n| ", "\\", "*", "**", "_", "~~", "<", ">", "</", "<!", "<?", "?>"),
    *("<![CDATA[", "]]>", "&lt;", "&#32;", "[", "]", "(", ")", '"', "'", " ", "\ufdd0"),
]


@given(st.lists(st.one_of(st.sampled_from(TAGS), st.none()), max_size=14))
def test_no_word_is_lost_silently(pieces: list[str | None]) -> None:
    markdown = "".join(f"zebra{i}a" if each is None else each for i, each in enumerate(pieces))
    document = adf.to_adf(markdown)
    lost = adf.dropped_texts(markdown)
    event(f"told: {bool(lost)}")
    if not lost:
        sent = json.dumps(document, ensure_ascii=False)
        assert [word for word in re.findall("zebra[0-9]+a", markdown) if word not in sent] == []
        assert document["content"] or not markdown.strip()
        assert not re.search("[\ufdd1-\ufddf]|%EF%B7", sent)


@given(st.lists(st.sampled_from(["<", ">", "</", "/>", "a", "b1", " ", "=", "."]), max_size=20))
def test_unknown_tags_are_kept_exactly(pieces: list[str]) -> None:
    words = "x" + re.sub(" +", " ", "".join(pieces)).strip()
    assert text_of(adf.to_adf(words)) == words
    assert adf.dropped_texts(words) == ()


@given(st.text(alphabet=st.sampled_from("ab <>/!-?\\`'\"=")))
def test_a_text_of_brackets_comes_back_as_the_same_text(words: str) -> None:
    document = doc(paragraph(text(words)), node("heading", text(words), level=1))
    found = adf.convert(document)
    assert found.exact
    assert text_of(adf.to_adf(found.markdown)) == text_of(document)
    assert adf.dropped_texts(found.markdown) == ()
