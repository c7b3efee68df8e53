"""The values of fields that the tickets of a workspace have. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.app.tui.rows import ListRow


def counts_of_values(
    rows: Iterable[ListRow], field: str, *, is_list: bool = False
) -> dict[str, int]:
    """Return the values of a field with how many tickets have each, the most frequent first.

    Args:
        rows: The rows of the tickets.
        field: The field's name, as files write it.
        is_list: Whether the field holds several values.
    """
    counts: Counter[str] = Counter()
    for row in rows:
        text = row.candidate.fields.get(field, "").strip()
        counts.update([value.strip() for value in text.split(",")] if is_list else [text])
    del counts[""]
    return dict(counts.most_common())


def values_of(rows: Iterable[ListRow], field: str) -> tuple[str, ...]:
    """Return the values of a field in some tickets, the most frequent first."""
    return tuple(counts_of_values(rows, field))
