"""Merges two versions of a text line by line, by the method of diff3.

The lines that all three texts share, in order, are fixed points; each stretch between two of them is
merged by itself. A change of one side is taken; different changes of both sides are a conflict.

A blank line is not a fixed point but belongs to the line after it. A blank line matches any other
one, so that a paragraph which both sides have added could appear twice.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain
from typing import Literal, TypeAlias

from ticketr.text import common_prefix_length

#: The most pairs of equal lines in two texts that are compared. Above it, frequent lines are not
#: fixed points: some thousand equal lines would take minutes. Needless conflicts may follow.
_MAX_EQUAL_PAIRS = 200_000
#: The most occurrences of a line that is not frequent.
_MAX_MATCHED_OCCURRENCES = 20
#: The fewest units of a text in which those that occur once are paired before all others.
_MIN_UNITS_FOR_LANDMARKS = 400


#: Units: each a line, after the blank lines before it; at the end of a text, blank lines alone.
_LinesWithBlanks: TypeAlias = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of two texts.

    Attributes:
        base: The lines of the common base; None without one.
        local: The lines of this side.
        remote: The lines of the other side.
    """

    base: tuple[str, ...] | None
    local: tuple[str, ...]
    remote: tuple[str, ...]

    @classmethod
    def unchanged(cls, lines: tuple[str, ...]) -> Chunk:
        """Return a stretch that nobody has changed."""
        return cls(lines, lines, lines)

    @property
    def are_sides_same(self) -> bool:
        """Whether it is equal on both sides."""
        return self.local == self.remote

    @property
    def merged(self) -> tuple[str, ...] | None:
        """The merged lines; None for a conflict: both sides have changed them differently."""
        if self.local in (self.remote, self.base):
            return self.remote
        return self.local if self.remote == self.base else None


def merge_chunks(base: Sequence[str], local: Sequence[str], remote: Sequence[str]) -> list[Chunk]:
    """Merge two descendants of one text.

    Returns:
        The chunks of the result, in order. If none is a conflict, their merged lines joined are the
        merged text.
    """
    old, mine, theirs = map(_join_blanks_to_next, (base, local, remote))
    here, there = _match_units(old, mine), _match_units(old, theirs)
    chunks: list[Chunk] = []
    b = m = r = 0
    for fixed in range(len(old)):
        if fixed in here and fixed in there:
            chunks += _merge_stretch(old[b:fixed], mine[m : here[fixed]], theirs[r : there[fixed]])
            chunks.append(Chunk.unchanged(old[fixed]))
            b, m, r = fixed + 1, here[fixed] + 1, there[fixed] + 1
    return [*chunks, *_merge_stretch(old[b:], mine[m:], theirs[r:])]


def compare_lines(local: Sequence[str], remote: Sequence[str]) -> list[Chunk]:
    """Find where two texts differ, without a common base; return the chunks of both, in order."""
    mine, theirs = _join_blanks_to_next(local), _join_blanks_to_next(remote)
    chunks: list[Chunk] = []
    m = r = 0
    for here, there in (*_match_units(mine, theirs).items(), (len(mine), len(theirs))):
        if mine[m:here] or theirs[r:there]:
            chunks.append(
                Chunk(None, _lines_of_units(mine[m:here]), _lines_of_units(theirs[r:there]))
            )
        if here < len(mine):
            chunks.append(Chunk.unchanged(mine[here]))
        m, r = here + 1, there + 1
    return chunks


def _join_blanks_to_next(lines: Sequence[str]) -> _LinesWithBlanks:
    """Group lines to units; see `_LinesWithBlanks`."""
    units: list[tuple[str, ...]] = []
    start = 0
    for end, line in enumerate(lines, start=1):
        if line.strip() or end == len(lines):
            units.append(tuple(lines[start:end]))
            start = end
    return tuple(units)


