from __future__ import annotations

from functools import partial

import pyte
import pytest
from hypothesis import example, given, strategies as st
from rows import for_each

from ticketr.app.tui.styled import (
    MAX_LINK_CHARACTERS,
    Line,
    Span,
    Theme,
    cells,
    cut_or_pad_line,
    link_address,
    plain,
    slice_line,
    wrap_line,
)
from ticketr.terminal import sgr
from ticketr.text import clean, graphemes, width as width_of

COLORS = partial(sgr, colors=True)
#: Characters of all kinds; those that combine follow a base, since a lone one has no sure width.
CHARACTERS = [
    "a",
    "b",
    " ",
    " ",
    "-",
    "工",
    "。",
    "「",
    "🎉",
    "é",
    "e\u0301",
    "🇩🇪",
    "👩\u200d👩",
    "क\u094dष",
]
TEXTS = st.lists(st.sampled_from(CHARACTERS), max_size=30).map("".join) | st.text(
    st.characters(exclude_categories=["M", "C"]), max_size=20
).map(clean)
STYLES = st.sampled_from([(), ("bold",), ("bold", "cyan")])
LINES = st.lists(st.builds(Span, TEXTS, STYLES), max_size=6).map(tuple)


def line(*texts: str) -> Line:
    """Return a line whose every second span is bold."""
    return tuple(Span(text, ("bold",) if n % 2 else ()) for n, text in enumerate(texts))


def texts(lines: list[Line]) -> list[str]:
    return [plain(each) for each in lines]


def test_plain_and_cells_are_those_of_the_whole_line() -> None:
    styled = line("Größe ", "工单", "!")

    assert plain(styled) == "Größe 工单!"
    assert cells(styled) == 11
    assert cells(()) == 0


def test_cells_of_a_character_across_spans_are_counted_once() -> None:
    assert cells(line("👩", "\u200d👩")) == width_of("👩\u200d👩") == 2


@pytest.mark.parametrize(
    ("width", "fitted"),
    [
        (8, (Span("ab"), Span("工单", ("bold",)), Span("  "))),
        (6, (Span("ab"), Span("工单", ("bold",)))),
        (5, (Span("ab"), Span("工…", ("bold",)))),
        (4, (Span("ab…"), Span(" "))),
        (1, (Span("…"),)),
        (0, (Span(""),)),
        (-1, (Span(""),)),
    ],
)
def test_fit_cuts_and_pads_without_splitting_a_wide_character(width: int, fitted: Line) -> None:
    assert cut_or_pad_line(line("ab", "工单"), width) == fitted


def test_fit_cuts_an_ellipsis_that_is_too_wide_itself() -> None:
    assert cut_or_pad_line(line("abcdef"), 2, "...") == (Span(".."),)
    assert cut_or_pad_line(line("abcdef"), 5, "...") == (Span("ab..."),)


@given(LINES, st.integers(0, 40), st.sampled_from(["…", "...", ""]))
def test_fit_gives_the_exact_width(styled: Line, width: int, ellipsis: str) -> None:
    assert cells(cut_or_pad_line(styled, width, ellipsis)) == width


def test_slice_keeps_styles() -> None:
    styled = line("abc", "def", "ghi")

    assert [*slice_line(styled, [(2, 7)])] == [(Span("c"), Span("def", ("bold",)), Span("g"))]
    assert [*slice_line(styled, [(3, 6), (8, 99)])] == [(Span("def", ("bold",)),), (Span("i"),)]
    assert [*slice_line(styled, [(5, 5)])] == [()]


@for_each(
    ("text", "width", "wrapped"),
    [
        ("one two three", 20, ["one two three"]),
        ("one two three", 13, ["one two three"]),
        ("one two three", 12, ["one two", "three"]),
        ("one two three", 7, ["one two", "three"]),
        ("one  two", 6, ["one", "two"]),
        ("  one two", 6, ["  one", "two"]),
        ("          one", 6, ["one"]),
        ("one   ", 3, ["one"]),
        ("          ", 4, [""]),
        ("", 4, [""]),
        ("an abcdefghij k", 5, ["an ab", "cdefg", "hij k"]),
        ("1234 abcdefghij", 5, ["1234", "abcde", "fghij"]),
        ("größe größe", 7, ["größe", "größe"]),
        ("größengrößen", 5, ["größe", "ngröß", "en"]),
        ("工单工单", 5, ["工单", "工单"]),
        ("工单。工单", 4, ["工", "单。", "工单"]),
        ("看「工单」", 4, ["看", "「工", "单」"]),
        ("ab工单", 5, ["ab工", "单"]),
        ("done🎉 now", 6, ["done🎉", "now"]),
        ("e\u0301" * 5, 2, ["e\u0301" * 2, "e\u0301" * 2, "e\u0301"]),
        ("a\xa0b c", 3, ["a\xa0b", "c"]),
        ("abcdef", 0, ["ab", "cd", "ef"]),
    ],
)
def test_wrap(text: str, width: int, wrapped: list[str]) -> None:
    assert texts(wrap_line((Span(text),), width)) == wrapped


