"""Finds which blocks of a file stand for which blocks in Jira.

Most blocks in Jira are one block in the file. Some are none there, and where the file cannot tell
several blocks apart they stand for each other together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ticketr.app.jira.adf._align import count_alike, matches

if TYPE_CHECKING:
    from ticketr.app.jira.adf._tree import Block

    #: Returns the keys of the blocks that a file shows for one block in Jira; None if unknown.
    ShownAlone = Callable[[Block], "tuple[int, ...] | None"]


@dataclass(frozen=True, slots=True)
class Unit:
    """Some blocks in Jira and what the file shows of them.

    Attributes:
        original: The blocks in Jira; none if Jira lacks what the file shows.
        shown: The blocks of the file.
        before: Blocks before it in Jira that the file does not show at all.
        after: Such blocks after it.
    """

    original: tuple[Block, ...]
    shown: tuple[Block, ...]
    before: tuple[Block, ...] = ()
    after: tuple[Block, ...] = ()

    @property
    def is_single(self) -> bool:
        """Whether one block of the file stands for one block in Jira."""
        return len(self.original) == len(self.shown) == 1

    @property
    def all(self) -> tuple[Block, ...]:
        """All its blocks in Jira, in order."""
        return (*self.before, *self.original, *self.after)


def units(original: Sequence[Block], shown: Sequence[Block], shown_alone: ShownAlone) -> list[Unit]:
    """Pair the blocks in Jira with the blocks of the file.

    Args:
        original: The blocks in Jira.
        shown: The same as the file shows them.
        shown_alone: See `ShownAlone`.

    Returns:
        The units, in order. If the file shows nothing at all, one that is empty there.
    """
    made: list[Unit] = []
    start = other = 0
    for left, right in [
        *matches([block.key for block in original], [block.key for block in shown]),
        (len(original), len(shown)),
    ]:
        made += _pair_inexact_blocks(original[start:left], shown[other:right], shown_alone)
        if left < len(original):
            made.append(Unit((original[left],), (shown[right],)))
        start, other = left + 1, right + 1
    return _with_invisible(made)


def _pair_inexact_blocks(
    original: Sequence[Block], shown: Sequence[Block], shown_alone: ShownAlone
) -> Iterator[Unit]:
    """Pair blocks that the file does not show exactly as they are."""
    if [block.kind for block in original] == [block.kind for block in shown]:
        yield from _by_kind(original, shown)
        return
    at = 0
    while at < len(original):
        keys = shown_alone(original[at])
        if keys is None or tuple(block.key for block in shown[: len(keys)]) != keys:
            break
        yield Unit((original[at],), tuple(shown[: len(keys)]))
        at, shown = at + 1, shown[len(keys) :]
    yield from _by_kind(original[at:], shown)


def _by_kind(original: Sequence[Block], shown: Sequence[Block]) -> Iterator[Unit]:
    """Pair blocks of the same kind at both ends, and join the rest between them."""
    kinds = [[block.kind for block in side] for side in (original, shown)]
    first = count_alike(*kinds)
    last = count_alike(kinds[0][first:][::-1], kinds[1][first:][::-1])
    pairs = list(zip(original[:first], shown[:first], strict=True))
    middle = Unit(
        tuple(original[first : len(original) - last]), tuple(shown[first : len(shown) - last])
    )
    yield from (Unit((one,), (other,)) for one, other in pairs)
    if middle.original or middle.shown:
        yield middle
    ends = original[len(original) - last :], shown[len(shown) - last :]
    yield from (Unit((one,), (other,)) for one, other in zip(*ends, strict=True))


def _with_invisible(joinable: Sequence[Unit]) -> list[Unit]:
    """Join units that the file does not show with the one before, or else the next one."""
    result: list[Unit] = []
    waiting: tuple[Block, ...] = ()
    for unit in joinable:
        if unit.shown:
            result.append(replace(unit, before=waiting))
            waiting = ()
        elif result:
            result[-1] = replace(result[-1], after=(*result[-1].after, *unit.original))
        else:
            waiting += unit.original
    if waiting:
        result.append(Unit(waiting, ()))
    return result
