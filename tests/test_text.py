from __future__ import annotations

import os
import pty
import sys
import unicodedata

import pytest
from fakes.bytecodes import Bytecodes
from hypothesis import given, strategies as st
from rows import for_each

from ticketr.text import clean, clip, fit, graphemes, to_ascii, width, wrap
from ticketr.tty import can_draw, reopen_nonblocking_or_dup, wants_color

# Text that controls a terminal or misleads a reader, and the cleaned text.
HOSTILE = [
    ("a\x1b[2Jb", "ab"),
    ("a\x1b[1;31mb\x1b[0m", "ab"),
    ("a\x1b[?25lb", "ab"),
    ("a\x1b[6n", "a"),
    ("a\x1b]52;c;aGk=\x07b", "ab"),
    ("a\x1b]0;title\x1b\\b", "ab"),
    ("a\x1b]8;;http://e\x1b\\link\x1b]8;;\x1b\\b", "alinkb"),
    ("a\x1bPq#0\x1b\\b", "ab"),
    ("a\x1b_apc\x9cb", "ab"),
    ("a\x1b]0;never ended", "a"),
    ("a\x1b]0;cut\x1b[31mb", "ab"),
    ("a\x1b]0;cut\x18b", "a\ufffdb"),
    ("a\x1b[12", "a"),
    ("a\x1b", "a\ufffd"),
    ("a\x1b(0lqk", "alqk"),
    ("a\x1bcb", "ab"),
    ("a\x1b\x1b[2J[2Jb", "a\ufffd[2Jb"),
    ("a\x9b31mb", "ab"),
    ("a\x9d52;c;x\x9cb", "ab"),
    ("a\x90q\x07b", "ab"),
    ("a\x08\x08b", "a\ufffd\ufffdb"),
    ("a\x00\x7f\x80b", "a\ufffd\ufffd\ufffdb"),
    ("a\ud800b", "a\ufffdb"),
    ("a\tb\nc\rd\r\ne\x0bf\x0cg\x85h\u2028i\u2029j", "a b c d e f g h i j"),
    ("a\u202egnp.exe", "agnp.exe"),
    ("a\u2066b\u2069\u200e\u200f\u061cc", "abc"),
    ("a\u200b\ufeff\u00ad\u2060b", "ab"),
    ("a\u115f\u1160\u3164\uffa0b", "ab"),
    ("a\U000e0041\U000e007f\U000e0100b", "ab"),
]

# Unusual characters of plain text, which must stay.
HARMLESS = [
    "",
    "plain [31m ]0; text",
    "\u5de5\u5355",
    "e\u0301",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\u2764\ufe0f",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "\u05e9\u05dc\u05d5\u05dd",
    "a\u00a0b",
    "\ufffd",
]


@for_each(("text", "shown"), HOSTILE)
def test_control_sequences_are_removed(text: str, shown: str) -> None:
    assert clean(text) == shown


@for_each("text", HARMLESS)
def test_plain_text_is_left_as_it_is(text: str) -> None:
    assert clean(text) is text


def test_no_character_can_get_through_that_acts_or_hides() -> None:
    # Format characters that are visible or join visible characters of a script; the rest of the
    # category only hides or reorders text.
    scripts = {0x200C, 0x200D, 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD}
    scripts |= {*range(0x0600, 0x0606), *range(0x13430, 0x13460)}
    acting = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    codes = range(sys.maxunicode + 1)
    for code in [each for each in codes if unicodedata.category(chr(each)) in acting]:
        left = clean(f"{chr(code)}.")
        for character in left:
            assert unicodedata.category(character) not in acting or code in scripts, hex(code)


@given(
    st.text(st.one_of(st.sampled_from("\x1b\x9b\x9d\x07\\[]P0;m\n\u202e\ud800"), st.characters()))
)
def test_clean_text_is_one_line_without_controls_and_stays_so(text: str) -> None:
    shown = clean(text)

    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in shown)
    assert len(shown.splitlines()) <= 1
    assert clean(shown) is shown


