"""Simple documents: their Markdown is written without marklas, and reads back as the same document."""

from __future__ import annotations

from dataclasses import astuple
from random import Random

import pytest
from fakes.adf_from_schema import FromSchema
from fakes.adf_nodes import Json, doc, item, node, paragraph, text
from fakes.jira_documents import Maker
from hypothesis import given, strategies as st
from rows import for_each

from jira_sandbox import make_site
from ticketr.app.jira import adf
from ticketr.app.jira.adf import _conversion
from ticketr.app.jira.adf._conversion import converts_to_unsized
from ticketr.app.jira.adf._simple import simple_markdown, write_simple_blocks
from ticketr.app.sync.compare.diff import description_adf, description_text, simple_description
from ticketr.app.tickets import Ticket

#: Words and signs that may stand in a simple line, and some that may not, or not everywhere.
HARMLESS = (
    *("→€£§©°±", "02:30", "1:100:2", "a:1", "1:"),
    *(".,;:?!'\"()-/%$=+&#–—…’“aI7éß²" + " " * 9),
    *(
        "Two words",
        "x1",
        "東京",
        "R&D",
        "#12",
        "  ",
        "1. ",
        "10. ",
        "- ",
        "+ ",
        "1.",
        "2)",
        "##",
        "--",
    ),
    *("://", "http://a.b", ":smile:", ":+1:", "&amp;", "&#32;", "C++", "e.g.", "===", "\u0661. "),
)
PIECES = (
    *HARMLESS,
    *"*_`~|<>\\[]@{}^\n\t\xa0\u2028\ufdd0\u200b",
    *("a_b", "www.a.b", "a@b.c", "{2026-01-01}", "<br>", "[x] ", "0) "),
)
words = st.one_of(
    st.sampled_from(
        ("word", "Two words", "7 of 9", "Why not: a, b", "(see 1.2)", "C++ & D", "a-b")
    ),
    st.lists(st.sampled_from(HARMLESS), min_size=1, max_size=4).map("".join),
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join),
)
MARKS = ("strong", "em", "code", "strike", "underline")
texts = st.builds(text, words)
marked = st.builds(text, words, st.sampled_from(MARKS))
addresses = st.one_of(
    st.sampled_from(
        (
            "https://example.com",
            "https://example.com/a?b=c&d=e",
            "http://a.b:80/c_d_e/f-g,h~i+j/",
            "https://a.b/c#d",
            "https://a.b/%20",
            "https://a.b/(c)",
            "mailto:a@b.c",
            "/c",
        )
    ),
    st.text("ab1_-.~/?&=+,;*()#%", max_size=8).map(lambda end: f"https://a.b/{end}"),
)
links = st.builds(
    lambda words, address, kinds, more: {
        "type": "text",
        "text": words,
        "marks": [
            *({"type": kind} for kind in kinds),
            {"type": "link", "attrs": {"href": address, **more}},
        ],
    },
    st.one_of(words, st.sampled_from(("www.a.b", "a.b/c", "the notes"))),
    addresses,
    st.lists(st.sampled_from(MARKS), max_size=2),
    st.sampled_from(({}, {}, {}, {"title": "a"})),
)
cards = addresses.map(lambda address: {"type": "inlineCard", "attrs": {"url": address}})
mentions = st.builds(
    lambda account, name, more: {"type": "mention", "attrs": {"id": account, "text": name, **more}},
    st.sampled_from(
        ("5b10ac8d82e05b22cc7d4ef5", "557058:2a3b4c5d-6e7f-4081-92a3-000000000004", "x")
    ),
    st.one_of(st.just("@Mia Ørsted"), words.map(lambda name: f"@{name}")),
    st.sampled_from(({}, {"accessLevel": ""}, {"localId": "a"}, {"accessLevel": "SITE"})),
)
breaks = st.sampled_from(({"type": "hardBreak"}, {"type": "hardBreak", "attrs": {"text": "\n"}}))
blanks = st.sampled_from((text(" "), text("a "), text(" b"), text(" c ")))
shown = st.one_of(
    st.builds(
        lambda label, color, more: {
            "type": "status",
            "attrs": {"text": label, "color": color, **more},
        },
        words,
        st.sampled_from(("neutral", "green", "teal")),
        st.sampled_from(({}, {"localId": "a"}, {"style": "bold"})),
    ),
    st.sampled_from(("0", "1770940800000", "-86400000", "253402214400000", "1", "9" * 15, "٣")).map(
        lambda stamp: {"type": "date", "attrs": {"timestamp": stamp}}
    ),
    st.sampled_from(
        (
            {"shortName": ":ship:", "id": "1f6a2", "text": "🚢"},
            {"shortName": ":ship:", "id": "1f6a2", "text": "s"},
            {"shortName": ":thumbsup:", "id": "1f44d", "text": "👍"},
            {"shortName": ":+1:", "id": "1f44d", "text": "👍"},
            {"shortName": ":zzz 1f4a4:", "id": "1f4a4", "text": "💤"},
        )
    ).map(lambda attrs: {"type": "emoji", "attrs": attrs}),
)
tagged = st.builds(
    lambda words, *marks: {"type": "text", "text": words, "marks": list(marks)},
    words,
    st.sampled_from(
        (
            {"type": "underline"},
            {"type": "subsup", "attrs": {"type": "sub"}},
            {"type": "subsup", "attrs": {"type": "sup"}},
            {"type": "textColor", "attrs": {"color": "#ff5630"}},
            {"type": "textColor", "attrs": {"color": "#FF5630"}},
        )
    ),
)
inlines = st.one_of(texts, blanks, marked, mentions, breaks, links, cards, shown, tagged)
lines = st.one_of(st.lists(texts, min_size=1, max_size=1), st.lists(inlines, max_size=5))
paragraphs = lines.map(lambda line: paragraph(*line))
ids = st.sampled_from(({}, {}, {"localId": "1"}))
items: st.SearchStrategy[Json] = st.deferred(
    lambda: st.builds(
        lambda line, below, attrs: {**item(line, *below), **({"attrs": attrs} if attrs else {})},
        paragraphs,
        st.lists(nested, max_size=1),
        ids,
    )
)
nested: st.SearchStrategy[Json] = st.deferred(
    lambda: st.builds(
        lambda kind, attrs, made: node(kind, attrs, *made),
        st.sampled_from(("bulletList", "orderedList")),
        st.sampled_from(({}, {}, {"order": 1}, {"order": 3}, {"localId": "b"})),
        st.lists(items, max_size=3),
    )
)
headings = st.builds(
    lambda level, line, attrs: node("heading", {"level": level, **attrs}, *line),
    st.sampled_from((1, 2, 3, 6, 7)),
    lines,
    ids,
)
codes = st.builds(
    lambda language, code: node("codeBlock", {"language": language}, text(code)),
    st.sampled_from(("", "sql", "python", "c++")),
    st.one_of(words, st.lists(words, min_size=1, max_size=4).map("\n".join)).flatmap(
        lambda code: st.sampled_from((code, f"{code}\n", f"{code}\n\n"))
    ),
)
rules = st.sampled_from(({"type": "rule"}, {"type": "rule", "content": {}}))
inner = st.lists(
    st.one_of(paragraphs, paragraphs, headings, nested, codes, rules), min_size=1, max_size=3
)
boxes = st.builds(
    lambda state, line, attrs: node("taskItem", {"state": state, **attrs}, *line),
    st.sampled_from(("TODO", "DONE", "DONE", "x")),
    lines,
    ids,
)
cells = st.builds(
    lambda kind, attrs, content: node(kind, attrs, *content),
    st.sampled_from(("tableCell",) * 9 + ("tableHeader",)),
    st.sampled_from(({}, {}, {}, {"colspan": 1, "rowspan": 1, "colwidth": [90]}, {"colspan": 2})),
    st.one_of(
        st.lists(paragraphs, min_size=1, max_size=1),
        st.lists(paragraphs, min_size=1, max_size=1),
        inner,
    ),
)


