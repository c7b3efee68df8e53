"""Three-way merge of lines: what one side changed is taken, what both changed clashes.

The method is that of diff3: lines that all three texts share in order are fixed points, and each
stretch between two of them is settled by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Pairs of equal lines in two texts, above which lines that occur often are no fixed points.
#: Some thousand equal lines would take minutes; so they may clash where they need not.
_MOST_PAIRS = 200_000
#: What is often then.
_OFTEN = 20


@dataclass(frozen=True, slots=True)
class Agreed:
    """A stretch that both sides have alike, or that one side alone has changed.

    Attributes:
        lines: what is to stand there.
    """

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Disputed:
    """A stretch that both sides have changed, each in its own way.

    Attributes:
        base: what stood there before.
        local: what stands there here.
        remote: what stands there on the other side.
    """

    base: tuple[str, ...]
    local: tuple[str, ...]
    remote: tuple[str, ...]


def merge_lines(
    base: Sequence[str], local: Sequence[str], remote: Sequence[str]
) -> list[Agreed | Disputed]:
    """Merge two descendants of one text.

    Args:
        base: the lines that both sides began with.
        local: this side's lines.
        remote: the other side's lines.

    Returns:
        The stretches of the result, in order, none of them empty of meaning. Without a
        `Disputed` one, their lines joined are the merged text.
    """
    return _joined(_stretches(tuple(base), tuple(local), tuple(remote)))


def compare_lines(local: Sequence[str], remote: Sequence[str]) -> list[Agreed | Disputed]:
    """Find where two texts differ, whoever has changed what there.

    Args:
        local: this side's lines.
        remote: the other side's lines.

    Returns:
        The stretches of both, in order. With one side of each `Disputed` one, their lines joined
        are the text of that side.
    """
    return _joined(_differences(tuple(local), tuple(remote)))


def _joined(stretches: Iterator[Agreed | Disputed]) -> list[Agreed | Disputed]:
    joined: list[Agreed | Disputed] = []
    for stretch in stretches:
        last = joined[-1] if joined else None
        if isinstance(stretch, Agreed) and isinstance(last, Agreed):
            joined[-1] = Agreed(last.lines + stretch.lines)
        else:
            joined.append(stretch)
    return joined


def _differences(local: tuple[str, ...], remote: tuple[str, ...]) -> Iterator[Agreed | Disputed]:
    m = r = 0
    for here, there in (*_matches(local, remote).items(), (len(local), len(remote))):
        if local[m:here] or remote[r:there]:
            yield Disputed((), local[m:here], remote[r:there])
        if here < len(local):
            yield Agreed((local[here],))
        m, r = here + 1, there + 1


def _stretches(
    base: tuple[str, ...], local: tuple[str, ...], remote: tuple[str, ...]
) -> Iterator[Agreed | Disputed]:
    here, there = _matches(base, local), _matches(base, remote)
    b = m = r = 0
    for fixed in range(len(base) + 1):
        end = fixed == len(base)
        if not end and not (fixed in here and fixed in there):
            continue
        next_local = len(local) if end else here[fixed]
        next_remote = len(remote) if end else there[fixed]
        stretch = _settle(base[b:fixed], local[m:next_local], remote[r:next_remote])
        if stretch is not None:
            yield stretch
        if not end:
            yield Agreed((base[fixed],))
        b, m, r = fixed + 1, next_local + 1, next_remote + 1


def _settle(
    base: tuple[str, ...], local: tuple[str, ...], remote: tuple[str, ...]
) -> Agreed | Disputed | None:
    if local == remote or remote == base:
        return Agreed(local) if local else None
    if local == base:
        return Agreed(remote) if remote else None
    return Disputed(base, local, remote)


def _matches(base: tuple[str, ...], other: tuple[str, ...]) -> dict[int, int]:
    """Pair lines of a text with their like in another one, in rising order of both."""
    matcher = SequenceMatcher(None, base, other, autojunk=False)
    places: dict[str, list[int]] = matcher.b2j  # type: ignore[attr-defined]  # documented, but not in typeshed
    if sum(len(places.get(line, ())) for line in base) > _MOST_PAIRS:
        for line in [line for line in places if len(places[line]) > _OFTEN]:
            del places[line]
    blocks = matcher.get_matching_blocks()
    return {a + step: b + step for a, b, size in blocks for step in range(size)}
