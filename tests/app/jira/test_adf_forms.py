"""Short forms, those of pictures among them: from Jira, by hand, and text that only looks so."""

from __future__ import annotations

import json
from random import Random

import pytest
from fakes.adf_nodes import Json, doc, item, node, paragraph as p, text
from fakes.examples import IN_STRESS
from fakes.form_documents import LOOKALIKES, FormMaker
from fakes.jira_documents import text_of
from hypothesis import given, strategies as st
from rows import for_each

from ticketr.app.jira import adf
from ticketr.app.jira.adf import _conversion
from ticketr.app.jira.adf._conversion import converts_to_unsized

SEEDS = range(1500 if IN_STRESS else 20)


def decision(*inlines: Json) -> Json:
    return node("decisionItem", {"localId": "", "state": "DECIDED"}, *inlines)


def cell(*blocks: Json) -> Json:
    head = node("tableRow", None, node("tableHeader", {}, p("h")))
    row = node("tableRow", None, node("tableCell", {}, *blocks))
    return node("table", {"layout": "default", "isNumberColumnEnabled": False}, head, row)


MIA = node("mention", {"id": "557058:f5-1_a", "text": "@Mia Krause", "accessLevel": ""})
DAY = node("date", {"timestamp": "1772323200000"})
DONE = node("status", {"text": "DONE", "color": "green", "localId": "x", "style": ""})
TADA = node("emoji", {"shortName": ":tada:", "id": "1f389", "text": "🎉"})
THUMB = node("emoji", {"shortName": ":thumbsup:", "id": "1f44d", "text": "👍"})
KEYCAP = node("emoji", {"shortName": ":one:", "id": "31-20e3", "text": "1\ufe0f\u20e3"})
CHECK = node(
    "emoji", {"shortName": ":check_mark:", "id": "atlassian-check_mark", "text": ":check_mark:"}
)
CARD = node("inlineCard", {"url": "https://e.x/a_b?c=d&e=f"})
LINK = {"type": "link", "attrs": {"href": "https://e.x/a"}}

