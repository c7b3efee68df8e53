"""The change that a write makes to a site, for callbacks that store it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.sandbox.data.model import Issue


@dataclass(frozen=True, slots=True)
class Counters:
    """The last assigned ID and numbers; they never decrease, so IDs and keys are not reused.

    Attributes:
        last_id: The last ID that was assigned.
        numbers: The last number that was assigned, by the project's key.
    """

    last_id: int = 10_000
    numbers: Mapping[str, int] = field(default_factory=dict)

    def after(self, issue: Issue) -> Counters:
        """Return the counters raised to an issue's ID and number."""
        key = issue.project.key
        last = self.numbers.get(key, 0)
        if issue.id <= self.last_id and issue.number <= last:
            return self
        numbers = {**self.numbers, key: max(last, issue.number)}
        return replace(self, last_id=max(self.last_id, issue.id), numbers=numbers)


@dataclass(frozen=True, slots=True)
class SiteChange:
    """The change that one write makes, to be stored whole or not at all.

    Attributes:
        counters: The counters after the write.
        put: The new and the changed issues.
        removed: The IDs of the deleted issues.
    """

    counters: Counters
    put: tuple[Issue, ...] = ()
    removed: tuple[int, ...] = ()


#: Called with each change before it becomes visible.
#:
#: If it raises, the site does not change and the error reaches the caller of the write. So the
#: stored site never lags behind the responses.
OnChange = Callable[[SiteChange], None]


def discard_change(_change: SiteChange) -> None:
    """Do nothing with a change."""
