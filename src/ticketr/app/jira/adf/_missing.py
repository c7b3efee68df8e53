"""Describes what one document holds and another does not, for the user who would lose it."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TypeAlias

from ticketr.app.jira.adf._canonical import Json, canonical
from ticketr.app.jira.adf._plain import kind_words, named, plain_lines, walk
from ticketr.app.jira.adf._size import is_too_large
from ticketr.app.jira.adf._widths import with_whole_widths
from ticketr.app.jira.sanitize import clip

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

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
    if not pieces.hidden:
        return _rearranged(before, after)
    return pieces.named(pieces.left_by(_count(canonical(sent))))[:MOST_NAMED]


class Losses:
    """What a document loses that is put together from several blocks.

    Args:
        wanted: The document as Jira has it.
        shown: What the Markdown that stands for it says, as a document.
        sent: The document that is to take its place.
    """

    def __init__(self, wanted: object, shown: object, sent: object) -> None:
        pieces = _Pieces(_document(wanted), _document(shown))
        self._all = pieces
        self._left = pieces.left_by(_count(_document(sent))) if pieces.hidden else Counter()

    def of(
        self, wanted: Sequence[Json], shown: Sequence[Json], sent: Sequence[Json]
    ) -> tuple[str, ...]:
        """Return what is lost with some blocks, and is nowhere else in the document.

        Args:
            wanted: The blocks as Jira has them.
            shown: The same as the Markdown says.
            sent: The blocks that take their place. If there are none, they were deleted, and only
                what nobody could see in the Markdown is lost.
        """
        before, after = (_document({"content": list(sequence)}) for sequence in (wanted, shown))
        if before == after and not self._left:
            return ()
        pieces = _Pieces(before, after)
        kept = _count(_document({"content": list(sent)}))
        left = pieces.left_by(kept) & self._left
        self._left -= pieces.present - kept
        if before == after:
            return ()
        if not pieces.hidden:
            return _rearranged(before, after) if sent else ()
        if not sent:
            left = Counter({pair: left[pair] for pair in left if pieces.is_unseen(pair)})
        return pieces.named(left)

    def rest(self) -> tuple[str, ...]:
        """Return what is lost, except with the blocks for which `of` was called."""
        return self._all.named(self._left)


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
        self.present = _count(before)
        pieces = (pair for node in walk(before) for pair in _pieces(node))
        self._marks = {piece[0] for piece, mark in pieces if mark is not None}
        self._kept = _count(after)
        self.hidden = self.present - self._kept
        kept = _kinds(self._kept)
        present = _kinds(self.present)
        #: The kinds of pieces that the Markdown shows all of, perhaps with other details.
        self._changed = {kind for kind, number in kept.items() if number >= present[kind]}

    def left_by(self, sent: Counter[_Piece]) -> Counter[_Piece]:
        """Return the hidden pieces that are not sent either."""
        return self.present - (self._kept | sent)

    def is_unseen(self, piece: _Piece) -> bool:
        """Return whether the Markdown shows no trace of a piece.

        A detail of a piece leaves one.
        """
        return piece[0] not in self._changed and piece[0] not in self._marks

    def named(self, left: Counter[_Piece]) -> tuple[str, ...]:
        """Return the names of some pieces."""
        if not left:
            return ()
        names, other = _names(self._before, left), _names(self._after, left)
        called = {pair: _name_of_missing(names[pair], other.get(pair, ())) for pair in left}
        named = [
            f"a detail of {called[pair]}"
            if pair[0] in self._changed and pair[0] != "link"
            else called[pair]
            for pair in left
            if pair[0] != "word"
        ]
        # Most words are named with what they stand in.
        quoted = " ".join(named)
        named += (called[pair] for pair in left if pair[0] == "word" and pair[1] not in quoted)
        return tuple(dict.fromkeys(named))


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
