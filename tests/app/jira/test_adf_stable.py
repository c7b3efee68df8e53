"""Test that what is written of Markdown in Jira reads as the document that Jira has."""

from __future__ import annotations

import json
import os
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from ticketr.app.jira import adf

Json = dict[str, Any]
#: The examples of CommonMark, as its site and `markdown-it-py` have them, are not ours to ship.
EXAMPLES = Path(os.environ.get("TICKETR_SPECS", "../shared/specs"), "commonmark.json")


def mark_types(document: Json) -> list[list[str]]:
    made = [[mark["type"] for mark in document.get("marks", ())]]
    for child in document.get("content", ()):
        made += mark_types(child)
    return [types for types in made if types]


def assert_stable(markdown: str) -> adf.Converted:
    """Assert that a document of this Markdown, once written, reads as the same document."""
    document = adf.to_adf(markdown)
    written = adf.convert(document)
    assert written.exact
    assert adf.canonical(adf.to_adf(written.markdown)) == adf.canonical(document)
    assert adf.convert(adf.to_adf(written.markdown)).markdown == written.markdown
    if not adf.problems(document):
        assert all(len(types) == len(set(types)) for types in mark_types(document))
        assert adf.dropped_pieces(written.markdown) == ()
    return written


def text_of(document: Json) -> str:
    return "".join(
        [document.get("text", ""), *(text_of(child) for child in document.get("content", ()))]
    )


def paragraph(words: str) -> Json:
    return {"type": "paragraph", "content": [{"type": "text", "text": words}]}


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


@pytest.mark.parametrize(("markdown", "types"), EMPHASIS.items())
@pytest.mark.parametrize("line", ["{}", "# {}", "- {}", "> {}", "| {} |\n|---|", "- [ ] {}"])
def test_a_text_has_each_mark_once(markdown: str, types: set[str], line: str) -> None:
    document = adf.to_adf(line.format(markdown) + "\n")

    made = mark_types(document)
    assert set().union(*made) >= types
    assert all(len(each) == len(set(each)) for each in made)
    assert_stable(line.format(markdown) + "\n")


def test_a_mark_that_jira_has_twice_is_written_once() -> None:
    twice = {"type": "text", "text": "a", "marks": [{"type": "em"}, {"type": "em"}]}
    written = adf.convert(
        {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [twice]}]}
    )

    assert written == adf.Converted("*a*\n", exact=True)


def test_of_two_marks_of_a_type_the_inner_one_counts() -> None:
    *_, inner = adf.to_adf("x<sub>a<sup>b</sup></sub>\n")["content"][0]["content"]

    assert inner["marks"] == [{"type": "subsup", "attrs": {"type": "sup"}}]
    assert_stable("x<sub>a<sup>b</sup></sub>\n")


