"""All rows of a list as an immutable value, in blocks: a change copies only the blocks it concerns.

A workspace may have 10,000 rows, and a pull changes 20 of them at a time. What is derived from a
block (its counts, its arranged rows) is computed once and stays with it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate, chain
from typing import TYPE_CHECKING, final, overload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ticketr.tui.rows import ListRow, Order

#: The rows of a new block; one with more than twice as many is divided.
BLOCK_ROWS = 256
#: How many results of searches in a part are remembered: some for each part of 10,000 rows.
REMEMBERED = 2048
#: The most letters of a word that is searched letter by letter.
LONGEST_WORD = 32


@dataclass(frozen=True, slots=True)
class VisibleRow:
    """A row of the list as it is shown.

    Attributes:
        row: The issue.
        tasks: The number of its sub-tasks that the list holds.
        hidden: How many of them are folded away.
    """

    row: ListRow
    tasks: int = 0
    hidden: int = 0


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows that are shown one after the other.

    Attributes:
        shown: The rows.
    """

    shown: tuple[VisibleRow, ...]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """What a search looks at in each row."""
        return tuple([each.row.candidate.haystack for each in self.shown])


@dataclass(frozen=True, eq=False)
class Names:
    """The names of some rows, as the palette looks for them.

    Attributes:
        texts: The folded key and title of each row.
    """

    texts: tuple[str, ...]


@lru_cache(maxsize=REMEMBERED)
def holding(part: Part | Names, word: str) -> tuple[int, ...]:
    """Return the indexes of the rows that contain a folded text.

    A word is typed letter by letter, so only the rows that contain all but its last letter are
    looked at.
    """
    texts = part.texts
    if 1 < len(word) <= LONGEST_WORD:
        return tuple([at for at in holding(part, word[:-1]) if word in texts[at]])
    return tuple([at for at, text in enumerate(texts) if word in text])


@dataclass(frozen=True, eq=False)
class Block:
    """Some rows that follow each other, whole tickets with their sub-tasks; never none.

    Attributes:
        rows: The rows, in the order of their keys.
    """

    rows: tuple[ListRow, ...]

    @cached_property
    def families(self) -> tuple[tuple[int, int], ...]:
        """The index of each ticket, and the one after its last sub-task."""
        found: list[tuple[int, int]] = []
        begin = 0
        for at in range(1, len(self.rows) + 1):
            if at == len(self.rows) or self.rows[at].order[:3] != self.rows[begin].order[:3]:
                found.append((begin, at))
                begin = at
        return tuple(found)

    @cached_property
    def whole(self) -> Part:
        """All its rows as they are shown without a filter and folds."""
        shown: list[VisibleRow] = []
        for begin, end in self.families:
            shown.append(VisibleRow(self.rows[begin], end - begin - 1))
            shown += map(VisibleRow, self.rows[begin + 1 : end])
        return Part(tuple(shown))

    @cached_property
    def heads(self) -> frozenset[str]:
        """The IDs of the tickets."""
        return frozenset(self.rows[begin].id for begin, _ in self.families)

    @cached_property
    def names(self) -> Names:
        """The names of its rows."""
        found = (row.candidate.folded for row in self.rows)
        return Names(tuple([f"{each['key'] or 'draft'}  {each['title']}" for each in found]))

    @cached_property
    def assignees(self) -> Counter[str]:
        """How many of its rows each assignee has; the empty name is that of nobody."""
        return Counter(row.assignee for row in self.rows)

    @cached_property
    def statuses(self) -> Counter[str]:
        """How many of its rows have each status."""
        return Counter(row.status for row in self.rows)

    @cached_property
    def issues(self) -> int:
        """The number of issues."""
        return sum(not row.is_broken for row in self.rows)

    @cached_property
    def drafts(self) -> int:
        """The number of issues that Jira does not have yet."""
        return sum(row.is_draft for row in self.rows)


