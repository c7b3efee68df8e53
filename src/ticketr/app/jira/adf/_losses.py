"""Finds what a conversion would lose, and in which line of the Markdown.

- `ReplacementLosses` describes what Jira has, the Markdown does not show, and is not sent back.
- `faulty_pieces` finds what does not arrive. An ADF document cannot hold everything in every place:
  no heading in a list, no quote in a quote. marklas drops such parts with their text and without a
  message, and also comments, unused link addresses and tags without an end. A short form that is
  mistyped, a tag of HTML, the box of a task outside of a list are sent as text. In Jira a picture
  beside the file is not shown, and a link to such a file leads nowhere.
"""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import unquote

from ticketr.app.jira.adf import _placeholders, _tables
from ticketr.app.jira.adf._blocks import PANEL_WORD_BY_KIND, SEPARATOR_COMMENT
from ticketr.app.jira.adf._canonical import Json, canonical, content_of, replace_widths_by_flag
from ticketr.app.jira.adf._conversion import link_label_key, read_tokens, read_untidied
from ticketr.app.jira.adf._plain import (
    block_texts_without_code,
    find_strings,
    kind_with_article,
    kind_words,
    plain_lines,
    walk,
)
from ticketr.app.jira.adf._simple import STATUS_COLORS
from ticketr.app.jira.adf.forms.files import without_escapes
from ticketr.app.jira.adf.forms.inline import PANEL_KIND_BY_WORD
from ticketr.app.jira.errors import clean_line

#: More than these would tell nothing new.
MAX_NAMED_LOSSES = 10

_WORD_WITH_PUNCTUATION = re.compile(r"\S+")
# A piece that can be lost: its kind, and what distinguishes it from others of that kind.
_Piece: TypeAlias = tuple[str, str]
#: The names of each piece in its places, in the order of the document.
_DisplayNamesByPiece: TypeAlias = dict[_Piece, dict[str, None]]


class ReplacementLosses:
    """What is lost of a document in Jira when another one takes its place.

    Args:
        original: The document as Jira has it.
        shown: What the Markdown that stands for it says, as a document.
        sent: The document that is to take its place.

    Raises:
        RecursionError: The document is nested too deep to be compared.
    """

    def __init__(self, original: object, shown: object, sent: object) -> None:
        self._pieces = _ShownAndHiddenPieces(*map(_comparable_document, (original, shown)))
        #: The lost pieces that no call of `describe_and_pop_losses_in` has taken off yet.
        self._remaining_losses: Counter[_Piece] = Counter()
        if self._pieces.hidden_pieces:
            self._remaining_losses = self._pieces.hidden_pieces_not_sent(
                _count_pieces(_comparable_document(sent))
            )

    def describe_and_pop_losses_in(
        self, original: Sequence[Json], shown: Sequence[Json], sent: Sequence[Json]
    ) -> tuple[str, ...]:
        """Return what is lost with some blocks, and is nowhere else in the document.

        All losses that these blocks account for leave the remaining ones, named or not.

        Args:
            original: The blocks as Jira has them.
            shown: The same as the Markdown says.
            sent: The blocks that replace them. If there are none, they were deleted, and only what
                the Markdown does not show is lost.
        """
        before, after = (
            _comparable_document({"content": list(sequence)}) for sequence in (original, shown)
        )
        if before == after and not self._remaining_losses:
            return ()
        pieces = _ShownAndHiddenPieces(before, after)
        sent_pieces = _count_pieces(_comparable_document({"content": list(sent)}))
        lost = pieces.hidden_pieces_not_sent(sent_pieces) & self._remaining_losses
        self._remaining_losses -= pieces.jira_pieces - sent_pieces
        if before == after:
            return ()
        if not pieces.hidden_pieces:
            return (_name_first_differing_block(before, after),) if sent else ()
        if not sent:  # a detail of a piece that the Markdown shows is no loss
            kinds = pieces.shown_kinds | pieces.mark_kinds
            lost = Counter({piece: lost[piece] for piece in lost if piece[0] not in kinds})
        return pieces.distinct_names_of(lost)

    def describe_undescribed_losses(self) -> tuple[str, ...]:
        """Return what is lost, but not with the blocks for which `describe_and_pop_losses_in` was called."""
        return self._pieces.distinct_names_of(self._remaining_losses)


