"""The ticket list as a tree: which rows are visible, after filter, sort and folds. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, chain, compress, takewhile
from operator import attrgetter
from typing import final

from ticketr.app.tickets import SORT_NAMES, FileStateTerm, Filter, NotTerm, Term, TextTerm
from ticketr.app.tui.rows import ListRow, Rows, RowSortKey, VisibleRow, first_row_order, row_order

#: The most terms whose rows are kept of one list.
MAX_CACHED_TERMS = 32


@lru_cache(maxsize=16)
def sorted_tickets(rows: Rows, sort: str) -> Sequence[int]:
    """Return the indexes of the rows of tickets in an order; their sub-tasks follow each of them.

    Tickets that are equal in the order stay as they are.

    Args:
        rows: The rows.
        sort: One of `ticketr.app.tickets.SORT_NAMES`.
    """
    tickets = [at for at, shown in enumerate(rows.all_rows) if not shown.row.depth]
    if sort != "key":  # the order that they have
        tickets.sort(key=lambda at: rows.all_rows[at].row.sort_key(sort))
    return tickets


def presort(rows: Rows) -> None:
    """Sort rows by each field; for a worker thread."""
    for sort in SORT_NAMES:
        sorted_tickets(rows, sort)


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows a filter lets through.

    Attributes:
        filter: The filter.
        edited_keys: The keys of edited issues.
        conflict_keys: The keys of tickets with a conflict.
    """

    filter: Filter
    edited_keys: frozenset[str] = frozenset()
    conflict_keys: frozenset[str] = frozenset()

    def matching_indexes(self, rows: Rows) -> Sequence[int]:
        """Return the indexes of the rows that the filter lets through, in their order."""
        left: Sequence[int] = range(len(rows))
        for term in self.filter.terms:
            left = self._matching_indexes_among(rows, term, left)
        return left

    def _matching_indexes_among(self, rows: Rows, term: Term, left: Sequence[int]) -> Sequence[int]:
        """Return those of some rows that fit one term, which may be about edits here."""
        shown = rows.all_rows
        match term:
            case FileStateTerm(flags):
                apart = flags.isdisjoint
                return [at for at in left if not apart(self._file_states_of(shown[at].row))]
            case NotTerm(inner):
                without = frozenset(self._matching_indexes_among(rows, inner, left))
                return [at for at in left if at not in without]
            case _:
                fits = arrange(rows, frozenset(), "key", None).find_fitting_rows(term)
                return [at for at in left if fits[at]]

    def _file_states_of(self, row: ListRow) -> frozenset[str]:
        flags = row.candidate.file_states
        if row.key in self.edited_keys:
            flags |= {"edited"}
        if self.conflict_keys and row.head_key in self.conflict_keys:
            flags |= {"conflict"}
        return flags


