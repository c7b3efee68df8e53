"""Aligns the blocks of two versions of a document: which are the same, and which became which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from difflib import SequenceMatcher
from itertools import chain

#: The most pairs of equal items that are compared. Above it, only items that occur once on both
#: sides are matched: some thousand equal items would take minutes.
_MAX_PAIRS = 200_000
#: The most pairs of different items whose likeness is compared.
_MAX_SCORES = 4_000


def matches(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Return the places of equal items in both sequences, in order on both sides."""
    start = count_alike(one, other)
    rest = min(len(one), len(other)) - start
    end = min(count_alike(one[::-1], other[::-1]), rest)
    middle = one[start : len(one) - end], other[start : len(other) - end]
    return [
        *((at, at) for at in range(start)),
        *((start + left, start + right) for left, right in _middle_matches(*middle)),
        *((len(one) - at, len(other) - at) for at in range(end, 0, -1)),
    ]


def count_alike(one: Sequence[object], other: Sequence[object]) -> int:
    """Count how many items two sequences begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _middle_matches(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[tuple[int, int]]:
    if not one or not other:
        return []
    counts = Counter(one), Counter(other)
    if sum(number * counts[1][item] for item, number in counts[0].items()) > _MAX_PAIRS:
        once = {item for item, number in counts[0].items() if number == counts[1][item] == 1}
        return _matches_of(once, one, other)
    return _matching_blocks(one, other)


def _matches_of(
    kept: set[Hashable], one: Sequence[Hashable], other: Sequence[Hashable]
) -> list[tuple[int, int]]:
    """Match some items only."""
    places = [[at for at, item in enumerate(side) if item in kept] for side in (one, other)]
    matched = _matching_blocks([one[at] for at in places[0]], [other[at] for at in places[1]])
    return [(places[0][left], places[1][right]) for left, right in matched]


def _matching_blocks(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[tuple[int, int]]:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return list(
        chain.from_iterable(
            ((left + at, right + at) for at in range(size))
            for left, right, size in matcher.get_matching_blocks()
        )
    )


def pairs(olds: int, news: int, score: Callable[[int, int], float]) -> list[tuple[int, int]]:
    """Pair old items with the new items that they most likely became, in order on both sides.

    Args:
        olds: How many old items there are.
        news: How many new items there are.
        score: How alike an old and a new one are, by their places; 0 if they cannot be a pair.

    Returns:
        The places of each pair; an item may be in none.
    """
    if olds * news > _MAX_SCORES:
        together = zip(range(olds), range(news), strict=False)
        return [(old, new) for old, new in together if score(old, new) > 0]
    best = [[0.0] * (news + 1) for _ in range(olds + 1)]
    scores = [[score(old, new) for new in range(news)] for old in range(olds)]
    for old in range(olds - 1, -1, -1):
        for new in range(news - 1, -1, -1):
            taken = scores[old][new] + best[old + 1][new + 1] if scores[old][new] > 0 else 0.0
            best[old][new] = max(taken, best[old + 1][new], best[old][new + 1])
    paired: list[tuple[int, int]] = []
    old = new = 0
    while old < olds and new < news:
        here = best[old][new]
        if scores[old][new] > 0 and here == scores[old][new] + best[old + 1][new + 1]:
            paired.append((old, new))
            old, new = old + 1, new + 1
        elif here == best[old + 1][new]:
            old += 1
        else:
            new += 1
    return paired
