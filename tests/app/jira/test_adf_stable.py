"""What is written of Markdown reads as the document that Jira has, tables and links too."""

from __future__ import annotations

import json
import os
import string
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fakes.adf_nodes import Json, item, paragraph
from hypothesis import given, strategies as st
from rows import for_each

from ticketr.app.jira import adf
from ticketr.app.jira.adf._conversion import converts_to_unsized
from ticketr.app.jira.adf._tables import TablesForMarklas

#: The examples of CommonMark, as its site and `markdown-it-py` have them, are not ours to ship.
EXAMPLES = Path(os.environ.get("TICKETR_SPECS", "../shared/specs"), "commonmark.json")


def mark_types(document: Json) -> list[list[str]]:
    made = [[mark["type"] for mark in document.get("marks", ())]]
    for child in document.get("content", ()):
        made += mark_types(child)
    return [types for types in made if types]


def assert_stable(markdown: str) -> adf.MaybeLossyMarkdown:
    """Assert that a document of this Markdown, once written, reads as the same document."""
    document = adf.to_adf(markdown)
    written = adf.convert(document)
    assert written.is_lossless
    assert adf.canonical(adf.to_adf(written.markdown)) == adf.canonical(document)
    assert adf.convert(adf.to_adf(written.markdown)).markdown == written.markdown
    if not adf.find_problems(document):
        assert all(len(types) == len(set(types)) for types in mark_types(document))
        assert adf.lost_texts(written.markdown) == ()
    return written


def text_of(document: Json) -> str:
    return "".join(
        [document.get("text", ""), *(text_of(child) for child in document.get("content", ()))]
    )


EMPHASIS = {
    "*foo *bar**": {"em"},
    "*(*foo*)*": {"em"},
    "_(_foo_)_": {"em"},
    "__foo_ bar_": {"em"},
    "*_foo_*": {"em"},
    "****foo****": {"strong"},
    "**a **b** c**": {"strong"},
    "~~a ~~b~~ c~~": {"strike"},
    "*foo **bar *baz* bim** bop*": {"em", "strong"},
    "*foo [*bar*](https://example.com)*": {"em", "link"},
    "<u>a <u>b</u></u>": {"underline"},
}


@for_each(("markdown", "types"), EMPHASIS.items())
@for_each("line", ["{}", "# {}", "- {}", "> {}", "| {} |\n|---|", "- [ ] {}"])
def test_a_text_has_each_mark_once(markdown: str, types: set[str], line: str) -> None:
    document = adf.to_adf(line.format(markdown) + "\n")

    made = mark_types(document)
    assert set().union(*made) >= types
    assert all(len(each) == len(set(each)) for each in made)
    assert_stable(line.format(markdown) + "\n")


@for_each("sign", string.punctuation)
@for_each(
    "line",
    [
        *("100\\{} sure", "# 100\\{} sure", "- 100\\{} sure", "> 100\\{} sure", "- [ ] a\\{} b"),
        *("*a\\{}b*", "a\\{}", "\\{} a", "x :tada: \\{} {{2026-03-01}}", "<u>a\\{} b</u>"),
        *("> [!NOTE]\n> a\\{} b", "- <> a\\{} b", "[a\\{} b](https://example.com)"),
    ],
)
def test_a_backslash_before_a_sign_makes_the_sign_text(line: str, sign: str) -> None:
    markdown = line.format(sign) + "\n"

    words = text_of(adf.to_adf(markdown))
    assert sign in words
    assert words.count("\\") == (1 if sign == "\\" else 0)
    assert_stable(markdown)


@for_each("sign", sorted(set(string.punctuation) - set("`")))
def test_a_backslash_in_code_is_text(sign: str) -> None:
    for markdown in (f"`a\\{sign}b`\n", f"```\na\\{sign}b\n```\n", f"    a\\{sign}b\n"):
        assert text_of(adf.to_adf(markdown)) == f"a\\{sign}b"
        assert_stable(markdown)


