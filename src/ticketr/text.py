"""Clean, measure, cut and wrap text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from types import ModuleType

from ticketr.cleaning import clean

__all__ = [
    "break_positions",
    "clean",
    "clip",
    "common_prefix_length",
    "fit",
    "graphemes",
    "line_ranges",
    "to_ascii",
    "width",
    "wrap",
]

# Chinese and Japanese have no spaces: a line may end after any character, but does not begin with
# a closing mark, nor end in an opening one.
_CJK_OPENING_MARKS = "\u3008\u300a\u300c\u300e\u3010\u3014\u3016\uff08\uff3b\uff5b"
_CJK_CLOSING_MARKS = (
    "\u3001\u3002\u3009\u300b\u300d\u300f\u3011\u3015\u3017\u30fc\uff01\uff09\uff0c\uff0e\uff1a"
    "\uff1b\uff1f\uff3d\uff5d\u3099\u309a\ufe00-\ufe0f"
)
_UNSPACED_SCRIPTS = "\u2e80-\ua4cf\uf900-\ufaff\uff01-\uff60\U00020000-\U0003ffff"
_ASCII_BY_CHARACTER = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u2033\xab\xbb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\xa0\u2002\u2003\u2009\u202f", " "),
        "\u2022": "*",
        "\xb7": "-",
        "\xd7": "x",
        "\u2026": "...",
        "\u2192": "->",
        "\u2190": "<-",
        # What screens are drawn with, each in one cell.
        **dict.fromkeys("│▌▏", "|"),
        **dict.fromkeys("┌┐└┘├┤┬┴┼✓▪", "+"),
        **dict.fromkeys("─⊘◦░", "-"),
        **dict.fromkeys("▸↪", ">"),
        **dict.fromkeys("▾↓", "v"),
        "⇈": "!",
        "√": "#",
        "⇊": "_",
        **dict.fromkeys("○☐", "o"),
        **dict.fromkeys("●✗☑", "x"),
        "◐": "~",
        "◕": "%",
        "█": "#",
        "↑": "^",
        "›": ">",
    }
)


def width(text: str) -> int:
    """Return the number of cells that clean text occupies in a terminal."""
    return len(text) if text.isascii() else _wcwidth().width(text, control_codes="ignore")


def graphemes(text: str) -> Iterator[str]:
    """Return the characters as a person counts them: with accents, joined emoji and flags."""
    return iter(text) if text.isascii() else _wcwidth().iter_graphemes(text)


@cache
def _wcwidth() -> ModuleType:
    """Import wcwidth with the first text that is not ASCII; many commands show none."""
    import wcwidth  # noqa: PLC0415 - that is what this is for

    return wcwidth


def common_prefix_length(one: Sequence[object], other: Sequence[object]) -> int:
    """Count the items with which two sequences begin in common."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def to_ascii(text: str) -> str:
    """Return clean text in ASCII and of about the same width.

    Quotation marks, dashes, frames and similar characters become those of ASCII, and any other
    character becomes as many question marks as it has cells.
    """
    if text.isascii():
        return text
    text = text.translate(_ASCII_BY_CHARACTER)
    return "".join([g if g.isascii() else "?" * width(g) for g in graphemes(text)])


@lru_cache(maxsize=2048)
def clip(text: str, cells: int, *, ellipsis: str = "…") -> str:
    """Cut clean text to a maximum width, but never inside a grapheme.

    Args:
        text: Clean text.
        cells: The maximum width in cells; a negative one counts as 0.
        ellipsis: The end of a text that was cut.

    Returns:
        The cut text; the same object if it is not too wide.
    """
    if len(text) <= cells and text.isascii():
        return text
    if width(text) <= cells:
        return text
    room = cells - width(ellipsis)
    if room < 0:
        return _longest_start(ellipsis, cells)
    return _longest_start(text, room) + ellipsis


def _longest_start(text: str, cells: int) -> str:
    """Return the longest beginning that fits into so many cells."""
    if cells <= 0:
        return ""
    if text.isascii():
        return text[:cells]
    end = used = 0
    for grapheme in graphemes(text):
        used += width(grapheme)
        if used > cells:
            break
        end += len(grapheme)
    return text[:end]


@lru_cache(maxsize=2048)
def fit(text: str, cells: int, *, ellipsis: str = "…") -> str:
    """Cut or pad clean text to an exact width.

    Args:
        text: Clean text.
        cells: The width in cells; a negative one counts as 0.
        ellipsis: The end of a text that was cut.
    """
    shown = clip(text, cells, ellipsis=ellipsis)
    return shown + " " * (cells - width(shown))


def wrap(text: str, cells: int) -> tuple[str, ...]:
    """Break clean text into lines of a maximum width, between words if possible.

    Args:
        text: A line of clean text.
        cells: The maximum width in cells; at least 2, since some characters occupy two.

    Returns:
        The lines; one empty line for an empty text.
    """
    if width(text) <= cells:
        return (text,)
    cells = max(cells, 2)
    # Other lines keep the indent, so that lists remain recognizable; two cells are left for text.
    indent = clip(text[: len(text) - len(text.lstrip())], min(cells // 2, cells - 2), ellipsis="")
    ranges = line_ranges(text, cells, cells - width(indent))
    begin, *others = [text[start:end] for start, end in ranges]
    return (begin, *(indent + line for line in others))


def line_ranges(text: str, first_cells: int, rest_cells: int) -> Iterator[tuple[int, int]]:
    """Yield where each line of a wrapped text begins and ends, in characters.

    Args:
        text: The text.
        first_cells: The cells of the first line; at least 2.
        rest_cells: The cells of the other lines; at least 2.
    """
    room, begin, end, used = first_cells, 0, 0, 0
    for word in _word_pattern().finditer(text):
        start, stop = word.span()
        used += start - end
        size = width(word[0])
        if used + size > room:
            if size <= rest_cells or used + 2 > room:
                if end > begin:
                    yield begin, end
                    room = rest_cells
                begin, used = start, 0
            if cuts := break_positions(word[0], room - used, rest_cells):
                stops = [start + cut for cut in cuts]
                yield from pairwise([begin, *stops])
                begin, room, used, size = stops[-1], rest_cells, 0, width(word[0][cuts[-1] :])
        used += size
        end = stop
    yield begin, end


@cache
def _word_pattern() -> re.Pattern[str]:
    """Compile the pattern of a word; that takes milliseconds, and most commands wrap no text."""
    return re.compile(
        f"[{_CJK_OPENING_MARKS}]*[{_UNSPACED_SCRIPTS}][{_CJK_CLOSING_MARKS}]*|[^ {_UNSPACED_SCRIPTS}]+"
    )


def break_positions(text: str, first_cells: int, rest_cells: int) -> Sequence[int]:
    """Return where to break a text between any two graphemes.

    Args:
        text: The text.
        first_cells: The cells before the first break; at least 2.
        rest_cells: The cells before the next break; at least 2.
    """
    if text.isascii():
        return range(first_cells, len(text), rest_cells)
    cuts: list[int] = []
    at, used, room = 0, 0, first_cells
    for grapheme in graphemes(text):
        size = width(grapheme)
        if used + size > room and used:
            cuts.append(at)
            used, room = 0, rest_cells
        used += size
        at += len(grapheme)
    return cuts
