"""Which known names are like an unknown one. Pure: the standard library only."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence


def folded(name: str) -> str:
    """Return the form of a name in which two names are compared.

    Case does not count, nor whether an accented letter is written as one character or as two.
    """
    return unicodedata.normalize("NFC", name).casefold()


def close_names(name: str, known: Iterable[str], *, most: int = 1) -> list[str]:
    """Return the known names that are most like an unknown one, the best first."""
    by_folded = {folded(text): text for text in known}
    return [
        by_folded[match] for match in difflib.get_close_matches(folded(name), by_folded, n=most)
    ]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like an unknown one; None where none is like it."""
    return next(iter(close_names(name, known)), None)


def one_of(name: str, known: Sequence[str]) -> str:
    """Say in an error which values are possible, and which one may have been meant."""
    hint = nearest(name, known)
    offer = f" (did you mean {hint}?)" if hint else ""
    return f"it is one of {', '.join(known)}{offer}"
