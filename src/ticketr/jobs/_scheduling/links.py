"""What a job starts after, and what starts after it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Hashable

T = TypeVar("T", bound="Hashable")


@final
@dataclass(frozen=True, slots=True)
class After:
    """The options ``after``, as handles or IDs, and ``after_any_end`` of a submit."""

    jobs: tuple[object, ...]
    any_end: bool


@final
class JobLinks(Generic[T]):
    """The jobs that a job waits for, and those that wait for it.

    Attributes:
        predecessors: The jobs whose end it waits for, and whether it starts although that one fails
            or is cancelled.
        dependents: The jobs that wait for its end.
    """

    __slots__ = ("dependents", "predecessors")

    def __init__(self) -> None:
        self.predecessors: dict[T, bool] = {}
        self.dependents: dict[T, None] = {}

    def add(self, predecessor: T, *, any_end: bool) -> None:
        """Wait for a job, unless it does already."""
        self.predecessors.setdefault(predecessor, any_end)

    def forget(self, predecessor: T) -> None:
        """Stop waiting for a job."""
        del self.predecessors[predecessor]

    def add_dependent(self, dependent: T) -> None:
        """Note that a job waits for this one."""
        self.dependents[dependent] = None

    def drop_dependent(self, dependent: T) -> None:
        """Note that a job no longer waits for this one."""
        self.dependents.pop(dependent, None)
