"""The rows of a list in the order of a field. Pure.

All rows are sorted by each field ahead, in the thread that reads the files: computing what 10,000
tickets are compared by takes some 20 ms. Each row remembers its own. After a change only the changed
blocks are sorted, and `sorted` merges them with the others: it finds runs that are in order already.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from ticketr.app.tickets import SORT_NAMES

if TYPE_CHECKING:
    from ticketr.app.tui.rows import Block, Rows

#: Sorted blocks that are cached: those of some lists of 10,000 rows, by each field.
REMEMBERED = 1024


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


@lru_cache(maxsize=REMEMBERED)
def _sorted(block: Block, sort: str) -> _Run:
    shown, tickets = block.shown, block.tickets
    keys = [shown[at].row.sort_key(sort) for at in tickets]
    in_order = sorted(range(len(keys)), key=keys.__getitem__)
    begins = [tickets[at] for at in in_order]
    ends = [at + 1 + shown[at].tasks for at in begins]
    return _Run([keys[at] for at in in_order], begins, ends)
