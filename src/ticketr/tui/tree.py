"""The ticket list as a tree: which rows are visible, after filter, sort and folds. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from ticketr.tickets import sort_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ticketr.tui.rows import ListRow


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


def arrange(
    rows: Sequence[ListRow],
    *,
    folded: frozenset[str] = frozenset(),
    sort: str = "key",
    matches: Callable[[ListRow], bool] | None = None,
) -> tuple[VisibleRow, ...]:
    """Return the rows to show, in their order.

    A ticket stays above a sub-task that matches. Rows with equal sort keys stay in the order of
    their keys.

    Args:
        rows: All rows in the order of their keys, each ticket followed by its sub-tasks.
        folded: The IDs of tickets whose sub-tasks are hidden.
        sort: One of `ticketr.tickets.SORT_NAMES`.
        matches: Whether a row matches the filter; None for no filter.
    """
    families = (tuple(family) for _, family in groupby(rows, key=lambda row: row.order[:3]))
    kept = families if matches is None else _matching(families, matches)
    if sort != "key":
        key = sort_key(sort)
        kept = sorted(kept, key=lambda family: key(family[0].candidate))
    shown: list[VisibleRow] = []
    for head, *tasks in kept:
        hidden = len(tasks) if head.id in folded else 0
        shown.append(VisibleRow(head, len(tasks), hidden))
        if not hidden:
            shown.extend(map(VisibleRow, tasks))
    return tuple(shown)


def _matching(
    families: Iterable[tuple[ListRow, ...]], matches: Callable[[ListRow], bool]
) -> Iterable[tuple[ListRow, ...]]:
    for head, *tasks in families:
        found = tuple(filter(matches, tasks))
        if found or matches(head):
            yield head, *found