@for_each(
    "unit",
    ["\x1b", "\x1b]", "\x9d", "\x9d\x1b", "\x1b[", "\x1b[0", "\x1b ", "\x1bP\x18", "\u202e\n"],
)
def test_a_long_hostile_text_is_cleaned_in_one_pass(unit: str) -> None:
    # A scan that starts again at each of these would exceed the test's time limit.
    assert "\x1b" not in clean(unit * (300_000 // len(unit)))


@for_each(
    ("text", "cells"),
    [
        ("", 0),
        ("abc", 3),
        ("\u5de5\u5355", 4),
        ("e\u0301", 1),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", 2),
        ("\u2764\ufe0f", 2),
        ("\U0001f1e9\U0001f1ea", 2),
        ("\u2588\u2591\u2026\u2713\u2717\u2298\u2839", 7),
    ],
)
def test_width_counts_cells_not_characters(text: str, cells: int) -> None:
    assert width(text) == cells


@for_each(
    ("text", "cells", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab\u2026"),
        ("abcd", 1, "\u2026"),
        ("abcd", 0, ""),
        ("abcd", -1, ""),
        ("\u5de5\u5355\u5de5", 5, "\u5de5\u5355\u2026"),
        ("\u5de5\u5355\u5de5", 4, "\u5de5\u2026"),
        ("a\U0001f468\u200d\U0001f469\u200d\U0001f467b", 3, "a\u2026"),
        ("abe\u0301d", 3, "ab\u2026"),
        ("ae\u0301d", 2, "a\u2026"),
    ],
)
def test_a_text_is_cut_between_characters_as_people_see_them(
    text: str, cells: int, shown: str
) -> None:
    assert clip(text, cells) == shown


@pytest.mark.parametrize(
    ("cells", "shown"), [(5, "ab..."), (3, "..."), (2, ".."), (1, "."), (0, "")]
)
def test_another_ellipsis_takes_the_room_it_needs(cells: int, shown: str) -> None:
    assert clip("abcdef", cells, ellipsis="...") == shown


def test_a_short_text_is_padded() -> None:
    assert fit("\u5de5", 4) == "\u5de5  "
    assert fit("\u5de5\u5355", 3) == "\u5de5\u2026"
    assert fit("\u5de5\u5355\u5de5", 4) == "\u5de5\u2026 "  # the next character is too wide


# Characters that join with their neighbours, or are wider than one cell.
JOINING = (
    "\u200d\u200c\ufe0f\ufe0e\u20e3\u0301\U0001f1e9\U0001f468\U0001f3fd\u0bcd\u0b95\u1161\u5de5 #a1"
)


@given(
    st.text(st.one_of(st.sampled_from(JOINING), st.characters()), max_size=40), st.integers(-1, 30)
)
def test_a_fitted_text_takes_exactly_the_cells_it_was_given(text: str, cells: int) -> None:
    shown = clean(text)

    assert width(fit(shown, cells)) == max(cells, 0)
    assert width(clip(shown, cells)) <= max(cells, 0)
    assert clip(shown, width(shown)) == shown


@given(st.text(max_size=200).map(clean), st.integers(2, 40))
def test_wrapped_lines_have_room_and_lose_no_word(text: str, cells: int) -> None:
    lines = wrap(text, cells)

    assert lines
    assert all(width(line) <= cells for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize("cells", [2, 3, 9])
def test_an_indent_leaves_room_for_text(cells: int) -> None:
    lines = wrap("    one\u5de5 two", cells)

    assert all(0 < width(line) <= cells for line in lines)
    assert "".join(lines).replace(" ", "") == "one\u5de5two"


def test_wrapping_a_long_word_costs_time_in_proportion_to_it() -> None:
    def cost(length: int) -> int:
        bytecodes = Bytecodes()
        with bytecodes.counted():
            wrap("[" * length + "\u5de5" * length, 40)
        return bytecodes.count

    cost(2_000)  # the first call loads tables
    assert 0 < cost(8_000) < 4.5 * cost(2_000)


def test_a_wrapped_line_keeps_its_indent() -> None:
    assert wrap("  - some words that are long", 14) == ("  - some words", "  that are", "  long")
    assert wrap("", 5) == ("",)


def test_graphemes_are_characters_as_a_person_counts_them() -> None:
    assert list(graphemes("ab")) == ["a", "b"]
    assert list(graphemes("e\u0301\U0001f468\u200d\U0001f469x")) == [
        "e\u0301",
        "\U0001f468\u200d\U0001f469",
        "x",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\u201cit\u2019s\u201d \u2013 \xabok\xbb\u2026", '"it\'s" - "ok"...'),
        ("\u5de5\u5355", "????"),
        ("┌─┬┐ │▌ ▸▾ ○◐● ✓✗⊘ •◦▪ ☐☑ ↪", "+-++ || >v o~x +x- *-+ ox >"),
        ("e\u0301\U0001f468\u200d\U0001f469\xa0x", "??? x"),
    ],
)
def test_text_becomes_ascii(text: str, shown: str) -> None:
    assert to_ascii(text) == shown


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"TERM": ""}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "unknown"}, False),
        ({"TERM": "xterm"}, True),
    ],
)
def test_a_terminal_can_draw_if_its_type_is_known(environ: dict[str, str], expected: bool) -> None:
    assert can_draw(environ) is expected


@pytest.mark.parametrize(
    ("environ", "by_default", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"CLICOLOR": "0"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"CLICOLOR_FORCE": "1", "CLICOLOR": "0"}, False, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
    ],
)
def test_the_environment_decides_on_colour(
    environ: dict[str, str], by_default: bool, expected: bool
) -> None:
    assert wants_color(environ, by_default=by_default) is expected


def test_a_terminal_opened_again_does_not_block_and_leaves_the_other_descriptor_as_it_is() -> None:
    leader, follower = pty.openpty()
    try:
        opened, never_blocks = reopen_nonblocking_or_dup(follower, os.O_WRONLY)

        assert (never_blocks, os.get_blocking(opened), os.get_blocking(follower)) == (
            True,
            False,
            True,
        )
        os.close(opened)
    finally:
        os.close(leader)
        os.close(follower)


def test_a_terminal_that_cannot_be_reopened_is_duplicated_and_may_block() -> None:
    reader, writer = os.pipe()
    try:
        copy, never_blocks = reopen_nonblocking_or_dup(writer, os.O_WRONLY)

        os.write(copy, b"x")
        assert (never_blocks, os.read(reader, 1)) == (False, b"x")
        os.close(copy)
    finally:
        os.close(reader)
        os.close(writer)
