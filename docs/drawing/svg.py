"""Draw screens as SVG: text stays text, and lines of boxes are drawn, so that they join.

A picture follows the light or dark colours of the page that shows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from ticketr.text import width

CELL, LINE, EDGE = 8.43, 19, 12
#: From the top of a row to the base line of its text.
BASE = 14
#: The codes of styles in a terminal (SGR).
CODES = {
    "bold": 1,
    "dim": 2,
    "italic": 3,
    "underline": 4,
    "reverse": 7,
    "red": 31,
    "green": 32,
    "yellow": 33,
    "blue": 34,
    "magenta": 35,
    "cyan": 36,
}
_STYLES = {str(code): style for style, code in CODES.items()}
_PART = re.compile(r"\x1b\[([0-9;]*)m|([^\x1b]+)")
#: How far each line of a box goes from the middle of its cell: left, right, up, down.
_LINES = {
    "─": (1, 1, 0, 0),
    "│": (0, 0, 1, 1),
    "┌": (0, 1, 0, 1),
    "┐": (1, 0, 0, 1),
    "└": (0, 1, 1, 0),
    "┘": (1, 0, 1, 0),
    "├": (0, 1, 1, 1),
    "┤": (1, 0, 1, 1),
    "┬": (1, 1, 0, 1),
    "┴": (1, 1, 1, 0),
    "┼": (1, 1, 1, 1),
}
#: The share of a cell that each block fills, and how dense it is.
_BLOCKS = {"▌": (0.5, 1.0), "█": (1.0, 1.0), "░": (1.0, 0.25), "▏": (0.125, 1.0)}
_BLOCKS |= {mark: ((at + 1) / 8, 1.0) for at, mark in enumerate("▏▎▍▌▋▊▉")}
_PIECE = re.compile(rf"(?P<drawn>(?P<one>[{''.join((*_LINES, *_BLOCKS))}])(?P=one)*)|(?P<gap>\s+)")


@dataclass(frozen=True)
class Palette:
    """The colours of a terminal, as a browser writes them."""

    text: str
    ground: str
    edge: str
    colors: Mapping[str, str]


PALETTES = {
    "light": Palette(
        "#1f2328",
        "#ffffff",
        "#d0d7de",
        {
            "red": "#b3261e",
            "green": "#1a6b2f",
            "yellow": "#7a5200",
            "blue": "#0b57d0",
            "magenta": "#8a2a8a",
            "cyan": "#0b6470",
        },
    ),
    "dark": Palette(
        "#e6edf3",
        "#161b22",
        "#30363d",
        {
            "red": "#ff8a80",
            "green": "#7ee787",
            "yellow": "#e3b341",
            "blue": "#8ab4f8",
            "magenta": "#d2a8ff",
            "cyan": "#76e3ea",
        },
    ),
}
#: How much of a dim text's colour is seen.
DIM = 0.65


def style(text: str, *styles: str) -> str:
    """Return a text with the codes of its styles, as a terminal gets it."""
    codes = ";".join(str(CODES[each]) for each in styles)
    return f"\x1b[{codes}m{text}\x1b[m" if styles else text


def picture(rows: Sequence[str], title: str, cells: int) -> str:
    """Return a picture of a screen.

    Args:
        rows: The rows of the screen, with the codes of their styles.
        title: What the picture shows, for those who cannot see it.
        cells: The width of the screen.
    """
    parts = [*head(title, cells, len(rows))]
    parts += (each for number, row in enumerate(rows) for each in drawn_row(row, number))
    return "\n".join([*parts, "</svg>", ""])


def head(title: str, cells: int, rows: int, css: str = "") -> Iterator[str]:
    """Yield the begin of a picture: its size, its colours, its ground."""
    across, down = round(cells * CELL + 2 * EDGE), rows * LINE + 2 * EDGE
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across}" height="{down}"'
        f' viewBox="0 0 {across} {down}" role="img" font-size="14"'
        " font-family=\"'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace\">"
    )
    yield f"<title>{escape(title)}</title>"
    yield (
        f"<style>text{{white-space:pre}}path{{fill:none}}{_colors(PALETTES['light'])}"
        f"@media (prefers-color-scheme:dark){{{_colors(PALETTES['dark'])}}}"
        f".bold{{font-weight:bold}}.italic{{font-style:italic}}.dim{{opacity:{DIM}}}"
        f".underline{{text-decoration:underline}}{css}</style>"
    )
    size = f'x=".5" y=".5" width="{across - 1}" height="{down - 1}" rx="8"'
    yield f'<rect {size} class="ground edge"/>'


def _colors(palette: Palette) -> str:
    names = "".join(f".{name}{{fill:{color}}}" for name, color in palette.colors.items())
    return (
        f"text,rect{{fill:{palette.text}}}path{{stroke:{palette.text}}}{names}"
        f".ground{{fill:{palette.ground}}}.edge{{stroke:{palette.edge}}}"
    )


def drawn_row(row: str, number: int) -> Iterator[str]:
    """Yield the parts of a row of a screen."""
    cell = 0
    styles: list[str] = []
    for found in _PART.finditer(row):
        text = found[2]
        if text is None:
            styles = [_STYLES[code] for code in found[1].split(";") if code not in {"", "0"}]
            continue
        yield from _span(text, cell, number, styles)
        cell += width(text)


def _span(text: str, cell: int, number: int, styles: Sequence[str]) -> Iterator[str]:
    names = [each for each in styles if each != "reverse"]
    if "reverse" in styles:
        yield _rect(cell, number, width(text), [each for each in names if each != "bold"])
        names = [*(each for each in names if each == "bold"), "ground"]
    at = 0
    for piece in [*_PIECE.finditer(text), None]:
        end = piece.start() if piece is not None else len(text)
        # One blank between words is part of the text; more of them would be drawn as one.
        if piece is not None and piece["gap"] is not None and piece[0] == " ":
            continue
        if words := text[at:end].rstrip():
            yield _text(words, cell + width(text[:at]), number, names)
        if piece is not None:
            at = piece.end()
            if piece["drawn"] is not None:
                yield from _drawn(piece[0], cell + width(text[: piece.start()]), number, names)


def _text(words: str, cell: int, number: int, names: Sequence[str]) -> str:
    blanks = len(words) - len(words.lstrip())
    words, cell = words.lstrip(), cell + blanks
    place = f'x="{_x(cell)}" y="{EDGE + number * LINE + BASE}"'
    return f'<text {place} textLength="{_size(width(words))}"{_class(names)}>{escape(words)}</text>'


def _drawn(text: str, cell: int, number: int, names: Sequence[str]) -> Iterator[str]:
    if text[0] in _BLOCKS:
        share, dense = _BLOCKS[text[0]]
        cells = len(text) - 1 + share
        yield _rect(cell, number, cells, names, "" if dense == 1.0 else f' opacity="{dense}"')
        return
    left, right, up, down = _LINES[text[0]]
    middle = EDGE + number * LINE + LINE / 2
    top, bottom = middle - LINE / 2 * up, middle + LINE / 2 * down
    start, end = cell + (1 - left) / 2, cell + len(text) - (1 - right) / 2
    path = f"M{_x(start)} {middle:g}H{_x(end)}" if left or right else ""
    if up or down:
        path += f"M{_x(cell + 0.5)} {top:g}V{bottom:g}"
    yield f'<path d="{path}"{_class(names)}/>'


def _rect(cell: int, number: int, cells: float, names: Sequence[str], more: str = "") -> str:
    place = f'x="{_x(cell)}" y="{EDGE + number * LINE}"'
    return f'<rect {place} width="{_size(cells)}" height="{LINE}"{_class(names)}{more}/>'


def _class(names: Sequence[str]) -> str:
    return f' class="{" ".join(names)}"' if names else ""


def _x(cell: float) -> str:
    return f"{EDGE + cell * CELL:.1f}".removesuffix(".0")


def _size(cells: float) -> str:
    return f"{cells * CELL:.1f}".removesuffix(".0")


def texts(drawn: str) -> str:
    """Return the texts of a picture, one a line."""
    return "\n".join(re.findall("<(?:title|text)[^>]*>([^<]*)<", drawn))
