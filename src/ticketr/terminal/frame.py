"""Compute the terminal output that turns one frame into another. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest


def diff(before: Sequence[str | None], after: Sequence[str]) -> str:
    """Return the output that turns one frame into another; empty if they are equal.

    Each changed row is cleared before it is written, so nothing of the old row remains, even if
    the terminal measures the new one shorter than expected.

    Args:
        before: The rows on the screen, from the top; None for a row with unknown content.
        after: The new rows. Further rows of `before` become empty.
    """
    return "".join(
        f"\x1b[{number};1H\x1b[K{new}" + ("\x1b[m" if "\x1b" in new else "")
        for number, (old, new) in enumerate(zip_longest(before, after, fillvalue=""), start=1)
        if old != new and new is not None
    )