#: What each form is in Jira, and in the file.
FORMS = {
    "a mention": (p("ask ", MIA, "!"), "ask @[Mia Krause](557058:f5-1_a)!"),
    "a mention with signs": (
        p(node("mention", {"id": "5f:1", "text": "@Mia [x] *K* 50%"})),
        "@[Mia \\[x\\] \\*K\\* 50%](5f:1)",
    ),
    "a mention without a name": (p(node("mention", {"id": "5f:1"})), "@[](5f:1)"),
    "mentions side by side": (p(MIA, MIA), "@[Mia Krause](557058:f5-1_a)" * 2),
    "a date": (p("due ", DAY), "due {2026-03-01}"),
    "a date of long ago": (p(node("date", {"timestamp": "-86400000"})), "{1969-12-31}"),
    "a status": (p(DONE), "`DONE`{green}"),
    "statuses side by side": (p(DONE, DONE, "x"), "`DONE`{green}`DONE`{green}x"),
    "a status with backquotes": (
        p(node("status", {"text": "a`b", "color": "neutral"})),
        "``a`b``{neutral}",
    ),
    "an emoji": (p("it works ", TADA), "it works :tada:"),
    "emoji side by side": (p(TADA, THUMB, ", x"), ":tada::thumbsup:, x"),
    "an emoji of Atlassian's": (p(CHECK), ":check_mark:"),
    "an emoji of several signs": (p(KEYCAP), ":one:"),
    "a card in a line": (p("see ", CARD, " now"), "see <https://e.x/a_b?c=d&e=f> now"),
    "a card that is a paragraph": (p(CARD), "<https://e.x/a_b?c=d&e=f>"),
    "a card and a blank": (p(CARD, " "), "<https://e.x/a_b?c=d&e=f>"),
    "a card in a panel": (
        node("panel", {"panelType": "info"}, p(CARD)),
        "> [!INFO]\n> <https://e.x/a_b?c=d&e=f>",
    ),
    "a card with the sign of a large one": (
        p(CARD, "{card}"),
        '<a adf="inlineCard" href="https://e.x/a_b?c=d&e=f">https://e.x/a_b?c=d&e=f</a>{card}',
    ),
    "a card of its own": (node("blockCard", {"url": "https://e.x"}), "<https://e.x>{card}"),
    "underlined": (p("a", text("b", "underline"), "c"), "a<u>b</u>c"),
    "underlined in part bold": (
        p(text("a ", "underline"), text("b", "underline", "strong")),
        "<u>a **b**</u>",
    ),
    "sub and sup": (
        p(
            "H",
            text("2", {"type": "subsup", "attrs": {"type": "sub"}}),
            text("3", {"type": "subsup", "attrs": {"type": "sup"}}),
        ),
        "H<sub>2</sub><sup>3</sup>",
    ),
    "a panel": (node("panel", {"panelType": "note"}, p("a", DAY)), "> [!NOTE]\n> a{2026-03-01}"),
    "a panel of a list": (
        node("panel", {"panelType": "success"}, node("bulletList", None, item(p("a")))),
        "> [!TIP]\n>\n> - a",
    ),
    "a panel with a heading, code and a rule": (
        node(
            "panel",
            {"panelType": "warning"},
            node("heading", {"level": 2}, text("H")),
            node("codeBlock", {}, text("x\n\n> y")),
            node("rule"),
        ),
        "> [!WARNING]\n>\n> ## H\n>\n> ```\n> x\n>\n> > y\n> ```\n>\n> ---",
    ),
    "an empty panel": (node("panel", {"panelType": "error"}, p()), "> [!CAUTION]\n>\n> <p></p>"),
    "an expand": (
        node("expand", {"title": "Q_A *x*"}, p("a")),
        "<details>\n<summary>Q_A *x*</summary>\n\na\n\n</details>",
    ),
    "an expand without a title": (node("expand", {}, p("a")), "<details>\n\na\n\n</details>"),
    "an expand in an expand": (
        node(
            "expand",
            {"title": "Out"},
            node("nestedExpand", {"title": "In"}, node("panel", {"panelType": "info"}, p("a"))),
            p("b"),
        ),
        (
            "<details>\n<summary>Out</summary>\n\n<details>\n<summary>In</summary>\n\n> [!INFO]\n> a\n\n"
            "</details>\n\nb\n\n</details>"
        ),
    ),
    "decisions": (
        node("decisionList", {"localId": ""}, decision(text("go "), MIA), decision(text(" b"))),
        "- <> go @[Mia Krause](557058:f5-1_a)\n- <> &#32;b",
    ),
    "a default table": (cell(p(MIA)), "| h |\n| --- |\n| @[Mia Krause](557058:f5-1_a) |"),
    "forms in a list": (
        node("bulletList", None, item(p(CARD)), item(p(TADA, " ", DONE))),
        "- <https://e.x/a_b?c=d&e=f>\n- :tada: `DONE`{green}",
    ),
    "forms in a heading": (
        node("heading", {"level": 3}, text("by "), DAY),
        "### by {2026-03-01}",
    ),
    "forms in a cell with blocks": (
        cell(p(DAY), node("panel", {"panelType": "info"}, p(TADA))),
        (
            "| h |\n| --- |\n| <p>{2026-03-01}</p>"
            '<aside adf="panel" params=\'{"panelType":"info"}\'><p>:tada:</p></aside> |'
        ),
    ),
}


@for_each(("block", "markdown"), FORMS.values())
def test_a_form_is_written_and_read(block: Json, markdown: str) -> None:
    document = doc(block)

    found = adf.convert(document)

    assert found == adf.MaybeLossyMarkdown(f"{markdown}\n", is_lossless=True)
    assert adf.canonical(adf.to_adf(markdown)) == adf.canonical(document)
    assert adf.find_problems(adf.to_adf(markdown)) == ()
    assert adf.lost_texts(markdown) == ()
    assert adf.faulty_pieces(markdown) == ()


#: What a hand writes, and what it is.
BY_HAND = {
    "> [!note]\n> a": node("panel", {"panelType": "note"}, p("a")),
    "> [!IMPORTANT]\n> a": node("panel", {"panelType": "note"}, p("a")),
    "> [!ERROR]\n> a\n> b": node("panel", {"panelType": "error"}, p("a b")),
    "> [!HINT]": node("panel", {"panelType": "tip"}, p()),
    "> [!TIP]\n>\n> a\n>\n> b": node("panel", {"panelType": "success"}, p("a"), p("b")),
    "<details><summary>T</summary>\n\na\n\n</details>": node("expand", {"title": "T"}, p("a")),
    "<details>\n<summary>T</summary>\na\n</details>": node("expand", {"title": "T"}, p("a")),
    "<details><summary>T</summary>a</details>": node("expand", {"title": "T"}, p("a")),
    "<details open>\na\n</details>": node("expand", {}, p("a")),
    "`DONE`{grey}": p(node("status", {"text": "DONE", "color": "neutral"})),
    "**`DONE`{red}**": p(node("status", {"text": "DONE", "color": "red"})),
    "*due {2026-03-01}*": p(text("due ", "em"), DAY),
    ":+1:": p(THUMB),
    "a\n<https://e.x>\nb": p("a ", node("inlineCard", {"url": "https://e.x"}), " b"),
    "> <https://e.x>": node("blockquote", None, p(node("inlineCard", {"url": "https://e.x"}))),
    "@[Mia\nKrause](557058:f5-1_a)": p(MIA),
    "@[x](<5f:1>)": p(node("mention", {"id": "5f:1", "text": "@x"})),
    "* <> a": node("decisionList", {"localId": ""}, decision(text("a"))),
    "a <u>b *c*</u>": p("a ", text("b ", "underline"), text("c", "em", "underline")),
    "[<u>a</u>](https://e.x/a)": p(text("a", LINK, "underline")),
    "| h |\n|-|\n| <details><summary>T</summary>a</details> |": cell(
        node("nestedExpand", {"title": "T"}, p("a"))
    ),
}


