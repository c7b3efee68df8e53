"""Test what the app shows of Markdown, against golden renderings.

After an intended change, ``TICKETR_GOLDEN=write`` writes the files again; read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import assume, given, strategies as st
from rows import for_each

from ticketr.app.jira.adf.forms import inline
from ticketr.app.tui.markdown import MAX_MARKDOWN_CHARACTERS, RenderedLine, render_markdown
from ticketr.app.tui.markdown.blocks import column_widths
from ticketr.app.tui.markdown.inline import PANEL_KIND_BY_MARK
from ticketr.app.tui.styled import Line, Span, cells, plain

HERE = Path(__file__).parent
SAMPLES = sorted((HERE / "samples").glob("*.md"))
CASES = [
    *((sample, 80) for sample in SAMPLES),
    *((HERE / f"samples/{name}.md", 24) for name in ("everything", "rich")),
]
ADDRESS = "https://x.example/a"


def shown(text: str, width: int = 40) -> list[str]:
    """Return the rendered lines without their styles."""
    return [plain(each.line) for each in render_markdown(text, width)]


def sources(text: str, width: int = 40) -> list[tuple[str, int]]:
    return [(plain(each.line), each.source_line) for each in render_markdown(text, width)]


def check(lines: tuple[RenderedLine, ...], text: str, width: int) -> None:
    """Check what holds for each rendering."""
    count = len(text.splitlines()) + 1
    for each in lines:
        assert cells(each.line) <= width
        assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in plain(each.line))
        assert 0 <= each.source_line <= count


@for_each(("sample", "width"), CASES)
def test_samples(sample: Path, width: int) -> None:
    text = sample.read_text("utf-8")
    lines = render_markdown(text, width)
    check(lines, text, width)
    found = "".join(f"{each.source_line:3} {plain(each.line)}".rstrip() + "\n" for each in lines)
    golden = HERE / "golden" / f"{sample.stem}-{width}.txt"
    if os.environ.get("TICKETR_GOLDEN") == "write":
        golden.write_text(found, "utf-8")

    assert found == golden.read_text("utf-8")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: each.stem)
def test_samples_fit_any_width(sample: Path) -> None:
    text = sample.read_text("utf-8")

    for width in range(10, 200, 19):
        check(render_markdown(text, width), text, width)


def test_headings_are_bold_with_a_blank_line_around() -> None:
    lines = render_markdown("a\n# b *c*\nd\n\ne\n===", 40)

    assert [plain(each.line) for each in lines] == ["a", "", "b c", "", "d", "", "e"]
    assert lines[2].line == (Span("b ", ("bold",)), Span("c", ("bold", "italic")))
    assert lines[6].line == (Span("e", ("bold",)),)


def test_a_line_knows_its_source() -> None:
    assert sources("one\ntwo three\n\nfour  \nfive", 10) == [
        ("one two", 0),
        ("three", 1),
        ("", 3),
        ("four", 3),
        ("five", 4),
    ]
    assert sources("\n```\na\n\nb\n```\n> q\n\n- i\n  j") == [
        ("│ a", 2),
        ("│", 3),
        ("│ b", 4),
        ("", 6),
        ("│ q", 6),
        ("", 8),
        ("• i j", 8),
    ]
    assert sources("a\r\nb\rc\n\nd") == [("a b c", 0), ("", 4), ("d", 4)]


def test_line_breaks() -> None:
    assert shown("a\\\nb  \nc<br>d<br/><br>e<br>") == ["a", "b", "c", "d", "", "e"]


def test_quotes_have_bars() -> None:
    assert shown("> a\n>\n> > b\n\n>\n\n> - c") == ["│ a", "│", "│ │ b", "", "│", "", "│ • c"]


def test_quotes_with_a_mark_are_panels() -> None:
    text = "> [!WARNING]\n> a b\n\n> [!note] a\n\n> [!TIP]\n\n> \\[!TIP\\]\n\n> [!x]"
    lines = render_markdown(text, 40)

    assert [plain(each.line) for each in lines] == [
        *("│ Warning", "│ a b", "", "│ [!note] a", "", "│ Success", "", "│ [!TIP]", "", "│ [!x]")
    ]
    assert lines[0].line == (Span("│ ", ("yellow",)), Span("Warning", ("bold",)))
    assert lines[1].source_line == 1
    assert lines[3].line[0] == Span("│ ", ("dim",))


def test_each_panel_that_jira_knows_has_its_mark() -> None:
    assert PANEL_KIND_BY_MARK == inline.PANEL_KIND_BY_WORD
    for word in PANEL_KIND_BY_MARK:
        (label, _) = render_markdown(f"> [!{word}]\n> a", 40)
        assert plain(label.line) != f"│ [!{word}]"


def test_decisions_have_a_mark_of_their_own() -> None:
    assert shown("- <> a\n- \\<> b\n- c <> d") == ["▸ a", "• <> b", "• c <> d"]


def test_panels_have_a_bar_in_their_colour() -> None:
    text = (
        'a\n\n<aside adf="panel" params=\'{"panelType":"error"}\'>\n\n**b**\n\n- c\n\n</aside>\n\nd'
    )
    lines = render_markdown(text, 40)

    assert [plain(each.line) for each in lines] == [
        *("a", "", "│ Error", "│ b", "│", "│ • c", "", "d")
    ]
    assert lines[3].line == (Span("│ ", ("red",)), Span("b", ("bold",)))
    assert shown('<aside adf="panel">\n\na') == ["│ Panel", "│ a"]


def test_tags_of_blocks_hold_what_is_between_them() -> None:
    assert shown(
        '<section adf="layoutSection">\n\na\n\n<div adf="layoutColumn">\n\nb\n\n</section>'
    ) == [*("a", "", "b")]
    # An end tag ends nothing outside the list or quote that it is in.
    assert shown('<div adf="cell">\n\n- a\n\n  </div>\n\nb') == ["• a", "", "  </div>", "", "b"]
    assert shown('- <div adf="cell">\n\n  a\n- b\n\n</div>') == ["• a", "", "• b", "", "</div>"]
    assert shown("</aside>") == ["</aside>"]
    assert shown("a\n\n<p></p>\n\nb") == ["a", "", "b"]
    assert shown('<div adf="table" params=\'{"layout":"default"}\'></div>\n\na') == ["a"]


def test_only_tags_of_ticketr_are_tags() -> None:
    text = "List<String> <ticket> <kbd>a</kbd> <u>b <!-- c -->\n\n<div>\n*d*\n</div>"

    assert shown(text) == [
        "List<String> <ticket> <kbd>a</kbd> <u>b",
        "<!-- c -->",
        "",
        "<div> d </div>",
    ]


def test_long_lines_of_code_are_wrapped_with_a_mark() -> None:
    lines = render_markdown("```sql\nabcdefghijklmnopq\n工工工工工工\n```", 12)

    assert [(plain(each.line), each.source_line) for each in lines] == [
        ("│        sql", 1),
        ("│ abcdefghij", 1),
        ("│ ↪ klmnopq", 1),
        ("│ 工工工工工", 2),
        ("│ ↪ 工", 2),
    ]
    assert shown("```verylonglanguage\na\n```", 12) == ["│ a"]


def test_what_is_nested_too_deeply_for_the_page_has_room_left() -> None:
    text = "".join("  " * depth + f"- item {depth}\n" for depth in range(12))

    lines = shown(text, 16)

    assert lines[:3] == ["• item 0", "  ◦ item 1", "    ▪ item 2"]
    assert all("item" in line or line.strip().isdigit() for line in lines)


def test_what_is_nested_too_deeply_for_the_parser_is_shown_as_it_is() -> None:
    assert "".join("".join(shown(">" * 60 + " end\n")).replace("│", "").split()) == ">" * 60 + "end"
    assert shown("- " * 30 + "a\nb")[-1].endswith("b")


def test_a_text_that_is_too_long_is_not_parsed() -> None:
    text = "**a** b\n" * (MAX_MARKDOWN_CHARACTERS // 8) + "\tc\x1b[2J"

    lines = render_markdown(text, 10)

    assert plain(lines[0].line) == "**a** b"
    assert (plain(lines[-1].line), lines[-1].source_line) == ("    c", MAX_MARKDOWN_CHARACTERS // 8)


HOSTILE = {
    "quotes": ">" * 1000 + " x",
    "spaced quotes": "> " * 1000 + "x\ny",
    "lists": "".join("  " * depth + "- a\n" for depth in range(200)),
    "lists in a line": "- " * 1000 + "x",
    "quotes and lists": ("> - " * 15 + "x\n") * 100,
    "brackets": "[" * 2000,
    "links": "[a](" * 1500,
    "images": "![" * 1000,
    "nested emphasis": "*a " * 3000 + "b* " * 3000,
    "underscores": "_" * 20_000,
    "code spans": "".join("`" * length + " " for length in range(1, 200)),
    "angle brackets": "<" * 10_000,
    "tags": 'a <u adf="x">' * 2000,
    "holders": '<div adf="x">\n\n' * 2000,
    "items in a cell": "|a|\n|-|\n|" + '<u adf="x">' * 1500 + "<li>" * 1500,
    "comments": "<!--" * 5000,
    "references": "[a]: /x\n" * 5000,
    "columns": "|" + "a|" * 500 + "\n|" + "-|" * 500 + "\n" + ("|" + "b|" * 500 + "\n") * 5,
    "a long word": "a" * 100_000,
    "a long wide word": "工" * 20_000,
    "accents": "a" + "\u0301" * 50_000,
    "joiners": "\u200d" * 5_000,
    "a long line of code": "```\n" + "x" * 100_000,
    "lines of code": "```\n" + "x\n" * 8_000,
    "headings": "# a\n" * 2000,
    "addresses": "https://a.example/b " * 1000,
    "numbers": f'a <ol adf="x" start="{"9" * 9000}"><li adf="x">a',
    "references of characters": f"<a adf='x' href='&#{'9' * 9000};'>x</a>",
    "parameters": "<aside adf='panel' params='" + "[" * 50_000 + "'>\n\na",
    "surrogates": "\ud800 [a](http://\ud800) <http://\ud800> ![\udfff](\udfff)",
    "control sequences": "\x1b[2J\x9b1m&#27;[2J \x00 `\x1b]0;x\x07` [\x1b](http://\x1b)\n\n    \x07",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.timeout(60)  # none takes more than a second on an idle machine
def test_hostile_text_is_shown_within_bounded_time(text: str) -> None:
    wide = render_markdown(text, 80)
    narrow = render_markdown(text, 10)

    check(wide, text, 80)
    check(narrow, text, 10)


@pytest.mark.timeout(60)
def test_a_megabyte_is_shown_within_bounded_time() -> None:
    text = "word *a* `b` " * 40_000 + "\n" + "word *a* `b`\n" * 40_000

    lines = render_markdown(text, 80)

    assert plain(lines[-2].line) == "word *a* `b`"


PIECES = [
    *(
        "a",
        "word ",
        " ",
        "\n",
        "\n\n",
        "\n    ",
        "  \n",
        "\\\n",
        "> ",
        "- ",
        "1. ",
        "[ ] ",
        "# ",
        "---\n",
    ),
    *(
        "*",
        "**",
        "~~",
        "`",
        "```\n",
        "|",
        "|a|b|\n|-|:-:|\n",
        "[",
        "](",
        ")",
        "![",
        "<",
        ">",
        "&#32;",
    ),
    *("<br>", "<p></p>\n\n", "<u>", '<u adf="underline">', "</u>", "<ul>", "<ol>", "<li>", "</ul>"),
    *('<aside adf="panel">\n\n', "\n\n</aside>\n\n", '<details adf="expand">\n\n', "<summary>"),
    *("</summary>", '<span adf="status">', '<sub adf="subSup">', "</sub>", "2", "</span>", "<hr>"),
    *(
        '<a adf="inlineCard" href="https://x.example">',
        "</a>",
        "https://x.example/b)",
        "\t",
        "\x1b[",
    ),
    *(
        "工单",
        "é",
        "e\u0301",
        "👩\u200d👩",
        "\x07",
        "[!NOTE]",
        "</details>",
        '<div adf="extension">',
    ),
]


@given(
    st.lists(st.sampled_from(PIECES), max_size=60).map("".join) | st.text(max_size=100),
    st.integers(10, 200),
)
def test_any_text_is_shown(text: str, width: int) -> None:
    check(render_markdown(text, width), text, width)


@given(
    st.lists(st.sampled_from(["a", "bc", "- ", "> ", "\n", "\n\n", "1. ", "*", "`", "  "])),
    st.integers(10, 60),
)
def test_no_letter_is_lost(pieces: list[str], width: int) -> None:
    text = "".join(pieces)
    assume("```" not in text)  # what stands behind it names a language

    letters = "".join(shown(text, width))

    assert [c for c in letters if c in "abc"] == [c for c in text if c in "abc"]


_CODE = (Span("`", ("dim",)), Span("a"), Span("`", ("dim",)))


def rendered(text: str) -> Line:
    """Return the only line of a text."""
    (only,) = render_markdown(text, 200)
    return only.line


@for_each(
    ("text", "line"),
    [
        ("*a*", (Span("a", ("italic",)),)),
        ("**a**", (Span("a", ("bold",)),)),
        ("~~a~~", (Span("a", ("strike",)),)),
        ("**a *b***", (Span("a ", ("bold",)), Span("b", ("bold", "italic")))),
        ("***a** b*", (Span("a", ("italic", "bold")), Span(" b", ("italic",)))),
        ("`a  *b*`", (Span("`", ("dim",)), Span("a  *b*"), Span("`", ("dim",)))),
        ("a\\*b\\* &amp; &lt;", (Span("a*b* & <"),)),
        ('<u adf="underline">a</u>b', (Span("a", ("underline",)), Span("b"))),
        ('<span adf="mention" params=\'{"id":"1"}\'>@Mia</span>', (Span("@Mia", ("bold",)),)),
        ('<span adf="status">`OPEN`</span>', (Span("[OPEN]", ("bold",)),)),
        ('<span adf="placeholder">a</span>', (Span("a", ("dim",)),)),
        ('<span adf="inlineExtension"></span>', (Span("[macro]", ("dim",)),)),
        ('<span adf="unknownInline"></span>', (Span("[content of Jira]", ("dim",)),)),
        ('<u adf="underline">never closed', (Span("never closed", ("underline",)),)),
        ("a @[Mia\\] K](557058:1-b)!", (Span("a "), Span("@Mia] K", ("bold",)), Span("!"))),
        ("`OPEN`{green} `a`{x}", (Span("[OPEN]", ("bold",)), Span(" "), *_CODE, Span("{x}"))),
        ("<u>a</u>b", (Span("a", ("underline",)), Span("b"))),
        ("**a** <!-- -->b", (Span("a", ("bold",)), Span(" "), Span("b"))),
    ],
)
def test_styles(text: str, line: Line) -> None:
    assert rendered(text) == line


@for_each(
    ("text", "shown"),
    [
        ('<span adf="emoji" params=\'{"id":"1"}\'>:ship:</span>', "🚢"),
        ('<time adf="date" datetime="1769990400000">2026-02-02</time>', "2026-02-02"),
        ('<span adf="textColor" params=\'{"color":"#f00"}\'>a</span>', "a"),
        ('CO<sub adf="subSup">2</sub>', "CO2"),
        ('x<sup adf="subSup">-2</sup>', "x^-2"),
        ('x<sub adf="subSup">max</sub>', "xmax"),
        ('x<sup adf="subSup">th</sup>', "x^th"),
        ('<span adf="media" params="{}">📎 a b.png (1f-2)</span>', "[file: a b.png]"),
        ('<span adf="mediaInline">📎 attachment</span>', "[file: attachment]"),
        ('<span adf="media">other</span>', "[file: other]"),
        ("</u> </span>", "</u> </span>"),
        ('<b adf="x">a</b>', "a"),
        ("![a *b*](https://x.example/y.png)", "[picture: a b]"),
        ("![](y.png)", "[picture: y.png]"),
        ("<mia@x.example>", "mia@x.example"),
        ("a <script>", "a <script>"),
        ("<u a=1>", "<u a=1>"),
        ("<u>a <u>b", "<u>a <u>b"),
        ("CO<sub>2</sub> x<sup>-2</sup>", "CO2 x^-2"),
        (
            "due {2026-03-01}, {2026-02-30} \\{2026-03-01}",
            "due 2026-03-01, {2026-02-30} {2026-03-01}",
        ),
        (":tada::+1: \\:tada: a:tada: :nope::tada:", "🎉👍 :tada: a:tada: :nope::tada:"),
        ("https://x.example/:tada: `{2026-03-01}`", "https://x.example/:tada: `{2026-03-01}`"),
        ("\\@[Mia](5f:1) @[x](https://x.example)", "@Mia (5f:1) @x"),
        ("![a](attachment:b.png){wide 640px}", "[picture: a, b.png]"),
        ("![](<attachment:my shot (2).png>)", "[picture: my shot (2).png]"),
        ("![b.png](attachment:b.png)", "[picture: b.png]"),
        ("![a](pics/b%20c.png)", "[picture: a, pics/b c.png]"),
        ("<https://x.example/a>", "https://x.example/a"),
    ],
)
def test_texts(text: str, shown: str) -> None:
    assert plain(rendered(text)) == shown


def test_links_are_text_where_the_terminal_opens_them() -> None:
    link = Span("b", ("underline",), ADDRESS)

    assert rendered(f"a [b](<{ADDRESS}>).") == (Span("a "), link, Span("."))


def test_the_address_of_a_link_that_no_terminal_opens_is_shown() -> None:
    assert plain(rendered("[the page](docs/a.md)")) == "the page (docs/a.md)"
    assert plain(rendered("[a](javascript:b)")) == "[a](javascript:b)"
    assert plain(rendered("[a]()")) == "a"


@pytest.mark.parametrize(
    ("text", "address", "after"),
    [
        (f"see {ADDRESS}.", ADDRESS, "."),
        (f"({ADDRESS})", ADDRESS, ")"),
        (f"{ADDRESS}_(b) c", f"{ADDRESS}_(b)", " c"),
        (f"{ADDRESS}?a=1&amp;b=2, c", f"{ADDRESS}?a=1&b=2", ", c"),
        (f"\u201c{ADDRESS}\u201d", ADDRESS, "\u201d"),
    ],
)
def test_bare_addresses_are_links(text: str, address: str, after: str) -> None:
    *_, link, rest = rendered(text)

    assert link == Span(address, ("underline",), address)
    assert rest == Span(after)


def test_addresses_in_code_and_words_are_no_links() -> None:
    assert not any(span.link for span in rendered(f"`{ADDRESS}` xhttps://x.example https:// a"))


def test_deeply_nested_tags_are_text() -> None:
    shown = plain(rendered("a" + '<u adf="underline">' * 52 + "b"))

    assert shown == "a" + '<u adf="underline">' * 2 + "b"


def rows_of(text: str, width: int) -> list[str]:
    return [plain(each.line) for each in render_markdown(text, width)]


def test_the_header_is_bold_and_lines_know_their_source() -> None:
    lines = render_markdown("|*a*|\n|-|\n|b|", 80)

    assert lines[1].line[2] == Span("a", ("bold", "italic"))
    assert [each.source_line for each in lines] == [0, 0, 2, 2, 2]


def test_an_empty_header_is_left_out() -> None:
    assert rows_of("| | |\n|-|-|\n|a|b|", 80) == ["┌───┬───┐", "│ a │ b │", "└───┴───┘"]


def test_only_a_header_is_a_table_too() -> None:
    assert rows_of("|a|\n|-|", 80) == ["┌───┐", "│ a │", "└───┘"]


def test_cells_hold_blocks_in_tags() -> None:
    text = (
        "|a|\n|-|\n"
        '|<p>b</p><ul><li>c<br>d</li><li>e</li></ul><ol start="7"><li>f</li><li>g</li></ol>'
        '<hr><h2>h</h2><ul adf="taskList"><li adf="taskItem" params=\'{"state":"DONE"}\'>i'
        "</li><li adf=\"taskItem\" params='{}'>j</li></ul><blockquote>k</blockquote>"
        '<code>l</code><ol start="x"><li>m</li></ol>|'
    )

    assert [line.strip("│ ") for line in rows_of(text, 80)[3:-1]] == [
        *("b", "• c", "d", "• e", "7. f", "8. g", "───", "h", "☑ i", "☐ j", "k", "l", "1. m"),
    ]


@for_each(
    ("needs", "room", "widths"),
    [
        ([3, 5], 20, [3, 5]),
        ([3, 50], 20, [3, 17]),
        ([50, 50, 2], 20, [9, 9, 2]),
        ([50, 50], 21, [10, 11]),
        ([50, 50], 9, None),
        ([1] * 10, 10, [1] * 10),
        ([1] * 10, 9, None),
        ([], 9, []),
    ],
)
def test_columns_share_the_room(needs: list[int], room: int, widths: list[int] | None) -> None:
    assert column_widths(needs, room) == widths
