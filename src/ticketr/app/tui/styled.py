"""Styled text as values: measure, cut, wrap and paint lines of spans. Pure.

Widths are those of a line's whole text, since a terminal joins the parts of a character even if
they belong to different spans.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from urllib.parse import quote

from ticketr.statusline import LineStyle
from ticketr.text import clip, fit, line_ranges, to_ascii, width as width_of

#: The colours of marks; everything else is in the terminal's own colours.
MARK_COLORS = {
    "*": "yellow",
    "!": "red",
    "×": "red",
    "✗": "red",
    "+": "green",
    "-": "red",
    "✓": "green",
    "◐": "blue",
    "◕": "blue",
    "⊘": "yellow",
}
#: The end of a text that was cut, with as much before it as its three dots need.
_TWO_CHARS_AND_ELLIPSIS = re.compile(r"[\x20-\x7e]{2}…")

#: The folders of an absolute path, which take the room of what matters.
_PATH_FOLDERS_PATTERN = re.compile(r"(?<![^\s'\"(])(?:/[^/\s]+)+/(?=[^/\s])")
#: The address of a request, at the end of an error that begins with the name of its site.
_TRAILING_ADDRESS_PATTERN = re.compile(r" \(https?://[^\s)]+\)$")


@dataclass(frozen=True)
class Theme:
    """The style of the app.

    Attributes:
        style: Adds a style to a text: ``style(text, "bold", "cyan")``.
        status_line_style: The style of the status line.
        has_links: Whether the terminal gets links (OSC 8), of addresses of the web and of mail alone.
    """

    style: Callable[..., str] = lambda text, *_: text
    status_line_style: LineStyle = field(default_factory=LineStyle)
    has_links: bool = True

    def ascii_if_needed(self, text: str) -> str:
        """Return a cleaned text, in ASCII if need be; its width may differ then."""
        return text if self.status_line_style.unicode else to_ascii(text)

    def fit(self, text: str, cells: int) -> str:
        """Return a cleaned text cut and padded to so many cells, in ASCII if need be."""
        return fit(self.ascii_if_needed(text), cells, ellipsis=self.ellipsis)

    def row(self, line: Line, cells: int, *styles: str) -> str:
        """Return a line cut and padded to so many cells, and painted.

        Args:
            line: The line.
            cells: The width of the row.
            styles: Styles for the whole row, instead of the line's own.
        """
        if not self.status_line_style.unicode:
            # A text that was cut keeps its width, for the columns after it.
            texts = (to_ascii(_TWO_CHARS_AND_ELLIPSIS.sub("...", span.text)) for span in line)
            line = tuple(replace(span, text=text) for span, text in zip(line, texts, strict=True))
        fitted = cut_or_pad_line(line, cells, self.ellipsis)
        if styles:
            return self.style("".join(span.text for span in fitted), *styles)
        painted: list[str] = []
        for span in fitted:
            text = self.style(span.text, *span.styles) if span.styles else span.text
            if self.has_links and span.link and (address := link_address(span.link)):
                text = f"\x1b]8;;{address}\x1b\\{text}\x1b]8;;\x1b\\"
            painted.append(text)
        return "".join(painted)

    @cached_property
    def ellipsis(self) -> str:
        """The mark at the end of a text that was cut."""
        return self.status_line_style.glyphs.ellipsis

    def rule(self, cells: int) -> str:
        """Return a horizontal line, dim."""
        return self.style(self.ascii_if_needed("─") * cells, "dim")


def tint_mark(text: str) -> Span:
    """Return a mark in its colour."""
    color = MARK_COLORS.get(text.strip())
    return Span(text, (color,)) if color else Span(text)


#: The longest address that becomes a link; some terminals refuse longer ones.
MAX_LINK_CHARACTERS = 2_000

_LINK_ADDRESS_PATTERN = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """A text of one style.

    Attributes:
        text: Clean text: it has no control characters.
        styles: Names that `ticketr.terminal.sgr` knows, such as ``("bold", "cyan")``.
        link: The address that the text links to; empty if it is not a link. `Theme.row` checks it.
    """

    text: str
    styles: tuple[str, ...] = ()
    link: str = ""


Line = tuple[Span, ...]


def plain(line: Line) -> str:
    """Return the text of a line without its styles."""
    return "".join([span.text for span in line])


def cells(line: Line) -> int:
    """Return the number of cells that a line occupies in a terminal."""
    return width_of(plain(line))


@lru_cache(maxsize=4096)
def cut_or_pad_line(line: Line, width: int, ellipsis: str = "…") -> Line:
    """Cut or pad a line to an exact width, but never cut inside a grapheme.

    Args:
        line: The line.
        width: The width in cells; a negative one counts as 0.
        ellipsis: The end of a line that was cut; it has the style of the text before it.

    Returns:
        The line; a padded line ends in a span of spaces without style.
    """
    text = plain(line)
    used = width_of(text)
    if used > width:
        room = width - width_of(ellipsis)
        if room < 0:
            line = (Span(clip(ellipsis, width, ellipsis="")),)
        else:
            kept = next(slice_line(line, [(0, len(clip(text, room, ellipsis="")))]))
            end = replace(kept[-1], text=kept[-1].text + ellipsis) if kept else Span(ellipsis)
            line = (*kept[:-1], end)
        used = cells(line)
    return (*line, Span(" " * (width - used))) if used < width else line


def with_style(styles: tuple[str, ...], style: str) -> tuple[str, ...]:
    """Return styles with one more, unless it is among them."""
    return styles if style in styles else (*styles, style)


def wrap_line(line: Line, width: int, first: str = "", rest: str = "") -> list[Line]:
    """Break a line into lines of a maximum width, between words if possible.

    A word that is wider than a line is broken between graphemes. Spaces at a break are dropped;
    those at the start are kept.

    Args:
        line: The line.
        width: The maximum width in cells. At least two cells are left for the text.
        first: Text without style before the first line, such as a bullet.
        rest: Text without style before the other lines.

    Returns:
        The lines; one for an empty line.
    """
    text = plain(line)
    rooms = (max(2, width - width_of(first)), max(2, width - width_of(rest)))
    prefixes = [(Span(first),) if first else (), (Span(rest),) if rest else ()]
    if width_of(text) <= rooms[0]:
        return [(*prefixes[0], *line)]
    parts = slice_line(line, line_ranges(text, *rooms))
    return [(*prefixes[number > 0], *part) for number, part in enumerate(parts)]


@lru_cache(maxsize=1024)
def link_address(link: str) -> str:
    """Return the address of a link as a terminal may get it.

    Args:
        link: Any text.

    Returns:
        The address in ASCII, percent-encoded where need be; empty if it is too long, or not an
        address of the web or of mail.
    """
    if len(link) > MAX_LINK_CHARACTERS or not _LINK_ADDRESS_PATTERN.match(link):
        return ""
    address = quote(link, safe="%/:?#[]@!$&'()*+,;=~", errors="replace")
    return address if len(address) <= MAX_LINK_CHARACTERS else ""


def slice_line(line: Line, ranges: Iterable[tuple[int, int]]) -> Iterator[Line]:
    """Yield parts of a line; each must begin at or after the end of the one before."""
    at = offset = 0  # the first span that is not used up, and where it begins
    for begin, end in ranges:
        part: list[Span] = []
        while at < len(line) and offset < end:
            span = line[at]
            stop = offset + len(span.text)
            if text := span.text[max(0, begin - offset) : end - offset]:
                part.append(span if text == span.text else replace(span, text=text))
            if stop > end:
                break
            at, offset = at + 1, stop
        yield tuple(part)


def shorten_paths_if_too_wide(words: str, room: int, theme: Theme) -> str:
    """Return words; without room for them, with absolute paths as names alone.

    The address of a request, which is beside the name of its site, is left out then, too.
    """
    if width_of(words) <= room:
        return words
    return _PATH_FOLDERS_PATTERN.sub(f"{theme.ellipsis}/", _TRAILING_ADDRESS_PATTERN.sub("", words))
