"""Finds Markdown that other programs convert and that reaches Jira as plain text.

A short form that is mistyped, a tag of HTML, the box of a task outside of a list: each is sent as
text. In Jira a picture beside the file is not shown, and a link to such a file leads nowhere. Each
is reported to the author.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ticketr.app.jira.adf._canonical import Json
from ticketr.app.jira.adf._placeholders import FIRST, SHORT
from ticketr.app.jira.adf._plain import prose, walk
from ticketr.app.jira.adf._tables import blank_code, fenced
from ticketr.app.jira.adf.forms import COLORS, PANELS, WORDS, without_escapes
from ticketr.app.jira.errors import clip

_TAGS = (
    "a|abbr|article|aside|b|big|blockquote|button|caption|center|cite|code|col|dd|del|details|div"
    "|dl|dt|em|figure|font|footer|form|h[1-6]|header|i|iframe|img|input|ins|kbd|label|li|main|mark"
    "|nav|ol|p|picture|pre|q|s|samp|script|section|small|span|strike|strong|style|sub|summary|sup"
    "|svg|table|tbody|td|tfoot|th|thead|tr|tt|u|ul|var|video"
)
_CANDIDATE = re.compile(
    rf"""\\.
    |^[ \t]*(?P<box>\[[ xX]\])(?=[ \t])
    |{FIRST}(?P<footnote>\[\^[^\]\n]{{1,300}}\]:)
    |{FIRST}(?P<unused>\[[^\]\n]{{1,300}}\]:)[ \t]*<?(?P<defined>[^\s<>]{{1,2000}})
    |(?P<alert>(?<=>)[ \t]*\[!(?P<panel>[A-Za-z]{{1,20}})\])(?P<more>.*)
    |(?P<color>\{{[A-Za-z]{{2,12}}\}})
    |(?P<day>\{{\d{{1,4}}-\d\d?-\d\d?\}})
    |(?<![\w@/.+-])(?P<mention>@(?!\w[\w.-]*/\w)[^\W\d_][\w.-]*\w)
    |(?<![\w:/])(?P<emoji>:(?:[a-z][a-z0-9_+-]{{1,40}}|[+-]1):)(?![\w:])
    |(?P<tag>(?<!\w)<(?:{_TAGS})(?=[\s/>])[^<>\n]*>|<su[bp]>)
    |(?P<blanks>!?\[[^\[\]\n]{{0,300}}\]\([^\s()<>]{{1,300}}[ ][^()<>"'\n]{{0,300}}\.\w{{2,4}}\))
    |(?P<file>!\[[^\]\n]{{0,300}}\]\((?:attachment:[^\s()<>]{{1,300}}|<attachment:[^<>\n]{{1,300}}>)\))
    |!\[[^\]\n]{{0,300}}\]\((?:<(?P<angled_image>(?:\\.|[^<>\\\n]){{1,2000}})>|(?P<image>[^\s()]{{1,2000}}))
     [^()\n]{{0,300}}\)
    |\]\((?:<(?P<angled_link>(?:\\.|[^<>\\\n]){{1,2000}})>|(?P<link>[^\s()<>]{{1,2000}}))
    |<\w+[ ][^<>\n]{{0,40}}\badf=[^<>\n]*>(?P<shown>[^<\n]*)""",
    re.VERBOSE,
)
# The line that opens a block of code.
_INFO = re.compile(r"[^`~\n]*(?:`+|~+)[ \t]*\S+[ \t]+(\S.*)")


@dataclass(frozen=True, slots=True)
class UnconvertedPiece:
    """A piece of Markdown that reaches Jira as plain text, or not visibly.

    Attributes:
        text: The piece.
        line: The line that it is in, from 1 on.
        reason: What becomes of it in Jira, and what to write instead.
    """

    text: str
    line: int
    reason: str


def find_unconverted(
    markdown: str, document: Json, *, before: str = "", pictures: Mapping[str, str]
) -> Iterator[UnconvertedPiece]:
    """Yield the pieces of Markdown that reach Jira as plain text.

    Args:
        markdown: The Markdown.
        document: The document that it was converted to.
        before: The Markdown before the edit, whose pieces are not reported again.
        pictures: What is known of pictures of files on disk, by their addresses; empty for those
            that are attached.
    """
    known = Counter(candidate.text for candidate in _candidates(before))
    text = "\n".join(prose(document))
    addresses = set(_addresses(document))
    for candidate in _candidates(markdown):
        if known[candidate.text]:
            known[candidate.text] -= 1
        elif candidate.reason is _AFTER_LANGUAGE:
            yield replace(candidate, text=clip(candidate.text, 40))
        elif candidate.reason not in _UNSEEN:
            if candidate.text in text:
                yield replace(candidate, text=clip(candidate.text, 40))
        elif candidate.reason is _NO_PICTURE and without_escapes(candidate.text) in pictures:
            if reason := pictures[without_escapes(candidate.text)]:
                yield replace(candidate, text=clip(candidate.text, 40), reason=reason)
        elif without_escapes(candidate.text) in addresses:
            yield replace(candidate, text=clip(candidate.text, 40))


def _candidates(markdown: str) -> list[UnconvertedPiece]:
    """Return what looks like such a piece, in the order of the lines."""
    pieces = [*_infos(markdown), *_candidates_in_text(markdown)]
    return sorted(pieces, key=lambda piece: piece.line)


def _infos(markdown: str) -> Iterator[UnconvertedPiece]:
    """Yield what follows the language of each block of code."""
    for start, _ in fenced(markdown):
        if match := _INFO.match(markdown, start):
            line = markdown.count("\n", 0, start) + 1
            yield UnconvertedPiece(match[1].strip(), line, _AFTER_LANGUAGE)


def _candidates_in_text(markdown: str) -> Iterator[UnconvertedPiece]:
    """Yield what looks like such a piece outside of code."""
    lines = markdown.split("\n")
    for number, line in enumerate(blank_code(markdown).split("\n"), start=1):
        for match in _CANDIDATE.finditer(line):
            kind = match.lastgroup
            if kind == "more":
                reason = _MISPLACED_PANEL if match["panel"].upper() in PANELS else _UNKNOWN_PANEL
                if reason is _MISPLACED_PANEL or not match["more"].strip():
                    yield UnconvertedPiece(match["alert"].strip(), number, reason)
            elif kind == "color" and lines[number - 1][: match.start()][-1:] != "`":
                pass  # it belongs to no status
            elif kind == "tag" and _SHORT_TAG.match(match["tag"]):
                yield UnconvertedPiece(match["tag"], number, _WITHOUT_END_TAG)
            elif kind in _REASONS:
                yield UnconvertedPiece(match[kind], number, _REASONS[kind])
            if kind == "defined":
                yield UnconvertedPiece(match["unused"], number, _REASONS["unused"])
            if kind in _PLACES and not _PLACES[kind].match(match[kind]):
                reason = _NO_PICTURE if kind.endswith("image") else _NOWHERE
                yield UnconvertedPiece(match[kind], number, reason)


_MISPLACED_PANEL = (
    "goes to Jira as a word of a quote; the mark of a panel stands alone in the first line of a "
    "quote, and the quote in no list"
)
_UNKNOWN_PANEL = f"goes to Jira as a word of a quote; a panel is called {', '.join(WORDS.values())}"
_WITHOUT_END_TAG = (
    "goes to Jira as text; it needs an end tag, and <details> the beginning of a line"
)
_SHORT_TAG = re.compile(rf"<(?:{'|'.join(SHORT)})[ >]")
_REASONS = {
    "file": "goes to Jira as text, for its ticket has no file of that name; attach it first",
    "mention": "goes to Jira as text and tells nobody; write @[Name], which is looked up in Jira",
    "color": f"makes no status; a color is {', '.join(COLORS)}",
    "day": "goes to Jira as text, for it is not a date; a date is written {2026-03-01}",
    "emoji": "goes to Jira as text, for it knows no emoji of that name; write the character itself",
    "tag": "goes to Jira as text, for HTML is not read here; write Markdown instead",
    "blanks": "goes to Jira as text; an address with blanks needs to be between < and >",
    "footnote": "goes to Jira as text, for Jira has no footnotes; write the note where it belongs",
    "unused": "goes to Jira as text, for no link here uses this address",
    "box": "goes to Jira as text; a task is written - [ ], and stands in a description alone",
}
_AFTER_LANGUAGE = (
    "stays in the file alone, since Jira has only the language of a block of code, its first word"
)
_NOWHERE = (
    "leads nowhere in Jira; attach the file to the issue, or write the whole address, with https://"
)
_NO_PICTURE = (
    "leads nowhere in Jira; a push attaches a picture of a file only if it is new and alone in its "
    "paragraph of a description"
)
#: Reasons of what is not text in Jira.
_UNSEEN = frozenset({_NOWHERE, _NO_PICTURE})
_ADDRESS_ANYWHERE = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+:", re.IGNORECASE)
# On Jira's own site, or in the text itself, a link may lead somewhere.
_ON_SITE = re.compile(rf"[/#]|{_ADDRESS_ANYWHERE.pattern}", re.IGNORECASE)
#: The form of addresses that work in Jira, by their syntax in Markdown.
_PLACES = {
    "image": _ADDRESS_ANYWHERE,
    "angled_image": _ADDRESS_ANYWHERE,
    "link": _ON_SITE,
    "angled_link": _ON_SITE,
    "defined": _ON_SITE,
}


def _addresses(document: Json) -> Iterator[str]:
    """Yield the addresses of the pictures and links in a document."""
    for node in walk(document):
        for part in (node, *(node.get("marks") or ())):
            attrs = part.get("attrs")
            if isinstance(attrs, dict):
                yield str(attrs.get("url", attrs.get("href", "")))
