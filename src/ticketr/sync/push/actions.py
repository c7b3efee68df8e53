"""What a push is about to do, for people and for scripts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One issue that a push creates or changes.

    Attributes:
        action: ``"create"`` or ``"update"``.
        key: Its key; empty for one that is not created yet.
        title: Its title.
        path: Its file, relative to the workspace.
        changes: What is sent of it: the names of its parts with old and new text.
    """

    action: str
    key: str
    title: str
    path: str
    changes: tuple[tuple[str, str, str], ...]