def table(attrs: Json, rows: list[list[Json]], *, with_names: bool) -> Json:
    """Return a table, of whose cells those in the first row are headers."""
    head = [{**cell, "type": "tableHeader"} if with_names else cell for cell in rows[0]]
    return node("table", attrs, *(node("tableRow", None, *row) for row in (head, *rows[1:])))


tables = st.integers(1, 3).flatmap(
    lambda width: st.builds(
        table,
        st.sampled_from(
            ({}, {"isNumberColumnEnabled": False, "layout": "default"}, {"layout": "wide"})
        ),
        st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=3),
        with_names=st.sampled_from((True, True, True, False)),
    )
)
forms = st.one_of(
    inner.map(lambda made: node("blockquote", None, *made)),
    st.builds(
        lambda kind, made: node("panel", {"panelType": kind}, *made),
        st.sampled_from(("info", "note", "success", "warning", "error", "tip", "custom")),
        inner,
    ),
    st.builds(
        lambda attrs, made: node("expand", attrs, *made),
        st.one_of(
            st.sampled_from((None, {}, {"title": ""}, {"title": "Two words"})),
            words.map(lambda title: {"title": title}),
        ),
        inner,
    ),
    st.builds(lambda attrs, made: node("taskList", attrs, *made), ids, st.lists(boxes, max_size=3)),
    tables,
)
blocks = st.one_of(paragraphs, paragraphs, headings, nested, codes, rules, forms, forms)
documents = st.lists(blocks, max_size=4).map(lambda made: doc(*made))


