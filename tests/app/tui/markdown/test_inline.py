"""Test the text of blocks: its styles, links, and the tags of ticketr in it."""

from __future__ import annotations

import pytest

from ticketr.app.tui.markdown import render_markdown
from ticketr.app.tui.styled import Line, Span, plain

ADDRESS = "https://x.example/a"
_CODE = (Span("`", ("dim",)), Span("a"), Span("`", ("dim",)))


def rendered(text: str, *, links: bool = True, ascii_only: bool = False) -> Line:
    """Return the only line of a text."""
    (only,) = render_markdown(text, 200, links=links, ascii_only=ascii_only)
    return only.line


@pytest.mark.parametrize(
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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('<span adf="emoji" params=\'{"id":"1"}\'>:ship:</span>', ":ship:"),
        ('<time adf="date" datetime="1769990400000">2026-02-02</time>', "2026-02-02"),
        ('<span adf="textColor" params=\'{"color":"#f00"}\'>a</span>', "a"),
        ('CO<sub adf="subSup">2</sub>', "CO₂"),
        ('x<sup adf="subSup">-2</sup>', "x⁻²"),
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
        ("CO<sub>2</sub> x<sup>-2</sup>", "CO₂ x⁻²"),
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


def test_subscripts_in_ascii_are_text() -> None:
    text = 'CO<sub adf="subSup">2</sub> x<sup adf="subSup">2</sup>'

    assert plain(rendered(text, ascii_only=True)) == "CO2 x^2"


def test_links_are_text_where_the_terminal_opens_them() -> None:
    link = Span("b", ("underline",), ADDRESS)

    assert rendered(f"a [b](<{ADDRESS}>).") == (Span("a "), link, Span("."))
    assert rendered(f"[b]({ADDRESS})", links=False) == (
        Span("b", ("underline",), ADDRESS),
        Span(f" ({ADDRESS})"),
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"<{ADDRESS}>", ADDRESS),
        (f"[{ADDRESS}]({ADDRESS})", ADDRESS),
        ("[x.example](https://x.example)", "x.example"),
        ("[Mia](mailto:mia@x.example)", "Mia (mia@x.example)"),
        ("<mia@x.example>", "mia@x.example"),
        ("[a]()", "a"),
        (f'<a adf="inlineCard" href="{ADDRESS}">{ADDRESS}</a>.', f"{ADDRESS}."),
        (f'<a adf="link" href="{ADDRESS}">a</a>', f"a ({ADDRESS})"),
        (f'[a<a adf="link" href="https://y.example">b</a>c]({ADDRESS})', f"ab ({ADDRESS})c"),
    ],
)
def test_addresses_are_shown_where_the_terminal_opens_no_links(text: str, shown: str) -> None:
    assert plain(rendered(text, links=False)) == shown


def test_the_address_of_a_link_that_no_terminal_opens_is_shown() -> None:
    assert plain(rendered("[the page](docs/a.md)")) == "the page (docs/a.md)"
    assert plain(rendered("[a](javascript:b)")) == "[a](javascript:b)"


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


def test_an_image_links_to_its_file() -> None:
    assert rendered(f"![a]({ADDRESS})") == (Span("[picture: a]", (), ADDRESS),)
    assert rendered(f"[![a](b.png)]({ADDRESS})") == (
        Span("[picture: a, b.png]", ("underline",), ADDRESS),
    )


def test_deeply_nested_tags_are_text() -> None:
    shown = plain(rendered("a" + '<u adf="underline">' * 52 + "b"))

    assert shown == "a" + '<u adf="underline">' * 2 + "b"


def test_lists_of_decisions_are_lists() -> None:
    text = (
        '<ul adf="decisionList">\n\n<li adf="decisionItem">a</li><li adf="decisionItem">b</li>'
        "\n\n</ul>"
    )

    assert [plain(each.line) for each in render_markdown(text, 40)] == ["▸ a", "▸ b"]
    lines = render_markdown(text, 40, ascii_only=True)
    assert [plain(each.line) for each in lines] == ["> a", "> b"]
