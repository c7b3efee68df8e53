"""Handles HTML in Markdown: tags that marklas writes are read, all other tags are text.

marklas writes as HTML what Markdown lacks, each tag with an ``adf`` attribute, and drops every
other tag without a message. So a placeholder replaces the ``<`` of every other tag: `List<String>`
is text. A comment stays, since it must not be published as text; `dropped_texts` reports it.

Code is not recognised here: a placeholder in code becomes a ``<`` again as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Stands for a ``<`` that is text.
LESS = "\ufdd6"
#: Stands for a ``<`` with a backslash before it, which is two characters in code.
ESCAPED_LESS = "\ufdd7"
#: Stands for nothing, and makes a paragraph of what would be a block of HTML.
STAY = "\ufdd3"
#: Parts what Markdown would join; ticketr writes it itself.
EMPTY_COMMENT = "<!-- -->"

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
OURS = frozenset((tag, kind) for tag, kinds in _KINDS.items() for kind in kinds.split())
#: The tags without an ``adf`` attribute that say in a cell what Markdown says elsewhere.
IN_CELLS = frozenset(
    {"blockquote", "code", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "ul"}
)

_BLOCKS = frozenset({"aside", "details", "div", "figure", "section", "ul"})
_WITHIN = {"figcaption": {"figure"}, "li": {"ol", "ul"}, "summary": {"details"}}
#: What may stand before the first word of a line: indent, and the signs of quotes and items.
FIRST = r"^[ \t]*(?:(?:>|[-+*]|\d{1,9}[.)])[ \t]+|>)*(?:\[[ xX]\][ \t]+)?"

_ATTRS = r"""(?:[ \t]+[\w-]+=(?:"[^"\n]*"|'[^'\n]*'))*[ \t]*"""
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
_BAR = re.compile(r"(?<!\\)\|")


@dataclass(slots=True)
class _Open:
    """A start tag without its end tag so far."""

    start: int
    tag: str
    in_row: bool


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


def is_ours(tag: str, attrs: str) -> bool:
    """Return whether marklas writes such a tag for something that Markdown cannot say."""
    found = _ADF.search(attrs)
    return found is not None and (tag, found[1]) in OURS


def _placeholders(markdown: str) -> Iterator[tuple[int, int, str]]:
    """Yield the start and end of each text to replace, and its placeholder."""
    opened: list[_Open] = []
    in_row = False
    line = 0
    for piece in _PIECE.finditer(markdown):
        kind = piece.lastgroup
        start = piece.start()
        if kind in {"row", "bar", "blank", "end"}:
            yield from _unclosed(opened, blank=kind == "blank")
            in_row = kind == "row" or (in_row and kind == "bar")
            line = start + 1 if kind in {"blank", "end"} else line
        elif kind == "break":
            yield piece.start("break"), piece.start("break"), STAY
        elif kind == "escaped":
            yield start, piece.end(), ESCAPED_LESS
        elif kind == "less":
            yield start, start + 1, LESS
        elif piece["close"]:
            if not _closes(opened, piece["close"]):
                yield start, start + 1, LESS
        elif piece["open"]:
            first = in_row or _BEFORE.fullmatch(markdown, line, start) is not None
            if not _is_read(piece, opened, in_row=in_row, first=first):
                yield start, start + 1, LESS
            elif piece["open"] != "hr":
                opened.append(_Open(start, piece["open"], in_row))
    for each in opened:
        yield each.start, each.start + 1, LESS


def _unclosed(opened: list[_Open], *, blank: bool) -> Iterator[tuple[int, int, str]]:
    """Remove the tags that have to end: in a cell all of them, at a blank line all but blocks."""
    gone = [each for each in opened if each.in_row or (blank and each.tag not in _BLOCKS)]
    for each in gone:
        opened.remove(each)
        yield each.start, each.start + 1, LESS


def _closes(opened: list[_Open], tag: str) -> bool:
    """Remove the innermost tag of that name; return whether there was one."""
    for place in range(len(opened) - 1, -1, -1):
        if opened[place].tag == tag:
            del opened[place]
            return True
    return False


def _is_read(piece: re.Match[str], opened: list[_Open], *, in_row: bool, first: bool) -> bool:
    """Return whether marklas reads a start tag in this place."""
    tag, attrs = piece["open"], piece["attrs"]
    if tag in _WITHIN and not any(each.tag in _WITHIN[tag] for each in opened):
        return False
    if in_row and _BAR.search(attrs):  # the cell ends within the tag
        return False
    if "adf=" not in attrs:
        return tag == "summary" or (in_row and tag in IN_CELLS)
    return is_ours(tag, attrs) and (first or tag not in _BLOCKS)
