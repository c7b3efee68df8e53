"""Looks at the files that edited descriptions show as pictures. Synchronous, for a worker thread."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ticketr.sync.compare.pictures import new_pictures
from ticketr.sync.edits.local_changes import described
from ticketr.sync.workspace.pictures import look_at_pictures

if TYPE_CHECKING:
    from pathlib import Path

    from ticketr.sync.edits.local_changes import LocalChange


def with_pictures(change: LocalChange, root: Path) -> LocalChange:
    """Return the change of a ticket with what is known of the files that it shows.

    Args:
        change: The change.
        root: The workspace's folder.
    """
    addresses = dict.fromkeys(
        address
        for issue, before in described(change)
        for address in new_pictures(issue.description, before)
    )
    if not addresses:
        return change
    return replace(change, pictures=look_at_pictures(root, change.local.path, addresses))
