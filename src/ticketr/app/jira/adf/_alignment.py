"""Aligns the blocks of two versions of a document: which are the same, and which became which.

A document is seen as a tree of blocks, each with a number that equal blocks share. Two blocks are
equal if no reader sees a difference, as in `canonical`. Most blocks in Jira are one block in the
file. Some are none there, and where the file cannot tell several blocks apart they stand for each
other together.
"""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

from ticketr.app.jira.adf._canonical import Json, canonical, content_of
from ticketr.app.jira.adf._plain import walk
from ticketr.text import common_prefix_length

#: Blocks below this depth are compared as a whole.
_MAX_COMPARED_DEPTH = 40
_LEAF_BLOCK_KINDS = frozenset(
    {"paragraph", "heading", "taskItem", "decisionItem", "caption", "codeBlock"}
)
_INLINE_NODES = frozenset(
    {
        *("text", "hardBreak", "mention", "emoji", "date", "status", "inlineCard", "placeholder"),
        *("inlineExtension", "mediaInline", "unknownInline"),
    }
)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A block of a document.

    Attributes:
        node: The block as it is in the document.
        kind: Its type.
        equality_key: A number that equal blocks share.
        shell_key: A number that blocks share if they are equal apart from their content.
        content_key: A number that blocks share if their content is equal.
        child_blocks: The blocks in it.
        is_leaf: Whether it holds text, or nothing, instead of blocks.
    """

    node: Json
    kind: str
    equality_key: int
    shell_key: int
    content_key: int
    child_blocks: tuple[Block, ...]
    is_leaf: bool


@dataclass(slots=True)
class BlockReader:
    """Reads blocks; those that one reader has read can be compared by their keys."""

    _key_by_value: dict[Hashable, int] = field(default_factory=dict)

    def read_blocks(self, document: object) -> tuple[Block, ...]:
        """Return the blocks of a document.

        Raises:
            RecursionError: It is nested too deep to be compared.
        """
        return tuple(
            self._read_block(node, 0) for node in content_of(document) if isinstance(node, dict)
        )

    def _read_block(self, node: Json, depth: int) -> Block:
        kind = str(node.get("type"))
        content: Any = node.get("content")
        shell = self._canonical_key({key: value for key, value in node.items() if key != "content"})
        is_leaf = kind in _LEAF_BLOCK_KINDS or not isinstance(content, list) or not content
        if depth >= _MAX_COMPARED_DEPTH or is_leaf or any(map(is_inline, content)):
            inside = self._canonical_key({"type": kind, "content": content})
            key = self._key_of_value((shell, inside))
            return Block(node, kind, key, shell, inside, (), is_leaf=True)
        blocks = tuple(self._read_block(value, depth + 1) for value in content)
        inside = self._key_of_value(tuple(block.equality_key for block in blocks))
        key = self._key_of_value((shell, inside))
        return Block(node, kind, key, shell, inside, blocks, is_leaf=False)

    def _canonical_key(self, node: Json) -> int:
        """Return the key of a node's canonical form: equal nodes have equal keys."""
        return self._key_of_value(json.dumps(canonical(node), sort_keys=True, default=repr))

    def _key_of_value(self, value: Hashable) -> int:
        """Return the key of a value: equal values have equal keys."""
        return self._key_by_value.setdefault(value, len(self._key_by_value))


def is_inline(node: object) -> bool:
    """Return whether a node is in a line of text."""
    return not isinstance(node, dict) or node.get("type") in _INLINE_NODES


#: The most pairs of equal items that are compared. Above it, only the beginnings and the ends of the
#: sequences are matched: some thousand equal items would take minutes.
_MAX_EQUAL_PAIRS = 200_000
#: The most pairs of different items whose likeness is compared.
_MAX_SCORED_PAIRS = 4_000