TASKS = {
    "- [ ] a\n\n  second\n": "- [ ] a\n\n  second\n",
    "- [x] a\n\n  second\n\n  third\n- [ ] b\n": None,
    "- [ ] a\n  - [ ] b\n\n    more\n  - [x] c\n- [ ] d\n": None,
    "- [ ] a\n\n  second\n  - [ ] b\n": None,
    "- [ ] a\n\n  *second*\n\n<!-- -->\n\n- [ ] b\n": None,
    "- [ ] a\n\n  second\n\n<!-- -->\n\n- [ ] b\n\n<!-- -->\n\n- [x] c\n\n  third\n": None,
    "- a\n\n* [ ] a\n\n  second\n\n- [ ] b\n": None,
    "- [ ] &#32;a\n\n  second\n- [x] &#32;**b**\n- [x] &#32;\n": None,
    "- [ ] a\n\n  second\n- [ ]\n": None,
    "- [ ]\n\n  second\n- [ ] b\n": None,
    "- item\n\n  - [ ] a\n\n    second\n": None,
    "- [ ] a\n\n  second\n\n* one\n* two\n": None,
    "> [!NOTE]\n> - [ ] a\n>\n>   second\n": None,
}


@for_each(("markdown", "written"), TASKS.items())
def test_a_task_of_several_paragraphs_is_written_as_it_is_read(
    markdown: str, written: str | None
) -> None:
    found = assert_stable(markdown)

    assert written is None or found.markdown == written
    assert "\n      " not in found.markdown


@pytest.mark.parametrize("place", ["- [ ] a\n\n  {}\n", "- [ ] {}\n", "- [x] a\n- [ ] b\n\n  {}\n"])
def test_a_picture_in_a_task_is_refused(place: str) -> None:
    markdown = place.format("![shot](attachment:shot.png)")

    (piece,) = adf.faulty_pieces(markdown)
    assert "a picture, which needs a paragraph of its own" in piece.outcome_and_advice


EMPTY = [
    "-\n",
    "- a\n-\n- b\n",
    "1.\n",
    "1. a\n2.\n3. c\n",
    "- a\n\n  -\n",
    ">\n",
    "- [ ]\n- [x] b\n",
]


@for_each("markdown", [*EMPTY, "> -\n", "> [!NOTE]\n>\n> -\n", "- \n\n  a\n"])
def test_an_empty_item_is_an_empty_item(markdown: str) -> None:
    assert adf.find_problems(adf.to_adf(markdown)) == ()
    assert adf.lost_texts(markdown) == ()
    assert_stable(markdown)


def bullets(*items: Json) -> Json:
    return {"type": "bulletList", "content": list(items)}


NOTHING: Json = {"type": "paragraph", "content": []}
WRITTEN = {
    "- a\n-\n- b\n": bullets(item(paragraph("a")), item(NOTHING), item(paragraph("b"))),
    "-\n": bullets(item(NOTHING)),
    "1. a\n2.\n": {
        "type": "orderedList",
        "content": [item(paragraph("a")), item(NOTHING)],
    },
    "- a\n\n  -\n": bullets(item(paragraph("a"), bullets(item(NOTHING)))),
    "- a\n  - b\n  -\n- c\n": bullets(
        item(paragraph("a"), bullets(item(paragraph("b")), item(NOTHING))), item(paragraph("c"))
    ),
    "> -\n": {"type": "blockquote", "content": [bullets(item(NOTHING))]},
    ">\n": {"type": "blockquote", "content": [NOTHING]},
}


@pytest.mark.parametrize(("markdown", "block"), WRITTEN.items())
def test_an_empty_item_is_written_as_its_marker_alone(markdown: str, block: Json) -> None:
    document = {"type": "doc", "version": 1, "content": [block]}

    assert adf.convert(document) == adf.MaybeLossyMarkdown(markdown, is_lossless=True)
    assert_stable(markdown)


