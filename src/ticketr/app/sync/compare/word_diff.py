"""Compares two texts word by word. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

from ticketr.app.sync.compare.diff3 import CleanChunk, compare_lines, count_alike

#: What a piece of a text is: in both texts, only in the old one, or only in the new one.
PieceKind: TypeAlias = Literal["same", "removed", "added"]
#: A piece of a text.
Piece: TypeAlias = tuple[PieceKind, str]

_WORD = re.compile(r"\w+|[^\w\s]")
#: The most words of a text that are compared one by one.
_MAX_WORDS = 2_000


def word_diff(before: str, after: str) -> tuple[Piece, ...]:
    """Compare two texts word by word.

    The middles of texts that differ in very many words are not compared: one is removed, the
    other added.

    Args:
        before: The old text.
        after: The new text.

    Returns:
        The pieces in order. Those that are not ``added`` are the old text, those that are not
        ``removed`` the new one, white space included.
    """
    pieces: list[Piece] = []
    for old, new in _stretches(before, after):
        for kind, text in _stretch(old, new):
            if text and pieces and pieces[-1][0] == kind:
                pieces[-1] = (kind, pieces[-1][1] + text)
            elif text:
                pieces.append((kind, text))
    return tuple(pieces)


def _stretches(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Yield each word that both texts have, and what is between two of them."""
    old, new = list(_WORD.finditer(before)), list(_WORD.finditer(after))
    here = there = 0
    for one, other in _pairs([match[0] for match in old], [match[0] for match in new]):
        yield before[here : old[one].start()], after[there : new[other].start()]
        yield old[one][0], new[other][0]
        here, there = old[one].end(), new[other].end()
    yield before[here:], after[there:]


def _stretch(old: str, new: str) -> Iterator[Piece]:
    """Yield the pieces of two texts between words that both have."""
    if old == new:
        yield "same", old
        return
    start = _common_space(old, new)
    end = _common_space(old[start:][::-1], new[start:][::-1])
    yield "same", old[:start]
    yield "removed", old[start : len(old) - end]
    yield "added", new[start : len(new) - end]
    yield "same", old[len(old) - end :]


def _common_space(one: str, other: str) -> int:
    """Count the characters of white space that two texts begin with alike."""
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b or a.strip()),
        min(len(one), len(other)),
    )


def _pairs(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pair equal words of two texts, in rising order of both."""
    start = count_alike(old, new)
    end = count_alike(old[start:][::-1], new[start:][::-1])
    yield from ((at, at) for at in range(start))
    one, other = old[start : len(old) - end], new[start : len(new) - end]
    if len(one) <= _MAX_WORDS and len(other) <= _MAX_WORDS:
        here = there = start
        for chunk in compare_lines(one, other):
            if isinstance(chunk, CleanChunk):
                yield from ((here + at, there + at) for at in range(len(chunk.lines)))
                here, there = here + len(chunk.lines), there + len(chunk.lines)
            else:
                here, there = here + len(chunk.local), there + len(chunk.remote)
    yield from ((len(old) - at, len(new) - at) for at in range(end, 0, -1))