def _lines_of_units(units: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(chain.from_iterable(units))


def _merge_stretch(
    base: _LinesWithBlanks, local: _LinesWithBlanks, remote: _LinesWithBlanks
) -> Iterator[Chunk]:
    """Merge the lines between two fixed points; equal lines at its ends do not conflict."""
    if base in (local, remote):
        if base or local or remote:
            yield Chunk(_lines_of_units(base), _lines_of_units(local), _lines_of_units(remote))
        return
    start = common_prefix_length(local, remote)
    end = common_prefix_length(local[start:][::-1], remote[start:][::-1])
    ours, theirs = local[start : len(local) - end], remote[start : len(remote) - end]
    yield from _unchanged_chunk(local[:start])
    if (
        len(base) > 1
        and base not in (ours, theirs)
        and _are_paragraphs_in_place(base, ours, theirs)
    ):
        for units in zip(base, ours, theirs, strict=True):
            yield from _merge_stretch(*((unit,) for unit in units))
    elif ours or theirs:
        yield Chunk(_lines_of_units(base), _lines_of_units(ours), _lines_of_units(theirs))
    yield from _unchanged_chunk(local[len(local) - end :])


def _are_paragraphs_in_place(*texts: Sequence[tuple[str, ...]]) -> bool:
    """Return whether texts have equally many paragraphs and none of them was moved."""
    positions: dict[str, int] = {}
    return len({len(text) for text in texts}) == 1 and all(
        positions.setdefault(unit[-1], position) == position
        and (position == 0 or not unit[0].strip())
        for text in texts
        for position, unit in enumerate(text)
    )


def _unchanged_chunk(units: _LinesWithBlanks) -> Iterator[Chunk]:
    if units:
        yield Chunk.unchanged(_lines_of_units(units))


def _match_units(base: _LinesWithBlanks, other: _LinesWithBlanks) -> dict[int, int]:
    """Pair equal units of two texts, in rising order of both."""
    pairs: dict[int, int] = {}
    b = o = 0
    for next_b, next_o in (*_find_landmarks(base, other), (len(base), len(other))):
        for at, there in _match_stretch(base[b:next_b], other[o:next_o]).items():
            pairs[b + at] = o + there
        if next_b < len(base):
            pairs[next_b] = next_o
        b, o = next_b + 1, next_o + 1
    return pairs


def _find_landmarks(base: _LinesWithBlanks, other: _LinesWithBlanks) -> list[tuple[int, int]]:
    """Pair the units that occur once in each of two long texts, as many as are in the same order.

    `SequenceMatcher` takes minutes if every other of some thousand lines has changed. Between
    landmarks it gets short texts only.
    """
    if min(len(base), len(other)) < _MIN_UNITS_FOR_LANDMARKS:
        return []
    here, there = Counter(base), Counter(other)
    positions = {unit: at for at, unit in enumerate(other) if there[unit] == here[unit] == 1}
    return _longest_increasing([(at, positions[u]) for at, u in enumerate(base) if u in positions])


def _longest_increasing(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Choose the most pairs whose second numbers rise as their first ones do."""
    lowest: list[int] = []  # the least second number at which a run of each length ends
    last: list[int] = []  # the pair that does so
    before: list[int] = []
    for number, (_, there) in enumerate(pairs):
        length = bisect_left(lowest, there)
        before.append(last[length - 1] if length else -1)
        lowest[length : length + 1] = [there]
        last[length : length + 1] = [number]
    chosen: list[tuple[int, int]] = []
    at = last[-1] if last else -1
    while at >= 0:
        chosen.append(pairs[at])
        at = before[at]
    return chosen[::-1]


def _match_stretch(base: _LinesWithBlanks, other: _LinesWithBlanks) -> dict[int, int]:
    if not base or not other:
        return {}
    matcher = SequenceMatcher(None, base, other, autojunk=False)
    positions: dict[tuple[str, ...], list[int]] = matcher.b2j  # type: ignore[attr-defined]  # documented, but not in typeshed
    if sum(len(positions.get(unit, ())) for unit in base) > _MAX_EQUAL_PAIRS:
        for unit in [unit for unit in positions if len(positions[unit]) > _MAX_MATCHED_OCCURRENCES]:
            del positions[unit]
    blocks = matcher.get_matching_blocks()
    return {a + step: b + step for a, b, size in blocks for step in range(size)}


#: A piece of a text, and before it where that is: in both texts, only in the old or only in the new one.
WordDiffPiece: TypeAlias = tuple[Literal["same", "removed", "added"], str]

_WORD_BLANKS_OR_SIGN = re.compile(r"\w+|\s+|[^\w\s]")
#: The most words of a text that are compared one by one, the white space between them included.
_MAX_COMPARED_WORDS = 4_000


def word_diff(before: str, after: str) -> tuple[WordDiffPiece, ...]:
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
    old, new = _WORD_BLANKS_OR_SIGN.findall(before), _WORD_BLANKS_OR_SIGN.findall(after)
    start = common_prefix_length(old, new)
    end = common_prefix_length(old[start:][::-1], new[start:][::-1])
    one, other = old[start : len(old) - end], new[start : len(new) - end]
    pieces: list[WordDiffPiece] = [("same", "".join(old[:start]))]
    removed = added = ""
    for here, there in _aligned_runs(one, other):
        # White space between two changes is a part of them.
        if here == there and here.strip():
            pieces += ("removed", removed), ("added", added), ("same", here)
            removed = added = ""
        else:
            removed, added = removed + here, added + there
    pieces += ("removed", removed), ("added", added), ("same", "".join(old[len(old) - end :]))
    return tuple(piece for piece in pieces if piece[1])


def _aligned_runs(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the runs that two texts have alike, each twice, and what stands between them in each."""
    if max(len(old), len(new)) > _MAX_COMPARED_WORDS:
        yield "".join(old), "".join(new)
        return
    for _, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
        yield "".join(old[a:b]), "".join(new[c:d])
