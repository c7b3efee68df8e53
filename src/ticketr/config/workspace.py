"""Which folder holds the tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: ticketr's own folder in a workspace: state, lock, logs. It ignores itself in git.
STATE_FOLDER = ".ticketr"


def find_workspace(start: Path) -> Path:
    """Find the workspace that a folder belongs to, upwards, as git finds its own.

    Args:
        start: the folder to begin at, usually the current one.

    Returns:
        The nearest folder, from ``start`` upwards, that holds a ``.ticketr`` folder; ``start``
        itself where none does, so that a first pull makes its workspace right there.
    """
    start = start.absolute()
    for folder in (start, *start.parents):
        if (folder / STATE_FOLDER).is_dir():
            return folder
    return start
