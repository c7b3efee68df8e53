"""Writes the file of a new draft. Synchronous."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from ticketr.app.sync.workspace.files import write_new_file
from ticketr.app.tickets import Ticket, is_key, render

_NOT_IN_NAMES = re.compile(r"[^\w]+")
#: The most characters of a file's name; each may take four of the 255 bytes that a name has.
_LONGEST_NAME = 60


def write_draft(root: Path, draft: Ticket, folder: str = "") -> Path:
    """Write a draft into a new file that is named after its title.

    Args:
        root: The workspace's folder.
        draft: The draft.
        folder: The folder of the file, relative to that.

    Returns:
        The file.

    Raises:
        FileFailed: It cannot be written.
    """
    text = render([draft])
    start = f"{folder}/" if folder else ""
    for name in _file_names(draft.title):
        if write_new_file(root, f"{start}{name}", text):
            return root / f"{start}{name}"
    raise AssertionError("there is always another name")


def _file_names(title: str) -> Iterator[str]:
    """Yield a file name for a title, then numbered ones."""
    stem = _NOT_IN_NAMES.sub("-", title.casefold()).strip("-_")[:_LONGEST_NAME].rstrip("-_")
    if not stem or is_key(stem.upper()):  # some file systems ignore case
        stem = f"draft-{stem}".rstrip("-")
    yield f"{stem}.md"
    yield from (f"{stem}-{number}.md" for number in count(2))