def assert_exact_if_simple(document: Json) -> bool:
    """Assert that a simple document is what marklas writes and reads back; return if it is one."""
    markdown = simple_markdown(document)
    if markdown is not None:
        assert _conversion.write_lossless_short_forms(document, {}) == adf.MaybeLossyMarkdown(
            markdown, is_lossless=True
        )
        assert converts_to_unsized(markdown, adf.unsized_canonical(document))
    return bool(markdown)


@given(documents)
def test_a_document_that_passes_reads_back_exactly(document: Json) -> None:
    assert_exact_if_simple(document)


@given(st.lists(forms, min_size=1, max_size=2))
def test_forms_that_pass_read_back_exactly(made: list[Json]) -> None:
    assert_exact_if_simple(doc(*made))


@given(
    st.lists(st.one_of(texts, blanks, marked, links, cards, shown, tagged), min_size=1, max_size=4)
)
def test_a_line_that_passes_reads_back_exactly(line: list[Json]) -> None:
    assert_exact_if_simple(doc(paragraph(*line)))


def assert_parts_are_the_whole(document: Json) -> bool:
    """Assert that a document whose parts are exact is exact; return whether it has such parts."""
    if not document["content"]:
        return False
    try:
        markdown, exact = astuple(_conversion.convert_in_parts(write_simple_blocks(document), {}))
    except TypeError:  # marklas trusts its input
        return False
    if exact:
        assert _conversion.write_lossless_short_forms(document, {}).markdown == markdown
        assert converts_to_unsized(markdown, adf.unsized_canonical(document))
        assert adf.convert(document) == adf.MaybeLossyMarkdown(markdown, is_lossless=True)
    return bool(exact)


@pytest.mark.parametrize("hostile", [False, True])
def test_documents_as_people_write_them_that_pass_read_back_exactly(*, hostile: bool) -> None:
    for seed in range(200):
        document = Maker(Random(seed), hostile=hostile).document()
        assert_exact_if_simple(document)
        assert_parts_are_the_whole(document)


ODD = ("panel", "expand", "taskList", "decisionList", "blockquote", "table", "extension")


def test_simple_blocks_between_odd_ones_need_not_be_read_back() -> None:
    chance, passed = Random(1), 0
    maker, schema = Maker(chance, hostile=True), FromSchema(chance)
    simple = [document["content"][0] for document, markdown in SIMPLE if markdown]
    for _ in range(300):
        odd = [*maker.document()["content"][:1], schema.node(chance.choice(ODD))]
        made = [*chance.sample(simple, 2), *odd[chance.randrange(2) :]]
        passed += assert_parts_are_the_whole(doc(*chance.sample(made, len(made))))
    assert passed > 30


