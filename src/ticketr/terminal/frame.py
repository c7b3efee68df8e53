"""The difference between two frames, as what a terminal must be sent: pure."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def diff(before: Sequence[str | None], after: Sequence[str]) -> str:
    """Give what turns one frame into another, row by row; empty if they are equal.

    Each changed row is cleared, then written from its first column: a row that is shorter than
    the screen, or that the terminal finds shorter than we do, leaves nothing of the old one.

    Args:
        before: the rows on the screen, from the top; None for a row with unknown content.
        after: the rows to be there. Rows of `before` below them become empty.
    """
    return "".join(
        f"\x1b[{number};1H\x1b[K{new}" + ("\x1b[m" if "\x1b" in new else "")
        for number, (old, new) in enumerate(zip_longest(before, after, fillvalue=""), start=1)
        if old != new and new is not None
    )
