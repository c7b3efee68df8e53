"""Filters that were saved under a name, and the words that save, use and forget them. Pure.

``save:late`` behind a filter saves it as ``late``; ``use:late`` stands for it in another filter;
``forget:late`` alone removes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ticketr.app.tickets.errors import InvalidFilter

#: The most characters of a name, and of a filter that is saved.
LONGEST_NAME, LONGEST_FILTER = 40, 2_000
_NAME = re.compile(r"[^\W_][\w-]*")
#: A text in quotes, or the use of a filter.
_PART = re.compile(r'"(?:[^"\\]|\\.)*+"|(?<!\S)(-?)use:(\S*)', re.IGNORECASE | re.DOTALL)
_COMMAND = re.compile(r"(?:^|(?<=\s))(save|forget):(\S*)\s*\Z", re.IGNORECASE)


def split_command(text: str) -> tuple[str, str, str]:
    """Split ``save:NAME`` or ``forget:NAME`` off the end of a filter.

    Args:
        text: What was typed.

    Returns:
        The filter, ``save`` or ``forget``, and the name; the verb is empty if there is none.
    """
    match = _COMMAND.search(text)
    if match is None:
        return text, "", ""
    return text[: match.start()].strip(), match[1].lower(), match[2]


def check_saved(text: str, name: str) -> str:
    """Return why a filter cannot be saved under a name; empty if it can."""
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        return "A name follows save:, of letters, digits, '-' and '_', a letter or digit first"
    if not text.strip():
        return "Type the filter before save:"
    if len(text) > LONGEST_FILTER:
        return f"A filter of more than {LONGEST_FILTER} characters cannot be saved"
    return ""


def with_saved(text: str, saved: Mapping[str, str]) -> str:
    """Return a filter with the saved filters that it uses.

    Args:
        text: What was typed.
        saved: The saved filters, by their names.

    Raises:
        InvalidFilter: No filter is saved under a name.
    """

    def put_in(match: re.Match[str]) -> str:
        if match[2] is None:
            return match[0]
        if match[1]:
            raise InvalidFilter(text, match.start(), "a saved filter cannot be negated")
        if match[2] not in saved:
            known = f"; saved are {', '.join(sorted(saved))}" if saved else ""
            name = match[2] or "no name"
            raise InvalidFilter(text, match.start(2), f"no filter is saved as {name}{known}")
        return saved[match[2]]

    return _PART.sub(put_in, text)