DEFINITIONS = {
    "[b]: https://example.com\n": "[b]: https://example.com",
    "a [link][a]\n\n[a]: https://example.com\n[b]: https://other.example\n": None,
    "words\n\n[b]: <https://example.com> 'title'\n": None,
    "> words\n>\n> [b]: /url\n": None,
    "- a\n\n  [b]: /url\n": None,
    "[^1]: Note.\n": "[^1]: Note.",
    "Words.[^1]\n\n[^1]: Note.\n": "Words.[^1][^1]: Note.",
    "Words.[^a]\n\n[^a]: https://example.com/a_b_c\n": "Words.[^a][^a]: https://example.com/a_b_c",
    "```\n[b]: /url\n```\n": "[b]: /url",
    "    [b]: /url\n": "[b]: /url",
    "`[b]: /url`\n": "[b]: /url",
    "[a]: *\n": "[a]: *",
    "[^1]: &auml;\n\n[^2]: &auml;\n\n[a]: &auml;\n\n[a]: &auml;\n": None,
    "- b\n- [a]:\n  zebra\n": "b[a]: zebra",
}


@for_each(("markdown", "words"), DEFINITIONS.items())
def test_a_definition_that_no_link_uses_is_text(markdown: str, words: str | None) -> None:
    assert adf.lost_texts(markdown) == ()
    document = adf.to_adf(markdown)
    assert adf.find_problems(document) == ()
    assert text_of(document) == words or words is None
    assert_stable(markdown)


def test_a_definition_that_a_link_uses_is_none() -> None:
    document = adf.to_adf(
        "a [link][ A  b] and ![x][I]\n\n[a B]: https://example.com\n[i]: /x.png\n"
    )

    assert text_of(document).startswith("a link and")
    assert "example.com" not in text_of(document)


@for_each("code", ["x = 1\n", ""])
@for_each("fence", ["```", "~~~"])
@for_each("lead", ["", "- ", "> "])
def test_the_first_word_behind_a_fence_is_the_language(lead: str, fence: str, code: str) -> None:
    rest = " " * len(lead) if lead == "- " else lead
    markdown = f'{lead}{fence}python title="a.py" {{1,3}}\n{rest}{code}{rest}{fence}\n'

    document = adf.to_adf(markdown)
    assert '"python"' in json.dumps(document)
    assert adf.lost_texts(markdown) == ()
    assert_stable(markdown)


@pytest.mark.parametrize(
    "words",
    [
        "&auml; &copy; &#228; &nbsp;x",
        "[^1]: &auml;",
        "[b]: &auml;",
        "[\\[a]: b](x",
        "AT&amp;T",
        '<a href="&ouml;">',
        "<br/> not a tag",
    ],
)
def test_what_is_text_in_jira_may_be_edited_in_a_file(words: str) -> None:
    document = {"type": "doc", "version": 1, "content": [paragraph(words)]}
    written = adf.convert(document)

    assert written.is_lossless
    assert adf.lost_texts(written.markdown.replace("\n", " more\n")) == ()


BLANK_CODE = ["`\xa0`\n`  `\n", "` `\n", "<https://foo.bar.`baz>`\n", "a <https://e.com/`b>\n"]


@pytest.mark.parametrize("markdown", BLANK_CODE)
def test_signs_of_code_come_back(markdown: str) -> None:
    assert_stable(markdown)


def test_every_example_of_commonmark_is_stable() -> None:
    if not EXAMPLES.exists():
        pytest.skip("the examples of CommonMark are not here; TICKETR_SPECS names their folder")
    examples = json.loads(EXAMPLES.read_text())
    for example in examples:
        assert_stable(example["markdown"])
    assert len(examples) > 600


PIECES = (
    *(
        "*",
        "**",
        "_",
        "~~",
        "`",
        "\\",
        "%",
        "[",
        "](",
        ")",
        "<u>",
        "</u>",
        "\n",
        "\n\n",
        "  ",
        "- ",
    ),
    *("[ ] ", "> ", "1. ", "# ", "a", "b c", "[b]: /url", "[^1]", "```", ":tada:", "{2026-03-01}"),
    *("https://e.com/a_b", "<https://e.com>", "&amp;", "|", "---", "<", "!", "@[M](5f:1)", "    "),
)


