"""The ticket list as a tree: which rows are visible, after filter, sort and folds. Pure.

The list is arranged block by block, and what was arranged is remembered, so that a key or a few
new tickets cost little in a list of 10,000.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate, chain, repeat
from operator import attrgetter
from typing import NamedTuple, final, overload

from ticketr.app.tickets import SORT_NAMES, FieldTerm, Filter, FlagTerm, NotTerm, Term, TextTerm
from ticketr.app.tui.rows import (
    Block,
    ListRow,
    Order,
    Part,
    Rows,
    VisibleRow,
    holding,
    holding_all,
    values_of,
)

#: Sorted blocks that are cached: those of some lists of 10,000 rows, by each field.
REMEMBERED_SORTS = 1024


@lru_cache(maxsize=16)
def places(blocks: tuple[Block, ...], sort: str) -> Sequence[int]:
    """Return the indexes of all rows in an order, the sub-tasks below their ticket.

    Tickets that are equal in the order stay as they are.

    Args:
        blocks: The rows.
        sort: One of `ticketr.app.tickets.SORT_NAMES`.
    """
    keys: list[tuple[object, ...]] = []
    begins: list[int] = []
    ends: list[int] = []
    rows = 0
    for block in blocks:
        run = _sorted(block, sort)
        keys += run.keys
        begins += [rows + at for at in run.begins]
        ends += [rows + at for at in run.ends]
        rows += len(block.shown)
    merged = sorted(range(len(keys)), key=keys.__getitem__)
    in_order = map(range, map(begins.__getitem__, merged), map(ends.__getitem__, merged))
    return tuple(chain.from_iterable(in_order))


def sort_ahead(rows: Rows) -> None:
    """Sort rows by each field; for a worker thread."""
    for sort in SORT_NAMES:
        if sort != "key":  # the order that they have
            places(rows.blocks, sort)


class _Run(NamedTuple):
    """The tickets of a block in an order: what each is compared by, where it begins and ends."""

    keys: Sequence[tuple[object, ...]]
    begins: Sequence[int]
    ends: Sequence[int]


@lru_cache(maxsize=REMEMBERED_SORTS)
def _sorted(block: Block, sort: str) -> _Run:
    shown, tickets = block.shown, block.tickets
    keys = [shown[at].row.sort_key(sort) for at in tickets]
    in_order = sorted(range(len(keys)), key=keys.__getitem__)
    begins = [tickets[at] for at in in_order]
    ends = [at + 1 + shown[at].tasks for at in begins]
    return _Run([keys[at] for at in in_order], begins, ends)


#: Blocks whose arrangement is cached: those of some lists of 10,000 rows.
REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows a filter lets through.

    Attributes:
        filter: The filter.
        edited: The keys of edited issues.
        conflicts: The keys of tickets with a conflict.
    """

    filter: Filter
    edited: frozenset[str] = frozenset()
    conflicts: frozenset[str] = frozenset()

    def fitting(self, block: Block) -> Sequence[int]:
        """Return the indexes of the rows of a block that the filter lets through, in their order."""
        left: Sequence[int] = range(len(block.rows))
        for term in self.filter.terms:
            left = self._fitting_among(block, term, left)
        return left

    def _fitting_among(self, block: Block, term: Term, left: Sequence[int]) -> Sequence[int]:
        """Return those of some rows of a block that fit one term, as `Term.matches` says of each."""
        if isinstance(term, TextTerm):  # nearly all
            return holding_all(block.whole, (term.wanted,), left)
        if isinstance(term, NotTerm):
            without = frozenset(self._fitting_among(block, term.term, left))
            return [at for at in left if at not in without]
        held = self._fitting_rows(block, term)
        is_all = len(left) == len(block.rows)
        return held if is_all else sorted(frozenset(held).intersection(left))

    def _fitting_rows(self, block: Block, term: Term) -> Sequence[int]:
        """Return the indexes of all rows of a block that fit one term."""
        match term:
            case FieldTerm(name, ""):
                return [at for at, text in enumerate(values_of(block, name).texts) if not text]
            case FieldTerm(name, wanted):
                return holding(values_of(block, name), wanted)
            case FlagTerm(flags):
                apart = flags.isdisjoint
                return [at for at, row in enumerate(block.rows) if not apart(self._flags(row))]
            case _:
                return [at for at, row in enumerate(block.rows) if term.matches(row.candidate)]

    def _flags(self, row: ListRow) -> frozenset[str]:
        flags = row.candidate.flags
        if row.key in self.edited:
            flags |= {"edited"}
        if self.conflicts and row.head in self.conflicts:
            flags |= {"conflict"}
        return flags