@pytest.mark.parametrize("sign", string.punctuation)
@pytest.mark.parametrize(
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


@pytest.mark.parametrize("sign", string.punctuation)
def test_a_backslash_in_a_cell_makes_the_sign_text(sign: str) -> None:
    markdown = f"| a\\{sign} b |\n|---|\n| 100\\{sign} sure |\n"

    assert text_of(adf.to_adf(markdown)) == f"a{sign} b100{sign} sure"
    assert_stable(markdown)


@pytest.mark.parametrize("sign", sorted(set(string.punctuation) - set("`")))
def test_a_backslash_in_code_is_text(sign: str) -> None:
    for markdown in (f"`a\\{sign}b`\n", f"```\na\\{sign}b\n```\n", f"    a\\{sign}b\n"):
        assert text_of(adf.to_adf(markdown)) == f"a\\{sign}b"
        assert_stable(markdown)


def test_a_backslash_in_an_address_is_none() -> None:
    document = adf.to_adf("[a](https://example.com/100\\%25\\_b)\n")

    (link,) = document["content"][0]["content"][0]["marks"]
    assert link["attrs"]["href"] == "https://example.com/100%25_b"


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


@pytest.mark.parametrize(("markdown", "written"), TASKS.items())
def test_a_task_of_several_paragraphs_is_written_as_it_is_read(
    markdown: str, written: str | None
) -> None:
    found = assert_stable(markdown)

    assert written is None or found.markdown == written
    assert "\n      " not in found.markdown


@pytest.mark.parametrize("place", ["- [ ] a\n\n  {}\n", "- [ ] {}\n", "- [x] a\n- [ ] b\n\n  {}\n"])
def test_a_picture_in_a_task_is_refused(place: str) -> None:
    markdown = place.format("![shot](attachment:shot.png)")

    (piece,) = adf.dropped_pieces(markdown)
    assert "a picture needs a paragraph of its own" in piece.reason


def test_a_task_that_is_left_with_one_paragraph_is_a_usual_one() -> None:
    (tasks,) = adf.to_adf("- [ ] a\n\n  ***\n")["content"]

    assert [task["type"] for task in tasks["content"]] == ["taskItem"]
    assert_stable("- [ ] a\n\n  ***\n")


EMPTY = [
    "-\n",
    "- a\n-\n- b\n",
    "1.\n",
    "1. a\n2.\n3. c\n",
    "- a\n\n  -\n",
    ">\n",
    "- [ ]\n- [x] b\n",
]


@pytest.mark.parametrize("markdown", [*EMPTY, "> -\n", "> [!NOTE]\n>\n> -\n", "- \n\n  a\n"])
def test_an_empty_item_is_an_empty_item(markdown: str) -> None:
    assert adf.problems(adf.to_adf(markdown)) == ()
    assert adf.dropped_pieces(markdown) == ()
    assert_stable(markdown)


def test_an_empty_item_stands_among_the_others() -> None:
    (block,) = adf.to_adf("- a\n-\n- b\n")["content"]

    assert [item["content"] for item in block["content"]] == [
        [paragraph("a")],
        [{"type": "paragraph", "content": []}],
        [paragraph("b")],
    ]


def item(*blocks: Json) -> Json:
    return {"type": "listItem", "content": list(blocks)}


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

    assert adf.convert(document) == adf.Converted(markdown, exact=True)
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


@pytest.mark.parametrize(("markdown", "words"), DEFINITIONS.items())
def test_a_definition_that_no_link_uses_is_text(markdown: str, words: str | None) -> None:
    assert adf.dropped_pieces(markdown) == ()
    document = adf.to_adf(markdown)
    assert adf.problems(document) == ()
    assert text_of(document) == words or words is None
    assert_stable(markdown)


def test_a_definition_that_a_link_uses_is_none() -> None:
    document = adf.to_adf(
        "a [link][ A  b] and ![x][I]\n\n[a B]: https://example.com\n[i]: /x.png\n"
    )

    assert text_of(document).startswith("a link and")
    assert "example.com" not in text_of(document)


def test_definitions_keep_their_place_in_the_file() -> None:
    markdown = (
        "a [link][a]\n\n[b]: https://b.example\n\n* more\n\n[^1]: Note.\n\n[a]: https://a.example"
    )
    written = adf.to_markdown(adf.to_adf(markdown))

    assert adf.reworded(written, markdown) == markdown
    changed = adf.reworded(written.replace("more", "new"), markdown)
    assert changed == markdown.replace("more", "new")


@pytest.mark.parametrize("code", ["x = 1\n", ""])
@pytest.mark.parametrize("fence", ["```", "~~~"])
@pytest.mark.parametrize("lead", ["", "- ", "> "])
def test_the_first_word_behind_a_fence_is_the_language(lead: str, fence: str, code: str) -> None:
    rest = " " * len(lead) if lead == "- " else lead
    markdown = f'{lead}{fence}python title="a.py" {{1,3}}\n{rest}{code}{rest}{fence}\n'

    document = adf.to_adf(markdown)
    assert '"python"' in json.dumps(document)
    assert adf.dropped_pieces(markdown) == ()
    (piece,) = adf.unconverted_pieces(markdown)
    assert (piece.text, piece.line) == ('title="a.py" {1,3}', 1)
    assert adf.unconverted_pieces(markdown, before=markdown) == ()
    assert_stable(markdown)


def test_the_words_behind_a_fence_stay_in_the_file() -> None:
    markdown = '```python title="a.py"\nx = 1\n```\n'
    written = adf.to_markdown(adf.to_adf(markdown))

    assert written == "```python\nx = 1\n```\n"
    assert adf.reworded(written, markdown) == markdown.strip("\n")


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

    assert written.exact
    assert adf.dropped_pieces(written.markdown.replace("\n", " more\n")) == ()


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