def match_equal(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Return the places of equal items in both sequences, in order on both sides."""
    start = common_prefix_length(one, other)
    rest = min(len(one), len(other)) - start
    end = min(common_prefix_length(one[::-1], other[::-1]), rest)
    middle, others = one[start : len(one) - end], other[start : len(other) - end]
    places = [(at, at) for at in range(start)]
    counts = Counter(others)
    if sum(counts[item] for item in middle) <= _MAX_EQUAL_PAIRS:
        matcher = SequenceMatcher(None, middle, others, autojunk=False)
        for left, right, size in matcher.get_matching_blocks():
            places += [(start + left + at, start + right + at) for at in range(size)]
    places += [(len(one) - at, len(other) - at) for at in range(end, 0, -1)]
    return places


def pair_similar(
    old_count: int, new_count: int, score: Callable[[int, int], float]
) -> list[tuple[int, int]]:
    """Pair old items with the new items that they most likely became, in order on both sides.

    Args:
        old_count: How many old items there are.
        new_count: How many new items there are.
        score: How alike an old and a new one are, by their places; 0 if they cannot be a pair.

    Returns:
        The places of each pair; an item may be in none.
    """
    if old_count * new_count > _MAX_SCORED_PAIRS:
        together = zip(range(old_count), range(new_count), strict=False)
        return [(old, new) for old, new in together if score(old, new) > 0]
    best = [[0.0] * (new_count + 1) for _ in range(old_count + 1)]
    scores = [[score(old, new) for new in range(new_count)] for old in range(old_count)]
    for old in range(old_count - 1, -1, -1):
        for new in range(new_count - 1, -1, -1):
            taken = scores[old][new] + best[old + 1][new + 1] if scores[old][new] > 0 else 0.0
            best[old][new] = max(taken, best[old + 1][new], best[old][new + 1])
    paired: list[tuple[int, int]] = []
    old = new = 0
    while old < old_count and new < new_count:
        here = best[old][new]
        if scores[old][new] > 0 and here == scores[old][new] + best[old + 1][new + 1]:
            paired.append((old, new))
            old, new = old + 1, new + 1
        elif here == best[old + 1][new]:
            old += 1
        else:
            new += 1
    return paired


@dataclass(frozen=True, slots=True)
class AlignedBlocks:
    """Some blocks in Jira and what the file shows of them.

    Attributes:
        jira_blocks: The blocks in Jira; none if Jira lacks what the file shows.
        file_blocks: The blocks of the file.
        hidden_before: Blocks before it in Jira that the file does not show at all.
        hidden_after: Such blocks after it.
    """

    jira_blocks: tuple[Block, ...]
    file_blocks: tuple[Block, ...]
    hidden_before: tuple[Block, ...] = ()
    hidden_after: tuple[Block, ...] = ()

    @property
    def is_single_pair(self) -> bool:
        """Whether one block of the file stands for one block in Jira."""
        return len(self.jira_blocks) == len(self.file_blocks) == 1

    @property
    def all_jira_blocks(self) -> tuple[Block, ...]:
        """All its blocks in Jira, in order."""
        return (*self.hidden_before, *self.jira_blocks, *self.hidden_after)


def pair_blocks(original: Sequence[Block], shown: Sequence[Block]) -> list[AlignedBlocks]:
    """Pair the blocks in Jira with the blocks of the file.

    Args:
        original: The blocks in Jira.
        shown: The same as the file shows them.

    Returns:
        The units, in order. If the file shows nothing at all, one that is empty there.
    """
    result: list[AlignedBlocks] = []
    start = other = 0
    for left, right in [
        *match_equal(
            [block.equality_key for block in original], [block.equality_key for block in shown]
        ),
        (len(original), len(shown)),
    ]:
        result += _pair_ends_by_kind(original[start:left], shown[other:right])
        if left < len(original):
            result.append(AlignedBlocks((original[left],), (shown[right],)))
        start, other = left + 1, right + 1
    return _attach_hidden_blocks(result)


def _pair_ends_by_kind(
    original: Sequence[Block], shown: Sequence[Block]
) -> Iterator[AlignedBlocks]:
    """Pair blocks of the same kind at both ends, and join the rest between them."""
    kinds = [[block.kind for block in side] for side in (original, shown)]
    first = common_prefix_length(*kinds)
    last = common_prefix_length(kinds[0][first:][::-1], kinds[1][first:][::-1])
    end, shown_end = len(original) - last, len(shown) - last
    for one, other in zip(original[:first], shown[:first], strict=True):
        yield AlignedBlocks((one,), (other,))
    if first < max(end, shown_end):
        yield AlignedBlocks(tuple(original[first:end]), tuple(shown[first:shown_end]))
    for one, other in zip(original[end:], shown[shown_end:], strict=True):
        yield AlignedBlocks((one,), (other,))


def _attach_hidden_blocks(joinable: Sequence[AlignedBlocks]) -> list[AlignedBlocks]:
    """Join units that the file does not show with the one before, or else the next one."""
    result: list[AlignedBlocks] = []
    waiting: tuple[Block, ...] = ()
    for unit in joinable:
        if unit.file_blocks:
            result.append(replace(unit, hidden_before=waiting))
            waiting = ()
        elif result:
            result[-1] = replace(
                result[-1], hidden_after=(*result[-1].hidden_after, *unit.jira_blocks)
            )
        else:
            waiting += unit.jira_blocks
    if waiting:
        result.append(AlignedBlocks(waiting, ()))
    return result


# What is in a table makes a table with it, so it becomes nothing else.
_KINDS_THAT_CANNOT_CHANGE = frozenset(
    {"tableRow", "tableCell", "tableHeader", "layoutColumn", "media"}
)
#: How much two blocks of the same kind are alike at least, and of different kinds.
_SAME_KIND, _OTHER_KIND = 0.2, 0.5


@dataclass(frozen=True, slots=True)
class RemovedOrReplacedJiraBlocks:
    """Blocks in Jira that are not in the edited file as they were.

    Attributes:
        blocks: The blocks.
        index_in_edited: The index of the edited block that is there now, or else of the next one.
        replacement_indices: The indices of blocks that may have taken their place; none if they were deleted.
    """

    blocks: AlignedBlocks
    index_in_edited: int
    replacement_indices: tuple[int, ...]


class BlockChanges:
    """What became of the blocks of one place.

    Args:
        units: The blocks before the edit.
        edited: The blocks after it.
        in_row: Whether they are the cells of a row, which stay in their columns.

    Attributes:
        same: The blocks that read as before, by the index of the first of them.
        became: The blocks that were edited, by the index of what they became.
        gone: All others.
    """

    def __init__(
        self, units: Sequence[AlignedBlocks], edited: Sequence[Block], *, in_row: bool
    ) -> None:
        self.same: dict[int, AlignedBlocks] = {}
        self.became: dict[int, AlignedBlocks] = {}
        self.gone: list[RemovedOrReplacedJiraBlocks] = []
        self._edited = edited
        visible = [unit for unit in units if unit.file_blocks]
        self._words: dict[int, Counter[str]] = {}
        if in_row and len(visible) == len(edited) and all(unit.is_single_pair for unit in visible):
            for at, (unit, block) in enumerate(zip(visible, edited, strict=True)):
                is_same = unit.file_blocks[0].equality_key == block.equality_key
                (self.same if is_same else self.became)[at] = unit
            return
        anchors = self._record_unmoved_units(visible)
        moved = self._record_moved_units(visible, {number for number, _ in anchors})
        covered = {
            at + index for at, unit in self.same.items() for index in range(len(unit.file_blocks))
        }
        fixed = [(-1, 0), *anchors, (len(visible), len(edited))]
        for (number, at), (next_number, next_at) in pairwise(fixed):
            start = at + (len(visible[number].file_blocks) if number >= 0 else 0)
            unpaired = [index for index in range(number + 1, next_number) if index not in moved]
            free = [index for index in range(start, next_at) if index not in covered]
            self._record_edited_and_removed_units(
                [visible[number] for number in unpaired], free, next_at
            )

    def _record_unmoved_units(self, visible: Sequence[AlignedBlocks]) -> list[tuple[int, int]]:
        """Find units that are in order as before; return their numbers and places."""
        flat = [block.equality_key for unit in visible for block in unit.file_blocks]
        places = dict(match_equal(flat, [block.equality_key for block in self._edited]))
        anchors: list[tuple[int, int]] = []
        start = 0
        for number, unit in enumerate(visible):
            at = [places.get(start + index) for index in range(len(unit.file_blocks))]
            first = at[0]
            start += len(unit.file_blocks)
            if first is not None and at == list(range(first, first + len(at))):
                self.same[first] = unit
                anchors.append((number, first))
        return anchors

    def _record_moved_units(self, visible: Sequence[AlignedBlocks], unmoved: set[int]) -> set[int]:
        """Find units that are in another place now; return their numbers."""
        keys = [block.equality_key for block in self._edited]
        places: dict[int, deque[int]] = {}
        for at, key in enumerate(keys):
            places.setdefault(key, deque()).append(at)
        taken = {
            at + index for at, unit in self.same.items() for index in range(len(unit.file_blocks))
        }
        moved: set[int] = set()
        for number, unit in enumerate(visible):
            if number in unmoved:
                continue
            wanted = [block.equality_key for block in unit.file_blocks]
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

    def _record_edited_and_removed_units(
        self, unpaired: Sequence[AlignedBlocks], free: Sequence[int], next_fixed: int
    ) -> None:
        """Pair the units between two fixed ones with the blocks that are there now."""
        single = [unit for unit in unpaired if unit.is_single_pair]
        paired = pair_similar(
            len(single),
            len(free),
            lambda old, new: self._pair_score(single[old].file_blocks[0], self._edited[free[new]]),
        )
        for old, new in paired:
            self.became[free[new]] = single[old]
        taken = {id(single[old]) for old, _ in paired}
        instead = tuple(number for number in free if number not in self.became)
        first = instead[0] if instead else next_fixed
        for unit in unpaired:
            if id(unit) not in taken:
                self.gone.append(RemovedOrReplacedJiraBlocks(unit, first, instead))

    def _pair_score(self, old: Block, new: Block) -> float:
        """Return how alike two blocks are; 0 if one cannot have become the other."""
        same = old.kind == new.kind
        if not same and (
            old.is_leaf != new.is_leaf or {old.kind, new.kind} & _KINDS_THAT_CANNOT_CHANGE
        ):
            return 0.0
        one, other = self._count_words(old), self._count_words(new)
        total = one.total() + other.total()
        alike = 2 * (one & other).total() / total if total else 0.0
        if same:
            return _SAME_KIND + alike
        return alike if alike >= _OTHER_KIND else 0.0

    def _count_words(self, block: Block) -> Counter[str]:
        """Count the words in the texts of a block."""
        if id(block) not in self._words:
            texts = (str(node.get("text", "")) for node in walk(block.node))
            self._words[id(block)] = Counter(word for text in texts for word in _WORD.findall(text))
        return self._words[id(block)]