def test_wrap_hangs_an_indent_and_keeps_styles_within_words() -> None:
    assert wrap_line(line("one t", "wo th", "ree"), 8, "* ", "  ") == [
        (Span("* "), Span("one")),
        (Span("  "), Span("t"), Span("wo", ("bold",))),
        (Span("  "), Span("th", ("bold",)), Span("ree")),
    ]
    assert texts(wrap_line(line("abcdef"), 4, "1. ", "   ")) == ["1. ab", "   cd", "   ef"]
    assert texts(wrap_line(line("one two"), 7, "", "    ")) == ["one two"]
    assert texts(wrap_line(line("one two"), 6, "", "   ")) == ["one", "   two"]


@given(LINES, st.integers(2, 30))
@example(line("「" * 9), 4)
@example(line("0\U0001f3fb"), 2)
def test_wrapped_lines_hold_all_words_and_fit(styled: Line, width: int) -> None:
    wrapped = wrap_line(styled, width)

    assert "".join(texts(wrapped)).replace(" ", "") == plain(styled).replace(" ", "")
    # A digit with the colour of a skin is one character of three cells.
    widest = max(map(width_of, graphemes(plain(styled))), default=0)
    assert all(cells(each) <= max(width, widest) for each in wrapped)


def test_a_row_has_the_styles_of_each_span() -> None:
    assert Theme(COLORS).row(line("a", "b"), 2) == "a\x1b[1mb\x1b[m"
    assert Theme().row(line("a", "b"), 2) == "ab"


def test_a_row_has_links_if_the_terminal_can() -> None:
    linked = (Span("see "), Span("this", ("underline",), "https://x.example/a?b=1;c"))

    assert Theme(COLORS, has_links=False).row(linked, 8) == "see \x1b[4mthis\x1b[m"
    assert Theme(COLORS).row(linked, 8) == (
        "see \x1b]8;;https://x.example/a?b=1;c\x1b\\\x1b[4mthis\x1b[m\x1b]8;;\x1b\\"
    )


@for_each(
    ("link", "address"),
    [
        ("https://x.example/a%20b#c", "https://x.example/a%20b#c"),
        ("HTTP://x.example", "HTTP://x.example"),
        ("mailto:mia@x.example", "mailto:mia@x.example"),
        ("https://x.example/工 b", "https://x.example/%E5%B7%A5%20b"),
        ("https://x\x1b\\\x07\n", "https://x%1B%5C%07%0A"),
        ("https://\ud800", "https://?"),
        ("https://", ""),
        ("javascript:alert(1)", ""),
        ("file:///etc/passwd", ""),
        ("", ""),
        (" https://x.example", ""),
        ("https://" + "a" * MAX_LINK_CHARACTERS, ""),
        ("https://" + "工" * 500, ""),
    ],
)
def test_only_safe_addresses_become_links(link: str, address: str) -> None:
    assert link_address(link) == address


@given(st.text())
def test_an_address_carries_no_control_character(text: str) -> None:
    address = link_address("https://" + text)

    assert address.isascii()
    assert not address or address.isprintable()
    assert len(address) <= MAX_LINK_CHARACTERS


def test_a_terminal_shows_a_painted_line() -> None:
    screen = pyte.Screen(20, 1)
    linked = (Span("工单 ", ("bold",)), Span("link", ("cyan",), "https://x.example"))

    pyte.Stream(screen).feed(Theme(COLORS).row(linked, 20))

    assert screen.display[0].replace("\x00", "").rstrip().endswith("link")
    assert screen.buffer[0][0].bold
