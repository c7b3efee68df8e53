"""Test pictures of files that are attached to an issue."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.jira_documents import text_of

from ticketr.app.jira import adf

Json = dict[str, Any]
SHOT, PLAN = "6b2ad1f1-1", "6b2ad1f1-2"
FILES = {"shot.png": SHOT, "my plan (2).pdf": PLAN}


def doc(*blocks: Json) -> Json:
    return {"type": "doc", "version": 1, "content": list(blocks)}


def p(words: str) -> Json:
    return {"type": "paragraph", "content": [{"type": "text", "text": words}]}


def picture(attrs: Json | None = None, identity: str = SHOT, **media: object) -> Json:
    node = {"type": "media", "attrs": {"type": "file", "id": identity, "collection": "", **media}}
    return {"type": "mediaSingle", "attrs": attrs or {"layout": "center"}, "content": [node]}


FORMS = {
    "![](attachment:shot.png)": picture(),
    "![The *shot*](attachment:shot.png)": picture(alt="The *shot*"),
    "![](<attachment:my plan (2).pdf>)": picture(identity=PLAN),
    "![a](attachment:shot.png){wide}": picture({"layout": "wide"}, alt="a"),
    "![a](attachment:shot.png){640px 1200x800}": picture(
        {"layout": "center", "width": 640, "widthType": "pixel"}, alt="a", width=1200, height=800
    ),
    "![a](attachment:shot.png){wrap-left 66.67%}": picture(
        {"layout": "wrap-left", "width": 66.67, "widthType": "percentage"}, alt="a"
    ),
}


@pytest.mark.parametrize(("markdown", "block"), FORMS.items())
def test_a_picture_is_written_and_read_by_the_name_of_its_file(markdown: str, block: Json) -> None:
    written = markdown.replace("*", "\\*")
    document = doc(p("a"), block)
    found = adf.convert(document, files=FILES)

    assert found == adf.Converted(f"a\n\n{written}\n", exact=True)
    assert adf.canonical(adf.to_adf(found.markdown, files=FILES)) == adf.canonical(document)
    assert adf.is_exact(document, found.markdown, files=FILES)
    assert adf.problems(adf.to_adf(found.markdown, files=FILES)) == ()
    assert adf.dropped_texts(found.markdown) == ()
    assert adf.unconverted_pieces(found.markdown, files=FILES) == ()


def test_a_picture_may_stand_in_a_list_a_quote_and_a_panel() -> None:
    item = {"type": "listItem", "content": [p("x"), picture()]}
    blocks: list[Json] = [
        {"type": "bulletList", "content": [item]},
        {"type": "blockquote", "content": [p("x"), picture()]},
        {"type": "panel", "attrs": {"panelType": "note"}, "content": [picture(alt="a"), p("x")]},
    ]
    found = adf.convert(doc(*blocks), files=FILES)
    assert found.exact
    assert "adf=" not in found.markdown
    assert found.markdown.count("](attachment:shot.png)") == 3


@pytest.mark.parametrize(
    "block",
    [
        picture(identity="other"),
        picture({"layout": "center", "width": 50}),
        picture(collection="jira-1"),
        picture(alt="a|b"),
        picture(width=12.5, height=3),
        {**picture(), "marks": [{"type": "link", "attrs": {"href": "https://e.x"}}]},
    ],
    ids=str,
)
def test_a_picture_that_the_form_cannot_say_stays_html(block: Json) -> None:
    found = adf.convert(doc(block), files=FILES)
    assert "adf=" in found.markdown


@pytest.mark.parametrize(
    "markdown",
    [
        "![a](attachment:nope.png)",
        "![](<attachment:no such file.png>)",
        "![a](attachment:shot.png)",
    ],
)
def test_a_picture_of_no_attached_file_is_text_with_a_warning(markdown: str) -> None:
    files = {} if "shot" in markdown else FILES

    assert text_of(adf.to_adf(markdown, files=files)) == markdown
    (piece,) = adf.unconverted_pieces(f"x\n\n{markdown}", files=files)
    assert piece.line == 3
    assert "its ticket has no file of that name" in piece.reason
    assert adf.dropped_texts(markdown) == ()


@pytest.mark.parametrize(
    "markdown",
    [
        "\\![a](attachment:shot.png)",
        "`![a](attachment:shot.png)`",
        "!\\[a](attachment:shot.png)",
        "![a](attachment:shot.png){huge}",
        "![a](attachment:)",
        '![a](attachment:shot.png "title")',
    ],
)
def test_what_is_no_picture_of_a_file_is_none(markdown: str) -> None:
    assert SHOT not in str(adf.to_adf(markdown, files=FILES))


def test_text_like_a_picture_comes_back_as_text() -> None:
    found = adf.convert(doc(p("![a](attachment:shot.png)")), files=FILES)
    assert found.exact
    assert "media" not in str(adf.to_adf(found.markdown, files=FILES))


LOCAL = """\
![a](pics/a.png){wide}