def _comparable_document(document: object) -> Json:
    return replace_widths_by_flag(canonical(document))


class _ShownAndHiddenPieces:
    """The pieces of a document, and which of them the Markdown hides.

    Args:
        before: The document as Jira has it, canonical.
        after: What the Markdown says of it, canonical.

    Attributes:
        jira_pieces: All that Jira has.
        hidden_pieces: Those that the Markdown does not show.
        mark_kinds: The kinds of the marks in Jira.
        shown_kinds: The kinds of which the Markdown shows every piece, perhaps with other details.
    """

    def __init__(self, before: Json, after: Json) -> None:
        self._before, self._after = before, after
        self.jira_pieces = _count_pieces(before)
        self._shown_pieces = _count_pieces(after)
        self.hidden_pieces = self.jira_pieces - self._shown_pieces
        pairs = (pair for node in walk(before) for pair in _own_pieces_and_marks(node))
        self.mark_kinds = {kind for (kind, _), mark in pairs if mark is not None}
        jira_kinds = _count_kinds(self.jira_pieces)
        self.shown_kinds = {
            kind
            for kind, number in _count_kinds(self._shown_pieces).items()
            if number >= jira_kinds[kind]
        }

    def hidden_pieces_not_sent(self, sent: Counter[_Piece]) -> Counter[_Piece]:
        """Return the hidden pieces that are not sent either."""
        return self.jira_pieces - (self._shown_pieces | sent)

    def distinct_names_of(self, pieces: Counter[_Piece]) -> tuple[str, ...]:
        """Return the names of some pieces."""
        if not pieces:
            return ()
        names, other = _names_of_pieces(self._before, pieces), _names_of_pieces(self._after, pieces)
        texts: list[str] = []
        words: list[tuple[str, str]] = []
        for piece in pieces:
            kind, detail = piece
            missing = [name for name in names[piece] if name not in other.get(piece, ())]
            name = [*missing, *names[piece]][0]  # of a missing one, if there are several
            if kind == "word":
                words.append((detail, name))
            elif kind in self.shown_kinds and kind != "link":
                texts.append(f"a detail of {name}")
            else:
                texts.append(name)
        # The names of most words are in the name of the block or mark around them.
        quoted = " ".join(texts)
        texts += [name for word, name in words if word not in quoted]
        return tuple(dict.fromkeys(texts))


