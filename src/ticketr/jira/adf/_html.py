"""Handles HTML in Markdown: tags that marklas writes are read, all other tags are text.

marklas writes as HTML what Markdown lacks, each tag with an ``adf`` attribute, and drops every
other tag without a message. So a guard replaces the ``<`` of every other tag: `List<String>` is
text. A comment stays, because it would be published as text and lost when dropped; `lost` reports
it.

Code is not told apart: a guard in code becomes a ``<`` again as well.
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


def guard_html(markdown: str) -> str:
    """Replace the beginnings of HTML that marklas has not written by guards."""
    if "<" not in markdown:
        return markdown
    made: list[str] = []
    end = 0
    for start, stop, guard in sorted(_guards(markdown)):
        made += markdown[end:start], guard
        end = stop
    made.append(markdown[end:])
    return "".join(made)


def is_ours(tag: str, attrs: str) -> bool:
    """Return whether marklas writes such a tag for something that Markdown cannot say."""
    found = _ADF.search(attrs)
    return found is not None and (tag, found[1]) in OURS


def _guards(markdown: str) -> Iterator[tuple[int, int, str]]:
    """Return the guards to set: the start and end of the replaced text, and the guard."""
    ahead: list[_Open] = []
    in_row = False
    line = 0
    for piece in _PIECE.finditer(markdown):
        kind = piece.lastgroup
        start = piece.start()
        if kind in {"row", "bar", "blank", "end"}:
            yield from _given_up(ahead, blank=kind == "blank")
            in_row = kind == "row" or (in_row and kind == "bar")
            line = start + 1 if kind in {"blank", "end"} else line
        elif kind == "break":
            yield piece.start("break"), piece.start("break"), STAY
        elif kind == "escaped":
            yield start, piece.end(), ESCAPED_LESS
        elif kind == "less":
            yield start, start + 1, LESS
        elif piece["close"]:
            if not _closes(ahead, piece["close"]):
                yield start, start + 1, LESS
        elif piece["open"]:
            first = in_row or _BEFORE.fullmatch(markdown, line, start) is not None
            if not _is_read(piece, ahead, in_row=in_row, first=first):
                yield start, start + 1, LESS
            elif piece["open"] != "hr":
                ahead.append(_Open(start, piece["open"], in_row))
    for each in ahead:
        yield each.start, each.start + 1, LESS


def _given_up(ahead: list[_Open], *, blank: bool) -> Iterator[tuple[int, int, str]]:
    """Take the tags off that cannot go on: in a cell all, and past a blank line all but blocks."""
    gone = [each for each in ahead if each.in_row or (blank and each.tag not in _BLOCKS)]
    for each in gone:
        ahead.remove(each)
        yield each.start, each.start + 1, LESS


def _closes(ahead: list[_Open], tag: str) -> bool:
    """Take off the innermost tag of that name."""
    for place in range(len(ahead) - 1, -1, -1):
        if ahead[place].tag == tag:
            del ahead[place]
            return True
    return False


def _is_read(piece: re.Match[str], ahead: list[_Open], *, in_row: bool, first: bool) -> bool:
    """Return whether marklas makes something of a beginning, where it stands."""
    tag, attrs = piece["open"], piece["attrs"]
    if tag in _WITHIN and not any(each.tag in _WITHIN[tag] for each in ahead):
        return False
    if in_row and _BAR.search(attrs):  # the cell ends within the tag
        return False
    if "adf=" not in attrs:
        return tag == "summary" or (in_row and tag in IN_CELLS)
    return is_ours(tag, attrs) and (first or tag not in _BLOCKS)
