"""Names as they are compared, and those that come near to one that was mistyped."""

from __future__ import annotations

import unicodedata
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ticketr.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

#: How many of the known names an error lists.
_OFFERED = 8


def nearest(name: str, names: Iterable[str]) -> str:
    """Say which known names come near to an unknown one, or list them, for an error."""
    known = sorted({clean(each) for each in names}, key=str.casefold)
    as_compared = {folded(each): each for each in known}
    close = get_close_matches(folded(name), as_compared, n=3)
    if close:
        return f"did you mean {' or '.join(as_compared[each] for each in close)}?"
    some = ", ".join(known[:_OFFERED]) + (", ..." if len(known) > _OFFERED else "")
    return f"there is {some}" if some else "there is none"


def folded(name: str) -> str:
    """Give a name as it is compared: editors and systems write one letter in several ways."""
    return unicodedata.normalize("NFC", name).casefold()
