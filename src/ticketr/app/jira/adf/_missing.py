"""Describes what one document holds and another does not, for the user who would lose it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import zip_longest
from typing import Any, TypeAlias

from ticketr.app.jira.adf._canonical import Json, canonical, with_whole_widths
from ticketr.app.jira.adf._plain import is_too_large, kind_words, named, plain_lines, walk
from ticketr.app.jira.errors import clip

#: More than these would tell nothing new.
MOST_NAMED = 10

_WORD = re.compile(r"\S+")
# A piece that can be lost: its kind, and what distinguishes it from others of that kind.
_Piece: TypeAlias = tuple[str, str]
#: The names of each piece in its places, in the order of the document.
_Names: TypeAlias = dict[_Piece, dict[str, None]]


def missing(wanted: object, shown: object, sent: object) -> tuple[str, ...]:
    """Return the pieces of a document that are lost in Markdown and not sent back unchanged.

    Args:
        wanted: The document as Jira has it.
        shown: What the Markdown that stands for it says, as a document.
        sent: The document that is to take its place.

    Returns:
        What is lost, at most `MOST_NAMED` pieces; empty if the Markdown says all of it.
    """
    if is_too_large(wanted):
        return ("all that is too large for a file",)
    before, after = canonical(wanted), canonical(shown)
    try:
        if before == after:
            return ()
    except RecursionError:  # below the depth that canonical() looks into
        return ("what is nested too deep for a file",)
    pieces = _Pieces(before, after)
    if not pieces.hidden_pieces:
        return _rearranged(before, after)
    return pieces.names_of(pieces.lost_pieces(_count(canonical(sent))))[:MOST_NAMED]


class Losses:
    """What a document loses that is put together from several blocks.

    Args:
        wanted: The document as Jira has it.
        shown: What the Markdown that stands for it says, as a document.
        sent: The document that is to take its place.
    """

    def __init__(self, wanted: object, shown: object, sent: object) -> None:
        self._pieces = _Pieces(_document(wanted), _document(shown))
        #: The lost pieces that `of` has not returned yet.
        self._remaining_losses: Counter[_Piece] = Counter()
        if self._pieces.hidden_pieces:
            self._remaining_losses = self._pieces.lost_pieces(_count(_document(sent)))

    def of(
        self, wanted: Sequence[Json], shown: Sequence[Json], sent: Sequence[Json]
    ) -> tuple[str, ...]:
        """Return what is lost with some blocks, and is nowhere else in the document.

        Args:
            wanted: The blocks as Jira has them.
            shown: The same as the Markdown says.
            sent: The blocks that replace them. If there are none, they were deleted, and only what
                the Markdown does not show is lost.
        """
        before, after = (_document({"content": list(sequence)}) for sequence in (wanted, shown))
        if before == after and not self._remaining_losses:
            return ()
        pieces = _Pieces(before, after)
        sent_pieces = _count(_document({"content": list(sent)}))
        lost = pieces.lost_pieces(sent_pieces) & self._remaining_losses
        self._remaining_losses -= pieces.jira_pieces - sent_pieces
        if before == after:
            return ()
        if not pieces.hidden_pieces:
            return _rearranged(before, after) if sent else ()
        if not sent:
            lost = Counter({piece: lost[piece] for piece in lost if pieces.is_unseen(piece)})
        return pieces.names_of(lost)

    def rest(self) -> tuple[str, ...]:
        """Return what is lost, except with the blocks for which `of` was called."""
        return self._pieces.names_of(self._remaining_losses)


def _document(document: object) -> Json:
    return with_whole_widths(canonical(document))


class _Pieces:
    """The pieces of a document, and which of them the Markdown hides.

    Args:
        before: The document as Jira has it, canonical.
        after: What the Markdown says of it, canonical.
    """

    def __init__(self, before: Json, after: Json) -> None:
        self._before, self._after = before, after
        self.jira_pieces = _count(before)
        self._shown_pieces = _count(after)
        self.hidden_pieces = self.jira_pieces - self._shown_pieces
        pairs = (pair for node in walk(before) for pair in _pieces(node))
        self._mark_kinds = {piece[0] for piece, mark in pairs if mark is not None}
        jira_kinds = _kinds(self.jira_pieces)
        #: The kinds of which the Markdown shows every piece, perhaps with other details.
        self._shown_kinds = {
            kind
            for kind, number in _kinds(self._shown_pieces).items()
            if number >= jira_kinds[kind]
        }

    def lost_pieces(self, sent: Counter[_Piece]) -> Counter[_Piece]:
        """Return the hidden pieces that are not sent either."""
        return self.jira_pieces - (self._shown_pieces | sent)

    def is_unseen(self, piece: _Piece) -> bool:
        """Return whether the Markdown shows no trace of a piece.

        A detail of a piece leaves one.
        """
        return piece[0] not in self._shown_kinds and piece[0] not in self._mark_kinds

    def names_of(self, pieces: Counter[_Piece]) -> tuple[str, ...]:
        """Return the names of some pieces."""
        if not pieces:
            return ()
        names, other = _names(self._before, pieces), _names(self._after, pieces)
        name_of = {piece: _name_of_missing(names[piece], other.get(piece, ())) for piece in pieces}
        texts = [
            f"a detail of {name_of[piece]}"
            if piece[0] in self._shown_kinds and piece[0] != "link"
            else name_of[piece]
            for piece in pieces
            if piece[0] != "word"
        ]
        # The names of most words are in the name of the block or mark around them.
        quoted = " ".join(texts)
        texts += (
            name_of[piece] for piece in pieces if piece[0] == "word" and piece[1] not in quoted
        )
        return tuple(dict.fromkeys(texts))


def _kinds(pieces: Counter[_Piece]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for (kind, _), number in pieces.items():
        counted[kind] += number
    return counted


def _rearranged(before: Json, after: Json) -> tuple[str, ...]:
    """Return the first block that differs, where no piece is missing."""
    blocks, others = before.get("content", []), after.get("content", [])
    first = next((block for block, other in zip_longest(blocks, others) if block != other), None)
    return (f"how {_name(first)} is put together",) if first else ("how it is put together",)


def _name_of_missing(names: Collection[str], other: Collection[str]) -> str:
    """Return a name of a piece that occurs several times, preferably that of a missing one."""
    return next((name for name in names if name not in other), next(iter(names)))


def _count(document: Json) -> Counter[_Piece]:
    """Count the pieces of a document."""
    return Counter(piece for node in walk(document) for piece, _ in _pieces(node))


def _names(document: Json, wanted: Collection[_Piece]) -> _Names:
    """Return what some pieces of a document can be called."""
    names: _Names = {}
    for node in walk(document):
        for piece, mark in _pieces(node):
            if piece in wanted:
                names.setdefault(piece, {})[_piece_name(piece, node, mark)] = None
    return names


def _pieces(node: Json) -> Iterator[tuple[_Piece, Json | None]]:
    """Yield the pieces of a node without its children, each with its mark if it is one."""
    kind, text = str(node.get("type")), node.get("text")
    marks = node.get("marks")
    words: list[str] = []
    if isinstance(text, str):
        words = _WORD.findall(text)
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
        return f"“{clip(word, 40)}”" if kind == "word" else _name(node)
    text, attrs = node.get("text"), mark.get("attrs")
    text_near = text.strip() if isinstance(text, str) else ""
    if kind == "link" and isinstance(attrs, dict):
        of = f" of “{clip(text_near, 40)}”" if text_near else ""
        return f"the link to {clip(str(attrs.get('href')), 60)}{of}"
    where = f" of “{clip(text_near, 40)}”" if text_near else f" of {_name(node)}"
    return f"the {kind_words(kind)}{where}"


def _name(node: Any) -> str:
    if not isinstance(node, dict):
        return "a something"
    text_near = next(iter(plain_lines(node)), "")
    return named(str(node.get("type"))) + (f" at “{clip(text_near, 40)}”" if text_near else "")


def _attrs_key(attrs: object) -> str:
    return json.dumps(attrs, sort_keys=True, default=repr) if attrs else ""