@pytest.mark.laws
@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_any_markdown_is_stable(pieces: list[str]) -> None:
    assert_stable("".join(pieces))


HEAD = "| a | b |\n|---|---|\n"


def nodes(document: Any, kind: str) -> Iterator[Any]:
    if document.get("type") == kind:
        yield document
    for child in document.get("content", []):
        yield from nodes(child, kind)


def rows(markdown: str) -> list[list[str]]:
    """Return the words of each cell of the only table."""
    (table,) = nodes(adf.to_adf(markdown), "table")
    return [
        ["".join(each["text"] for each in nodes(cell, "text")) for cell in row["content"]]
        for row in table["content"]
    ]


@for_each(
    ("markdown", "last"),
    [
        (f"{HEAD}| 1 |", ["1", ""]),
        (f"{HEAD}| 1", ["1", ""]),
        (f"{HEAD}||", ["", ""]),
        (f"{HEAD}| 1 | 2", ["1", "2"]),
        (f"{HEAD}1 | 2 |", ["1", "2"]),
        ("a | b\n---|---\n1 |", ["1", ""]),
        ("text\na | b\n---|---\n1 | 2", ["1", "2"]),
        (f"{HEAD}| `x|y` | 2 |", ["x|y", "2"]),
        (f"{HEAD}| ``x|`y`` | 2 |", ["x|`y", "2"]),
        (f"{HEAD}| `x\\|y` | 2 |", ["x|y", "2"]),
        (f"{HEAD}| x\\|y |", ["x|y", ""]),
        ("| `a|b` | c |\n|---|---|\n| 1 | 2 |", ["1", "2"]),
        (f"{HEAD}| - | - |", ["-", "-"]),
        (f"{HEAD}| 1 | 2 | |", ["1", "2"]),
        (f"{HEAD}| 1 | 2 ||||", ["1", "2"]),
        (f"{HEAD}| `x|y` | 2 | |", ["x|y", "2"]),
        (f"{HEAD}| `x|y` |", ["x|y", ""]),
        ("| a | b |\r\n|---|---|\r\n| 1 |\r\n", ["1", ""]),
        ("| a | b |\n|\xa0---\xa0|---|\n| 1 |", ["1", ""]),
    ],
)
def test_a_row_is_repaired_without_a_change_to_its_words(markdown: str, last: list[str]) -> None:
    assert rows(markdown)[-1] == last
    assert adf.lost_texts(markdown) == ()
    document = adf.to_adf(markdown)
    assert converts_to_unsized(adf.to_markdown(document), adf.unsized_canonical(document))


@for_each(
    ("markdown", "line", "words"),
    [
        (f"x\n\n{HEAD}| 1 | 2 |\n| 1 | 2 | 3 |", 6, "has 3 cells where its table has 2"),
        (f"{HEAD}| `x|y` | 2 | 3 |", 3, "has 3 cells where its table has 2"),
        (f"{HEAD}| 1 | 2 |\nmore", 4, "right below a table"),
        ("| a | b |\n|---|\n| 1 | 2 |", 2, "looks like a table, but is none"),
        ("| a |\n|---|---|\n| 1 | 2 |", 2, "looks like a table, but is none"),
        ("| a | b |\n|-- -|---|\n| 1 | 2 |", 2, "looks like a table, but is none"),
        ("> | a | b |\n> |---|---|\n> | 1 | 2 |", 2, "cannot be in a list or a quote"),
        ("- x\n  | a | b |\n  |---|---|\n", 3, "cannot be in a list or a quote"),
        (f"{HEAD}| 1 | 2 |\n\n- x\n  | a | b |\n  |---|---|\n", 2, "in a list or a quote"),
    ],
)
def test_a_row_that_cannot_be_repaired_is_reported_with_its_line(
    markdown: str, line: int, words: str
) -> None:
    first, *others = adf.faulty_pieces(markdown)

    assert first.line == line
    assert words in first.outcome_and_advice
    assert others == []


