"""Finds pieces of Markdown that are missing in the document that was made of it.

An ADF document cannot hold everything in every place: no heading in a list, no quote in a quote.
marklas drops such parts with their text and without a message, and also comments, unused link
addresses and tags without an end. Each is found here, so that the user learns of it before the
rest is sent.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from ticketr.app.jira.adf._canonical import Json
from ticketr.app.jira.adf._conversion import label_key, read_tokens
from ticketr.app.jira.adf._placeholders import (
    EMPTY_COMMENT,
    FIRST,
    IN_CELLS,
    is_from_marklas,
    protect_markdown,
    restore_address,
    restore_piece,
)
from ticketr.app.jira.adf._plain import plain_lines, prose, walk
from ticketr.app.jira.adf._tables import DRAWN, STRAY, TableProblem, problem_at, read_tables
from ticketr.app.jira.errors import clip

#: The most characters that are shown of a piece.
LONGEST_PIECE = 60
#: What is wrong with a picture in a line of text.
AMONG_WORDS = "a picture needs a paragraph of its own, with an empty line around it"

_TABLE_SIGNS = re.compile(r"[|:\-]*\|[|:\-]*")
_SPACES = re.compile(r"\s+")
_WORD = re.compile(r"[^\W_]+")
# The text that marklas writes for nodes without text of their own.
_SHOWN = re.compile(r"""(<time\b[^>]*\badf=["']date["'][^>]*>)([-\d]*)|📎 attachment""")
_MOMENT = re.compile(r"""\bdatetime=["'](\d{1,14})["']""")
_HTML = re.compile(
    r"""<!--.*?(?:-->|\Z)|<(/?)([a-zA-Z]\w*)((?:\s+[\w-]+(?:=(?:"[^"]*"|'[^']*'))?)*)\s*/?>""",
    re.DOTALL,
)
_ADDRESS = re.compile(rf"{FIRST}(\[((?:[^\\\[\]\n]|\\.)+)\]:\s*(\S.*))$", re.MULTILINE)
_KIND_OF_SHORT_TAG = re.compile(r'^<(u|sub|sup|details) adf="\w+">$')
#: The tags that have no end tag.
_VOID_TAGS = frozenset({"br", "hr"})


@dataclass(frozen=True, slots=True)
class DroppedPiece:
    """A piece of Markdown that is not in the document.

    Attributes:
        text: The piece, one line of it.
        line: The line that it is in, from 1 on; 0 if that is not known.
        html: Whether it is a tag, a comment or within a block of HTML.
        problem: What is wrong with it, if more is known than that Jira has no place for it.
    """

    text: str
    line: int
    html: bool = False
    problem: str = ""

    def __str__(self) -> str:
        """Describe it for the author of the Markdown."""
        where = f"in its line {self.line}: " if self.line else ""
        return f"{where}{self.reason}"

    @property
    def reason(self) -> str:
        """What is wrong and what to do, without the line."""
        if self.problem:
            return f'{self.problem}: "{self.text}"'
        if self.text.startswith("<!--"):
            return (
                f'the HTML comment "{self.text}" would be lost in Jira; '
                "take it out, or write \\<!-- to send it as text"
            )
        if self.html:
            return (
                f'Jira has no place for the HTML "{self.text}" there; '
                "put a backslash before each < or backquotes around it to send it as text"
            )
        return f'Jira has no place for "{self.text}" there; write it another way'


def find_dropped(markdown: str, document: Json) -> Iterator[DroppedPiece]:
    """Yield the pieces of Markdown that are not in the document that was made of it."""
    piece = None
    for piece in _dropped_parts(markdown, document):
        yield piece
    if piece is None and not document.get("content") and markdown.strip():
        yield _piece_at(markdown.strip(), markdown, is_html=markdown.lstrip().startswith("<"))


def _dropped_parts(markdown: str, document: Json) -> Iterator[DroppedPiece]:
    yield from _broken_tables(markdown, document)
    strings = list(_strings(document))
    kept = Counter(word for text in strings for word in _WORD.findall(text))
    tokens = read_tokens(_SHOWN.sub(_without_shown_text, protect_markdown(markdown)))
    for tag in _tags_without_effect(tokens, in_cell=False):
        restored = restore_piece(tag)
        # In the title of an expand, or in code in a cell, it is text after all.
        if sum(text.count(restored) for text in strings) < max(1, markdown.count(restored)):
            yield _piece_at(tag, markdown, is_html=True)
    for piece, is_html, problem in _texts(tokens):
        if _take_words(kept, Counter(_WORD.findall(piece))):
            yield _piece_at(piece, markdown, is_html=is_html, problem=problem)
    yield from _repeated_addresses(markdown, strings)


def _broken_tables(markdown: str, document: Json) -> Iterator[DroppedPiece]:
    """Yield the lines that keep a table from being read as one."""
    tables = read_tables(markdown)
    for problem in tables.problems:
        yield _table_piece(problem)
    if tables.drawn:
        blocks = (node for node in walk(document) if node.get("type") == "codeBlock")
        texts = "\n".join(text for block in blocks for text in plain_lines(block))
        code = set(map(str.strip, texts.split("\n")))
        for line in tables.drawn:
            drawn = problem_at(markdown, line, DRAWN)
            if drawn.text not in code:
                yield _table_piece(drawn)
    suspects = tables.strays
    if len(tables.seconds) > sum(node.get("type") == "table" for node in walk(document)):
        suspects = sorted(suspects + tables.seconds)
    if not suspects:
        return
    # Each line once; compared by the characters of delimiter rows only.
    shown = " ".join(
        run for text in prose(document) for run in _TABLE_SIGNS.findall(_SPACES.sub("", text))
    )
    reported = {""}
    for line in suspects:
        stray = problem_at(markdown, line, STRAY)
        wanted = _SPACES.sub("", stray.text.lstrip("> \t"))
        if wanted not in reported and wanted in shown:
            reported.add(wanted)
            yield _table_piece(stray)


def _table_piece(problem: TableProblem) -> DroppedPiece:
    return DroppedPiece(clip(problem.text, LONGEST_PIECE), problem.line, problem=problem.reason)


def _take_words(kept: Counter[str], words: Counter[str]) -> bool:
    """Remove words from those that are kept; return whether some were missing.

    Subtracting the counters would look at every kept word each time.
    """
    short = False
    for word, wanted in words.items():
        left = kept[word] - wanted
        short = short or left < 0
        kept[word] = max(left, 0)
    return short


def _without_shown_text(shown: re.Match[str]) -> str:
    """Remove the display text of a node, unless it shows another day than its date."""
    tag, day = shown.groups()
    if tag is None:
        return ""
    moment = _MOMENT.search(tag)
    if moment and day != f"{datetime.fromtimestamp(int(moment[1]) / 1000, tz=UTC):%Y-%m-%d}":
        return shown[0]
    return tag


def _piece_at(piece: str, markdown: str, *, is_html: bool, problem: str = "") -> DroppedPiece:
    """Make a dropped piece, with the line in which the Markdown holds it."""
    text = restore_piece(piece).strip()
    if text not in markdown:  # a tag that is written without its kind
        text = _KIND_OF_SHORT_TAG.sub(r"<\1>", text)
    place = markdown.find(text.partition("\n")[0]) if text else -1
    line = markdown.count("\n", 0, place) + 1 if place >= 0 else 0
    return DroppedPiece(clip(text, LONGEST_PIECE), line, is_html, problem)


def _tags_without_effect(tokens: list[dict[str, Any]], *, in_cell: bool) -> Iterator[str]:
    """Yield comments, and tags that marklas ignores: unknown ones, and those without an end tag.

    A start tag and its end tag are at the same depth of the tokens.
    """
    opened: list[tuple[str, str]] = []
    for token in tokens:
        kind = token["type"]
        if kind in {"block_html", "inline_html"}:
            for tag in _HTML.finditer(token["raw"]):
                yield from _without_effect(tag, opened, in_cell=in_cell)
        else:
            children = token.get("children", [])
            yield from _tags_without_effect(children, in_cell=in_cell or kind == "table_cell")
    for _, raw in opened:
        yield raw


def _without_effect(
    tag: re.Match[str], opened: list[tuple[str, str]], *, in_cell: bool
) -> Iterator[str]:
    """Yield a tag if marklas ignores it; keep the list of open tags up to date."""
    closing, name, attrs = tag.groups()
    if name is None:
        if tag[0] != EMPTY_COMMENT:
            yield tag[0]
    elif name.lower() in _VOID_TAGS:
        pass
    elif closing:
        place = next((i for i in reversed(range(len(opened))) if opened[i][0] == name), None)
        if place is None:
            yield tag[0]
        else:
            del opened[place]
    elif is_from_marklas(name, attrs) or name in {"p", "summary"} or (in_cell and name in IN_CELLS):
        opened.append((name, tag[0]))
    else:
        yield tag[0]


def _texts(tokens: list[dict[str, Any]], problem: str = "") -> Iterator[tuple[str, bool, str]]:
    """Yield each text, whether it is in a block of HTML, and what would be wrong if it is lost."""
    for token in tokens:
        match token:
            case {"type": "block_html" | "inline_html", "raw": str(raw)}:
                yield _HTML.sub(" ", raw), True, problem
            case {"type": "block_code", "raw": str(raw)}:
                yield raw, False, problem
                language, *_ = token.get("attrs", {}).get("info", "").split() or [""]
                yield language, False, problem
            case {"raw": str(raw)}:
                yield raw, False, problem
            case _:
                inner = AMONG_WORDS if token["type"] == "image" else problem
                yield from _texts(token.get("children", []), inner)
                if "url" in token.get("attrs", {}):
                    yield restore_address(token["attrs"]["url"]), False, inner


def _repeated_addresses(markdown: str, strings: list[str]) -> Iterator[DroppedPiece]:
    """Yield definitions, such as ``[a]: https://...``, of a label that is defined before."""
    addresses = list(_ADDRESS.finditer(markdown))
    labels = Counter(filter(None, (label_key(address[2]) for address in addresses)))
    addresses = [address for address in addresses if labels[label_key(address[2])] > 1]
    kept = unquote("\n".join(strings)) if addresses else ""
    kept_words = set(_WORD.findall(kept))
    for address in addresses:
        wanted = unquote(html.unescape(address[3]))
        words = _WORD.findall(wanted)
        if address[3] in kept:
            continue
        if not kept_words.issuperset(words) or not (words or wanted in kept):
            yield _piece_at(address[1], markdown, is_html=False)


def _strings(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