@final
@dataclass(frozen=True, slots=True, eq=False)
class VisibleRows:
    """The rows to show, in their order.

    Attributes:
        rows: The rows.
        is_sorted_by_key: Whether they are in the order of their keys.
        matches_by_term: For each term of a filter that was asked for, which rows fit it; see `find_fitting_rows`.
    """

    rows: Sequence[VisibleRow]
    is_sorted_by_key: bool
    matches_by_term: dict[Term, bytearray] = field(default_factory=dict, repr=False)

    def index_of_or_nearest(self, order: RowSortKey) -> int:
        """Return the index of the row with an order.

        If it is not shown, since its file was moved or it is folded away or gone, return that of
        its ticket, or of the next row; 0 if there is no row at all.
        """
        same = 2 if order[1] else 3
        if self.is_sorted_by_key:
            begin = bisect_left(self.rows, first_row_order(order), key=row_order)
        else:
            orders = [visible.row.key_order for visible in self.rows]
            if order in orders:  # most are, and this is quicker than what follows
                return orders.index(order)
            first = (at for at, other in enumerate(orders) if other[:same] == order[:same])
            after = (at for at, other in enumerate(orders) if other > order)
            begin = next(chain(first, after), len(orders))
        rows = range(begin, len(self))
        ticket = [*takewhile(lambda at: self.rows[at].row.key_order[:same] == order[:same], rows)]
        exact = (at for at in ticket if self.rows[at].row.key_order == order)
        moved = (at for at in ticket if self.rows[at].row.key_order[3] == order[3])
        return next(chain(exact, moved, ticket), min(begin, max(0, len(self) - 1)))

    def filtered_position_and_count(self, index: int) -> tuple[int, int]:
        """Return how many rows up to an index the filter lets through, and how many of all."""
        counts = _hits_above_each_row_and_total(self)
        return counts[min(index + 1, len(self))], counts[-1]

    def find_words_in_filter_hits(self, words: Sequence[str]) -> tuple[int, ...]:
        """Return the indexes of the hits of the filter that hold all of some folded words."""
        left: Sequence[int] = range(len(self.rows))
        for word in words:
            fits = self.find_fitting_rows(TextTerm(word))
            left = [at for at in left if fits[at]]
        return tuple(at for at in left if self.rows[at].matches_filter)

    def find_fitting_rows(self, term: Term) -> bytearray:
        """Return which rows fit a term of a filter: one byte a row, 1 or 0.

        A word is typed letter by letter, so only the rows that hold its start are looked at, if
        they are known. In a new list they are not known, and all rows are looked at once.
        """
        rows, fits = self.rows, self.matches_by_term.get(term)
        if fits is not None:
            return fits
        if isinstance(term, TextTerm):
            fits, text = bytearray(len(rows)), term.text
            start = self.matches_by_term.get(TextTerm(text[:-1]), b"\1" * len(rows))
            for at in compress(range(len(rows)), start):
                fits[at] = text in rows[at].row.candidate.haystack
        else:
            fits = bytearray([term.matches(visible.row.candidate) for visible in rows])
        if len(self.matches_by_term) >= MAX_CACHED_TERMS:
            self.matches_by_term.clear()
        self.matches_by_term[term] = fits
        return fits

    def __len__(self) -> int:
        return len(self.rows)


@lru_cache(maxsize=8)
def _hits_above_each_row_and_total(visible: VisibleRows) -> Sequence[int]:
    """Return how many hits of the filter are above each row, and at last how many there are."""
    return [*accumulate(map(attrgetter("matches_filter"), visible.rows), initial=0)]


@lru_cache(maxsize=8)
def arrange(
    rows: Rows, folded: frozenset[str], sort: str, row_filter: RowFilter | None
) -> VisibleRows:
    """Return the rows to show, in their order.

    A ticket stays above a sub-task that matches, and is no hit then. Rows with equal sort keys stay in the order of
    their keys.

    Args:
        rows: All rows.
        folded: The IDs of tickets whose sub-tasks are hidden.
        sort: One of `ticketr.app.tickets.SORT_NAMES`.
        row_filter: The filter; None for none.
    """
    shown, is_sorted_by_key = rows.all_rows, sort == "key"
    if row_filter is None and not folded and is_sorted_by_key:
        return VisibleRows(shown, is_sorted_by_key=True, matches_by_term=rows.matches_by_term)
    fits = bytearray(b"\1") * len(shown)
    if row_filter is not None:
        fits = bytearray(len(shown))
        for at in row_filter.matching_indexes(rows):
            fits[at] = 1
    left: list[VisibleRow] = []
    for at in sorted_tickets(rows, sort):
        head = shown[at]
        if not head.subtask_count:  # most
            if fits[at]:
                left.append(head)
            continue
        end = at + 1 + head.subtask_count
        tasks = fits.count(1, at + 1, end)
        if not tasks and not fits[at]:
            continue
        hidden = tasks if folded and head.row.id in folded else 0
        if tasks == head.subtask_count and fits[at] and not hidden:
            left += shown[at:end]
            continue
        left.append(VisibleRow(head.row, tasks, hidden, bool(fits[at])))
        if not hidden:
            left += [shown[task] for task in range(at + 1, end) if fits[task]]
    return VisibleRows(left, is_sorted_by_key=is_sorted_by_key)