@for_each(
    "markdown",
    [
        "```\n| a | b |\n|---|\n```",
        "~~~\n| a | b |\n|---|---|\n| 1 | 2 | 3 |\n~~~",
        "- x\n\n  ```\n  | a | b |\n  |---|\n  ```",
        "    | a | b |\n    |---|\n",
        "\\| a | b |\n\\|---|",
        "a | b",
        "a | b\n---",
        "either | or -- it's | all -- text",
        "```\n| a | b |\n| 1 | 2 |\n```",
        "```\n| a | b |\n+---+---+\n```",
        "    | a | b |\n    | 1 | 2 |",
        "- x\n\n      | a | b |\n      | 1 | 2 |",
        "> ```\n> | a | b |\n> | 1 | 2 |\n> ```",
        "\\| a | b |\n\\| 1 | 2 |",
        "cat x | grep y\n---\n\na || b\n-----\nC++ | D--\n+1 | -1",
        "|x|\n|y|",
        "cat x |\n  grep y |\n  wc",
        "+++ b/x\n--- a/x | y",
    ],
)
def test_text_that_is_no_table_is_unchanged(markdown: str) -> None:
    assert list(nodes(adf.to_adf(markdown), "table")) == []
    assert adf.lost_texts(markdown) == ()


@pytest.mark.parametrize("after", ["# heading", "> quote", "- item", "1. item", "```\ncode\n```"])
def test_another_block_ends_a_table(after: str) -> None:
    markdown = f"{HEAD}| 1 |\n{after}"

    assert rows(markdown)[-1] == ["1", ""]
    assert adf.lost_texts(markdown) == ()


def test_long_lines_of_blanks_are_looked_at_once() -> None:
    """A pattern that tries each way to split them takes minutes, beyond the test's time limit."""
    blanks = " " * 400_000
    found = TablesForMarklas(f"a|b\n|-{blanks}- |")

    assert found.delimiters == [2]


def test_rows_are_not_filled_without_end() -> None:
    wide = f"|{'a|' * 1500}\n|{'-|' * 1500}\n" + "|1|\n" * 1000

    found = TablesForMarklas(wide)

    assert len(found.markdown) < 5 * len(wide)
    assert len(found.problems) == 999
    assert "has 1 cell where its table has 1500" in found.problems[0][1]


LETTERS = "ab/:?&=#%()[]<>\\|\"'`*_~ !ä東。”;-.+@{}^$,\n\t"
ADDRESS_PIECES = ["&amp;", "%20", "&lt;x", "&#32;", "&copy=1", "%zz", "&#10;", "%EF%B7%91"]


def doc(*inline: dict[str, Any], cell: bool = False) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "paragraph", "content": list(inline)}
    if cell:
        row = {"type": "tableRow", "content": [{"type": "tableHeader", "content": [block]}]}
        block = {"type": "table", "content": [row]}
    return {"type": "doc", "version": 1, "content": [block]}


def link(href: str, words: str = "x", title: str = "", *marks: str) -> dict[str, Any]:
    attrs = {"href": href, "title": title} if title else {"href": href}
    more = [{"type": each} for each in marks]
    return {"type": "text", "text": words, "marks": [{"type": "link", "attrs": attrs}, *more]}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def addresses(markdown: str) -> list[str]:
    """Return the address of each link."""
    found: list[str] = []
    ahead: list[Any] = [adf.to_adf(markdown)]
    while ahead:
        node = ahead.pop(0)
        found += (mark["attrs"]["href"] for mark in node.get("marks", ()) if mark["type"] == "link")
        ahead = [*node.get("content", ()), *ahead]
    return found


