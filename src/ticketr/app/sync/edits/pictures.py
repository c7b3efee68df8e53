"""Looks at the files that edited descriptions and comments show as pictures. Synchronous, for a worker thread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ticketr.app.sync.compare.comments import CommentPart
from ticketr.app.sync.compare.grafting import new_pictures
from ticketr.app.sync.edits.local_changes import LocalChange, described, draft_changes
from ticketr.app.sync.workspace.pictures import look_at_pictures


def with_pictures(change: LocalChange, root: Path) -> LocalChange:
    """Return the change of a ticket with what is known of the files that it shows.

    Args:
        change: The change.
        root: The workspace's folder.
    """
    addresses = dict.fromkeys(
        address
        for text, before in (*_descriptions(change), *_comments(change))
        for address in new_pictures(text, before)
    )
    if not addresses:
        return change
    return replace(change, pictures=look_at_pictures(root, change.local.path, addresses))


def _descriptions(change: LocalChange) -> Iterator[tuple[str, str]]:
    """Yield each edited description, with that before."""
    for issue, before in described(change):
        yield issue.description, before


def _comments(change: LocalChange) -> Iterator[tuple[str, str]]:
    """Yield each new and each edited comment, with its text before."""
    drafts = (*((change.local.ticket,) if change.head is None else ()), *change.drafts)
    for changes in (*change.edits.values(), *map(draft_changes, drafts)):
        for edit in changes:
            if isinstance(edit.part, CommentPart):
                yield edit.new, edit.old
