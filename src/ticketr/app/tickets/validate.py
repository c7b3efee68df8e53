"""Checks issue keys, and makes file names of them."""

from __future__ import annotations

import re

from ticketr.app.tickets.errors import InvalidKey

#: An issue key such as ``PROJ-123``; match it with ``fullmatch``.
KEY = re.compile(r"[A-Z][A-Z0-9_]+-[1-9][0-9]*")

# File systems allow names of 255 bytes; writers add a suffix to the name.
_LONGEST_KEY = 200


def is_key(text: str) -> bool:
    """Return whether the whole text is an issue key."""
    return KEY.fullmatch(text) is not None


def safe_file_name(key: str) -> str:
    """Return the name of a ticket's file.

    Keys come from a server, so they are checked before they become part of a path.

    Returns:
        ``KEY.md``: one path component, the same on every file system.

    Raises:
        InvalidKey: The text is not a key, such as ``../../x``, or too long for a file name.
    """
    if len(key) > _LONGEST_KEY or not is_key(key):
        raise InvalidKey(key)
    return f"{key}.md"
