"""Matches the blocks of a document, a list or a cell before and after an edit."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from ticketr.app.jira.adf._align import matches, pairs

if TYPE_CHECKING:
    from ticketr.app.jira.adf._tree import Block
    from ticketr.app.jira.adf._units import Unit

# What is in a table makes a table with it, so it becomes nothing else.
_PARTS = frozenset({"tableRow", "tableCell", "tableHeader", "layoutColumn", "media"})
#: How much two blocks of the same kind are alike at least, and of different kinds.
_SAME_KIND, _OTHER_KIND = 0.2, 0.5


@dataclass(frozen=True, slots=True)
class Gone:
    """Blocks in Jira that are not in the edited file as they were.

    Attributes:
        unit: The blocks.
        at: The index of the edited block that is there now, or else of the next one.
        instead: The indices of blocks that may have taken their place; none if they were deleted.
    """

    unit: Unit
    at: int
    instead: tuple[int, ...]


class Level:
    """What became of the blocks of one place.

    Args:
        units: The blocks before the edit.
        edited: The blocks after it.
        in_row: Whether they are the cells of a row, which stay in their columns.
        changes_kind: Whether a block may become one of another kind.

    Attributes:
        same: The blocks that read as before, by the index of the first of them.
        became: The blocks that were edited, by the index of what they became.
        gone: All others.
    """

    def __init__(
        self, units: Sequence[Unit], edited: Sequence[Block], *, in_row: bool, changes_kind: bool
    ) -> None:
        self.same: dict[int, Unit] = {}
        self.became: dict[int, Unit] = {}
        self.gone: list[Gone] = []
        self._edited = edited
        self._changes_kind = changes_kind
        visible = [unit for unit in units if unit.shown]
        self._words: dict[int, Counter[str]] = {}
        if in_row and len(visible) == len(edited) and all(unit.is_single for unit in visible):
            for at, (unit, block) in enumerate(zip(visible, edited, strict=True)):
                (self.same if unit.shown[0].key == block.key else self.became)[at] = unit
            return
        anchors = self._find_same(visible)
        moved = self._find_moved(visible, {number for number, _ in anchors})
        covered = {at + index for at, unit in self.same.items() for index in range(len(unit.shown))}
        fixed = [(-1, 0), *anchors, (len(visible), len(edited))]
        for (number, at), (next_number, next_at) in pairwise(fixed):
            start = at + (len(visible[number].shown) if number >= 0 else 0)
            left = [index for index in range(number + 1, next_number) if index not in moved]
            free = [index for index in range(start, next_at) if index not in covered]
            self._pair([visible[number] for number in left], free, next_at)

    def _find_same(self, visible: Sequence[Unit]) -> list[tuple[int, int]]:
        """Find units that are in order as before; return their numbers and places."""
        flat = [block.key for unit in visible for block in unit.shown]
        places = dict(matches(flat, [block.key for block in self._edited]))
        anchors: list[tuple[int, int]] = []
        start = 0
        for number, unit in enumerate(visible):
            at = [places.get(start + index) for index in range(len(unit.shown))]
            first = at[0]
            start += len(unit.shown)
            if first is not None and at == list(range(first, first + len(at))):
                self.same[first] = unit
                anchors.append((number, first))
        return anchors

    def _find_moved(self, visible: Sequence[Unit], fixed: set[int]) -> set[int]:
        """Find units that are in another place now; return their numbers."""
        keys = [block.key for block in self._edited]
        places: dict[int, deque[int]] = {}
        for at, key in enumerate(keys):
            places.setdefault(key, deque()).append(at)
        taken = {at + index for at, unit in self.same.items() for index in range(len(unit.shown))}
        moved: set[int] = set()
        for number, unit in enumerate(visible):
            if number in fixed:
                continue
            wanted = [block.key for block in unit.shown]
            there = places.get(wanted[0], deque())
            while there and there[0] in taken:
                there.popleft()
            for at in there:
                run = range(at, at + len(wanted))
                if keys[at : at + len(wanted)] == wanted and taken.isdisjoint(run):
                    self.same[at] = unit
                    moved.add(number)
                    taken.update(run)
                    break
        return moved

    def _pair(self, left: Sequence[Unit], free: Sequence[int], end: int) -> None:
        """Pair the units between two fixed ones with the blocks that are there now."""
        single = [unit for unit in left if unit.is_single]
        paired = pairs(
            len(single),
            len(free),
            lambda old, new: self._likeness(single[old].shown[0], self._edited[free[new]]),
        )
        for old, new in paired:
            self.became[free[new]] = single[old]
        taken = {id(single[old]) for old, _ in paired}
        instead = tuple(number for number in free if number not in self.became)
        for unit in left:
            if id(unit) not in taken:
                self.gone.append(Gone(unit, instead[0] if instead else end, instead))

    def _likeness(self, old: Block, new: Block) -> float:
        """Return how alike two blocks are; 0 if one cannot have become the other."""
        same = old.kind == new.kind
        if not same and (
            not self._changes_kind or old.is_line != new.is_line or {old.kind, new.kind} & _PARTS
        ):
            return 0.0
        one, other = self._words_of(old), self._words_of(new)
        total = one.total() + other.total()
        alike = 2 * (one & other).total() / total if total else 0.0
        if same:
            return _SAME_KIND + alike
        return alike if alike >= _OTHER_KIND else 0.0

    def _words_of(self, block: Block) -> Counter[str]:
        if id(block) not in self._words:
            self._words[id(block)] = block.words()
        return self._words[id(block)]