@for_each(("markdown", "block"), BY_HAND.items())
def test_a_form_may_be_written_in_other_ways(markdown: str, block: Json) -> None:
    assert adf.canonical(adf.to_adf(markdown)) == adf.canonical(doc(block))
    assert adf.find_problems(adf.to_adf(markdown)) == ()
    assert adf.lost_texts(markdown) == ()


#: Text in a file that makes no form, and what it is in Jira.
TEXTS = {
    "\\@[x](5f:1)": "@x",
    "@\\[x](5f:1)": "@[x](5f:1)",
    "@[x](https://e.x)": "@x",
    "@[*x*](5f:1)": "@x",
    "\\{2026-03-01} `{2026-03-01}`": "{2026-03-01} {2026-03-01}",
    "{2026-02-30} {2026-3-1}": "{2026-02-30} {2026-3-1}",
    "\\:tada: `:tada:` :nope: a:tada: ::tada:: std::smile::x": (
        ":tada: :tada: :nope: a:tada: ::tada:: std::smile::x"
    ),
    "https://e.x/:tada: https://e.x/a:smile:": "https://e.x/:tada: https://e.x/a:smile:",
    "`a`\\{green} `a`{gren} a{green} {green}": "a{green} a{gren} a{green} {green}",
    "> \\[!NOTE]\n> a": "[!NOTE] a",
    "> a\n> [!NOTE]": "a [!NOTE]",
    "> [!NOTE] a": "[!NOTE] a",
    "[!NOTE]\na": "[!NOTE] a",
    "- \\<> a": "<> a",
    "1. <> a": "<> a",
    "<> a": "<> a",
    "\\<u>a</u> <u>b": "<u>a</u> <u>b",
    "\\<details>\na\n</details>": "<details> a </details>",
    "\\<https://e.x>": "<https://e.x>",
    "```\n> [!NOTE]\n@[x](y) {2026-03-01} :tada: \\{ \\: \\@ \\[! <u>a</u>\n```": (
        "> [!NOTE]\n@[x](y) {2026-03-01} :tada: \\{ \\: \\@ \\[! <u>a</u>"
    ),
    "    <details>\n    a\n    </details>": "<details>\na\n</details>",
    "`\\{ \\: \\@ \\[! <https://e.x> <u>`": "\\{ \\: \\@ \\[! <https://e.x> <u>",
}


@for_each(("markdown", "words"), TEXTS.items())
def test_what_only_looks_like_a_form_is_text(markdown: str, words: str) -> None:
    document = adf.to_adf(markdown)

    assert text_of(document) == words
    found = adf.convert(document)
    assert found.is_lossless
    assert "adf=" not in found.markdown


#: Nodes of which a short form does not say all.
LONG = [
    node("mention", {"id": "5f:1", "text": "@Mia", "userType": "APP"}),
    node("mention", {"id": "5f:1", "text": "Mia"}),
    node("mention", {"id": "a b", "text": "@Mia"}),
    node("status", {"text": "x", "color": "#ff0000"}),
    node("status", {"text": "x", "color": "red", "style": "bold"}),
    node("date", {"timestamp": "1772323200001"}),
    node("emoji", {"shortName": ":tada:", "id": "other", "text": "🎉"}),
    node("emoji", {"shortName": ":ours:", "id": "b1-c2", "text": ":ours:"}),
    node("inlineCard", {"url": "/browse/A-1"}),
    node("inlineCard", {"url": "https://e.x/a|b"}),
    node("inlineCard", {"data": {"url": "https://e.x"}}),
]


@for_each("inline", LONG)
def test_a_node_that_a_form_cannot_say_stays_html(inline: Json) -> None:
    document = doc(p("a ", inline, " b"))
    found = adf.convert(document)
    assert found.is_lossless
    assert "adf=" in found.markdown