@for_each("seed", range(40))
def test_any_address_comes_back_as_it_is(seed: int) -> None:
    chance = Random(seed)
    for _ in range(15):
        href = "https://e.example/" + "".join(chance.choices(LETTERS, k=chance.randrange(8)))
        if chance.random() < 0.3:
            href += chance.choice(ADDRESS_PIECES)
        node = link(
            href,
            chance.choice(["x", "https://e.example", href.strip(), "a`b"]) or "x",
            chance.choice(["", "", 'a "title" with \\ in it']),
            *(["code"] if chance.random() < 0.2 else []),
        )
        converted = adf.convert(doc(node, cell=chance.random() < 0.3))
        assert converted.is_lossless, (href, converted.markdown)
        assert adf.lost_texts(converted.markdown) == (), (href, converted.markdown)


@for_each(
    ("markdown", "found"),
    [
        ("see https://e.example/x.", ["https://e.example/x"]),
        (
            "http://e.example, (https://f.example/x_(y))",
            ["http://e.example", "https://f.example/x_(y)"],
        ),
        ("(https://e.example)", ["https://e.example"]),
        (
            "見て https://e.example/東。「https://f.example/」",
            ["https://e.example/東", "https://f.example/"],
        ),
        (
            "“https://e.example/x”, «https://f.example»…",
            ["https://e.example/x", "https://f.example"],
        ),
        ("https://e.example/_x_/*y*/~~z~~/", ["https://e.example/_x_/*y*/~~z~~/"]),
        ("**https://e.example/x**", ["https://e.example/x"]),
        ("https://e.example/?a=1&b=%20#c", ["https://e.example/?a=1&b=%20#c"]),
        ("# https://e.example", ["https://e.example"]),
        ("| a | https://e.example |\n|---|---|\n", ["https://e.example"]),
        ("see \\<https://e.example>", ["https://e.example"]),
        ("[https://e.example](https://f.example)", ["https://f.example"]),
        ("[**https://e.example/a**](https://f.example)", ["https://f.example"]),
        ("`https://e.example`", []),
        ("```\nhttps://e.example\n```", []),
        ("xhttps://e.example https:// ftp://e.example", []),
    ],
)
def test_a_bare_address_is_a_link(markdown: str, found: list[str]) -> None:
    assert addresses(markdown) == found
    document = adf.to_adf(markdown)
    assert converts_to_unsized(adf.to_markdown(document), adf.unsized_canonical(document))
    assert adf.lost_texts(markdown) == ()
    assert adf.find_problems(document) == ()


@pytest.mark.parametrize(
    "markdown",
    [
        "https://e.example/a_b_c",
        "see https://e.example/_x_?a=1&b=2 and more",
        "see https://e.example/x.",
        "(https://e.example/x), that is it",
        "- https://e.example/x!",
    ],
)
def test_a_bare_address_stays_bare(markdown: str) -> None:
    assert adf.to_markdown(adf.to_adf(markdown)) == f"{markdown}\n"


@for_each(
    ("before", "after"),
    [("x", ""), ("", "x"), ("", "/x"), ("", "?"), ("(", ")"), (".", "."), ("", "](x)"), ("`", "`")],
)
@for_each("mark", ["", "strong", "code"])
def test_an_address_next_to_other_text_ends_where_its_link_does(
    before: str, after: str, mark: str
) -> None:
    marks = {"marks": [{"type": mark}]} if mark else {}
    href = "https://e.example/x"
    parts = ({**text(before), **marks}, link(href, href), {**text(after), **marks})
    converted = adf.convert(doc(*(each for each in parts if each["text"])))

    assert converted.is_lossless, converted.markdown


def test_an_address_that_jira_does_not_link_is_no_other_than_one_that_it_does() -> None:
    href = "https://e.example/x"
    linked, bare = doc(text("see "), link(href, href)), doc(text(f"see {href}"))

    assert adf.canonical(linked) == adf.canonical(bare)
    assert adf.convert(bare).is_lossless