def test_simple_text_is_less_work_than_what_marklas_converts() -> None:
    plain, odd = paragraph(text("word " * 200 + "word")), paragraph(text("*odd* " * 200))
    assert adf.conversion_cost(doc(plain), 10**6) < adf.conversion_cost(doc(odd), 10**6) / 5
    assert adf.conversion_cost(doc(plain, odd), 10**6) > adf.conversion_cost(doc(odd), 10**6)
    assert adf.conversion_cost(doc(*[odd] * 9), 1000) > 1000
    assert adf.conversion_cost(doc(*[plain] * 99), 1000) > 1000
    assert adf.conversion_cost("no document", 1000) == 3 + len("no document")


def test_blocks_that_mean_something_to_each_other_are_read_back_together() -> None:
    bullets = node("bulletList", None, item(paragraph(text("a"))))
    tasks = node("taskList", {"localId": "1"}, node("taskItem", {"localId": "2", "state": "TODO"}))
    for lists in ([bullets, bullets], [bullets, tasks], [tasks, bullets]):
        assert write_simple_blocks(doc(*lists)) == [lists]
    definition = paragraph(text("[a]: https://example.com", "strike"))
    assert not _conversion.convert_in_parts(
        write_simple_blocks(doc(paragraph(text("a")), definition)), {}
    ).is_lossless
    assert adf.convert(doc(paragraph(text("a")), paragraph(text("\ufdd0")))).is_lossless


def test_most_descriptions_of_the_sandbox_pass() -> None:
    site = make_site(tickets=300, seed=1)
    documents = [issue.description for issue in site.by_id.values() if issue.description]
    simple = sum(map(assert_exact_if_simple, documents))
    assert simple > len(documents) * 0.9


EMPTY_CELL = node("tableCell", {}, paragraph())
SIMPLE = [
    (doc(), ""),
    (doc(paragraph(text("Plain words, (one) line."))), "Plain words, (one) line.\n"),
    (doc(node("heading", {"level": 2}, text("Why: A & B"))), "## Why: A & B\n"),
    (doc(paragraph(text("Goal: ", "strong"), text("all"))), "**Goal:** all\n"),
    (doc(paragraph(text("See "), text("a", "code"), text("."))), "See `a`.\n"),
    (doc(paragraph(text("a"), {"type": "hardBreak"}, text("b"))), "a<br>b\n"),
    (
        doc(
            node(
                "bulletList",
                None,
                item(paragraph(text("a")), node("orderedList", None, item(paragraph(text("b"))))),
            )
        ),
        "- a\n  1. b\n",
    ),
    (doc(node("codeBlock", {"language": "sql"}, text("a\n b"))), "```sql\na\n b\n```\n"),
    (doc(paragraph(text("a")), {"type": "rule"}, paragraph(text("b"))), "a\n\n---\n\nb\n"),
    (
        doc(node("blockquote", None, paragraph(text("a")), paragraph(text("b")))),
        "> a\n>\n> b\n",
    ),
    (
        doc(node("panel", {"panelType": "success"}, paragraph(text("a")), paragraph(text("b")))),
        "> [!TIP]\n> a\n>\n> b\n",
    ),
    (
        doc(node("expand", {"title": "More"}, paragraph(text("a")))),
        "<details>\n<summary>More</summary>\n\na\n\n</details>\n",
    ),
    (
        doc(node("taskList", {"localId": "1"}, node("taskItem", {"state": "DONE"}, text("a")))),
        "- [x] a\n",
    ),
    (
        doc(
            table(
                {"layout": "wide"},
                [
                    [node("tableCell", {}, paragraph(text(word))) for word in "ab"],
                    [node("tableCell", {"colwidth": [9]}, paragraph(text("c"))), EMPTY_CELL],
                ],
                with_names=True,
            )
        ),
        "| a | b |\n| --- | --- |\n| c |  |\n",
    ),
    (
        doc(
            paragraph(
                text("See "),
                {
                    "type": "text",
                    "text": "the notes",
                    "marks": [{"type": "link", "attrs": {"href": "https://a.b/c?d=e&f=g"}}],
                },
                text(" and "),
                {"type": "inlineCard", "attrs": {"url": "https://a.b/c"}},
                text("."),
            )
        ),
        "See [the notes](https://a.b/c?d=e&f=g) and <https://a.b/c>.\n",
    ),
    (
        doc(
            paragraph(
                node("status", {"text": "OPEN", "color": "green", "localId": "1"}),
                text(" since "),
                node("date", {"timestamp": "1770940800000"}),
                text(" "),
                node("emoji", {"shortName": ":ship:", "id": "1f6a2", "text": "🚢"}),
                text(", "),
                text("not", "underline"),
                text(" "),
                text("old", "strike"),
            )
        ),
        "`OPEN`{green} since {2026-02-13} :ship:, <u>not</u> ~~old~~\n",
    ),
]