@pytest.mark.parametrize(
    "block",
    [
        node("panel", {"panelType": "custom", "panelColor": "#ffffff"}, p("a")),
        node("expand", {"title": "a <b>"}, p("a")),
        node("expand", {"title": "C:\\{x} \\@"}, p("a")),
        node("blockCard", {"url": "https://e.x", "layout": "wide"}),
        node(
            "decisionList",
            {"localId": ""},
            node("decisionItem", {"localId": "", "state": "UNDECIDED"}, text(":tada: "), TADA),
        ),
        {**node("expand", {}, p("a")), "marks": [{"type": "breakout", "attrs": {"mode": "wide"}}]},
    ],
    ids=str,
)
def test_a_block_that_a_form_cannot_say_stays_html(block: Json) -> None:
    found = adf.convert(doc(block))
    assert found.is_lossless
    assert "adf=" in found.markdown


@pytest.mark.parametrize("inline", [MIA, DAY, DONE, TADA, CARD], ids=str)
def test_a_file_with_the_html_of_earlier_versions_means_the_same(inline: Json) -> None:
    document = adf.canonical(doc(p("a ", inline)))
    markdown = _conversion.render_noting_short_forms(adf.canonical(document), long=(0,))[0]

    assert "adf=" in markdown
    assert adf.canonical(adf.to_adf(markdown)) == document


@pytest.mark.laws
@for_each("seed", SEEDS)
def test_documents_full_of_forms_come_back_as_they_are(seed: int) -> None:
    document = FormMaker(Random(seed)).document()
    found = adf.convert(document)
    back = adf.to_adf(found.markdown)

    assert found.is_lossless == (adf.canonical(back) == adf.canonical(document))
    if found.is_lossless:
        assert text_of(back) == text_of(document)
        assert adf.to_markdown(back) == found.markdown
        assert adf.faulty_pieces(found.markdown, before=found.markdown) == ()


@pytest.mark.laws
def test_nearly_all_documents_full_of_forms_are_exact() -> None:
    documents = [FormMaker(Random(seed)).document() for seed in SEEDS]
    exact = sum(adf.convert(document).is_lossless for document in documents)
    assert exact >= 0.97 * len(documents)


@pytest.mark.laws
@for_each("seed", SEEDS)
def test_hostile_documents_are_exact_or_reported_as_inexact(seed: int) -> None:
    document = FormMaker(Random(seed), hostile=True).document()
    found = adf.convert(document)
    back = adf.to_adf(found.markdown)

    assert found.is_lossless == (adf.canonical(back) == adf.canonical(document))
    if found.is_lossless:
        assert text_of(back) == text_of(document)


@given(st.lists(st.sampled_from(LOOKALIKES), max_size=6))
def test_any_text_like_a_form_is_exact(pieces: list[str]) -> None:
    words = "".join(pieces).replace("\n", " ")
    block = p(words) if words else p()
    quoted = node("blockquote", None, block, node("bulletList", None, item(block)))
    found = adf.convert(doc(block, quoted))

    assert found.is_lossless
    assert text_of(adf.to_adf(found.markdown)) == words.rstrip(" ") * 3


@given(st.lists(st.sampled_from(LOOKALIKES), max_size=8))
def test_any_markdown_like_a_form_is_a_document(pieces: list[str]) -> None:
    markdown = "".join(pieces)
    document = adf.to_adf(markdown)
    assert json.dumps(document).isascii()
    adf.faulty_pieces(markdown)
    adf.faulty_pieces(markdown)


SHOT, PLAN = "6b2ad1f1-1", "6b2ad1f1-2"
FILES = {"shot.png": SHOT, "my plan (2).pdf": PLAN}


def picture(attrs: Json | None = None, identity: str = SHOT, **media: object) -> Json:
    node = {"type": "media", "attrs": {"type": "file", "id": identity, "collection": "", **media}}
    return {"type": "mediaSingle", "attrs": attrs or {"layout": "center"}, "content": [node]}


