"""Handles HTML in Markdown: tags that marklas writes are read, all other tags are text.

marklas writes as HTML what Markdown lacks, each tag with an ``adf`` attribute, and drops every
other tag without a message. So a placeholder replaces the ``<`` of every other tag: `List<String>`
is text. A comment stays, since it must not be published as text; `dropped_texts` reports it.

Code is not recognised here: a placeholder in code becomes a ``<`` again as well.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from ticketr.app.jira.adf._signs import AUTO, STAY
from ticketr.app.jira.adf._tables import fenced

#: Stands for a ``<`` that is text.
LESS = "\ufdd6"
#: Stands for a ``<`` with a backslash before it, which is two characters in code.
ESCAPED_LESS = "\ufdd7"
#: Separates what Markdown would join. A pull writes it.
EMPTY_COMMENT = "<!-- -->"

#: The kinds of node that marklas writes as each tag.
_KINDS = {
    "a": "inlineCard link",
    "aside": "panel",
    "details": "expand nestedExpand",
    "div": "bodiedExtension bodiedSyncBlock blockCard cell embedCard extension layoutColumn marks"
    " mediaGroup syncBlock table unknownBlock",
    "figcaption": "caption",
    "figure": "mediaSingle",
    "li": "decisionItem taskItem",
    "section": "layoutSection",
    "span": "annotation bgColor emoji inlineExtension media mediaInline mention placeholder status"
    " textColor unknownInline unknownMark",
    "sub": "subSup",
    "sup": "subSup",
    "time": "date",
    "u": "underline",
    "ul": "decisionList taskList",
}
#: The tags that marklas writes, each with the kind in its ``adf`` attribute.
MARKLAS_TAGS = frozenset((tag, kind) for tag, kinds in _KINDS.items() for kind in kinds.split())
#: The tags without an ``adf`` attribute that are read everywhere.
SHORT = frozenset({"details", "sub", "summary", "sup", "u"})
#: The tags without an ``adf`` attribute that say in a cell what Markdown says elsewhere.
IN_CELLS = frozenset(
    {"blockquote", "code", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "ul"}
)

_BLOCKS = frozenset({"aside", "details", "div", "figure", "section", "ul"})
#: The tags that must be around a tag.
_WITHIN = {"figcaption": {"figure"}, "li": {"ol", "ul"}, "summary": {"details"}}
#: What may be before the first word of a line: indent, and the signs of quotes and items.
FIRST = r"^[ \t]*(?:(?:>|[-+*]|\d{1,9}[.)])[ \t]+|>)*(?:\[[ xX]\][ \t]+)?"

_ATTRS = r"""(?:[ \t]+(?:open|[\w-]+=(?:"[^"\n]*"|'[^'\n]*')))*[ \t]*"""
_PIECE = re.compile(
    rf"""(?P<lone>{FIRST})(?:<p></p>|(?P<break><[bB][rR]\s*/?>))[ \t]*$
    |(?P<row>^[ \t>]*\|)
    |(?P<bar>\|)
    |(?P<blank>\n[ \t>]*$)
    |(?P<end>\n)
    |(?P<escaped>\\<)
    |\\[^\n]
    |\]\(\s*<(?:[^<>\\\n]|\\.)*>
    |^[ \t>]*\[[^\]\n]+\]:[ \t]*<[^<>\n]*>
    |(?P<auto><https?://[^<>\s]+>)
    |<(?:[a-zA-Z][a-zA-Z0-9+.-]{{1,31}}://|mailto:|tel:)[^<>\s]*>
    |<[\w.!\#$%&'*+/=?^`{{|}}~-]+@[\w-]+(?:\.[\w-]+)*>
    |<!--
    |<[bB][rR]\s*/?>
    |<(?P<open>[a-z][a-z0-9]*)(?P<attrs>{_ATTRS})>
    |</(?P<close>[a-z][a-z0-9]*)>
    |(?P<less><)""",
    re.MULTILINE | re.VERBOSE,
)
_ADF = re.compile(r"""\sadf=["'](\w*)["']""")
_BEFORE = re.compile(FIRST, re.MULTILINE)
_INDENT = re.compile(" {0,3}")
_BAR = re.compile(r"(?<!\\)\|")


@dataclass(slots=True)
class _Open:
    """A start tag without its end tag so far."""

    start: int
    tag: str
    in_row: bool
    title: list[int] = field(default_factory=list)  # where the tags of its summary start


def protect_html(markdown: str) -> str:
    """Replace the ``<`` of HTML that marklas has not written by a placeholder."""
    if "<" not in markdown:
        return markdown
    made: list[str] = []
    end = 0
    for start, stop, placeholder in sorted(_placeholders(markdown)):
        made += markdown[end:start], placeholder
        end = stop
    made.append(markdown[end:])
    return "".join(made)


def is_from_marklas(tag: str, attrs: str) -> bool:
    """Return whether marklas writes such a tag for something that Markdown cannot say."""
    match = _ADF.search(attrs)
    return match is not None and (tag, match[1]) in MARKLAS_TAGS


def _placeholders(markdown: str) -> Iterator[tuple[int, int, str]]:
    """Yield the start and end of each text to replace, and its placeholder."""
    opened: list[_Open] = []
    in_row = False
    line = 0
    fences = fenced(markdown)
    for piece in _PIECE.finditer(markdown):
        kind = piece.lastgroup
        start = piece.start()
        if kind in {"row", "bar", "blank", "end"}:
            yield from _end_unclosed(opened, blank=kind == "blank")
            in_row = kind == "row" or (in_row and kind == "bar")
            line = start + 1 if kind in {"blank", "end"} else line
        elif kind == "break":
            yield piece.start("break"), piece.start("break"), STAY
        elif kind == "escaped":
            yield start, piece.end(), ESCAPED_LESS
        elif kind == "auto":
            yield piece.end() - 1, piece.end() - 1, AUTO
        elif kind == "less" or (_is_short(piece) and _is_within(start, fences)):
            yield start, start + 1, LESS
        elif piece["close"]:
            if not _close_tag(opened, piece["close"]):
                yield start, start + 1, LESS
            elif piece["close"] == "summary":
                _add_title(opened, start)
        elif piece["open"]:
            pattern = _BEFORE if "adf=" in piece["attrs"] else _INDENT
            first = in_row or pattern.fullmatch(markdown, line, start) is not None
            if not _is_read(piece, opened, in_row=in_row, first=first):
                yield start, start + 1, LESS
            elif piece["open"] != "hr":
                if piece["open"] == "summary":
                    _add_title(opened, start)
                opened.append(_Open(start, piece["open"], in_row))
    yield from _replace_starts(opened)


def _replace_starts(unclosed: list[_Open]) -> Iterator[tuple[int, int, str]]:
    """Yield a placeholder for the ``<`` of each start tag, which makes it text."""
    for start in {place for tag in unclosed for place in (tag.start, *tag.title)}:
        yield start, start + 1, LESS


def _add_title(opened: list[_Open], start: int) -> None:
    """Note the place of a tag of a summary with the ``<details>`` around it."""
    for start_tag in reversed(opened):
        if start_tag.tag == "details":
            start_tag.title.append(start)
            break


def _is_short(piece: re.Match[str]) -> bool:
    return (piece["open"] or piece["close"]) in SHORT and "adf=" not in piece[0]


def _is_within(at: int, ranges: list[tuple[int, int]]) -> bool:
    """Return whether a place is in one of some ranges, which are in order."""
    place = bisect_right(ranges, at, key=lambda span: span[0])
    return place > 0 and at < ranges[place - 1][1]


def _end_unclosed(opened: list[_Open], *, blank: bool) -> Iterator[tuple[int, int, str]]:
    """Close the tags that lack an end tag here; yield the placeholders that make them text.

    In a cell, all tags have to end; at a blank line, all but blocks.
    """
    gone = [
        start_tag
        for start_tag in opened
        if start_tag.in_row or (blank and start_tag.tag not in _BLOCKS)
    ]
    for start_tag in gone:
        opened.remove(start_tag)
    yield from _replace_starts(gone)


def _close_tag(opened: list[_Open], tag: str) -> bool:
    """Remove the innermost tag of that name; return whether there was one."""
    for place in range(len(opened) - 1, -1, -1):
        if opened[place].tag == tag:
            del opened[place]
            return True
    return False


def _is_read(piece: re.Match[str], opened: list[_Open], *, in_row: bool, first: bool) -> bool:
    """Return whether a start tag is read in this place.

    Args:
        piece: The tag.
        opened: The tags without an end tag so far.
        in_row: Whether it is in a table.
        first: Whether a block can begin there.
    """
    tag, attrs = piece["open"], piece["attrs"]
    if tag in _WITHIN and not any(ancestor.tag in _WITHIN[tag] for ancestor in opened):
        return False
    if in_row and _BAR.search(attrs):  # the cell ends within the tag
        return False
    if "adf=" not in attrs:
        if tag == "details":
            return first and attrs in {"", " open"}
        bare = tag in SHORT and not attrs
        return bare or tag == "summary" or (in_row and tag in IN_CELLS)
    return is_from_marklas(tag, attrs) and (first or tag not in _BLOCKS)
