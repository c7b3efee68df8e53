"""What a push is about to do, for output."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One issue that a push creates or changes.

    Attributes:
        action: ``"create"`` or ``"update"``.
        key: The issue's key; empty for one that is not created yet.
        title: The issue's title.
        path: The issue's file, relative to the workspace.
        changes: The name, old text and new text of each part that is sent.
    """

    action: str
    key: str
    title: str
    path: str
    changes: tuple[tuple[str, str, str], ...]