FILE_FORMS = {
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


@pytest.mark.parametrize(("markdown", "block"), FILE_FORMS.items())
def test_a_picture_is_written_and_read_by_the_name_of_its_file(markdown: str, block: Json) -> None:
    written = markdown.replace("*", "\\*")
    document = doc(p("a"), block)
    found = adf.convert(document, media_ids=FILES)

    assert found == adf.MaybeLossyMarkdown(f"a\n\n{written}\n", is_lossless=True)
    assert adf.canonical(adf.to_adf(found.markdown, media_ids=FILES)) == adf.canonical(document)
    assert converts_to_unsized(found.markdown, adf.unsized_canonical(document), FILES)
    assert adf.find_problems(adf.to_adf(found.markdown, media_ids=FILES)) == ()
    assert adf.lost_texts(found.markdown) == ()
    assert adf.faulty_pieces(found.markdown, media_ids=FILES) == ()


def test_a_picture_may_stand_in_a_list_a_quote_and_a_panel() -> None:
    item = {"type": "listItem", "content": [p("x"), picture()]}
    blocks: list[Json] = [
        {"type": "bulletList", "content": [item]},
        {"type": "blockquote", "content": [p("x"), picture()]},
        {"type": "panel", "attrs": {"panelType": "note"}, "content": [picture(alt="a"), p("x")]},
    ]
    found = adf.convert(doc(*blocks), media_ids=FILES)
    assert found.is_lossless
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
    found = adf.convert(doc(block), media_ids=FILES)
    assert "adf=" in found.markdown


@pytest.mark.parametrize("width", ["100.5%", "250%"])
def test_a_picture_wider_than_jira_takes_is_refused_not_made_narrower(width: str) -> None:
    (piece,) = adf.faulty_pieces(f"![a](attachment:shot.png){{wide {width}}}", media_ids=FILES)

    assert piece.is_lost
    assert "at most 100%" in piece.outcome_and_advice
    assert adf.faulty_pieces("![a](attachment:shot.png){wide 100%}", media_ids=FILES) == ()


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

    assert text_of(adf.to_adf(markdown, media_ids=files)) == markdown
    (piece,) = adf.faulty_pieces(f"x\n\n{markdown}", media_ids=files)
    assert piece.line == 3
    assert "its ticket has no file of that name" in piece.outcome_and_advice
    assert adf.lost_texts(markdown) == ()


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
    assert SHOT not in str(adf.to_adf(markdown, media_ids=FILES))


def test_text_like_a_picture_comes_back_as_text() -> None:
    found = adf.convert(doc(p("![a](attachment:shot.png)")), media_ids=FILES)
    assert found.is_lossless
    assert "media" not in str(adf.to_adf(found.markdown, media_ids=FILES))


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
    found = adf.lone_local_picture_addresses(LOCAL)

    assert found == ("pics/a.png", "b c.png", "d(1).png")
    escaped = adf.lone_local_picture_addresses(
        "![](a\\_b.png)\n\n![](<\\<c\\>.png>)\n\n![](pics\\d\\(.png)"
    )
    assert escaped == ("a_b.png", "<c>.png", "pics\\d(.png")
    assert adf.lone_local_picture_addresses("a [link](b.png)") == ()
    assert adf.lone_local_picture_addresses("![a] (b.png)") == ()
    assert adf.lone_local_picture_addresses("![](b.png) " + "x" * adf.MAX_JIRA_CHARACTERS) == ()


def test_pictures_of_files_on_disk_become_attachments_or_text() -> None:
    named = adf.with_pictures_as_attachments(LOCAL, {"pics/a.png": "a.png", "b c.png": "b c.png"})
    assert named == LOCAL.replace("(pics/a.png)", "(attachment:a.png)").replace(
        "<b c.png>", "<attachment:b c.png>"
    )
    assert adf.with_pictures_as_attachments(LOCAL, {}) == LOCAL

    bare = adf.with_pictures_as_text(LOCAL, {"pics/a.png"})
    assert bare == LOCAL.replace("![a](pics", "!\\[a](pics")
    assert text_of(adf.to_adf(bare)).startswith("![a](pics/a.png){wide}")
    assert adf.with_pictures_as_text(LOCAL, ()) == LOCAL


def test_names_stand_in_the_place_of_media_ids() -> None:
    document = adf.to_adf(
        "![a](attachment:x.png)\n\n![a](attachment:y.png)", media_ids=adf.NAMES_AS_MEDIA_IDS
    )

    assert adf.pictured_files(document) == (
        adf.PicturedFile("attachment:x.png", "a"),
        adf.PicturedFile("attachment:y.png", "a"),
    )
    changed = adf.with_replaced_media_ids(document, {"attachment:x.png": SHOT})
    assert [each.media_id for each in adf.pictured_files(changed)] == [SHOT, "attachment:y.png"]
    assert changed["content"][1] is document["content"][1]
    assert adf.pictured_files(document)[0].media_id == "attachment:x.png"
    assert adf.with_replaced_media_ids(document, {}) is document


@pytest.mark.parametrize(
    "document", [None, "x", [], {"type": "mediaSingle"}, {"content": [{"content": 3}, 5]}]
)
def test_what_is_no_document_shows_no_file(document: object) -> None:
    assert adf.pictured_files(document) == ()
