"""Text that looks special reaches Jira as text, or is reported with its line."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from random import Random
from types import FrameType
from typing import Any

import pytest
from fakes.adf_nodes import Json, doc, paragraph, text
from fakes.examples import IN_STRESS
from fakes.jira_documents import Maker, text_of
from fakes.unusual_markdown import unusual_markdown
from hypothesis import event, given, strategies as st
from rows import for_each

from ticketr.app.jira import adf
from ticketr.app.jira.adf._placeholders import protect_html
from ticketr.app.jira.adf._plain import plain_lines

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


def node(kind: str, *content: Any, **attrs: Any) -> Json:
    return {"type": kind, **({"attrs": attrs} if attrs else {}), "content": list(content)}


def cell(*blocks: Any) -> Json:
    head = node("tableRow", node("tableHeader", paragraph(text("h"))))
    return node("table", head, node("tableRow", node("tableCell", *blocks)))


@for_each("markdown", LITERAL)
def test_text_like_html_is_text(markdown: str) -> None:
    assert adf.to_adf(markdown) == doc(paragraph(text(markdown)))
    assert adf.lost_texts(markdown) == ()


@for_each("markdown", LITERAL)
@for_each("place", ["# {}", "- {}", "> {}", "- [ ] {}", "a\n\n1. {}", "| {} |\n|-|"])
def test_text_like_html_is_text_in_every_place(markdown: str, place: str) -> None:
    if "adf=" in markdown or (
        "|" in place and any(tag in markdown for tag in ("<p>", "</details>"))
    ):  # a cell has more
        return
    document = adf.to_adf(place.format(markdown))
    assert markdown in text_of(document)
    assert adf.lost_texts(place.format(markdown)) == ()


def test_a_block_of_html_is_markdown_with_tags_as_text() -> None:
    document = adf.to_adf("<div>\n**bold** words\n</div>\n\nafter")
    assert text_of(document) == "<div> bold words </div>after"
    assert text("bold", "strong") in document["content"][0]["content"]


@for_each(
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
    assert adf.lost_texts(markdown) == ()


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
    assert adf.lost_texts(markdown) == ()


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


@for_each("words", TEXTS)
@for_each("place", PLACES)
def test_text_from_jira_comes_back_as_the_same_text(place: str, words: str) -> None:
    document = doc(PLACES[place](words))
    found = adf.convert(document)
    assert found.is_lossless
    assert adf.lost_texts(found.markdown) == ()


TOLD = {
    "a <!-- ask Mia --> b": "as an HTML comment",
    "<!-- ask Mia -->": "as an HTML comment",
    "a\n\n<!-- never closed": "as an HTML comment",
    "<!-->": "as an HTML comment",
    "`<!-- a -->` <!-- a -->": "as an HTML comment",
    '**<u adf="underline">a** b</u>': '“<u adf="underline">” has no place there',
    '- <u adf="underline">a\n- b</u>': '“<u adf="underline">” has no place there',
    "b\n\n- <u>a\n- b</u>": "in its line 3: “<u>” has no place there",
    "- b\n  <details>\n  x\n  </details>": "in its line 2: “<details>” has no place there",
    "[x][a]\n\n[a]: /one\n[a]: /two": "“[a]: /two” has no place there",
    '<div adf="marks" params=\'{"align":"center"}\'></div>': "before each <",
    "a \ufdd0 <b>": "“<b>” has no place there",
    "](<zebra-->": "“<zebra-->” has no place there",
    '<time adf="date" datetime="1767225600000">2026-01-02</time>': "“2026-01-02”",
    '<time adf="date" datetime="1767225600000">zebra</time>': "“zebra”",
}


@for_each(("markdown", "told"), TOLD.items())
def test_html_that_cannot_be_kept_is_reported(markdown: str, told: str) -> None:
    assert told in adf.faulty_pieces(markdown)[0].describe()


def test_a_comment_is_reported_with_its_line_and_a_hint() -> None:
    (lost,) = adf.faulty_pieces("one\n\ntwo <!-- ask\nMia --> three")
    assert lost.describe() == (
        "in its line 3: “<!-- ask Mia -->” is lost in Jira, as an HTML comment; "
        "take it out, or write \\<!-- to send it as text"
    )


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
    lost = adf.lost_texts(markdown)
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
    assert adf.lost_texts(words) == ()


@given(st.text(alphabet=st.sampled_from("ab <>/!-?\\`'\"=")))
def test_a_text_of_brackets_comes_back_as_the_same_text(words: str) -> None:
    document = doc(paragraph(text(words)), node("heading", text(words), level=1))
    found = adf.convert(document)
    assert found.is_lossless
    assert text_of(adf.to_adf(found.markdown)) == text_of(document)
    assert adf.lost_texts(found.markdown) == ()


LOST = {
    "- a\n\n  # Heading": ("Heading",),
    "- # Heading": ("Heading",),
    "- a\n  > quoted *words*": ("quoted", "words"),
    "> a\n>\n> > quoted": ("quoted",),
    "> # Heading\n>\n> a": ("Heading",),
    '- <aside adf="panel">in a block</aside>': ("in a block",),
    "- [ ] open\n\n      code": ("code",),
    "# a ![alt](https://example.com/x.png)": ("https://example.com/x.png",),
    "same\n\n- a\n\n  # same": ("same",),
    "- a\n\n  # " + "word " * 50: (f"{'word ' * 12}"[:59] + "…",),
    "- a\n\n  # x\x1b[2Jy": ("xy",),
}
KEPT = [
    "",
    "# Heading\n\n- a\n- b\n\n> quoted\n",
    "a <b>bold</b> <!-- --> b",
    "a &amp; b &#32; &#8364;",
    "snake_case **bold**ly `code` ~~gone~~",
    "[words](https://example.com/a?b=c&d=%20) <https://example.com> <mia@example.com>",
    "![alt](https://example.com/x.png)",
    "7) seven\n8) eight",
    "- [ ] open\n- [x] done",
    "```python\nx = 1\n```",
    "| a | b |\n|---|---|\n| c | d |",
    '<time adf="date" params=\'{"timestamp":"1767225600000"}\'>2026-01-01</time>',
    "- a\n\n  ---\n",
]


@for_each(("markdown", "pieces"), LOST.items())
def test_misplaced_content_is_reported(markdown: str, pieces: tuple[str, ...]) -> None:
    assert adf.lost_texts(markdown) == pieces


@for_each("markdown", KEPT)
def test_words_in_the_document_do_not_count_as_lost(markdown: str) -> None:
    assert adf.lost_texts(markdown) == ()


@pytest.mark.laws
@pytest.mark.unmeasured
@for_each("seed", range(0, 1500, 25 if IN_STRESS else 100))
def test_markdown_from_jira_loses_nothing(seed: int) -> None:
    for one in range(seed, seed + 5):
        converted = adf.convert(Maker(Random(one)).document())
        assert adf.lost_texts(converted.markdown) == ()


def test_a_word_missing_in_the_document_is_reported() -> None:
    marked = [markdown.replace("words", "zebra") for markdown in unusual_markdown()]
    gone = [one for one in marked if "zebra" in one and "zebra" not in str(adf.to_adf(one))]
    assert len(gone) > 20
    for markdown in gone:
        assert any("zebra" in piece for piece in adf.lost_texts(markdown)), markdown


@given(st.text())
def test_any_markdown_can_be_asked_about(markdown: str) -> None:
    assert all(piece.isprintable() for piece in adf.lost_texts(markdown))


@pytest.mark.parametrize("markdown", ["> ", "[", "*a ", "**", "- ", "<b>", '<span adf="x">'])
def test_markdown_nested_without_end_can_be_asked_about(markdown: str) -> None:
    assert all(len(piece) <= 60 for piece in adf.lost_texts(markdown * 2000 + "x"))


def test_markdown_that_marklas_stumbles_over_keeps_its_lines() -> None:
    markdown = "one\n\n<span adf=\"mention\" params='[1]'>two</span> three\n"
    assert adf.lost_texts(markdown) == ()
    assert "three" in " ".join(plain_lines(adf.to_adf(markdown)))


def lines_run(work: Callable[[str], object], markdown: str) -> int:
    """Count the lines of Python that run; calls would not show a loop over a list."""
    counted = 0

    def count(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal counted
        counted += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        work(markdown)
    finally:
        sys.settrace(before)
    return counted


def test_looking_is_linear_in_the_number_of_paragraphs() -> None:
    small, large = (
        lines_run(adf.lost_texts, "\n\n".join(f"word{each} of many" for each in range(size)))
        for size in (200, 800)
    )
    assert large < 4.4 * small


@pytest.mark.parametrize("markdown", ["{}\n\nwords", "| a | b |\n|---|---|\n| {} | x |"])
def test_reading_is_linear_in_the_number_of_tags_that_do_not_end(markdown: str) -> None:
    small, large = (lines_run(protect_html, markdown.format("<u>" * size)) for size in (200, 800))
    assert large < 4.4 * small


UNCONVERTED = {
    "> words\n> [!NOTE]": "[!NOTE]",
    "> [!NOTICE]\n> words": "[!NOTICE]",
    "> [!warning] words": "[!warning]",
    "hello @Mia, see": "@Mia",
    "(@mia.doe) did it": "@mia.doe",
    "<details>\nx": "<details>",
    "x <details>y</details>": "<details>",
    "H<sub>2": "<sub>",
    "`DONE`{gren}": "{gren}",
    "due {2026-02-30}": "{2026-02-30}",
    "due {2026-3-1}": "{2026-3-1}",
    "a <b>bold</b> word": "<b>",
    '<img src="x.png">': '<img src="x.png">',
    "![](shot.png)": "shot.png",
    "![](a\\_shot.png)": r"a\_shot.png",
    "[notes](<a\\_(1).txt>)": r"a\_(1).txt",
    "![alt](./a/shot.png 'title')": "./a/shot.png",
    "![alt](<./my shots/a b.png>)": "./my shots/a b.png",
    "![alt](file:///home/mia/a.png)": "file:///home/mia/a.png",
    "![alt][shot]\n\n[shot]: shot.png": "shot.png",
    "![shot]\n\n[shot]: <shot.png>": "shot.png",
    "see [the spec](docs/spec.md)": "docs/spec.md",
    "see [the spec](<my docs/spec.md>)": "my docs/spec.md",
    "see [us](www.example.com)": "www.example.com",
    "![shot](./my shots/a b.png)": "![shot](./my shots/a b.png)",
    "[ ] first": "[ ]",
    "[x] second": "[x]",
    '<p align="center">x': '<p align="center">',
    "<blockquote>x": "<blockquote>",
    "it works :tadaa:": ":tadaa:",
    "# @Mia": "@Mia",
    "| a | @Mia |\n|---|---|\n": "@Mia",
}
PLAIN = [
    "",
    "[!NOTE] is not a quote",
    "> [!SOMETHING] else",
    "mia@example.com https://medium.com/@mia a@b",
    "`@Mia` ``:tadaa:`` `<details>` `{2026-02-30}` {gren} {2026-01} f{x}",
    "```\n@Mia :tada: <details>\n```",
    "~~~\n@Mia\n~~~",
    "    @Mia\n",
    "\\@Mia \\:tada: \\<details> \\[!NOTE]",
    "10:30:45 and std::vector::size a:b:c",
    "List<String> Map<a,b> <ticket> <https://e.example>",
    "![alt](https://example.com/x.png)",
    "[a](https://example.com) [b](mailto:mia@example.com) [c](/browse/A-1) [d](#top)",
    "\\[a](docs/a.md) `[a](docs/a.md)` [ref]: docs/a.md",
    "[a](https://example.com 'title.md') [b](see chapter 3)",
    "- [ ] first\n- [x] second",
    "npm install @types/node @my-org/pkg",
    '<span adf="mention" params=\'{"id":"1"}\'>@Mia</span>',
    '<aside adf="panel" params=\'{"panelType":"info"}\'>\n\nwords\n\n</aside>',
    "@ 2 @2 :1: : : :a",
]


@for_each(("markdown", "piece"), UNCONVERTED.items())
def test_text_that_reaches_jira_unconverted_is_reported_with_its_line(
    markdown: str, piece: str
) -> None:
    (found,) = adf.faulty_pieces(f"first\n\n{markdown}\n")

    assert found.text == piece
    assert piece.strip("./") in f"first\n\n{markdown}".split("\n")[found.line - 1]


@for_each("markdown", PLAIN)
def test_escaped_text_is_not_reported(markdown: str) -> None:
    assert adf.faulty_pieces(markdown) == ()


@for_each("markdown", UNCONVERTED)
def test_unchanged_text_is_not_reported_again(markdown: str) -> None:
    assert adf.faulty_pieces(f"{markdown}\n\nmore", before=markdown) == ()
    assert len(adf.faulty_pieces(f"{markdown}\n\n{markdown}", before=markdown)) == 1


def test_a_mistyped_form_is_reported_with_the_words_that_exist() -> None:
    (panel, color) = adf.faulty_pieces("> [!NOTICE]\n> `x`{gren}")
    assert panel.outcome_and_advice.endswith(
        "a panel is called INFO, NOTE, TIP, WARNING, CAUTION, HINT"
    )
    assert color.outcome_and_advice.endswith("a color is neutral, purple, blue, red, yellow, green")


@for_each("part", ["content", "attrs", "marks", "text", "type"])
@for_each(
    "value",
    ["x", "localId", 5, 1.5, True, None, {"a": 1}, ["x"], [None], [["x"]], [{"type": 5}], [5, 6]],
)
def test_the_file_of_a_document_of_any_shape_can_be_read(part: str, value: object) -> None:
    text = {"type": "text", "text": "a"}
    for kind in ("doc", "paragraph", "text", "codeBlock", "bulletList", "mention", "strange"):
        node = {"type": kind, "attrs": {}, "content": [text], part: value}
        around = {"type": "strange", "content": [node]}
        for document in (node, document_of(node), document_of(around)):
            assert adf.to_adf(adf.to_markdown(document))["type"] == "doc"


def document_of(*blocks: object) -> dict[str, object]:
    return {"type": "doc", "version": 1, "content": [*blocks]}


NAMED = {
    "ask @[Mia]": "Mia",
    "ask @[Mia Krause], please": "Mia Krause",
    "(@[Mia])": "Mia",
    "@[mia@example.com]": "mia@example.com",
    "@mia.krause@example.com.": "mia.krause@example.com",
    "- a\n- b @[Ömer]": "Ömer",
    "| @[Mia] | b |\n|---|---|": "Mia",
}
NOBODY = [
    *(
        "",
        "@",
        "@[]",
        "@[@]",
        "@Mia",
        "@[Mia](5f:1)",
        "\\@[Mia]",
        "@\\[Mia]",
        "`@[Mia]`",
        "x@[Mia]",
    ),
    *("```\n@[Mia]\n```", "mia@example.com", "https://e.x/@[Mia]", "@[Mia]: x", "[@[Mia]](x)@x@y"),
    '<span adf="mention" params=\'{"id":"1"}\'>@mia@example.com</span>',
]


@pytest.mark.parametrize(("markdown", "name"), NAMED.items())
def test_a_person_is_named_in_brackets_or_by_an_address(markdown: str, name: str) -> None:
    (found,) = adf.named_people(f"first\n\n{markdown}\n")

    assert found.name_or_email == name
    assert found.mention in f"first\n\n{markdown}".split("\n")[found.line_in_text - 1]


@for_each("markdown", NOBODY[:-2] + NOBODY[-1:])
def test_other_text_names_nobody(markdown: str) -> None:
    assert adf.named_people(markdown) == ()
    assert adf.with_account_ids(markdown, {"Mia": ("5f:1", "Mia")}) == markdown


@pytest.mark.parametrize(("markdown", "name"), NAMED.items())
def test_a_person_who_is_found_becomes_a_mention(markdown: str, name: str) -> None:
    found = adf.with_account_ids(markdown, {name: ("557058:1", "M [*] K"), "other": ("2", "x")})

    assert "@[M \\[\\*\\] K](557058:1)" in found
    assert adf.named_people(found) == ()
    mentions = [
        node["attrs"] for node in adf._plain.walk(adf.to_adf(found)) if node["type"] == "mention"
    ]
    assert mentions == [{"id": "557058:1", "text": "@M [*] K"}]


def test_others_in_the_line_and_code_stay_as_they_are() -> None:
    markdown = "`@[Mia]` @[Mia] and @[Ann], @[Mia]"

    found = adf.with_account_ids(markdown, {"Mia": ("5f:1", "Mia")})

    assert found == "`@[Mia]` @[Mia](5f:1) and @[Ann], @[Mia](5f:1)"
