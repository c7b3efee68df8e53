"""Where a searched text is in the lines of an issue. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, TypeAlias

from ticketr.app.tickets import fold
from ticketr.app.tui.styled import Line, Span, plain, slices

if TYPE_CHECKING:
    from ticketr.app.tui.sheet import DetailLine

#: The parts of a match: the index of a line, its first character, and the one after its last. One
#: that was wrapped has a part in each of its lines.
Match: TypeAlias = "tuple[tuple[int, int, int], ...]"

_fold_letter = lru_cache(maxsize=4096)(fold)


def find_matches(lines: Sequence[DetailLine], words: str) -> tuple[Match, ...]:
    """Return where a text is in lines, from the first to the last; case does not matter.

    Args:
        lines: The lines.
        words: What is searched. A blank in it is any blank, also the end of a line that was
            wrapped.
    """
    wanted = r"\s+".join(re.escape(fold(word)) for word in words.split())
    if not wanted:
        return ()
    texts = [plain(line.line) for line in lines]
    folded, places = _folded_text("\n".join(texts))
    starts = [0, *accumulate(len(text) + 1 for text in texts)]
    pairs: list[Match] = []
    for match in re.finditer(wanted, folded):
        begin, end = match.span()
        if places is not None:
            begin, end = places[begin], places[end - 1] + 1
        pairs.append(tuple(_parts(begin, end, starts, texts)))
    return tuple(pairs)


def with_marks(line: Line, marked: Sequence[tuple[int, int]], *styles: str) -> Line:
    """Return a line in which some ranges of characters have more styles.

    Args:
        line: The line.
        marked: The ranges in order; none overlaps another.
        styles: The styles to add.
    """
    spans: list[Span] = []
    borders = [0, *(at for pair in marked for at in pair), len(plain(line))]
    for at, part in enumerate(slices(line, pairwise(borders))):
        more = styles if at % 2 else ()  # every second part is marked
        spans += [replace(span, styles=(*span.styles, *more)) for span in part]
    return tuple(spans)


def _folded_text(text: str) -> tuple[str, Sequence[int] | None]:
    """Return a folded text, and the place of each of its letters; None if it is the same."""
    if text.isascii():
        return fold(text), None
    letters = [_fold_letter(letter) for letter in text]
    return "".join(letters), [at for at, folded in enumerate(letters) for _ in folded]


def _parts(
    begin: int, end: int, starts: Sequence[int], texts: Sequence[str]
) -> Iterator[tuple[int, int, int]]:
    """Yield the part in each line of a range of the whole text, without what indents a line."""
    line = bisect_right(starts, begin) - 1
    while begin < end:
        stop = min(end, starts[line + 1] - 1)
        if stop > begin:
            yield line, begin - starts[line], stop - starts[line]
        line += 1
        begin = starts[line]
        if begin < end:
            begin += len(texts[line]) - len(texts[line].lstrip())
