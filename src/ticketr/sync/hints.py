"""Suggests known names in an error about an unknown name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.cleaning import clean
from ticketr.config.names import close_names

if TYPE_CHECKING:
    from collections.abc import Iterable

#: How many of the known names an error lists.
_OFFERED = 8


def nearest(name: str, names: Iterable[str]) -> str:
    """Return a hint with the known names that are similar to a name, or else a list of them."""
    known = sorted({clean(each) for each in names}, key=str.casefold)
    if close := close_names(name, known, most=3):
        return f"did you mean {' or '.join(close)}?"
    some = ", ".join(known[:_OFFERED]) + (", ..." if len(known) > _OFFERED else "")
    return f"there is {some}" if some else "there is none"
