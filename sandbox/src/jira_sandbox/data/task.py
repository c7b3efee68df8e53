"""A bulk operation and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Task:
    """A bulk operation.

    Attributes:
        action: ``edit``, ``transition``, ``delete``, ``move``, ``watch`` or ``unwatch``.
        steps: Of each issue its ID and the input of the action.
        invalid: The number of issues that do not exist.
        done: The number of steps that were carried out, or have failed.
        failed: The error messages, by the ID of the issue.
        cancelled: Whether the rest of the steps is left out.
    """

    id: int
    action: str
    steps: Sequence[Sequence[Any]]
    invalid: int
    created: int
    updated: int
    done: int = 0
    failed: Mapping[str, Sequence[str]] | None = None
    cancelled: bool = False

    @property
    def is_over(self) -> bool:
        """Whether no step is left."""
        return self.cancelled or self.done >= len(self.steps)

    def processed(self) -> list[int]:
        """Return the IDs of the issues that were changed."""
        failed = self.failed or {}
        return [step[0] for step in self.steps[: self.done] if str(step[0]) not in failed]