- ![](<b c.png>)

> ![x](d(1).png)

see ![](e.png) here

`![](f.png)`

\\![](g.png) ![](https://e.x/h.png)

![](attachment:i.png)

[![](j.png)](https://e.x)
"""


def test_pictures_of_files_on_disk_are_found_where_they_stand_alone() -> None:
    found = adf.local_pictures(LOCAL)

    assert [(each.address, each.line) for each in found] == [
        ("pics/a.png", 1),
        ("b c.png", 3),
        ("d(1).png", 5),
    ]
    escaped = adf.local_pictures("![](a\\_b.png)\n\n![](<\\<c\\>.png>)\n\n![](pics\\d\\(.png)")
    assert [each.address for each in escaped] == ["a_b.png", "<c>.png", "pics\\d(.png"]
    assert adf.local_pictures("a [link](b.png)") == ()
    assert adf.local_pictures("![a] (b.png)") == ()
    assert adf.local_pictures("![](b.png) " + "x" * adf.LONGEST_TEXT) == ()


def test_pictures_of_files_on_disk_become_attachments_or_text() -> None:
    named = adf.with_attachments(LOCAL, {"pics/a.png": "a.png", "b c.png": "b c.png"})
    assert named == LOCAL.replace("(pics/a.png)", "(attachment:a.png)").replace(
        "<b c.png>", "<attachment:b c.png>"
    )
    assert adf.with_attachments(LOCAL, {}) == LOCAL

    bare = adf.without_pictures(LOCAL, {"pics/a.png"})
    assert bare == LOCAL.replace("![a](pics", "!\\[a](pics")
    assert text_of(adf.to_adf(bare)).startswith("![a](pics/a.png){wide}")
    assert adf.without_pictures(LOCAL, ()) == LOCAL


def test_names_stand_in_the_place_of_media_ids() -> None:
    document = adf.to_adf("![a](attachment:x.png)\n\n![a](attachment:y.png)", files=adf.BY_NAME)

    assert adf.shown_files(document) == (
        adf.ShownFile("attachment:x.png", "a"),
        adf.ShownFile("attachment:y.png", "a"),
    )
    assert (len(adf.BY_NAME), list(adf.BY_NAME)) == (0, [])
    changed = adf.with_media_ids(document, {"attachment:x.png": SHOT})
    assert [each.media for each in adf.shown_files(changed)] == [SHOT, "attachment:y.png"]
    assert changed["content"][1] is document["content"][1]
    assert adf.shown_files(document)[0].media == "attachment:x.png"
    assert adf.with_media_ids(document, {}) is document


@pytest.mark.parametrize(
    "document", [None, "x", [], {"type": "mediaSingle"}, {"content": [{"content": 3}, 5]}]
)
def test_what_is_no_document_shows_no_file(document: object) -> None:
    assert adf.shown_files(document) == ()