def _count_kinds(pieces: Counter[_Piece]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for (kind, _), number in pieces.items():
        counted[kind] += number
    return counted


def _name_first_differing_block(before: Json, after: Json) -> str:
    """Name the first block that differs, where no piece is missing."""
    for block, other in zip_longest(content_of(before), content_of(after)):
        if block and block != other:
            return f"how {_kind_and_first_words(block)} is put together"
    return "how it is put together"


def _count_pieces(document: Json) -> Counter[_Piece]:
    """Count the pieces of a document."""
    return Counter(piece for node in walk(document) for piece, _ in _own_pieces_and_marks(node))


def _names_of_pieces(document: Json, wanted: Collection[_Piece]) -> _DisplayNamesByPiece:
    """Return what some pieces of a document can be called."""
    names: _DisplayNamesByPiece = {}
    for node in walk(document):
        for piece, mark in _own_pieces_and_marks(node):
            if piece in wanted:
                names.setdefault(piece, {})[_piece_name(piece, node, mark)] = None
    return names


def _own_pieces_and_marks(node: Json) -> Iterator[tuple[_Piece, Json | None]]:
    """Yield the pieces of a node without its children, each with its mark if it is one."""
    kind, text = str(node.get("type")), node.get("text")
    marks = node.get("marks")
    words: list[str] = []
    if isinstance(text, str):
        words = _WORD_WITH_PUNCTUATION.findall(text)
        for word in words:
            yield ("word", word), None
    elif kind != "doc":
        yield (kind, _attrs_key(node.get("attrs"))), None
    for mark in marks if isinstance(marks, list) else ():
        if isinstance(mark, dict):
            attrs, name = mark.get("attrs"), str(mark.get("type"))
            if name == "link" and isinstance(attrs, dict):
                yield (name, _attrs_key(attrs)), mark
            else:  # by word, since the marked text may be cut in other places than before
                for word in words or [""]:
                    yield (name, f"{_attrs_key(attrs)} {word}"), mark


def _piece_name(piece: _Piece, node: Json, mark: Json | None) -> str:
    """Return a name of a piece for people."""
    kind, word = piece
    if mark is None:
        return f"“{clean_line(word, 40)}”" if kind == "word" else _kind_and_first_words(node)
    text, attrs = node.get("text"), mark.get("attrs")
    text_near = text.strip() if isinstance(text, str) else ""
    of = f" of “{clean_line(text_near, 40)}”" if text_near else ""
    if kind == "link" and isinstance(attrs, dict):
        return f"the link to {clean_line(str(attrs.get('href')), 60)}{of}"
    where = of or f" of {_kind_and_first_words(node)}"
    return f"the {kind_words(kind)}{where}"


def _kind_and_first_words(node: Any) -> str:
    if not isinstance(node, dict):
        return "a something"
    text_near = next(iter(plain_lines(node)), "")
    return kind_with_article(str(node.get("type"))) + (
        f" at “{clean_line(text_near, 40)}”" if text_near else ""
    )


def _attrs_key(attrs: object) -> str:
    return json.dumps(attrs, sort_keys=True, default=repr) if attrs else ""


#: The most characters that are shown of a piece.
MAX_SHOWN_PIECE_CHARACTERS = 60
#: What is wrong with a picture in a line of text.
INLINE_PICTURE_REASON = (
    "belongs to a picture, which needs a paragraph of its own, with an empty line around it, and"
    " is at most 100% wide"
)

_TABLE_SIGNS = re.compile(r"[|:\-]*\|[|:\-]*")
_SPACES = re.compile(r"\s+")
_WORD = re.compile(r"[^\W_]+")
# The text that marklas writes for nodes without text of their own.
_ADDED_BY_MARKLAS = re.compile(r"""(<time\b[^>]*\badf=["']date["'][^>]*>)([-\d]*)|📎 attachment""")
_DATETIME_ATTRIBUTE_PATTERN = re.compile(r"""\bdatetime=["'](\d{1,14})["']""")
_HTML_TAG_OR_COMMENT = re.compile(
    r"""<!--.*?(?:-->|\Z)|<(/?)([a-zA-Z]\w*)((?:\s+[\w-]+(?:=(?:"[^"]*"|'[^']*'))?)*)\s*/?>""",
    re.DOTALL,
)
_LINK_DEFINITION = re.compile(
    rf"{_placeholders.LINE_PREFIX_REGEX}(\[((?:[^\\\[\]\n]|\\.)+)\]:\s*(\S.*))$", re.MULTILINE
)
_HTML_TAG_WITH_ADF_KIND = re.compile(r'^<(u|sub|sup|details) adf="\w+">$')
#: The tags that marklas reads with the kind of their node alone, which a short form gets.
_TAGS_NEEDING_ADF_ATTRIBUTE = _placeholders.TAGS_READ_WITHOUT_ADF_ATTRIBUTE - {"summary"}
#: The tags that have no end tag.
_VOID_TAGS = frozenset({"br", "hr"})


@dataclass(frozen=True, slots=True)
class FaultyPiece:
    """A piece of Markdown that does not reach Jira as it is written.

    Attributes:
        text: The piece, one line of it.
        line: The line that it is in, from 1 on; 0 if that is not known.
        outcome_and_advice: What becomes of it in Jira, and what to write instead.
        is_lost: Whether it is not in the document at all; other pieces are sent as text, or show
            nothing in Jira.
    """

    text: str
    line: int
    outcome_and_advice: str
    is_lost: bool = False

    def describe(self, path: str = "", line_in_file: int = 0) -> str:
        """Describe the piece for the author of the Markdown.

        Args:
            path: The file that it is in.
            line_in_file: The line in this file; 0 if it is not known.
        """
        in_text = f"in its line {self.line}: " if self.line else ""
        where = f"{path}:{line_in_file}: " if path and line_in_file else in_text
        return f"{where}“{self.text}” {self.outcome_and_advice}"


_HTML_COMMENT_REASON = (
    "is lost in Jira, as an HTML comment; take it out, or write \\<!-- to send it as text"
)
_MISPLACED_HTML_REASON = (
    "has no place there in Jira; put a backslash before each < or backquotes around it to send it "
    "as text"
)
_MISPLACED_TEXT_REASON = "has no place there in Jira; write it another way"


def faulty_pieces(
    markdown: str, before: str, media_ids: Mapping[str, str], picture_problems: Mapping[str, str]
) -> Iterator[FaultyPiece]:
    """Yield the pieces of Markdown that do not reach Jira as they are written, lost ones first.

    Args:
        markdown: The Markdown.
        before: The Markdown before the edit, whose pieces are not reported again.
        media_ids: The media ID of each file that is attached to the issue, by its name.
        picture_problems: Why a picture of a file on disk leaves the reader without it, by its
            address; empty for one that is attached.
    """
    document = read_untidied(markdown)
    known: Counter[str] | None = None
    for piece in _find_lost_markdown(markdown, document):
        if known is None:
            known = Counter(one.text for one in _find_lost_markdown(before, read_untidied(before)))
        if known[piece.text]:
            known[piece.text] -= 1
        else:
            yield piece
    with_files = read_untidied(markdown, media_ids) if media_ids else document
    yield from _find_literal_pieces(markdown, with_files, before, picture_problems)


def _find_lost_markdown(markdown: str, document: Json) -> Iterator[FaultyPiece]:
    """Yield the pieces of Markdown that are not in the document that was made of it."""
    piece = None
    for piece in _find_lost_texts(markdown, document):
        yield piece
    if piece is None and not document.get("content") and (text := markdown.strip()):
        yield _make_lost_piece(text, markdown, is_html=text.startswith("<"))


def _find_lost_texts(markdown: str, document: Json) -> Iterator[FaultyPiece]:
    yield from _find_bad_table_lines(markdown, document)
    texts = list(find_strings(document))
    kept = Counter(word for text in texts for word in _WORD.findall(text))
    tokens = read_tokens(
        _ADDED_BY_MARKLAS.sub(_without_added_text, _placeholders.protect_markdown(markdown))
    )
    for tag in _find_html_marklas_ignores(tokens):
        restored = _placeholders.restore_piece(tag)
        # In the title of an expand, or in code in a cell, it is text after all.
        if sum(text.count(restored) for text in texts) < max(1, markdown.count(restored)):
            yield _make_lost_piece(tag, markdown, is_html=True)
    for piece in _find_texts(tokens):
        wanted = Counter(_WORD.findall(piece.text))
        if any(kept[word] < number for word, number in wanted.items()):
            problem = piece.problem_if_lost
            yield _make_lost_piece(piece.text, markdown, is_html=piece.in_html, problem=problem)
        for word, number in wanted.items():  # subtracting would look at every kept word each time
            kept[word] = max(kept[word] - number, 0)
    yield from _find_lost_repeated_definitions(markdown, texts)


def _find_bad_table_lines(markdown: str, document: Json) -> Iterator[FaultyPiece]:
    """Yield the lines that keep a table from being read as one."""
    tables = _tables.TablesForMarklas(markdown)
    lines = markdown.split("\n")
    for line, reason in tables.problems:
        yield _lost_table_line(lines, line, reason)
    # Each line once; compared by the characters of delimiter rows only.
    signs = [
        _SPACES.sub("", text)
        for text in (block_texts_without_code(document) if tables.delimiters else ())
    ]
    shown = " ".join(run for text in signs for run in _TABLE_SIGNS.findall(text))
    reported = {""}
    for line in tables.delimiters:
        wanted = _SPACES.sub("", lines[line - 1].lstrip("> \t"))
        if wanted not in reported and wanted in shown:
            reported.add(wanted)
            yield _lost_table_line(lines, line, _tables.NOT_A_TABLE_REASON)


def _lost_table_line(lines: Sequence[str], line_number: int, reason: str) -> FaultyPiece:
    text = clean_line(lines[line_number - 1].strip(), MAX_SHOWN_PIECE_CHARACTERS)
    return FaultyPiece(text, line_number, reason, is_lost=True)


def _without_added_text(shown: re.Match[str]) -> str:
    """Remove the display text of a node, unless it shows another day than its date."""
    tag, day = shown.groups()
    if tag is None:
        return ""
    moment = _DATETIME_ATTRIBUTE_PATTERN.search(tag)
    if moment and day != f"{datetime.fromtimestamp(int(moment[1]) / 1000, tz=UTC):%Y-%m-%d}":
        return shown[0]
    return tag


def _make_lost_piece(piece: str, markdown: str, *, is_html: bool, problem: str = "") -> FaultyPiece:
    """Make a lost piece, with the line in which the Markdown holds it."""
    text = _placeholders.restore_piece(piece).strip()
    if text not in markdown:  # a tag that is written without its kind
        text = _HTML_TAG_WITH_ADF_KIND.sub(r"<\1>", text)
    place = markdown.find(text.partition("\n")[0]) if text else -1
    line = markdown.count("\n", 0, place) + 1 if place >= 0 else 0
    if text.startswith("<!--"):
        problem = _HTML_COMMENT_REASON
    reason = problem or (_MISPLACED_HTML_REASON if is_html else _MISPLACED_TEXT_REASON)
    return FaultyPiece(clean_line(text, MAX_SHOWN_PIECE_CHARACTERS), line, reason, is_lost=True)


def _find_html_marklas_ignores(tokens: list[dict[str, Any]]) -> Iterator[str]:
    """Yield comments, and tags that marklas ignores: those without a start or an end tag.

    A start tag and its end tag are at the same depth of the tokens. Tags of other kinds are text by
    now; see `protect_html`.
    """
    opened: list[tuple[str, str]] = []
    for token in tokens:
        if token["type"] in {"block_html", "inline_html"}:
            for tag in _HTML_TAG_OR_COMMENT.finditer(token["raw"]):
                yield from _yield_ignored_or_track_tag(tag, opened)
        else:
            yield from _find_html_marklas_ignores(token.get("children", []))
    for _, raw in opened:
        yield raw


def _yield_ignored_or_track_tag(tag: re.Match[str], opened: list[tuple[str, str]]) -> Iterator[str]:
    """Yield a tag if marklas ignores it; else keep the list of open tags up to date."""
    closing, name, attrs = tag.groups()
    if name is None:
        if tag[0] != SEPARATOR_COMMENT:
            yield tag[0]
    elif closing:
        place = next((i for i in reversed(range(len(opened))) if opened[i][0] == name), None)
        if place is None:
            yield tag[0]
        else:
            del opened[place]
    elif name in _TAGS_NEEDING_ADF_ATTRIBUTE and "adf=" not in attrs:  # where no short form is read
        yield tag[0]
    elif name.lower() not in _VOID_TAGS:
        opened.append((name, tag[0]))


class _LosableText(NamedTuple):
    """A text in Markdown, whether it is in HTML, and what would be wrong if it is lost."""

    text: str
    in_html: bool
    problem_if_lost: str


def _find_texts(tokens: list[dict[str, Any]], problem_if_lost: str = "") -> Iterator[_LosableText]:
    """Yield each text."""
    for token in tokens:
        match token:
            case {"type": "block_html" | "inline_html", "raw": str(raw)}:
                text = _HTML_TAG_OR_COMMENT.sub(" ", raw)
                yield _LosableText(text, in_html=True, problem_if_lost=problem_if_lost)
            case {"type": "block_code", "raw": str(raw)}:
                yield _LosableText(raw, in_html=False, problem_if_lost=problem_if_lost)
                language, *_ = token.get("attrs", {}).get("info", "").split() or [""]
                yield _LosableText(language, in_html=False, problem_if_lost=problem_if_lost)
            case {"raw": str(raw)}:
                yield _LosableText(raw, in_html=False, problem_if_lost=problem_if_lost)
            case _:
                inner = INLINE_PICTURE_REASON if token["type"] == "image" else problem_if_lost
                yield from _find_texts(token.get("children", []), inner)
                if "url" in token.get("attrs", {}):
                    url = _placeholders.percent_decode_and_restore(token["attrs"]["url"])
                    yield _LosableText(url, in_html=False, problem_if_lost=inner)


def _find_lost_repeated_definitions(markdown: str, texts: list[str]) -> Iterator[FaultyPiece]:
    """Yield the lost ones of the definitions, such as ``[a]: https://...``, of the same label."""
    addresses = list(_LINK_DEFINITION.finditer(markdown))
    labels = Counter(filter(None, (link_label_key(address[2]) for address in addresses)))
    addresses = [address for address in addresses if labels[link_label_key(address[2])] > 1]
    kept = unquote("\n".join(texts)) if addresses else ""
    kept_words = set(_WORD.findall(kept))
    for address in addresses:
        wanted = unquote(html.unescape(address[3]))
        words = _WORD.findall(wanted)
        if address[3] in kept:
            continue
        if not kept_words.issuperset(words) or not (words or wanted in kept):
            yield _make_lost_piece(address[1], markdown, is_html=False)


_HTML_TAG_NAME_REGEX = (
    "a|abbr|article|aside|b|big|blockquote|button|caption|center|cite|code|col|dd|del|details|div"
    "|dl|dt|em|figure|font|footer|form|h[1-6]|header|i|iframe|img|input|ins|kbd|label|li|main|mark"
    "|nav|ol|p|picture|pre|q|s|samp|script|section|small|span|strike|strong|style|sub|summary|sup"
    "|svg|table|tbody|td|tfoot|th|thead|tr|tt|u|ul|var|video"
)
_LITERAL_CANDIDATE = re.compile(
    rf"""\\.
    |^[ \t]*(?P<box>\[[ xX]\])(?=[ \t])
    |{_placeholders.LINE_PREFIX_REGEX}\[[^\]\n]{{1,300}}\]:[ \t]*<?(?P<defined>[^\s<>]{{1,2000}})
    |(?<=>)[ \t]*(?P<panel>\[!(?i:{"|".join(PANEL_KIND_BY_WORD)})\]|\[![A-Za-z]{{1,20}}\](?=[ \t]*$))
    |(?P<color>\{{[A-Za-z]{{2,12}}\}})
    |(?P<day>\{{\d{{1,4}}-\d\d?-\d\d?\}})
    |(?<![\w@/.+-])(?P<mention>@(?!\w[\w.-]*/\w)[^\W\d_][\w.-]*\w)
    |(?<![\w:/])(?P<emoji>:(?:[a-z][a-z0-9_+-]{{1,40}}|[+-]1):)(?![\w:])
    |(?P<short>(?<!\w)<(?:{"|".join(_placeholders.TAGS_READ_WITHOUT_ADF_ATTRIBUTE)})(?=[\s>])[^<>\n]*>|<su[bp]>)
    |(?P<tag>(?<!\w)<(?:{_HTML_TAG_NAME_REGEX})(?=[\s/>])[^<>\n]*>)
    |(?P<blanks>!?\[[^\[\]\n]{{0,300}}\]\([^\s()<>]{{1,300}}[ ][^()<>"'\n]{{0,300}}\.\w{{2,4}}\))
    |(?P<file>!\[[^\]\n]{{0,300}}\]\((?:attachment:[^\s()<>]{{1,300}}|<attachment:[^<>\n]{{1,300}}>)\))
    |!\[[^\]\n]{{0,300}}\]\((?:<(?P<angled_image>(?:\\.|[^<>\\\n]){{1,2000}})>|(?P<image>[^\s()]{{1,2000}}))
     [^()\n]{{0,300}}\)
    |\]\((?:<(?P<angled_link>(?:\\.|[^<>\\\n]){{1,2000}})>|(?P<link>[^\s()<>]{{1,2000}}))
    |<\w+[ ][^<>\n]{{0,40}}\badf=[^<>\n]*>(?P<shown>[^<\n]*)""",
    re.VERBOSE,
)


def _find_literal_pieces(
    markdown: str, document: Json, before: str, picture_problems: Mapping[str, str]
) -> Iterator[FaultyPiece]:
    """Yield the pieces of Markdown that reach Jira as plain text, or not visibly."""
    known = Counter(candidate.text for candidate in _find_literal_candidates(before))
    text = "\n".join(block_texts_without_code(document))
    addresses = set(_find_picture_and_link_urls(document))
    for candidate in _find_literal_candidates(markdown):
        reason, address = candidate.outcome_and_advice, without_escapes(candidate.text)
        if known[candidate.text]:
            known[candidate.text] -= 1
            continue
        if reason is _DEAD_PICTURE_REASON and address in picture_problems:
            reason = picture_problems[address]
            is_literal = reason != ""
        elif reason in {_DEAD_PICTURE_REASON, _DEAD_LINK_REASON}:
            is_literal = address in addresses
        else:
            is_literal = candidate.text in text
        if is_literal:
            yield replace(candidate, text=clean_line(candidate.text, 40), outcome_and_advice=reason)


def _find_literal_candidates(markdown: str) -> Iterator[FaultyPiece]:
    """Yield what looks like such a piece outside of code, in the order of the lines."""
    lines = markdown.split("\n")
    for number, line in enumerate(_tables.blank_code_keeping_lines(markdown).split("\n"), start=1):
        for match in _LITERAL_CANDIDATE.finditer(line):
            kind = match.lastgroup
            if kind == "color" and lines[number - 1][: match.start()][-1:] != "`":
                pass  # it belongs to no status
            elif kind in _REASON_SENT_AS_TEXT_BY_KIND:
                yield FaultyPiece(match[kind], number, _REASON_SENT_AS_TEXT_BY_KIND[kind])
            elif (
                kind in _ADDRESS_WORKING_IN_JIRA_BY_SYNTAX
                and not _ADDRESS_WORKING_IN_JIRA_BY_SYNTAX[kind].match(match[kind])
            ):
                reason = _DEAD_PICTURE_REASON if kind.endswith("image") else _DEAD_LINK_REASON
                yield FaultyPiece(match[kind], number, reason)


_REASON_SENT_AS_TEXT_BY_KIND = {
    "panel": "goes to Jira as a word of a quote; the mark of a panel stands alone in the first line of "
    f"a quote, and the quote in no list; a panel is called {', '.join(PANEL_WORD_BY_KIND.values())}",
    "short": "goes to Jira as text; it needs an end tag, and <details> the beginning of a line",
    "file": "goes to Jira as text, for its ticket has no file of that name; attach it first",
    "mention": "goes to Jira as text and tells nobody; write @[Name], which is looked up in Jira",
    "color": f"makes no status; a color is {', '.join(STATUS_COLORS)}",
    "day": "goes to Jira as text, for it is not a date; a date is written {2026-03-01}",
    "emoji": "goes to Jira as text, for it knows no emoji of that name; write the character itself",
    "tag": "goes to Jira as text, for HTML is not read here; write Markdown instead",
    "blanks": "goes to Jira as text; an address with blanks needs to be between < and >",
    "box": "goes to Jira as text; a task is written - [ ], and stands in a description alone",
}
_DEAD_LINK_REASON = (
    "leads nowhere in Jira; attach the file to the issue, or write the whole address, with https://"
)
_DEAD_PICTURE_REASON = (
    "leads nowhere in Jira; a push attaches a picture of a file only if it is new and alone in its "
    "paragraph of a description"
)
_WORKING_IMAGE_ADDRESS = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+:", re.IGNORECASE)
# On Jira's own site, or in the text itself, a link may lead somewhere.
_WORKING_LINK_ADDRESS = re.compile(rf"[/#]|{_WORKING_IMAGE_ADDRESS.pattern}", re.IGNORECASE)
#: The form of addresses that work in Jira, by their syntax in Markdown.
_ADDRESS_WORKING_IN_JIRA_BY_SYNTAX = {
    "image": _WORKING_IMAGE_ADDRESS,
    "angled_image": _WORKING_IMAGE_ADDRESS,
    "link": _WORKING_LINK_ADDRESS,
    "angled_link": _WORKING_LINK_ADDRESS,
    "defined": _WORKING_LINK_ADDRESS,
}


def _find_picture_and_link_urls(document: Json) -> Iterator[str]:
    """Yield the addresses of the pictures and links in a document."""
    for node in walk(document):
        for part in (node, *(node.get("marks") or ())):
            attrs = part.get("attrs")
            if isinstance(attrs, dict):
                yield str(attrs.get("url", attrs.get("href", "")))


#: So many words are enough to find a line.
_MAX_LINE_SEARCH_WORDS = 5
#: What is between two words of a text: punctuation, marks and tags, on a few lines.
_SIGNS_AND_TAGS_BETWEEN_WORDS = r"(?:[\W_]|<[^<>]*>|&\w+;){1,200}?"


def line_of(markdown: str, blocks: Sequence[object], path: Sequence[int]) -> int:
    """Return the line of Markdown in which a block begins, from 1.

    The texts of the blocks are looked for in their order, so that the line may be one nearby if
    the Markdown is unusual.

    Args:
        markdown: The Markdown.
        blocks: The blocks that it was converted to.
        path: The index of the block in them, then in the block there, and so on. An index past the
            last block is for the end.
    """
    at = 0
    for place, text in _texts_with_paths(blocks, ()):
        match = _find_first_words(markdown, text, at)
        if place[: len(path)] >= tuple(path):
            return markdown.count("\n", 0, at if match is None else match.start()) + 1
        at = at if match is None else match.end()
    return markdown.rstrip("\n").count("\n") + 1


def _texts_with_paths(
    blocks: Sequence[object], path: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], str]]:
    """Yield the place of each text; one of a block of text counts as that of the block."""
    for at, node in enumerate(blocks):
        place = (*path, at)
        text: Any = node.get("text") if isinstance(node, dict) else None
        content: Any = node.get("content") if isinstance(node, dict) else None
        if isinstance(text, str):
            yield place, text
        elif isinstance(content, list):
            yield from _texts_with_paths(content, place)


def _find_first_words(markdown: str, text: str, start: int) -> re.Match[str] | None:
    words = _WORD.findall(text[:200])[:_MAX_LINE_SEARCH_WORDS]
    if not words:
        return None
    pattern = re.compile(_SIGNS_AND_TAGS_BETWEEN_WORDS.join(map(re.escape, words)))
    first = re.compile(re.escape(words[0]))
    return pattern.search(markdown, start) or first.search(markdown, start)