@for_each(("document", "markdown"), SIMPLE)
def test_a_simple_document(document: Json, markdown: str) -> None:
    assert simple_markdown(document) == markdown
    assert simple_description(document) == description_text(document, {}, split=True)
    assert_exact_if_simple(document)


def nested_list(depth: int) -> Json:
    """Return a list of one word with lists of one word in each other below it."""
    below = [nested_list(depth - 1)] if depth else []
    return node("bulletList", None, item(paragraph(text("a")), *below))


def test_a_list_is_simple_up_to_an_indent_of_twenty() -> None:
    assert simple_markdown(doc(nested_list(10))) is not None
    assert_exact_if_simple(doc(nested_list(10)))
    assert simple_markdown(doc(nested_list(11))) is None


WORD = paragraph(text("a"))


@pytest.mark.parametrize(
    "block",
    [
        node("blockquote", {}, node("heading", {"level": 1}, text("word"))),
        node("expand", {"title": "C++ & D"}, paragraph(text("a"))),
        node("bulletList", None),
        node("bulletList", None, item()),
        node("bulletList", None, item(paragraph())),
        node("bulletList", None, item(WORD, WORD)),
        node("bulletList", None, item(WORD, nested_list(0), WORD)),
        node("bulletList", None, item(WORD, nested_list(0), nested_list(0))),
        node("bulletList", None, item(WORD, node("orderedList", {"order": 2}, item(WORD)))),
        node("bulletList", None, item(WORD, node("bulletList", None))),
        node("bulletList", None, item({**WORD, "attrs": {"more": 1}})),
        node("bulletList", None, {**item(WORD), "attrs": {"more": 1}}),
        node("bulletList", {"order": 1}, item(WORD)),
        node("bulletList", None, node("taskItem", None, WORD)),
        node("orderedList", {"order": 2}, item(WORD)),
    ],
)
def test_a_block_that_is_read_or_written_otherwise_does_not_pass(block: Json) -> None:
    assert simple_markdown(doc(block)) is None


@for_each(
    "line",
    [
        "1.",
        "1. a",
        "- a",
        "# a",
        "> a",
        " a",
        "a ",
        "a  b",
        "a*b",
        ":ship:",
        "http://a.b",
        "&amp;",
        "",
        "---",
    ],
)
def test_a_line_with_a_sign_that_means_something_does_not_pass(line: str) -> None:
    assert simple_markdown(doc(paragraph(text(line)))) is None


criteria = st.lists(lines.filter(bool), min_size=1, max_size=3).map(
    lambda texts: doc(
        node("heading", {"level": 3}, text("Acceptance Criteria")),
        node("bulletList", None, *(item(paragraph(*line)) for line in texts)),
    )
)


@given(documents, criteria)
def test_criteria_of_a_document_that_passes_read_back_exactly(body: Json, end: Json) -> None:
    document = doc(*body["content"], *end["content"])
    made = description_text(document, {}, split=True)
    assert simple_description(document) in {None, made}
    ticket = Ticket("Title", "AB-1", made.markdown, {}, made.criteria)
    if made.is_exact and ticket.description == made.markdown.removesuffix("\n"):
        assert adf.unsized_canonical(description_adf(ticket)) == adf.unsized_canonical(document)