@final
class Visible(Sequence[VisibleRow]):
    """The rows to show, in their order.

    Args:
        parts: The rows, in portions.
        is_by_key: Whether they are in the order of their keys.
    """

    def __init__(self, parts: Iterable[Part], *, is_by_key: bool) -> None:
        self._parts = tuple([part for part in parts if part.shown])
        self._ends = tuple(accumulate(len(part.shown) for part in self._parts))
        self._is_by_key = is_by_key

    def index_of(self, order: Order) -> int:
        """Return the index of the row with an order.

        If it is not shown, since its file was moved or it is folded away or gone, return that of
        its ticket, or of the next row; 0 if there is no row at all.
        """
        project, number, path, place = order
        first = (project, number, "" if number else path, -1)
        index = self._place(order) if self._is_by_key else self._find(order)
        if index < len(self) and self[index].row.order == order:
            return index
        begin = self._place(first) if self._is_by_key else self._look_up(first)
        head = None
        for at in range(begin, len(self)):
            other = self[at].row.order
            if other[:2] != (project, number) or not (number or other[2] == path):
                break
            if other[3] == place:
                return at
            head = begin
        if head is not None:
            return head
        after = begin if self._is_by_key else self._next_index(order)
        return min(after, max(0, len(self) - 1))

    def hits(self, words: Sequence[str]) -> tuple[int, ...]:
        """Return the indexes of the rows that hold all of some folded words."""
        indexes: list[int] = []
        for begin, part in zip((0, *self._ends), self._parts, strict=False):
            indexes += [begin + at for at in holding_all(part, words)]
        return tuple(indexes)

    def _place(self, order: Order) -> int:
        """Return the index of the first row that is not before an order."""
        part = max(0, bisect_right(self._first_orders, order) - 1)
        if not self._parts:
            return 0
        within = bisect_left(self._parts[part].shown, order, key=_ticket_rank)
        return self._part_begin(part) + within

    def _find(self, order: Order) -> int:
        """Return the index of the row that has this order, or the number of rows if none has it."""
        try:
            return self._orders.index(order)
        except ValueError:
            return len(self)

    def _look_up(self, first: Order) -> int:
        """Return the index of the first row of a ticket; the number of rows if there is none."""
        same = 2 if first[1] else 3
        places = (at for at, order in enumerate(self._orders) if order[:same] == first[:same])
        return next(places, len(self))

    def _next_index(self, order: Order) -> int:
        """Return the index of the first row behind an order."""
        return next((at for at, other in enumerate(self._orders) if other > order), len(self))

    def _part_begin(self, part: int) -> int:
        """Return the index of the first row of a part."""
        return self._ends[part - 1] if part else 0

    @cached_property
    def _first_orders(self) -> list[Order]:
        return [part.shown[0].row.order for part in self._parts]

    @cached_property
    def _orders(self) -> list[Order]:
        return list(map(attrgetter("row.order"), self))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[VisibleRow]:
        return chain.from_iterable(part.shown for part in self._parts)

    @overload
    def __getitem__(self, index: int) -> VisibleRow: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[VisibleRow, ...]: ...
    def __getitem__(self, index: int | slice) -> VisibleRow | tuple[VisibleRow, ...]:
        if isinstance(index, slice):
            return tuple(self[at] for at in range(*index.indices(len(self))))
        at = range(len(self))[index]
        part = bisect_right(self._ends, at)
        return self._parts[part].shown[at - self._part_begin(part)]


def arrange(
    rows: Rows,
    *,
    folded: frozenset[str] = frozenset(),
    sort: str = "key",
    wanted: Wanted | None = None,
) -> Visible:
    """Return the rows to show, in their order.

    A ticket stays above a sub-task that matches. Rows with equal sort keys stay in the order of
    their keys.

    Args:
        rows: All rows.
        folded: The IDs of tickets whose sub-tasks are hidden.
        sort: One of `ticketr.app.tickets.SORT_NAMES`.
        wanted: The filter; None for none.
    """
    return _arranged_all(rows.blocks, folded, sort, wanted)


# The key has the blocks, which are compared by identity. `Rows` are compared row by row: those that
# a pull has found are equal to those of the files, and comparing 10,000 of them took 50 ms.
@lru_cache(maxsize=8)
def _arranged_all(
    blocks: tuple[Block, ...], folded: frozenset[str], sort: str, wanted: Wanted | None
) -> Visible:
    is_all = wanted is None and not folded
    folds = [folded and folded & block.heads for block in blocks]
    if sort == "key":
        whole = [block.whole for block in blocks]
        parts = whole if is_all else map(_arranged, blocks, folds, repeat(wanted))
        return Visible(parts, is_by_key=True)
    shown = [block.shown for block in blocks]
    pairs = shown if is_all else map(_slots, blocks, folds, repeat(wanted))
    slots = [*chain.from_iterable(pairs)]
    in_order = map(slots.__getitem__, places(blocks, sort))
    return Visible((Part(tuple(filter(None, in_order))),), is_by_key=False)


@lru_cache(maxsize=REMEMBERED)
def _arranged(block: Block, folded: frozenset[str], wanted: Wanted | None) -> Part:
    slots = _slots(block, folded, wanted)
    return block.whole if slots is block.shown else Part(tuple(filter(None, slots)))


@lru_cache(maxsize=REMEMBERED)
def _slots(
    block: Block, folded: frozenset[str], wanted: Wanted | None
) -> Sequence[VisibleRow | None]:
    """Return the rows of a block as they are shown, each in its place; None for one that is not."""
    whole = block.shown
    fitting = range(len(whole)) if wanted is None else wanted.fitting(block)
    if not folded and len(fitting) == len(whole):
        return whole
    slots: list[VisibleRow | None] = [None] * len(whole)
    if not fitting:
        return slots
    fits = bytearray(len(whole))
    for at in fitting:
        fits[at] = 1
    end = 0
    while (hit := fits.find(1, end)) >= 0:
        begin = block.head_of[hit]
        head = whole[begin]
        end = begin + 1 + head.tasks
        if not head.tasks:  # most
            slots[begin] = head
            continue
        tasks = fits.count(1, begin + 1, end)
        hidden = tasks if folded and head.row.id in folded else 0
        if not hidden and head.tasks == tasks:
            slots[begin:end] = whole[begin:end]
            continue
        slots[begin] = VisibleRow(head.row, tasks, hidden)
        if not hidden:
            for at in range(begin + 1, end):
                slots[at] = whole[at] if fits[at] else None
    return slots


def _ticket_rank(visible: VisibleRow) -> Order:
    return visible.row.order
