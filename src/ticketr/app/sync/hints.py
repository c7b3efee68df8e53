"""Suggests known names in an error about an unknown one, and names fields in messages."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ticketr.app.config.names import close_names
from ticketr.cleaning import clean

#: How many of the known names an error lists.
_OFFERED = 8


def nearest(name: str, names: Iterable[str]) -> str:
    """Return a hint with the known names that are similar to a name, or else a list of them."""
    known = sorted({clean(text) for text in names}, key=str.casefold)
    if close := close_names(name, known, most=3):
        return f"did you mean {' or '.join(close)}?"
    some = ", ".join(known[:_OFFERED]) + (", ..." if len(known) > _OFFERED else "")
    return f"there is {some}" if some else "there is none"


def with_field_names(text: str, names: Iterable[tuple[str, str]]) -> str:
    """Return a message of Jira's with the names of the custom fields that it names by their IDs.

    Args:
        text: The message.
        names: Names, each with the ID of its field.
    """
    by_id = {field_id: name for name, field_id in names}

    def named(match: re.Match[str]) -> str:
        name = by_id.get(match[0])
        return f"{clean(name)} ({match[0]})" if name else match[0]

    return re.sub(r"\bcustomfield_[0-9]+\b", named, text)