@final
class Rows(Sequence["ListRow"]):
    """The rows of all issues and broken files of a workspace, in the order of their keys.

    Attributes:
        blocks: The rows in portions.
    """

    __slots__ = ("_ends", "_firsts", "blocks")

    def __init__(self, blocks: tuple[Block, ...] = ()) -> None:
        self.blocks = blocks
        self._ends = tuple(accumulate(len(each.rows) for each in blocks))
        self._firsts = [each.rows[0].order for each in blocks]

    @staticmethod
    def of(rows: Iterable[ListRow]) -> Rows:
        """Return rows in any order as a value."""
        return Rows(tuple(_divided(sorted(rows, key=_order))))

    def merged(self, tickets: Iterable[tuple[ListRow, ...]]) -> Rows:
        """Return it with the rows of some tickets inserted or replaced.

        Args:
            tickets: The rows of each ticket, the ticket's own row first.
        """
        changed: dict[int, list[ListRow]] = {}
        for ticket in tickets:
            project, number, rest, _ = ticket[0].order
            # A ticket with a key is the same one after its file has moved.
            begin = (project, number, "" if number else rest, 0)
            end = (project, number, "\U0010ffff" if number else rest, 1 << 30)
            at = max(0, bisect_right(self._firsts, end) - 1)
            rows = changed.get(at)
            if rows is None:
                rows = changed[at] = list(self.blocks[at].rows) if self.blocks else []
            first = bisect_left(rows, begin, key=_order)
            rows[first : bisect_left(rows, end, lo=first, key=_order)] = ticket
        blocks: list[Block] = []
        for at in range(max(1, len(self.blocks))):
            if at in changed:
                blocks += _divided(changed[at])
            else:
                blocks += self.blocks[at : at + 1]
        return Rows(tuple(blocks))

    def prepare(self) -> None:
        """Compute what searches and the palette need of each block; for a worker thread."""
        for block in self.blocks:
            _ = block.whole.texts, block.names, block.assignees, block.statuses

    def named(self, words: str, most: int) -> tuple[ListRow, ...]:
        """Return the rows whose key and title hold some words.

        Args:
            words: The words, folded.
            most: How many rows to return.

        Returns:
            The rows whose names begin with the words, then the others.
        """
        first: list[ListRow] = []
        others: list[ListRow] = []
        start = words.strip()
        for block in self.blocks:
            left: Iterable[int] = range(len(block.rows))
            for word in words.split():
                held = holding(block.names, word)
                left = sorted(frozenset(held).intersection(left))
            texts, rows = block.names.texts, block.rows
            first += [rows[at] for at in left if texts[at].startswith(start)]
            if len(first) >= most:
                break
            if len(others) < most:
                others += [rows[at] for at in left if not texts[at].startswith(start)]
        return tuple((first + others)[:most])

    @property
    def issues(self) -> int:
        """The number of issues."""
        return sum(each.issues for each in self.blocks)

    @property
    def drafts(self) -> int:
        """The number of issues that Jira does not have yet."""
        return sum(each.drafts for each in self.blocks)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[ListRow]:
        return chain.from_iterable(each.rows for each in self.blocks)

    @overload
    def __getitem__(self, index: int) -> ListRow: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[ListRow, ...]: ...
    def __getitem__(self, index: int | slice) -> ListRow | tuple[ListRow, ...]:
        if isinstance(index, slice):
            return tuple(self)[index]
        at = range(len(self))[index]
        block = bisect_right(self._ends, at)
        return self.blocks[block].rows[at - (self._ends[block - 1] if block else 0)]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rows):
            return NotImplemented
        return self.blocks == other.blocks or tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash((len(self), *self._firsts[:1]))


def _order(row: ListRow) -> Order:
    return row.order


def _divided(rows: Sequence[ListRow]) -> Iterator[Block]:
    """Yield rows as blocks; rows that one ticket may replace stay together."""
    if len(rows) <= 2 * BLOCK_ROWS:
        if rows:
            yield Block(tuple(rows))
        return
    begin = 0
    for at in range(1, len(rows)):
        if at - begin >= BLOCK_ROWS and _place(rows[at]) != _place(rows[at - 1]):
            yield Block(tuple(rows[begin:at]))
            begin = at
    yield Block(tuple(rows[begin:]))


def _place(row: ListRow) -> tuple[str, int, str]:
    project, number, rest, _ = row.order
    return (project, number, "" if number else rest)
