"""Describes what one document holds and another does not, for the user who would lose it."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TypeAlias

from ticketr.jira.adf._canonical import Json, canonical
from ticketr.jira.adf._plain import kind_words, named, plain_lines, walk
from ticketr.jira.adf._size import is_too_large
from ticketr.jira.sanitize import clip

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

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
    names: _Names = {}
    other: _Names = {}
    present, kept = _count(before, names), _count(after, other)
    if not present - kept:
        return _rearranged(before, after)
    changed = {kind for kind, number in _kinds(kept).items() if number >= _kinds(present)[kind]}
    left = present - (kept | _count(canonical(sent), {}))
    called = {each: _name_of_missing(names[each], other.get(each, ())) for each in left}
    named = [
        f"a detail of {called[each]}" if each[0] in changed and each[0] != "link" else called[each]
        for each in left
        if each[0] != "word"
    ]
    # Most words are named with what they stand in.
    quoted = " ".join(named)
    named += (called[each] for each in left if each[0] == "word" and each[1] not in quoted)
    return tuple(dict.fromkeys(named))[:MOST_NAMED]


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
    return next((each for each in names if each not in other), next(iter(names)))


def _count(document: Json, names: _Names) -> Counter[_Piece]:
    """Count the pieces of a document; ``names`` takes what they can be called."""
    counted: Counter[_Piece] = Counter()
    for node in walk(document):
        for piece, words in _pieces(node):
            counted[piece] += 1
            names.setdefault(piece, {})[words] = None
    return counted


def _pieces(node: Json) -> Iterator[tuple[_Piece, str]]:
    kind, text = str(node.get("type")), node.get("text")
    marks = node.get("marks")
    if isinstance(text, str):
        for word in _WORD.findall(text):
            yield ("word", word), f"“{clip(word, 40)}”"
    elif kind != "doc":
        yield (kind, _key(node.get("attrs"))), _name(node)
    for mark in marks if isinstance(marks, list) else ():
        if isinstance(mark, dict):
            yield from _mark(mark, node, text)


def _mark(mark: Json, node: Json, text: object) -> Iterator[tuple[_Piece, str]]:
    attrs = mark.get("attrs")
    kind = str(mark.get("type"))
    text_near = text.strip() if isinstance(text, str) else ""
    if kind == "link" and isinstance(attrs, dict):
        address = clip(str(attrs.get("href")), 60)
        of = f" of “{clip(text_near, 40)}”" if text_near else ""
        yield (kind, _key(attrs)), f"the link to {address}{of}"
        return
    where = f" of “{clip(text_near, 40)}”" if text_near else f" of {_name(node)}"
    # By word, since the marked text may be cut in other places than before.
    for word in _WORD.findall(text_near) or [""]:
        yield (kind, f"{_key(attrs)} {word}"), f"the {kind_words(kind)}{where}"


def _name(node: Any) -> str:
    if not isinstance(node, dict):
        return "a something"
    text_near = next(iter(plain_lines(node)), "")
    return named(str(node.get("type"))) + (f" at “{clip(text_near, 40)}”" if text_near else "")


def _key(attrs: object) -> str:
    return json.dumps(attrs, sort_keys=True, default=repr) if attrs else ""
